//! Requests of the authorization and token endpoints.

use std::sync::LazyLock;

use edgegrant_core::app::{App, ClientType, Status};
use edgegrant_core::json;
use edgegrant_core::oauth::params::Params;
use edgegrant_core::oauth::scope::{ScopeSet, is_token};
use edgegrant_core::oauth::{authorize, client_auth, redirect_uri as uri};
use edgegrant_core::policy::{Policy, Separator};

use crate::text;

/// A form means the same after it was written again, and a name that stands twice is never half of one.
pub fn form(data: &[u8]) {
    let params = Params::parse(data);
    assert_eq!(Params::parse(params.encode().as_bytes()), params);
    for name in ["client_id", "code", "redirect_uri", "scope", "state"] {
        let values: Vec<&str> = params.all(name).collect();
        match params.get(name) {
            Err(_) => assert!(values.len() > 1),
            Ok(Some(value)) => assert_eq!(values, [value]),
            Ok(None) => assert!(values.iter().all(|value| value.is_empty())),
        }
    }
}

/// JSON is what the library says it is, and a body of parameters holds nothing but texts.
pub fn json(data: &[u8]) {
    let ours = json::parse(data).ok();
    assert_eq!(ours, serde_json::from_slice(data).ok());
    if let Some(params) = Params::parse_json(data) {
        assert!(ours.is_some_and(|value| value.is_object()));
        assert_eq!(Params::parse(params.encode().as_bytes()), params);
    }
}

/// An app for which everything about its client is true.
static APP: LazyLock<App> = LazyLock::new(|| {
    let value = serde_json::json!({
        "number": 1, "id": "00000000000000000000000000000001", "client_id": "demo", "name": "Demo",
        "client_type": ClientType::Public, "status": Status::Approved, "development": true,
        "redirect_uris": ["https://app.example/cb?x=1", "http://127.0.0.1/cb"],
        "scopes": ["account:read"], "secrets": [],
    });
    json::from_value(&value).unwrap_or_else(|error| panic!("{error}"))
});
static POLICY: LazyLock<Policy> = LazyLock::new(crate::policy::default_policy);

/// An answer goes to a registered redirect URI only, with the state as it came, and no request is
/// accepted without S256.
pub fn authorize(data: &[u8]) {
    let params = Params::parse(data);
    let Ok(target) = authorize::target(&params, &APP, &POLICY) else { return };
    assert!(APP.redirect_uris.iter().any(|registered| uri::matches(registered, &target.redirect_uri, true)));
    let sent = match authorize::request(&params, &target, &APP, &POLICY) {
        Ok(request) => {
            assert!(params.field("code_challenge_method") == "S256" && request.challenge.is_some());
            authorize::success(&target, "https://as.example", "code")
        }
        Err(refusal) => authorize::failure(&target, "https://as.example", &refusal),
    };
    assert!(sent.starts_with(&target.redirect_uri) && sent.bytes().all(|byte| byte.is_ascii_graphic()), "{sent}");
    let parsed = url::Url::parse(&sent).unwrap_or_else(|error| panic!("{sent}: {error}"));
    let values = |name: &str| parsed.query_pairs().filter(|(known, _)| known == name).count();
    assert_eq!((values("iss"), values("code") + values("error")), (1, 1));
}

/// A client is named exactly once.
pub fn basic(data: &[u8]) {
    let sent = text(data);
    let (header, body) = sent.split_once('\n').unwrap_or((&sent, ""));
    let params = Params::parse(body.as_bytes());
    if let Ok(presented) = client_auth::presented(Some(header), &params) {
        assert!(header.get(..6).is_some_and(|scheme| scheme.eq_ignore_ascii_case("basic ")));
        assert!(params.field("client_secret").is_empty());
        assert!(params.field("client_id").is_empty() || params.field("client_id") == presented.client_id);
        assert!(presented.secret.as_deref() != Some(""));
    }
}

/// What may be registered leads to one place, over https or to this computer, and gets its answer there.
pub fn redirect_uri(data: &[u8]) {
    let registered = text(data);
    if uri::check_registration(&registered).is_err() {
        return;
    }
    let parsed = url::Url::parse(&registered).unwrap_or_else(|error| panic!("{registered}: {error}"));
    assert!(parsed.fragment().is_none() && parsed.username().is_empty() && parsed.password().is_none());
    // A `Location` without the two slashes would be read as a path of this server.
    let written_out = registered.split_once("://").is_some_and(|(scheme, host)| !scheme.contains(':') && !host.starts_with('/'));
    assert!(parsed.scheme().contains('.') || written_out, "{registered}");
    match parsed.scheme() {
        "http" => assert!(matches!(parsed.host_str(), Some("127.0.0.1" | "[::1]" | "localhost"))),
        scheme => assert!(scheme == "https" || scheme.contains('.')),
    }
    assert!(uri::matches(&registered, &registered, false));
    let sent = uri::with_params(&registered, &[("code", "a&b=c #"), ("state", "\u{e9}")]);
    let answered = url::Url::parse(&sent).unwrap_or_else(|error| panic!("{sent}: {error}"));
    assert_eq!(
        (answered.scheme(), answered.host(), answered.port(), answered.path()),
        (parsed.scheme(), parsed.host(), parsed.port(), parsed.path())
    );
    let codes: Vec<String> = answered.query_pairs().filter(|(name, _)| name == "code").map(|(_, value)| value.into_owned()).collect();
    assert_eq!(codes, ["a&b=c #"]);
}

/// A scope is a set of tokens, and reads the same after it was stored.
pub fn scope(data: &[u8]) {
    let sent = text(data);
    for separator in [Separator::Space, Separator::Comma, Separator::SpaceOrComma] {
        match ScopeSet::parse(&sent, separator) {
            Err(part) => assert!(!is_token(part)),
            Ok(set) => {
                assert!(set.iter().all(is_token));
                assert_eq!(ScopeSet::stored(&set.to_string()), set);
                assert!(set.within(&set) && set.first_outside(|_| true).is_none());
            }
        }
    }
}
