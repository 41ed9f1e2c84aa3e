//! The authorization endpoint (RFC 6749 §4.1.1): validation, sign-in, the consent page.
//!
//! Order (RFC 6749 §4.1.2.1, RFC 9700 §4.11.2): client and redirect URI, whose errors are pages;
//! then the person signs in; only then do other errors go to the app, and only to a proven address.

use std::rc::Rc;

use edgegrant_core::app::{App, Status};
use edgegrant_core::encoding::base64url;
use edgegrant_core::oauth::authorize::{self, PageError, Request, Target};
use edgegrant_core::oauth::consent::Question;
use edgegrant_core::oauth::error::{ErrorCode, Refusal};
use edgegrant_core::oauth::params::Params;
use edgegrant_core::oauth::redirect_uri;
use edgegrant_core::oauth::scope::ScopeSet;
use edgegrant_core::person::{ConsentForm, form_token};
use edgegrant_core::policy::{Endpoint, Policy, ScopeEntry, Separator, Use};
use edgegrant_core::seal::{Purpose, seal_value};
use worker::Method;

use super::{client, decision, frame, page_form, sign_in};
use crate::answer::Answer;
use crate::call::{Call, split_address};
use crate::fault::{Fault, OrFault as _};
use crate::pages::{self, AccountChoice, ConsentPage, Frame, Lasting, NoticePage, Rfc, Scope};
use crate::platform::{now_s, random};
use crate::store::people::{Listing, Membership, Visitor};

/// Answers an authorization request; or its decision, where the policy sends that here too.
pub(crate) async fn answer(call: &mut Call) -> Result<Answer, Fault> {
    let params = match call.method() {
        Method::Post => match page_form(call).await? {
            Ok(params) => params,
            Err(refused) => return Ok(refused),
        },
        _ => call.query_params(),
    };
    if call.method() == Method::Post && call.path == call.config.policy.routes.decision && !params.field("consent").is_empty() {
        return decision::decide(call, &params).await;
    }
    let app = match known_app(call, &params).await? {
        Ok(app) => app,
        Err(error) => return Ok(refused(call, &params, &error, None)),
    };
    let target = match authorize::target(&params, &app, &call.config.policy) {
        Ok(target) => target,
        Err(error) => return Ok(refused(call, &params, &error, Some(&app))),
    };
    let Some(visitor) = sign_in::visitor(call, Some(app.number)).await? else {
        return Ok(sign_in::to_login(&format!("{}?{}", call.path, params.encode())));
    };
    if !call.config.policy.of(&app).usable_by(&visitor.cookie.user) {
        return Ok(stopped(call, app.status, &app.name));
    }
    let answer = match authorize::request(&params, &target, &app, &call.config.policy) {
        Ok(request) => match decision::remembered(call, &app, &request, &visitor, &params).await? {
            Some(answer) => answer,
            None => consent(call, &app, &request, &visitor, Again::default())?,
        },
        Err(refusal) => Answer::see_other(&authorize::failure(&target, &call.config.issuer, &refusal))
            .because(refusal.error.as_str())
            .telling(&refusal.description),
    };
    sign_in::renewed(call, &visitor, answer)
}

async fn known_app(call: &Call, params: &Params) -> Result<Result<Rc<App>, PageError>, Fault> {
    let client_id = match authorize::client_id(params) {
        Ok(client_id) => client_id,
        Err(error) => return Ok(Err(error)),
    };
    let app = client::app_of(call, client_id).await?;
    Ok(app.filter(|app| app.status != Status::Deleted).ok_or(PageError::ClientUnknown))
}

/// The app that waits behind `return_to`: its name, and where its answer may be sent, for the
/// sign-in page.
pub(super) async fn waiting_app(call: &Call, return_to: &str) -> Result<Option<(String, Option<String>)>, Fault> {
    let Some((path, query)) = return_to.split_once('?') else { return Ok(None) };
    if call.config.policy.endpoint(path) != Some(Endpoint::Authorize) {
        return Ok(None);
    }
    let params = Params::parse(query.as_bytes());
    let Ok(app) = known_app(call, &params).await? else { return Ok(None) };
    let Ok(target) = authorize::target(&params, &app, &call.config.policy) else { return Ok(None) };
    Ok(Some((app.name.clone(), form_source(&target))))
}

/// What `form-action` must allow for the redirect after a form, and the app's own redirects after
/// it: any https, or the very origin or scheme for others. An IPv6 literal is no host source (CSP3
/// section 2.3.1; browsers drop it and refuse the redirect), so `[::1]` is let through by its scheme.
pub(super) fn form_source(target: &Target) -> Option<String> {
    let origin = redirect_uri::origin(&target.redirect_uri)?;
    Some(match origin.split_once("://") {
        Some(("https", _)) => "https:".to_owned(),
        Some((scheme, host)) if host.starts_with('[') => format!("{scheme}:"),
        _ => origin,
    })
}

/// An error that is shown here and never redirected.
fn refused(call: &Call, params: &Params, error: &PageError, app: Option<&App>) -> Answer {
    let fault = |parameter: &'static str, problem: &'static str, remedy: &'static str, section: &'static str| pages::Fault {
        code: "invalid_request",
        parameter: Some(parameter),
        received: Some(params.field(parameter)).filter(|value| !value.is_empty()),
        problem: problem.into(),
        remedy: remedy.into(),
        rfc: Some(Rfc { number: 6749, section }),
    };
    let found = match error {
        PageError::ClientMissing => fault("client_id", "client_id is missing.", "Send the client id of the registered app.", "4.1.1"),
        PageError::Twice("client_id") => fault("client_id", "client_id was sent more than once.", "Send it once.", "3.1"),
        PageError::Twice(_) => fault("redirect_uri", "redirect_uri was sent more than once.", "Send it once.", "3.1"),
        PageError::ClientUnknown => fault(
            "client_id",
            "There is no app with this client id.",
            "Check the client id for a typing error or another environment's value.",
            "4.1.2.1",
        ),
        PageError::RedirectUriMissing => {
            fault("redirect_uri", "redirect_uri is missing.", "The app has several registered: send the one to use.", "3.1.2.3")
        }
        PageError::RedirectUriUnknown => fault(
            "redirect_uri",
            "This redirect_uri is not registered for the app.",
            "Register it exactly as it is sent, or send a registered one: they are compared character by character.",
            "3.1.2.3",
        ),
        PageError::ScopeMissing => {
            pages::Fault { code: "invalid_scope", ..fault("scope", "scope is missing.", "Name the scopes that the app needs.", "3.3") }
        }
        PageError::AppStatus(status) => return stopped(call, *status, app.map_or("This app", |app| &app.name)),
    };
    let told = found.problem.clone();
    Answer::page(400, &NoticePage::broken_link(frame(call), None, vec![found])).because("authorization request refused").telling(&told)
}

/// The app may not be used now.
pub(super) fn stopped(call: &Call, status: Status, name: &str) -> Answer {
    let app = pages::App { name, ..pages::App::default() };
    let page = match status {
        Status::Suspended => NoticePage::suspended(frame(call), app),
        Status::Rejected => NoticePage::rejected(frame(call), app),
        _ => NoticePage::not_approved(frame(call), app),
    };
    Answer::page(403, &page).because("app not in use").telling(status.as_str())
}

/// The app as pages show it.
pub(super) fn shown(listing: &Listing) -> pages::App<'_> {
    pages::App {
        name: &listing.name,
        logo: listing.logo.as_deref(),
        developer: &listing.developer,
        website_host: split_address(&listing.website).map(|(host, _, _)| host),
        description: Some(&listing.description),
        in_development: listing.development,
        unreviewed: false,
    }
}

/// The accounts that the person may connect an app to.
pub(super) fn consentable<'a>(visitor: &'a Visitor, policy: &Policy) -> Vec<&'a Membership> {
    visitor.memberships.iter().filter(|membership| policy.authorize.consent_roles.contains(&membership.role)).collect()
}

/// The address that asks a proven request's question again.
pub(super) fn address(policy: &Policy, client_id: &str, request: &Request) -> String {
    let challenge = request.challenge.map(|challenge| base64url(&challenge));
    // What stood between the scopes of the request was the policy's separator.
    let scope = if policy.scopes.separator == Separator::Comma { request.scope.replace(' ', ",") } else { request.scope.clone() };
    let mut params = vec![
        ("response_type", "code"),
        ("client_id", client_id),
        ("redirect_uri", &request.target.redirect_uri),
        ("scope", scope.as_str()),
    ];
    if let Some(state) = &request.target.state {
        params.push(("state", state));
    }
    if let Some(challenge) = &challenge {
        params.extend([("code_challenge", challenge.as_str()), ("code_challenge_method", "S256")]);
    }
    redirect_uri::with_params(policy.routes.authorize(), &params)
}

/// What a consent page says when it is shown again.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Again<'a> {
    /// Why.
    pub(super) error: Option<&'a str>,
    /// The account that was chosen.
    pub(super) account: &'a str,
    /// Items that were ticked.
    pub(super) ticked: &'a [&'a str],
}

/// The consent page, or the page for somebody who may not consent.
pub(super) fn consent(call: &Call, app: &App, request: &Request, visitor: &Visitor, again: Again<'_>) -> Result<Answer, Fault> {
    let policy = &call.config.policy;
    let listing = visitor.listing.as_ref().or_fault("app listing")?;
    let frame = Frame { person: Some(&visitor.email), ..frame(call) };
    let switch_href = sign_in::login_address(&address(policy, &app.client_id, request));
    let accounts = consentable(visitor, policy);
    if accounts.is_empty() {
        return may_not(call, listing, request, visitor, &switch_href);
    }
    let only = accounts.len() == 1;
    let choices: Vec<AccountChoice<'_>> = accounts
        .iter()
        .map(|m| AccountChoice { id: &m.account, name: &m.account_name, selected: only || m.account == again.account })
        .collect();
    let question = Question::of(&policy.scopes, &ScopeSet::stored(&request.scope), &app.scopes);
    let scope = |entry: &&ScopeEntry| Scope {
        name: entry.name.clone(),
        words: entry.words.clone(),
        sensitive: entry.sensitive,
        ticked: again.ticked.contains(&entry.name.as_str()),
    };
    let page = ConsentPage {
        frame,
        app: pages::App { unreviewed: policy.of(app).usable() != Use::Everybody { unreviewed: false }, ..shown(listing) },
        client_id: &app.client_id,
        scopes: &question.listed.iter().map(scope).collect::<Vec<_>>(),
        items: &question.items.iter().map(scope).collect::<Vec<_>>(),
        lasts: &lasting(policy),
        accounts: &choices,
        returns_to: &returns_to(&request.target),
        action: &policy.routes.decision,
        consent: &sealed_form(call, app, request, visitor)?,
        switch_href: &switch_href,
        error: again.error,
    };
    let status = if again.error.is_some() { 400 } else { 200 };
    Ok(Answer::page(status, &page).form_action(form_source(&request.target).as_deref()))
}

/// The page for somebody whose roles allow consent in none of their accounts.
fn may_not(call: &Call, listing: &Listing, request: &Request, visitor: &Visitor, switch_href: &str) -> Result<Answer, Fault> {
    let config = &call.config;
    let refusal = Refusal::new(ErrorCode::AccessDenied, "the person may not connect apps to an account");
    let back = authorize::failure(&request.target, &config.issuer, &refusal);
    let csrf = form_token(&config.keys.seal, &visitor.cookie.session).or_fault("seal key")?;
    let frame = Frame { person: Some(&visitor.email), csrf: Some(&csrf), ..frame(call) };
    let who_may = pages::one_of(&config.policy.authorize.consent_roles);
    let page = NoticePage::not_allowed(frame, shown(listing), &who_may, Some(&back), switch_href);
    Ok(Answer::page(403, &page).because("role may not consent"))
}

fn lasting(policy: &Policy) -> String {
    let limit = |seconds: u64| (seconds != 0).then_some(seconds);
    Lasting { idle: limit(policy.refresh.idle_s), absolute: limit(policy.refresh.absolute_s) }.words()
}

/// The host that the person is sent to, in words.
fn returns_to(target: &Target) -> String {
    match split_address(&target.redirect_uri) {
        Some((host, _, _)) if ["127.0.0.1", "[::1]", "localhost"].iter().any(|name| host.starts_with(name)) => {
            format!("this computer ({host})")
        }
        Some((host, _, _)) => host.to_owned(),
        None => target.redirect_uri.split(':').next().unwrap_or_default().to_owned(),
    }
}

fn sealed_form(call: &Call, app: &App, request: &Request, visitor: &Visitor) -> Result<String, Fault> {
    let config = &call.config;
    let form = ConsentForm {
        app: app.number,
        request: request.clone(),
        session: visitor.cookie.session.clone(),
        user: visitor.cookie.user.clone(),
        number: random()?,
        expires_s: now_s() + u64::from(config.policy.authorize.decision_s),
    };
    seal_value(&config.keys.seal, Purpose::Consent, &config.issuer, &form, random()?).or_fault("seal")
}

#[cfg(test)]
mod tests {
    use super::{Target, form_source};

    #[test]
    fn the_policy_header_lets_the_redirect_after_a_form_through_a45() {
        for (redirect_uri, source) in [
            ("https://a.example/cb", "https:"),
            ("http://127.0.0.1:49152/cb", "http://127.0.0.1:49152"),
            ("http://[::1]:49152/cb", "http:"),
            ("com.example.app:/cb", "com.example.app:"),
        ] {
            let target = Target { redirect_uri: redirect_uri.to_owned(), state: None };
            assert_eq!(form_source(&target).as_deref(), Some(source));
        }
    }
}
