//! The endpoints: where they are, what they take, what they answer.

use serde::{Deserialize, Serialize};

use super::errors::TokenErrors;
use super::{Say, Shape};
use crate::credential::Prefixes;

/// Whether an optional knob is not set.
pub(super) fn none<T>(value: &Option<T>) -> bool {
    value.is_none()
}

/// The addresses of the endpoints. The first of several is the one that metadata names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Routes {
    /// The authorization endpoint.
    pub authorize: Vec<String>,
    /// Where the consent form goes; it may be the authorization endpoint itself.
    pub decision: String,
    /// The token endpoint.
    pub token: Vec<String>,
    /// Addresses that take refreshes only.
    pub refresh: Vec<String>,
    /// The revocation endpoint.
    pub revoke: Vec<String>,
    /// The introspection endpoint.
    pub introspect: Vec<String>,
}

/// An endpoint whose address the policy decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// RFC 6749 §3.1.
    Authorize,
    /// The consent form's target, when it is an address of its own.
    Decision,
    /// RFC 6749 §3.2.
    Token,
    /// The token endpoint, for refreshes only.
    Refresh,
    /// RFC 7009.
    Revoke,
    /// RFC 7662.
    Introspect,
    /// Whose token is it?
    Me,
}

/// Whether a parameter must be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Presence {
    /// A request without it is refused.
    Required,
    /// It may be missing.
    Optional,
}

/// Which clients must send a code challenge (RFC 7636, RFC 9700 §2.1.1). A challenge once sent is
/// enforced whatever stands here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PkceRule {
    /// Every client.
    Required,
    /// Public clients; a confidential client's challenge is enforced once sent.
    RequiredForPublic,
}

/// Authorization requests and consent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Authorize {
    /// `response_type`; missing it means `code`.
    pub response_type: Presence,
    /// `state`.
    pub state: Presence,
    /// Who must use PKCE.
    pub pkce: PkceRule,
    /// Longest `state`, in bytes.
    pub state_max: u32,
    /// How long a consent page may stay open before its decision, in seconds.
    pub decision_s: u32,
    /// Roles in an account that may connect an app to it.
    pub consent_roles: Vec<String>,
    /// Whether a confidential client that asks for no more than this person has allowed it for the account
    /// gets its code without the page; `prompt=consent` shows it. Public clients never do.
    pub remember: bool,
    /// What the app is told when the person says no; empty: no description.
    pub deny_description: String,
    /// What an app is told that asks for a scope it has not registered, where that differs from
    /// `invalid_scope`.
    #[serde(default, skip_serializing_if = "none")]
    pub scope_not_registered: Option<Say>,
}

/// Whether `redirect_uri` must be sent to the token endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RedirectUriRule {
    /// It must be there and equal (RFC 6749 §4.1.3).
    Required,
    /// It must be equal when sent; absent is fine with a verified secret or verifier (OAuth 2.1 §10.2).
    EqualWhenSent,
}

/// An encoding of request bodies; media types are compared without their parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Encoding {
    /// `application/x-www-form-urlencoded` (RFC 6749 §4.1.3).
    Form,
    /// `application/json`: an object with a text for each parameter.
    Json,
}

impl Encoding {
    /// Its media type.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Form => "application/x-www-form-urlencoded",
            Self::Json => "application/json",
        }
    }
}

/// A client authentication method (RFC 7591 §2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuthMethod {
    /// `Authorization: Basic`.
    ClientSecretBasic,
    /// `client_secret` in the body.
    ClientSecretPost,
    /// Public clients: `client_id` in the body.
    None,
}

/// A member of the token answer that a policy may leave out (RFC 6749 §5.1). `access_token` is always
/// there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Member {
    /// REQUIRED by the RFC; a platform of before it may lack it.
    TokenType,
    /// RECOMMENDED.
    ExpiresIn,
    /// The refresh token.
    RefreshToken,
    /// Sent whatever stands here when it differs from what was asked for (§5.1).
    Scope,
}

/// The token endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenPolicy {
    /// Encodings of request bodies, here and at the revocation endpoint.
    pub encodings: Vec<Encoding>,
    /// The rule for `redirect_uri`.
    pub redirect_uri: RedirectUriRule,
    /// Client authentication methods, in the order in which metadata lists them.
    pub auth_methods: Vec<AuthMethod>,
    /// Whether `Authorization: Bearer` may carry the refresh token of a confidential client at the
    /// addresses for refreshes. Nowhere else (attack A47).
    pub refresh_header: bool,
    /// How `token_type` is spelled.
    pub token_type: String,
    /// Members of the answer to a code.
    pub answer: Vec<Member>,
    /// Members of the answer to a refresh.
    pub refresh_answer: Vec<Member>,
    /// Prefixes of tokens.
    pub prefixes: Prefixes,
    /// Largest request body in bytes.
    pub body_max: u32,
    /// What refusals look like.
    pub errors: TokenErrors,
}

/// How far a revocation reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    /// The token itself.
    Token,
    /// The family: this refresh token and the access tokens made with it.
    Family,
    /// The app's whole connection to the account.
    Grant,
}

/// What becomes of another client's token at the revocation endpoint. Nothing happens to the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Foreign {
    /// An error (RFC 7009 §2.1).
    Refused,
    /// The same answer as for a token that is unknown.
    Ignored,
}

/// The body of a revocation's answer; clients must ignore it (RFC 7009 §2.2), and some parse it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RevokeAnswer {
    /// `{}`.
    Object,
    /// Nothing.
    Empty,
}

/// What revoking a token ends (RFC 7009 §2.1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Revoke {
    /// Revoking a refresh token ends the `family` or the `grant`.
    pub refresh_ends: Reach,
    /// Revoking an access token ends the `token` or the `grant`. Public clients: always the token.
    pub access_ends: Reach,
    /// Another client's token.
    pub foreign: Foreign,
    /// The body of the answer.
    pub answer: RevokeAnswer,
}

/// A method of `me`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum MeMethod {
    /// GET, and HEAD with it.
    Get,
    /// POST.
    Post,
}

/// The resource that says whose token it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Me {
    /// Its addresses.
    pub paths: Vec<String>,
    /// Its methods.
    pub methods: Vec<MeMethod>,
    /// The status of its answer.
    pub status: u16,
    /// The scope that a token needs; empty: none.
    pub scope: String,
    /// The answer. Placeholders: see `Me::PLACEHOLDERS`.
    pub body: Shape,
}

impl Me {
    /// Placeholders of its answer. Of an API key `app.client_id` has nothing to say, nor has `expires_at`
    /// when it has no end.
    pub const PLACEHOLDERS: [&'static str; 11] =
        ["account.id", "account.name", "app.client_id", "user.id", "scope", "scopes", "expires_at", "now_ms", "timestamp", "null", "path"];
}

impl Me {
    /// Whether a path is of the same API: below the same first part as one of its addresses.
    #[must_use]
    pub fn is_beside(&self, path: &str) -> bool {
        let first = |path: &str| path.get(1..).and_then(|rest| rest.split_once('/')).map(|(first, _)| first.to_owned());
        self.paths.iter().filter_map(|own| first(own)).any(|own| first(path) == Some(own))
    }
}

impl super::Policy {
    /// The endpoint at a path.
    #[must_use]
    pub fn endpoint(&self, path: &str) -> Option<Endpoint> {
        let is_one_of = |paths: &[String]| paths.iter().any(|known| known == path);
        if is_one_of(&self.me.paths) {
            return Some(Endpoint::Me);
        }
        let routes = &self.routes;
        match () {
            () if is_one_of(&routes.token) => Some(Endpoint::Token),
            () if is_one_of(&routes.authorize) => Some(Endpoint::Authorize),
            () if routes.decision == path => Some(Endpoint::Decision),
            () if is_one_of(&routes.revoke) => Some(Endpoint::Revoke),
            () if is_one_of(&routes.refresh) => Some(Endpoint::Refresh),
            () if is_one_of(&routes.introspect) => Some(Endpoint::Introspect),
            () => None,
        }
    }
}

impl Routes {
    /// The authorization endpoint's own address.
    #[must_use]
    pub fn authorize(&self) -> &str {
        self.authorize.first().map_or("", String::as_str)
    }
}
