//! Authorization requests (RFC 6749 §4.1.1) in the order that RFC 6749 §4.1.2.1 and RFC 9700 §4.11.2
//! demand: first the client and the redirect URI, whose errors are shown on a page and never
//! redirected; then, once the person is signed in, everything else, whose errors go to the app.

use serde::{Deserialize, Serialize};

use super::error::{ErrorCode, Refusal, quoted};
use super::params::{Duplicate, Params};
use super::pkce::{self, Challenge};
use super::redirect_uri::with_params;
use super::scope::ScopeSet;
use crate::app::{App, Status};
use crate::policy::{Policy, Presence, Told, Use};

/// Why a request cannot be answered by a redirect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PageError {
    /// `client_id` is missing.
    ClientMissing,
    /// `client_id` or `redirect_uri` was sent twice.
    Twice(&'static str),
    /// No such app.
    ClientUnknown,
    /// `redirect_uri` is missing and the app has registered several.
    RedirectUriMissing,
    /// `redirect_uri` is not one of the app's.
    RedirectUriUnknown,
    /// The app may not be used.
    AppStatus(Status),
    /// `scope` is missing, and the policy tells the person.
    ScopeMissing,
}

/// The client id of a request, before the app is looked up.
///
/// # Errors
/// [`PageError::ClientMissing`] or [`PageError::Twice`].
pub fn client_id(params: &Params) -> Result<&str, PageError> {
    params.get("client_id").map_err(|Duplicate(name)| PageError::Twice(name))?.ok_or(PageError::ClientMissing)
}

/// Where the answer goes: proven, so errors may be redirected there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// The redirect URI of this request.
    pub redirect_uri: String,
    /// Given back byte for byte.
    pub state: Option<String>,
}

/// Checks redirect URI and status of the app. An app that only its owner may use passes here: who asks
/// is known once the person has signed in.
///
/// # Errors
/// See [`PageError`].
pub fn target(params: &Params, app: &App, policy: &Policy) -> Result<Target, PageError> {
    let redirect_uri = match params.get("redirect_uri").map_err(|Duplicate(name)| PageError::Twice(name))? {
        Some(uri) if app.knows_redirect_uri(uri) => uri.to_owned(),
        Some(_) => return Err(PageError::RedirectUriUnknown),
        // RFC 6749 §3.1.2.3: it may be left out only when one complete URI is registered.
        None => match app.redirect_uris.as_slice() {
            [only] => only.clone(),
            _ => return Err(PageError::RedirectUriMissing),
        },
    };
    if let Use::Nobody(status) = policy.of(app).usable() {
        return Err(PageError::AppStatus(status));
    }
    if policy.scopes.missing_told == Told::Person && policy.scopes.missing.is_empty() && params.get("scope") == Ok(None) {
        return Err(PageError::ScopeMissing);
    }
    // A `state` that cannot be used is answered by `request`; nothing is invented for it.
    let state = params.get("state").ok().flatten().map(str::to_owned);
    Ok(Target { redirect_uri, state })
}

/// A request that may be put to the person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// Where the answer goes.
    pub target: Target,
    /// What is asked for, separated by spaces.
    pub scope: String,
    /// Whether the policy added to what the app named.
    pub added: bool,
    /// The code challenge.
    pub challenge: Option<Challenge>,
}

/// Checks everything after client and redirect URI; a refusal is redirected to the app.
///
/// # Errors
/// `invalid_request`, `unsupported_response_type` or `invalid_scope`.
pub fn request(params: &Params, target: &Target, app: &App, policy: &Policy) -> Result<Request, Refusal> {
    let state_max = policy.authorize.state_max;
    match params.get("state")? {
        Some(state) if state.len() > state_max as usize => {
            return Err(Refusal::new(ErrorCode::InvalidRequest, format!("state is longer than {state_max} bytes")));
        }
        None if policy.authorize.state == Presence::Required => {
            return Err(Refusal::new(ErrorCode::InvalidRequest, "state is missing: send a random value and compare it in the answer"));
        }
        _ => {}
    }
    match params.get("response_type")? {
        Some("code") => {}
        None if policy.authorize.response_type == Presence::Optional => {}
        None => return Err(Refusal::new(ErrorCode::InvalidRequest, "response_type is missing: send response_type=code")),
        Some(_) => return Err(Refusal::new(ErrorCode::UnsupportedResponseType, "only response_type=code is served")),
    }
    if params.get("response_mode")?.is_some_and(|mode| mode != "query") {
        return Err(Refusal::new(ErrorCode::InvalidRequest, "only response_mode=query is served"));
    }
    if params.get("request")?.is_some() || params.get("request_uri")?.is_some() {
        return Err(Refusal::new(ErrorCode::InvalidRequest, "request objects (RFC 9101) are not served"));
    }
    let challenge = pkce::challenge(params)?;
    if policy.of(app).needs_pkce() && challenge.is_none() {
        let description = "code_challenge is missing: send a PKCE challenge with code_challenge_method=S256 (RFC 7636)";
        return Err(Refusal::new(ErrorCode::InvalidRequest, description));
    }
    let (scope, added) = scope(params, app, policy)?;
    Ok(Request { target: target.clone(), scope: scope.to_string(), added, challenge })
}

/// The scope asked for, with what every request of this platform asks for, and whether that is more
/// than was named. Each must be in the catalogue and registered by the app.
fn scope(params: &Params, app: &App, policy: &Policy) -> Result<(ScopeSet, bool), Refusal> {
    let invalid = |description: String| Refusal::new(ErrorCode::InvalidScope, description);
    let scopes = &policy.scopes;
    let asked = ScopeSet::parse(params.get("scope")?.unwrap_or_default(), scopes.separator);
    let mut asked = asked.map_err(|bad| invalid(format!("{} is not a scope", quoted(bad))))?;
    let named = asked.clone();
    if asked.is_empty() {
        scopes.missing.iter().for_each(|name| asked.add(name));
    }
    if asked.is_empty() {
        return Err(invalid("scope is missing: name the scopes that the app needs".into()));
    }
    if let Some(other) = asked.first_outside(|name| scopes.find(name).is_some()) {
        return Err(invalid(format!("there is no scope {}", quoted(other))));
    }
    if let Some(other) = asked.first_outside(|name| app.scopes.iter().any(|known| known == name)) {
        let refusal = invalid(format!("this app may not ask for the scope {}", quoted(other)));
        return Err(match &policy.authorize.scope_not_registered {
            Some(say) => Refusal::new(say.error.unwrap_or(refusal.error), say.description.clone().unwrap_or(refusal.description)),
            None => refusal,
        });
    }
    scopes.always.iter().for_each(|name| asked.add(name));
    let added = !asked.within(&named);
    Ok((asked, added))
}

/// The answer's address (RFC 6749 §4.1.2, RFC 9207 §2): `iss` always, `state` when it was sent.
fn answer(target: &Target, issuer: &str, params: &[(&str, &str)]) -> String {
    let mut params = params.to_vec();
    if let Some(state) = &target.state {
        params.push(("state", state));
    }
    params.push(("iss", issuer));
    with_params(&target.redirect_uri, &params)
}

/// The redirect that hands out a code.
#[must_use]
pub fn success(target: &Target, issuer: &str, code: &str) -> String {
    answer(target, issuer, &[("code", code)])
}

/// The redirect that tells the app of a refusal (RFC 6749 §4.1.2.1).
#[must_use]
pub fn failure(target: &Target, issuer: &str, refusal: &Refusal) -> String {
    let mut params = vec![("error", refusal.error.as_str())];
    if !refusal.description.is_empty() {
        params.push(("error_description", &refusal.description));
    }
    answer(target, issuer, &params)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::ClientType;
    use crate::policy::Overrides;
    use crate::policy::tests::default_policy;

    const CHALLENGE: &str = "code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256";

    fn app() -> App {
        App {
            number: 1,
            id: "00".repeat(16),
            client_id: "a".into(),
            name: "A".into(),
            client_type: ClientType::Confidential,
            status: Status::Approved,
            development: false,
            redirect_uris: vec!["https://a.example/cb".into()],
            scopes: vec!["account:read".into(), "bookings:read".into()],
            secrets: vec![],
            owner: "o".into(),
            overrides: Overrides::default(),
            about: String::new(),
            suspended_from: None,
            resource: String::new(),
        }
    }

    fn refuse(query: &str) -> Option<ErrorCode> {
        let params = Params::parse(query.as_bytes());
        let target = target(&params, &app(), &default_policy()).unwrap();
        request(&params, &target, &app(), &default_policy()).err().map(|refusal| refusal.error)
    }

    #[test]
    fn client_and_redirect_uri_are_judged_first_and_on_a_page_az_05_az_06() {
        let page = |query: &str, app: &App| target(&Params::parse(query.as_bytes()), app, &default_policy()).err();
        assert_eq!(client_id(&Params::parse(b"x=1")), Err(PageError::ClientMissing));
        assert_eq!(client_id(&Params::parse(b"client_id=1&client_id=1")), Err(PageError::Twice("client_id")));
        assert_eq!(page("redirect_uri=https://evil.example/&response_type=token", &app()), Some(PageError::RedirectUriUnknown));
        assert_eq!(page("redirect_uri=a&redirect_uri=a", &app()), Some(PageError::Twice("redirect_uri")));
        assert_eq!(page("", &app()), None);
        let several = App { redirect_uris: vec!["https://a.example/1".into(), "https://a.example/2".into()], ..app() };
        assert_eq!(page("", &several), Some(PageError::RedirectUriMissing));
        for status in [Status::Pending, Status::Rejected, Status::Suspended, Status::Deleted] {
            assert_eq!(page("", &App { status, ..app() }), Some(PageError::AppStatus(status)));
        }
    }

    #[test]
    fn everything_else_is_told_to_the_app() {
        let ok = format!("response_type=code&scope=account:read&{CHALLENGE}");
        assert_eq!(refuse(&ok), None);
        assert_eq!(refuse(&format!("{ok}&extra=foobar&resource=https://x/&resource=https://y/")), None);
        for (query, code) in [
            (format!("scope=account:read&{CHALLENGE}"), ErrorCode::InvalidRequest),
            (format!("response_type=token&scope=account:read&{CHALLENGE}"), ErrorCode::UnsupportedResponseType),
            (format!("response_type=code+token&scope=account:read&{CHALLENGE}"), ErrorCode::UnsupportedResponseType),
            ("response_type=code&scope=account:read".to_owned(), ErrorCode::InvalidRequest),
            (format!("response_type=code&{CHALLENGE}"), ErrorCode::InvalidScope),
            (format!("response_type=code&scope=&{CHALLENGE}"), ErrorCode::InvalidScope),
            (format!("response_type=code&scope=nothing&{CHALLENGE}"), ErrorCode::InvalidScope),
            (format!("response_type=code&scope=customers:read&{CHALLENGE}"), ErrorCode::InvalidScope),
            (format!("{ok}&state=a&state=b"), ErrorCode::InvalidRequest),
            (format!("{ok}&state={}", "x".repeat(4097)), ErrorCode::InvalidRequest),
            (format!("{ok}&scope=account:read"), ErrorCode::InvalidRequest),
            (format!("{ok}&response_mode=fragment"), ErrorCode::InvalidRequest),
            (format!("{ok}&request=x"), ErrorCode::InvalidRequest),
        ] {
            assert_eq!(refuse(&query), Some(code), "{query}");
        }
    }

    #[test]
    fn a_confidential_client_may_go_without_pkce_only_when_the_policy_says_so() {
        let params = Params::parse(b"response_type=code&scope=account:read");
        let lax = default_policy().with_overrides(r#"{"authorize":{"pkce":"required_for_public"}}"#).unwrap();
        let ask = |app: &App| request(&params, &target(&params, app, &lax).unwrap(), app, &lax);
        assert!(ask(&app()).is_ok());
        assert!(ask(&App { client_type: ClientType::Public, ..app() }).is_err());
    }

    #[test]
    fn what_a_policy_lets_a_request_leave_out() {
        let lax = r#"{"scopes":{"missing":["account:read"],"always":["bookings:read"]},
                      "authorize":{"pkce":"required_for_public","response_type":"optional"}}"#;
        let lax = default_policy().with_overrides(lax).unwrap();
        let params = Params::parse(b"redirect_uri=https://a.example/cb");
        let asked = request(&params, &target(&params, &app(), &lax).unwrap(), &app(), &lax).unwrap();
        assert_eq!((asked.scope.as_str(), asked.added), ("account:read bookings:read", true));
        let strict = r#"{"authorize":{"state":"required"},"scopes":{"missing_told":"person"}}"#;
        let strict = default_policy().with_overrides(strict).unwrap();
        assert_eq!(target(&params, &app(), &strict), Err(PageError::ScopeMissing));
        let params = Params::parse(format!("response_type=code&scope=account:read&{CHALLENGE}").as_bytes());
        let refused = request(&params, &target(&params, &app(), &strict).unwrap(), &app(), &strict).unwrap_err();
        assert!(refused.description.starts_with("state is missing"));
    }

    #[test]
    fn an_app_in_review_may_do_what_the_policy_says() {
        let pending = App { status: Status::Pending, ..app() };
        for (review, passes) in [("manual", false), ("owner_only", true), ("warn", true), ("none", true)] {
            let policy = default_policy().with_overrides(&format!(r#"{{"apps":{{"review":"{review}"}}}}"#)).unwrap();
            assert_eq!(target(&Params::parse(b""), &pending, &policy).is_ok(), passes, "{review}");
            assert_eq!(policy.of(&pending).usable_by("o"), passes, "{review}");
            assert_eq!(policy.of(&pending).usable_by("x"), passes && review != "owner_only", "{review}");
            assert!(target(&Params::parse(b""), &App { status: Status::Rejected, ..app() }, &policy).is_err());
        }
    }

    #[test]
    fn state_and_issuer_are_in_every_answer_az_20_az_21_is_01_is_02() {
        let with = Target { redirect_uri: "https://a/cb".into(), state: Some(" +&=ü\"<".into()) };
        assert_eq!(success(&with, "https://as", "c"), "https://a/cb?code=c&state=+%2B%26%3D%C3%BC%22%3C&iss=https%3A%2F%2Fas");
        let without = Target { state: None, ..with };
        let refusal = Refusal::new(ErrorCode::AccessDenied, "no");
        assert_eq!(failure(&without, "https://as", &refusal), "https://a/cb?error=access_denied&error_description=no&iss=https%3A%2F%2Fas");
    }
}
