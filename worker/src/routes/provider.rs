//! `POST /login/{provider}`, `GET /login/{provider}/callback`: signing in at an identity provider.
//!
//! A sign-in begins with the form of our own page and its pre-session token, never with a link: nobody
//! is sent to a provider, and signed in as whoever is signed in there, by another site (login CSRF). The
//! answer counts only in the browser that holds the flow's cookie, at the address of the provider that
//! was asked, once: the cookie goes with every answer to it. Everything of a sign-in is recorded in one
//! batch after every check, so a failure on the way leaves nothing behind.

use edgegrant_core::oidc::flow::{Answered, FLOW_S, Flow, answered, tag};
use edgegrant_core::oidc::provider::Provider;
use edgegrant_core::person::{ProviderSession, SessionCookie};
use edgegrant_core::seal::{Purpose, open_value, seal_value};
use worker::Method;

use super::login::{HOME, form_ok};
use super::sign_in::{self, cookie_name, login_address, own_path, session_cookie, set_cookie};
use super::{Place, frame, not_served, page_form};
use crate::answer::Answer;
use crate::call::Call;
use crate::fault::{Fault, OrFault as _};
use crate::oidc::{self, Failure};
use crate::pages::NoticePage;
use crate::platform::{now_s, random, random_id};
use crate::store::identities;

const START: &str = "/login/";
const CALLBACK: &str = "/callback";
/// Sign-ins that one browser may have under way; the oldest gives way.
const FLOWS_MAX: usize = 5;
/// Browsers keep cookies of up to 4096 bytes, name and value together.
const COOKIE_MAX: usize = 4000;

/// Whether the path is where a sign-in begins.
pub(super) fn is_start(path: &str) -> bool {
    path.strip_prefix(START).is_some_and(|id| !id.is_empty() && !id.contains('/'))
}

/// Whether the path is where a provider's answer arrives.
pub(super) fn is_callback(path: &str) -> bool {
    path.strip_suffix(CALLBACK).is_some_and(is_start)
}

/// The id in either path.
fn id(path: &str) -> &str {
    path.strip_prefix(START).map_or("", |rest| rest.strip_suffix(CALLBACK).unwrap_or(rest))
}

/// The methods of a path, when it is one of a provider that is there. HEAD is none of the callback's: it
/// would use the answer up without showing what became of it.
pub(super) fn methods(call: &Call, path: &str) -> &'static str {
    match call.config.provider(id(path)) {
        Some(_) if is_callback(path) => "GET",
        Some(_) if is_start(path) => "POST",
        _ => "",
    }
}

/// `POST /login/{provider}`.
pub(super) async fn start(call: &mut Call, path: &str) -> Result<Answer, Fault> {
    let config = call.config.clone();
    let Some(provider) = config.provider(id(path)) else { return Ok(not_served(call, path, Place::Page)) };
    let params = match page_form(call).await? {
        Ok(params) => params,
        Err(refused) => return Ok(refused),
    };
    let return_to = own_path(params.field("return_to")).unwrap_or(HOME);
    if !form_ok(call, &params) {
        return Ok(Answer::page(403, &NoticePage::form_refused(frame(call), &login_address(return_to))).because("form refused"));
    }
    let metadata = match oidc::metadata(provider).await {
        Ok(metadata) => metadata,
        Err(failure) => return Ok(failed(call, provider, failure, return_to)),
    };
    let flow = Flow::begin(provider, return_to, [random()?, random()?, random()?], now_s());
    let sealed = seal_value(&config.keys.seal, Purpose::Flow, &config.issuer, &flow, random()?).or_fault("seal")?;
    if sealed.len() > COOKIE_MAX {
        return Ok(Answer::page(400, &NoticePage::too_long_to_keep(frame(call))).because("request too long to keep"));
    }
    // Who is signed in already wants to be somebody else.
    let address = flow.request(provider, &metadata, &provider.redirect_uri(&config.issuer), session_cookie(call).is_some());
    let answer = Answer::see_other(&address).with("set-cookie", &set_cookie(call, &cookie_of(&flow.state), &sealed, FLOW_S));
    Ok(stale_flows(call).iter().fold(answer, |answer, name| answer.with("set-cookie", &set_cookie(call, name, "", 0))))
}

/// The name of a flow's cookie: tabs have their own.
fn cookie_of(state: &str) -> String {
    format!("flow_{}", tag(state))
}

fn open_flow(call: &Call, text: &str) -> Option<Flow> {
    open_value(&call.config.keys.seal, Purpose::Flow, &call.config.issuer, text)
}

/// Cookies of flows that are over, and of the oldest when there are too many.
fn stale_flows(call: &Call) -> Vec<String> {
    let now = now_s();
    let cookies = call.cookies(&cookie_name(call, "flow_"));
    let end = |value: &str| open_flow(call, value).map_or(0, |flow| flow.expires_s);
    let mut flows: Vec<(u64, String)> = cookies.into_iter().map(|(tag, value)| (end(&value), format!("flow_{tag}"))).collect();
    // Browsers send the oldest first, which tells those of one second apart.
    flows.sort_by_key(|(end, _)| *end);
    let surplus = (flows.len() + 1).saturating_sub(FLOWS_MAX);
    flows.into_iter().enumerate().filter(|(at, (end, _))| *at < surplus || *end <= now).map(|(_, (_, name))| name).collect()
}

/// `GET /login/{provider}/callback`. Whatever comes of it, the flow is over.
pub(super) async fn callback(call: &Call, path: &str) -> Result<Answer, Fault> {
    let config = call.config.clone();
    let Some(provider) = config.provider(id(path)).filter(|_| call.method() == Method::Get) else {
        return Ok(not_served(call, path, Place::Page));
    };
    let params = call.query_params();
    let state = params.get("state").ok().flatten().unwrap_or_default();
    let name = cookie_of(state);
    let flow = call.cookie(&cookie_name(call, &name)).and_then(|text| open_flow(call, &text));
    let Some(flow) = flow.filter(|flow| flow.is_of(provider, state, now_s())) else {
        return Ok(Answer::page(400, &NoticePage::no_such_sign_in(frame(call))).because("no such sign-in"));
    };
    let answer = match finish(call, provider, &flow).await {
        Ok(answer) => answer,
        Err(fault) => {
            crate::log::fault("sign-in", &fault);
            failed(call, provider, Failure { status: 503, why: "fault" }, &flow.return_to)
        }
    };
    // The address of a page here has the code in it.
    Ok(answer.with("referrer-policy", "no-referrer").with("set-cookie", &set_cookie(call, &name, "", 0)))
}

/// The answer to a flow: a session, or a page that says why not.
async fn finish(call: &Call, provider: &Provider, flow: &Flow) -> Result<Answer, Fault> {
    let failed = |failure| Ok(failed(call, provider, failure, &flow.return_to));
    let metadata = match oidc::metadata(provider).await {
        Ok(metadata) => metadata,
        Err(failure) => return failed(failure),
    };
    let code = match answered(&call.query_params(), provider, &metadata) {
        Ok(Answered::Code(code)) => code,
        Ok(Answered::Denied) => {
            let page = NoticePage::provider_denied(frame(call), &provider.name, login_address(&flow.return_to));
            return Ok(Answer::page(403, &page).because("sign-in denied"));
        }
        Ok(Answered::Unavailable) => return failed(Failure { status: 503, why: "provider unavailable" }),
        Ok(Answered::Error(why)) | Err(why) => return failed(Failure::wrong(why)),
    };
    let identity = match oidc::identify(provider, &metadata, flow, &code, &call.config.issuer).await {
        Ok(identity) => identity,
        Err(failure) => return failed(failure),
    };
    let now = now_s();
    let from = ProviderSession { issuer: provider.issuer.clone(), end_session: metadata.end_session_endpoint.clone() };
    let cookie = SessionCookie { user: String::new(), session: random_id()?, epoch: 0, created_s: now, seen_s: now, provider: Some(from) };
    let sign_in = identities::SignIn {
        issuer: &provider.issuer,
        identity: &identity,
        expires_s: now + u64::from(cookie.life_s(&call.config.policy)),
        cookie,
        network: call.network(),
        old: session_cookie(call).map(|old| old.session),
    };
    let cookie = identities::sign_in(&call.env, &call.config, &sign_in).await?;
    Ok(Answer::see_other(&flow.return_to)
        .with("set-cookie", &sign_in::sealed(call, &cookie)?)
        .with("set-cookie", &set_cookie(call, "login", "", 0)))
}

/// The page of a sign-in that did not work.
fn failed(call: &Call, provider: &Provider, failure: Failure, return_to: &str) -> Answer {
    let passes = failure.status == 503;
    let page = NoticePage::provider_failed(frame(call), &provider.name, passes, login_address(return_to));
    let answer = Answer::page(failure.status, &page).because(failure.why);
    if passes { answer.with("retry-after", "1") } else { answer }
}

#[cfg(test)]
mod tests {
    use super::{is_callback, is_start};

    #[test]
    fn a_provider_has_two_addresses() {
        assert!(is_start("/login/acme") && !is_callback("/login/acme"));
        assert!(is_callback("/login/acme/callback") && !is_start("/login/acme/callback"));
        for other in ["/login", "/login/", "/login/a/b", "/login//callback", "/login/a/callback/", "/login/a/b/callback"] {
            assert!(!is_start(other) && !is_callback(other), "{other}");
        }
    }
}
