//! `GET, POST /login`, `POST /logout`: the sign-in page, the embedded accounts, and the way out.
//!
//! The limiter is asked before anything is hashed, unknown names hash a dummy, and the answer to a
//! wrong password is the same as to an unknown name (attack A20). The form carries a pre-session
//! token, so that nobody is signed in to an attacker's account. A new session's id never is the old
//! one (UI-08).

use edgegrant_core::encoding::{array_from_hex, hex};
use edgegrant_core::keys::{lookup_name, same};
use edgegrant_core::oauth::params::Params;
use edgegrant_core::oidc::flow;
use edgegrant_core::person::{LoginForm, SessionCookie, form_token_ok, normal_email, verify_password};
use edgegrant_core::rate::Limit;
use edgegrant_core::seal::{Purpose, open_value, seal_value};

use super::sign_in::{cookie_name, own_path, sealed, session_cookie, set_cookie};
use super::{authorize, frame, page_form, sign_in};
use crate::answer::Answer;
use crate::call::Call;
use crate::fault::{Fault, OrFault as _};
use crate::objects::limiter::{self, Command};
use crate::operations::noticed;
use crate::pages::{Frame, LoginPage, NoticePage, ProviderButton};
use crate::platform::{now_s, random, random_id};
use crate::store::audit::{Entry, UNKNOWN};
use crate::store::people;

pub(super) const HOME: &str = "/account/apps";
const WRONG: &str = "The e-mail address or the password is not right.";
/// How long a browser counts as one that has signed a name in before, in seconds.
const KNOWN_BROWSER_S: u64 = 31_536_000;

/// `GET /login`.
pub(crate) async fn form(call: &Call) -> Result<Answer, Fault> {
    let params = call.query_params();
    let return_to = own_path(params.field("return_to")).unwrap_or(HOME);
    page(call, 200, return_to, "", None).await
}

/// The form, with a fresh pre-session token. The app that waits is named, and the redirect to it after
/// signing in is allowed, when the link to it is right.
async fn page(call: &Call, status: u16, return_to: &str, email: &str, error: Option<&str>) -> Result<Answer, Fault> {
    let config = &call.config;
    // A browser keeps its token, so that forms in two tabs, or one behind the back button, still work.
    let kept = call.cookie(&cookie_name(call, "login")).and_then(|cookie| array_from_hex(&cookie));
    let browser: [u8; 16] = kept.map_or_else(random, Ok)?;
    let form_s = u64::from(config.policy.login.form_s);
    let form = LoginForm { browser, expires_s: now_s() + form_s };
    let csrf = seal_value(&config.keys.seal, Purpose::Login, &config.issuer, &form, random()?).or_fault("seal")?;
    let waiting = authorize::waiting_app(call, return_to).await?;
    // Somebody who is signed in already may go on; without an answer the form is all there is.
    let visitor = sign_in::visitor(call, None).await.unwrap_or_default();
    let page = LoginPage {
        frame: Frame { person: visitor.as_ref().map(|visitor| visitor.email.as_str()), ..frame(call) },
        csrf: &csrf,
        return_to,
        email,
        error,
        app_name: waiting.as_ref().map(|(name, _)| name.as_str()),
        password: config.policy.login.password,
        providers: &config.providers.iter().map(|provider| ProviderButton { id: &provider.id, name: &provider.name }).collect::<Vec<_>>(),
        hint: development_hint().filter(|_| config.policy.login.password),
    };
    // A provider's endpoints may be anywhere below https; its metadata is asked for when it is chosen.
    let mut sources: Vec<String> = config.providers.iter().filter_map(|provider| sign_in::provider_source(&provider.issuer)).collect();
    sources.extend(waiting.as_ref().and_then(|(_, source)| source.clone()));
    sources.sort();
    sources.dedup();
    let sources = sources.join(" ");
    Ok(Answer::page(status, &page)
        .form_action((!sources.is_empty()).then_some(sources.as_str()))
        .with("set-cookie", &set_cookie(call, "login", &hex(&browser), form_s)))
}

fn development_hint() -> Option<&'static str> {
    #[cfg(feature = "development")]
    return Some(crate::development::seed::LOGIN_HINT);
    #[cfg(not(feature = "development"))]
    None
}

/// Whether the form came from our page in this browser.
pub(super) fn form_ok(call: &Call, params: &Params) -> bool {
    let config = &call.config;
    let form: Option<LoginForm> = open_value(&config.keys.seal, Purpose::Login, &config.issuer, params.field("csrf"));
    let browser = call.cookie(&cookie_name(call, "login")).unwrap_or_default();
    let fresh = |form: LoginForm| form.expires_s > now_s() && same(hex(&form.browser).as_bytes(), browser.as_bytes());
    call.is_from_own_page() && form.is_some_and(fresh)
}

/// `POST /login`.
pub(crate) async fn submit(call: &mut Call) -> Result<Answer, Fault> {
    let params = match page_form(call).await? {
        Ok(params) => params,
        Err(refused) => return Ok(refused),
    };
    let return_to = own_path(params.field("return_to")).unwrap_or(HOME);
    if !call.config.policy.login.password {
        return Ok(Answer::page(403, &NoticePage::no_passwords(frame(call), &sign_in::login_address(return_to))).because("no passwords"));
    }
    if !form_ok(call, &params) {
        return Ok(Answer::page(403, &NoticePage::form_refused(frame(call), &sign_in::login_address(return_to))).because("form refused"));
    }
    let (email, password) = (params.field("email"), params.field("password"));
    let names = people::email_names(&call.config.keys, email);
    let name = names.first().or_fault("hash key")?.clone();
    let tries = tries(call, &name)?;
    let mut is_last = false;
    for (object, counters) in &tries {
        match limiter::ask(&call.env, object, &Command::Take(counters.clone())).await? {
            limiter::Answer::Granted { last } => is_last |= last,
            limiter::Answer::Block(_) => return Err(Fault::at("limiter answer")),
            limiter::Answer::Refused(standing) => {
                let again = sign_in::login_address(return_to);
                let page = NoticePage::too_many(frame(call), u64::from(standing.reset_s), &again);
                return Ok(Answer::page(429, &page).with("retry-after", &standing.reset_s.to_string()).because("too many sign-ins"));
            }
        }
    }
    let person = people::by_email(&call.env, &names).await?;
    let right = verify_password(password, person.as_ref().map(|person| person.password_hash.as_str()));
    if is_last && !right {
        // Once a window, for unknown names as well; the answer does not wait for it.
        let actor = person.as_ref().map_or(UNKNOWN, |person| person.id.as_str());
        noticed(call, actor, "sign-in locked");
    }
    match person.filter(|_| right) {
        None => Ok(page(call, 401, return_to, &normal_email(email), Some(WRONG)).await?.because("wrong password")),
        Some(person) => signed_in(call, person, &name, tries, return_to).await,
    }
}

/// A limiter object and the counters in it that a try uses.
type Try = (String, Vec<(String, Limit)>);

/// What a try uses, in this order. The address first, for all names together: whoever sprays one
/// password over many names neither gets far nor makes an object for each. A browser that has signed
/// this name in before has its own counter, so that guessing elsewhere does not lock the rightful
/// person out.
fn tries(call: &Call, name: &str) -> Result<Vec<Try>, Fault> {
    let config = &call.config;
    let limits = &config.policy.login;
    let known = known_browser(call, name)?;
    let cookie = call.cookie(&cookie_name(call, "known")).unwrap_or_default();
    if same(cookie.as_bytes(), known.as_bytes()) {
        return Ok(vec![(name.to_owned(), vec![("known".to_owned(), limits.per_known_browser)])]);
    }
    let (_, key) = config.keys.hash.newest().or_fault("hash key")?;
    let address = lookup_name(key, "address", &call.network());
    let of_name = vec![(format!("address:{address}"), limits.per_address), ("name".to_owned(), limits.per_name)];
    Ok(vec![(address, vec![("all".to_owned(), limits.per_network)]), (name.to_owned(), of_name)])
}

/// What a browser keeps once it has signed a name in.
fn known_browser(call: &Call, name: &str) -> Result<String, Fault> {
    let (_, key) = call.config.keys.seal.newest().or_fault("seal key")?;
    Ok(lookup_name(key, "known browser", name))
}

async fn signed_in(call: &Call, person: people::Credentials, name: &str, tries: Vec<Try>, return_to: &str) -> Result<Answer, Fault> {
    let now = now_s();
    let cookie = SessionCookie { user: person.id, session: random_id()?, epoch: person.epoch, created_s: now, seen_s: now, provider: None };
    let old = session_cookie(call);
    let expires_s = now + u64::from(cookie.life_s(&call.config.policy));
    let network = call.network();
    let staff = Entry { actor: &cookie.user, action: "staff signed in", network: &network, ..Entry::default() };
    let recorded = (person.platform_admin == 1).then_some(&staff);
    let old = old.as_ref().map(|old| old.session.as_str());
    people::replace_session(&call.env, &call.config, &cookie, expires_s, old, recorded).await?;
    // A right password is no guess: the counters get it back.
    let env = call.env.clone();
    call.context.wait_until(async move {
        for (object, counters) in tries {
            let names = counters.into_iter().map(|(name, _)| name).collect();
            if let Err(fault) = limiter::ask(&env, &object, &Command::GiveBack(names)).await {
                crate::log::fault("limiter", &fault);
            }
        }
    });
    Ok(Answer::see_other(return_to)
        .with("set-cookie", &sealed(call, &cookie)?)
        .with("set-cookie", &set_cookie(call, "known", &known_browser(call, name)?, KNOWN_BROWSER_S))
        .with("set-cookie", &set_cookie(call, "login", "", 0)))
}

/// `POST /logout`: the row goes, so a copied cookie is dead too. A session that began at a provider ends
/// there as well, where the provider has an address for it.
pub(crate) async fn sign_out(call: &mut Call) -> Result<Answer, Fault> {
    let params = match page_form(call).await? {
        Ok(params) => params,
        Err(refused) => return Ok(refused),
    };
    let mut next = "/".to_owned();
    if let Some(cookie) = session_cookie(call) {
        if !call.is_from_own_page() || !form_token_ok(&call.config.keys.seal, &cookie.session, params.field("csrf")) {
            return Ok(Answer::page(403, &NoticePage::form_refused(frame(call), HOME)).because("form refused"));
        }
        people::end_session(&call.env, &cookie.session).await?;
        let end_session = cookie.provider.as_ref().and_then(|provider| provider.end_session.as_deref());
        if let (Some(endpoint), Some(provider)) = (end_session, sign_in::provider_of(call, &cookie)) {
            next = flow::end_session(endpoint, &provider.client_id, &format!("{}/login", call.config.issuer));
        }
    }
    Ok(Answer::see_other(&next).with("set-cookie", &set_cookie(call, "session", "", 0)))
}
