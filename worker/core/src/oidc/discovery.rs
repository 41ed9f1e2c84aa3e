//! A provider's metadata (OpenID Connect Discovery 1.0 §3 and §4; RFC 9207 §3; RP-Initiated Logout
//! 1.0 §2.1). The issuer in it must be the configured one, byte for byte (Discovery §4.3).

use serde_json::Value;

use super::address_ok;

/// How the token endpoint hears who asks, when there is a secret (OpenID Connect Core §9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenAuth {
    /// `client_secret_basic`, which is also what no word about it means.
    Basic,
    /// `client_secret_post`.
    Post,
}

/// What of the metadata is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metadata {
    /// Where people are sent.
    pub authorization_endpoint: String,
    /// Where the code is exchanged.
    pub token_endpoint: String,
    /// Where its keys are.
    pub jwks_uri: String,
    /// Where people end their session with the provider.
    pub end_session_endpoint: Option<String>,
    /// Whether every answer carries `iss` (RFC 9207).
    pub answers_with_issuer: bool,
    /// How a secret is sent.
    pub token_auth: TokenAuth,
}

/// The address of an issuer's metadata: a `/` at its end is left out (Discovery §4.1).
#[must_use]
pub fn address(issuer: &str) -> String {
    format!("{}/.well-known/openid-configuration", issuer.strip_suffix('/').unwrap_or(issuer))
}

impl Metadata {
    /// Reads a metadata document.
    ///
    /// # Errors
    /// What is wrong with it, in fixed words for the log.
    pub fn parse(body: &[u8], issuer: &str, plain_loopback: bool) -> Result<Self, &'static str> {
        let value: Value = serde_json::from_slice(body).map_err(|_| "provider metadata is not JSON")?;
        let text = |key: &str| value.get(key).and_then(Value::as_str);
        if text("issuer") != Some(issuer) {
            return Err("provider metadata names another issuer");
        }
        let endpoint = |key: &str| text(key).filter(|address| address_ok(address, plain_loopback)).map(str::to_owned);
        let lists = |key: &str, wanted: &str| {
            value.get(key).and_then(Value::as_array).map(|values| values.iter().any(|value| value.as_str() == Some(wanted)))
        };
        // No word about PKCE is common among providers that have it; another word is not.
        if lists("code_challenge_methods_supported", "S256") == Some(false) {
            return Err("provider without S256");
        }
        let methods = "token_endpoint_auth_methods_supported";
        let token_auth = match (lists(methods, "client_secret_basic"), lists(methods, "client_secret_post")) {
            (Some(false), Some(true)) => TokenAuth::Post,
            _ => TokenAuth::Basic,
        };
        Ok(Self {
            authorization_endpoint: endpoint("authorization_endpoint").ok_or("provider metadata without authorization_endpoint")?,
            token_endpoint: endpoint("token_endpoint").ok_or("provider metadata without token_endpoint")?,
            jwks_uri: endpoint("jwks_uri").ok_or("provider metadata without jwks_uri")?,
            // The session cookie holds it.
            end_session_endpoint: endpoint("end_session_endpoint").filter(|address| address.len() <= 1000),
            answers_with_issuer: value.get("authorization_response_iss_parameter_supported") == Some(&Value::Bool(true)),
            token_auth,
        })
    }
}

#[cfg(test)]
pub(super) mod tests {
    use serde_json::json;

    use super::*;

    pub(in crate::oidc) const ISSUER: &str = "https://login.acme.example";

    fn document() -> Value {
        json!({
            "issuer": ISSUER,
            "authorization_endpoint": "https://login.acme.example/auth?tenant=1",
            "token_endpoint": "https://login.acme.example/token",
            "jwks_uri": "https://keys.acme.example/jwks",
        })
    }

    /// What a provider with every extension says.
    pub(in crate::oidc) fn metadata(changes: &Value) -> Result<Metadata, &'static str> {
        let mut document = document();
        for (key, value) in changes.as_object().unwrap() {
            document[key] = value.clone();
        }
        Metadata::parse(&serde_json::to_vec(&document).unwrap(), ISSUER, false)
    }

    #[test]
    fn metadata_is_below_the_issuer() {
        assert_eq!(address("https://a.example"), "https://a.example/.well-known/openid-configuration");
        assert_eq!(address("https://a.example/t/"), "https://a.example/t/.well-known/openid-configuration");
    }

    #[test]
    fn optional_members_have_the_defaults_of_the_specifications() {
        let found = metadata(&json!({})).unwrap();
        assert_eq!((found.end_session_endpoint, found.answers_with_issuer, found.token_auth), (None, false, TokenAuth::Basic));
        let all = json!({
            "end_session_endpoint": "https://login.acme.example/end",
            "authorization_response_iss_parameter_supported": true,
            "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt"],
            "code_challenge_methods_supported": ["plain", "S256"],
        });
        let found = metadata(&all).unwrap();
        assert_eq!(found.end_session_endpoint.as_deref(), Some("https://login.acme.example/end"));
        assert!(found.answers_with_issuer && found.token_auth == TokenAuth::Post);
    }

    #[test]
    fn another_issuer_or_an_address_that_is_not_https_is_refused() {
        for (key, value) in [
            ("issuer", json!("https://login.acme.example/")),
            ("issuer", json!("https://LOGIN.acme.example")),
            ("issuer", Value::Null),
            ("authorization_endpoint", json!("http://login.acme.example/auth")),
            ("token_endpoint", json!("http://localhost/token")),
            ("jwks_uri", json!("file:///keys")),
            ("jwks_uri", Value::Null),
            ("code_challenge_methods_supported", json!(["plain"])),
        ] {
            assert!(metadata(&json!({ key: value.clone() })).is_err(), "{key} {value}");
        }
        // One that is not needed is left out.
        assert_eq!(metadata(&json!({ "end_session_endpoint": "http://x.example/" })).unwrap().end_session_endpoint, None);
        assert!(Metadata::parse(b"<html>", ISSUER, false).is_err());
    }
}
