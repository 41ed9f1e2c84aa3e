//! One sign-in at a provider: the authentication request (OpenID Connect Core §3.1.2.1), what the
//! browser keeps meanwhile, the answer that belongs to it, and the token request (§3.1.3).
//!
//! What is remembered is sealed and in the very browser that asked, so an answer made for another
//! browser finds nothing (login CSRF, RFC 9700 §4.7), and it names its provider, so an answer of one
//! never counts at another (mix-up, §4.4). The verifier leaves this server only for the provider's
//! token endpoint.

use serde::{Deserialize, Serialize};

use super::discovery::{Metadata, TokenAuth};
use super::provider::Provider;
use crate::encoding::{base64, base64url, hex, sha256};
use crate::keys::same;
use crate::oauth::params::Params;
use crate::oauth::redirect_uri::with_params;

/// How long somebody may take to sign in at a provider, in seconds.
pub const FLOW_S: u64 = 900;

/// What a browser keeps, sealed, while it is at a provider.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flow {
    /// The provider's id.
    pub provider: String,
    /// Its issuer: a configuration that changes meanwhile ends the flow.
    pub issuer: String,
    /// The request's `state`.
    pub state: String,
    /// The request's `nonce`.
    pub nonce: String,
    /// The PKCE verifier.
    pub verifier: String,
    /// Where to go afterwards: a path of ours.
    pub return_to: String,
    /// Until when it counts, in seconds.
    pub expires_s: u64,
}

/// The part of the cookie's name that tells the flows of several tabs apart: a hash, so that `state`
/// itself is nowhere readable.
#[must_use]
pub fn tag(state: &str) -> String {
    hex(&sha256(state.as_bytes())).chars().take(16).collect()
}

impl Flow {
    /// A flow that begins now, from 96 random bytes.
    #[must_use]
    pub fn begin(provider: &Provider, return_to: &str, random: [[u8; 32]; 3], now_s: u64) -> Self {
        let [state, nonce, verifier] = random.map(|bytes| base64url(&bytes));
        Self {
            provider: provider.id.clone(),
            issuer: provider.issuer.clone(),
            state,
            nonce,
            verifier,
            return_to: return_to.to_owned(),
            expires_s: now_s + FLOW_S,
        }
    }

    /// The address that the browser is sent to. `as_somebody_else` asks the provider not to answer
    /// with whoever is signed in there.
    #[must_use]
    pub fn request(&self, provider: &Provider, metadata: &Metadata, redirect_uri: &str, as_somebody_else: bool) -> String {
        let challenge = base64url(&sha256(self.verifier.as_bytes()));
        let mut params = vec![
            ("response_type", "code"),
            ("client_id", &provider.client_id),
            ("redirect_uri", redirect_uri),
            ("scope", &provider.scopes),
            ("state", &self.state),
            ("nonce", &self.nonce),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ];
        if as_somebody_else {
            params.push(("prompt", "login"));
        }
        with_params(&metadata.authorization_endpoint, &params)
    }

    /// Whether an answer at this provider's address with this `state` belongs to the flow.
    #[must_use]
    pub fn is_of(&self, provider: &Provider, state: &str, now_s: u64) -> bool {
        let here = self.provider == provider.id && self.issuer == provider.issuer;
        here && self.expires_s > now_s && same(self.state.as_bytes(), state.as_bytes())
    }
}

/// What a provider answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answered {
    /// A code to exchange.
    Code(String),
    /// The person pressed Cancel, or the provider refuses this person here (`access_denied`).
    Denied,
    /// The provider says that it cannot answer now.
    Unavailable,
    /// Any other error: something between the provider and this deployment is set up wrongly.
    Error(&'static str),
}

/// Reads the answer to a flow that was found.
///
/// # Errors
/// Fixed words for the log when the answer is not this issuer's (RFC 9207 §2.4) or makes no sense.
pub fn answered(params: &Params, provider: &Provider, metadata: &Metadata) -> Result<Answered, &'static str> {
    let get = |name| params.get(name).map_err(|_| "provider answer with a parameter twice");
    match get("iss")? {
        Some(issuer) if issuer != provider.issuer => return Err("provider answer of another issuer"),
        None if metadata.answers_with_issuer => return Err("provider answer without issuer"),
        _ => {}
    }
    match (get("error")?, get("code")?) {
        (Some(_), Some(_)) | (None, None) => Err("provider answer without code"),
        (None, Some(code)) => Ok(Answered::Code(code.to_owned())),
        (Some("access_denied"), None) => Ok(Answered::Denied),
        (Some("temporarily_unavailable" | "server_error"), None) => Ok(Answered::Unavailable),
        (Some(error), None) => Ok(Answered::Error(known_error(error))),
    }
}

/// An error code of the specifications as a fixed word for the log; what else a provider sends is not
/// repeated.
#[must_use]
pub fn known_error(code: &str) -> &'static str {
    const KNOWN: [(&str, &str); 10] = [
        ("invalid_request", "provider error invalid_request"),
        ("invalid_client", "provider error invalid_client"),
        ("invalid_grant", "provider error invalid_grant"),
        ("invalid_scope", "provider error invalid_scope"),
        ("unauthorized_client", "provider error unauthorized_client"),
        ("unsupported_response_type", "provider error unsupported_response_type"),
        ("login_required", "provider error login_required"),
        ("interaction_required", "provider error interaction_required"),
        ("account_selection_required", "provider error account_selection_required"),
        ("consent_required", "provider error consent_required"),
    ];
    KNOWN.into_iter().find(|(known, _)| *known == code).map_or("provider error", |(_, words)| words)
}

/// A token request: the body, and the `Authorization` header where the secret goes there.
pub struct TokenRequest {
    /// In form encoding.
    pub body: String,
    /// `Basic …` (RFC 6749 §2.3.1).
    pub authorization: Option<String>,
}

/// The exchange of a code.
#[must_use]
pub fn token_request(provider: &Provider, metadata: &Metadata, flow: &Flow, code: &str, redirect_uri: &str) -> TokenRequest {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("grant_type", "authorization_code");
    form.append_pair("code", code).append_pair("redirect_uri", redirect_uri).append_pair("code_verifier", &flow.verifier);
    let mut authorization = None;
    match (&provider.client_secret, metadata.token_auth) {
        (Some(secret), TokenAuth::Basic) => {
            let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
            let pair = format!("{}:{}", encoded(&provider.client_id), encoded(secret));
            authorization = Some(format!("Basic {}", base64(pair.as_bytes())));
        }
        (Some(secret), TokenAuth::Post) => {
            form.append_pair("client_id", &provider.client_id).append_pair("client_secret", secret);
        }
        (None, _) => {
            form.append_pair("client_id", &provider.client_id);
        }
    }
    TokenRequest { body: form.finish(), authorization }
}

/// Where somebody ends the session with the provider too (RP-Initiated Logout 1.0 §2).
///
/// There is no `id_token_hint`: ID tokens are personal data and are not kept, so a provider may ask
/// whether it is meant.
#[must_use]
pub fn end_session(endpoint: &str, client_id: &str, back: &str) -> String {
    with_params(endpoint, &[("client_id", client_id), ("post_logout_redirect_uri", back)])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::discovery::tests::{ISSUER, metadata};
    use super::super::provider::tests::provider;
    use super::*;

    fn flow() -> Flow {
        Flow::begin(&provider(), "/account/apps", [[1; 32], [2; 32], [3; 32]], 1000)
    }

    #[test]
    fn the_request_has_state_nonce_and_challenge_and_never_the_verifier() {
        let flow = flow();
        let address = flow.request(&provider(), &metadata(&json!({})).unwrap(), "https://auth.example/login/acme/callback", false);
        let query = address.strip_prefix("https://login.acme.example/auth?tenant=1&").unwrap();
        let params = Params::parse(query.as_bytes());
        for (name, value) in [
            ("response_type", "code"),
            ("client_id", "edge"),
            ("redirect_uri", "https://auth.example/login/acme/callback"),
            ("scope", "openid email profile"),
            ("state", &flow.state),
            ("nonce", &flow.nonce),
            ("code_challenge_method", "S256"),
            ("code_challenge", &base64url(&crate::oauth::pkce::transform(&flow.verifier).unwrap())),
        ] {
            assert_eq!(params.get(name).unwrap(), Some(value), "{name}");
        }
        assert!(!address.contains(&flow.verifier) && !address.contains("prompt"));
        assert!(flow.request(&provider(), &metadata(&json!({})).unwrap(), "https://x.example/", true).ends_with("&prompt=login"));
    }

    #[test]
    fn a_flow_is_one_of_one_provider_for_a_while() {
        let flow = flow();
        assert!(flow.is_of(&provider(), &flow.state, 1000 + FLOW_S - 1));
        assert!(!flow.is_of(&provider(), &flow.state, 1000 + FLOW_S));
        assert!(!flow.is_of(&provider(), &flow.nonce, 1000) && !flow.is_of(&provider(), "", 1000));
        let other = |change: fn(&mut Provider)| {
            let mut other = provider();
            change(&mut other);
            flow.is_of(&other, &flow.state, 1000)
        };
        assert!(!other(|provider| provider.id = "b".into()) && !other(|provider| provider.issuer = "https://b.example".into()));
    }

    #[test]
    fn an_answer_is_of_its_issuer_and_has_either_code_or_error() {
        let read = |query: &str, changes| answered(&Params::parse(query.as_bytes()), &provider(), &metadata(&changes).unwrap());
        let says = json!({ "authorization_response_iss_parameter_supported": true });
        let code = Ok(Answered::Code("x".into()));
        assert_eq!(read("code=x", json!({})), code);
        assert_eq!(read(&format!("code=x&iss={ISSUER}"), json!({})), code);
        assert_eq!(read(&format!("code=x&iss={ISSUER}"), says.clone()), code);
        assert!(read("code=x", says.clone()).is_err(), "required when promised");
        assert!(read("error=access_denied", says).is_err(), "also beside an error");
        for wrong in
            ["code=x&iss=https://b.example", "code=x&iss=https://login.acme.example/", "code=x&code=y", "code=x&error=y", "", "code="]
        {
            assert!(read(wrong, json!({})).is_err(), "{wrong}");
        }
        assert_eq!(read("error=access_denied", json!({})), Ok(Answered::Denied));
        assert_eq!(read("error=server_error", json!({})), Ok(Answered::Unavailable));
        assert_eq!(read("error=%3Cscript%3E", json!({})), Ok(Answered::Error("provider error")));
    }

    #[test]
    fn the_secret_goes_where_the_provider_takes_it() {
        let redirect_uri = "https://auth.example/login/acme/callback";
        let request = |changes| token_request(&provider(), &metadata(&changes).unwrap(), &flow(), "c&d", redirect_uri);
        let basic = request(json!({}));
        assert_eq!(basic.authorization.unwrap(), format!("Basic {}", base64(b"edge:s3cret")));
        assert!(!basic.body.contains("s3cret") && basic.body.contains("code=c%26d"));
        let post = request(json!({ "token_endpoint_auth_methods_supported": ["client_secret_post"] }));
        assert!(post.authorization.is_none() && post.body.ends_with("client_id=edge&client_secret=s3cret"));
        let public = Provider { client_secret: None, ..provider() };
        let public = token_request(&public, &metadata(&json!({})).unwrap(), &flow(), "c", redirect_uri);
        assert!(public.authorization.is_none() && public.body.ends_with(&format!("code_verifier={}&client_id=edge", flow().verifier)));
    }

    #[test]
    fn tags_are_hashes() {
        assert_eq!(tag("a"), "ca978112ca1bbdca");
        assert_eq!(
            end_session("https://a.example/end", "x", "https://b/login"),
            "https://a.example/end?client_id=x&post_logout_redirect_uri=https%3A%2F%2Fb%2Flogin"
        );
    }
}
