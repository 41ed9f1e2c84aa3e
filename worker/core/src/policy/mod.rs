//! The policy: every number and switch on which deployments differ, as one typed value.
//!
//! A preset is a commented TOML file in `worker/presets/`, read and validated when the Worker is
//! built. A deployment picks one with `PRESET` and may override knobs with `POLICY` (JSON of the same
//! shape, only the keys that differ). Unknown keys and contradictions are refused with the name of
//! the key. Nothing else in the code holds a protocol number or switch.

mod validate;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::credential::Prefixes;
use crate::rate::Limit;

/// Everything a deployment may decide.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// What the platform is called on pages.
    pub platform: Platform,
    /// Scopes and how a request may name them.
    pub scopes: Scopes,
    /// Authorization requests and consent.
    pub authorize: Authorize,
    /// Authorization codes.
    pub code: CodePolicy,
    /// The token endpoint.
    pub token: TokenPolicy,
    /// Access tokens.
    pub access: Access,
    /// Refresh tokens and families.
    pub refresh: Refresh,
    /// What revoking a token ends.
    pub revoke: Revoke,
    /// Limits on API calls.
    pub api: Api,
    /// Signing in.
    pub login: Login,
    /// Browser sessions.
    pub session: Session,
    /// Callers that have proven nothing.
    pub unproven: Unproven,
}

/// The platform's own face.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Platform {
    /// Shown in titles and headings.
    pub name: String,
}

/// The scope catalogue (RFC 6749 §3.3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scopes {
    /// Every scope there is, in the order in which pages show them.
    pub catalogue: Vec<ScopeEntry>,
}

impl Scopes {
    /// The catalogue's entry for a scope.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&ScopeEntry> {
        self.catalogue.iter().find(|entry| entry.name == name)
    }
}

/// One scope.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScopeEntry {
    /// As it travels.
    pub name: String,
    /// What the app may then do, in the words of the consent page.
    pub words: String,
    /// Whether pages point it out (personal data, changes).
    pub sensitive: bool,
}

/// Which clients must send a code challenge (RFC 7636, RFC 9700 §2.1.1).
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
    /// Who must use PKCE.
    pub pkce: PkceRule,
    /// Longest `state`, in bytes.
    pub state_max: u32,
    /// How long a consent page may stay open before its decision, in seconds.
    pub decision_s: u32,
    /// Roles in an account that may connect an app to it.
    pub consent_roles: Vec<String>,
    /// What the app is told when the person says no.
    pub deny_description: String,
}

/// Authorization codes (RFC 6749 §4.1.2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CodePolicy {
    /// Life in seconds; at most 600.
    pub life_s: u32,
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

/// The token endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenPolicy {
    /// The rule for `redirect_uri`.
    pub redirect_uri: RedirectUriRule,
    /// Client authentication methods, in the order in which metadata lists them.
    pub auth_methods: Vec<AuthMethod>,
    /// How `token_type` is spelled.
    pub token_type: String,
    /// Prefixes of tokens.
    pub prefixes: Prefixes,
    /// Largest request body in bytes.
    pub body_max: u32,
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

/// Access tokens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Access {
    /// Life in seconds.
    pub life_s: u32,
}

/// What a refresh does to the refresh token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rotation {
    /// Every refresh gives a new one and uses up the old (RFC 9700 §4.14.2).
    Rotate,
    /// As `rotate`, and the old access token dies too.
    RotateAndEndPair,
    /// The refresh token stays; confidential clients only.
    Static,
}

/// Refresh tokens and families.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refresh {
    /// Days of disuse after which a family is dead, in seconds; 0 is never.
    pub idle_s: u64,
    /// Life of a family from its consent, in seconds; 0 is for ever.
    pub absolute_s: u64,
    /// Rotation.
    pub rotation: Rotation,
    /// How long a refresh token that was rotated away still gets the newest answer, in milliseconds.
    pub retry_window_ms: u32,
    /// Refreshes per family.
    pub rate: Limit,
    /// Live families per grant; the longest unused ends when another is made.
    pub families_max: u32,
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

/// What revoking a token ends (RFC 7009 §2.1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Revoke {
    /// Revoking a refresh token ends the `family` or the `grant`.
    pub refresh_ends: Reach,
    /// Revoking an access token ends the `token` or the `grant`. Public clients: always the token.
    pub access_ends: Reach,
}

/// What API calls are counted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Per {
    /// All calls of one app for one account.
    Grant,
    /// Each family on its own.
    Family,
}

/// Limits on API calls.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Api {
    /// Calls per window.
    pub rate: Limit,
    /// What they are counted by.
    pub per: Per,
}

/// Signing in with the embedded accounts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Login {
    /// Wrong passwords for one name from one address.
    pub per_address: Limit,
    /// Wrong passwords for all names together from one address.
    pub per_network: Limit,
    /// Wrong passwords for one name from everywhere.
    pub per_name: Limit,
    /// Wrong passwords in a browser that has signed this name in before.
    pub per_known_browser: Limit,
    /// How long a sign-in page may stay open, in seconds.
    pub form_s: u32,
}

/// Browser sessions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Session {
    /// Seconds of disuse after which a session is over.
    pub idle_s: u32,
    /// Seconds after sign-in after which it is over.
    pub absolute_s: u32,
}

/// Callers that have proven nothing: counted in the isolate, approximately, without storage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unproven {
    /// Failed requests per address.
    pub rate: Limit,
}

impl Policy {
    /// Reads a policy from JSON and validates it.
    ///
    /// # Errors
    /// The key and what is wrong with it.
    pub fn from_json(text: &str) -> Result<Self, String> {
        Self::from_value(serde_json::from_str(text).map_err(|error| error.to_string())?)
    }

    /// This policy with the keys of `overrides` (JSON of the same shape) in place of its own.
    ///
    /// # Errors
    /// The key and what is wrong with it.
    pub fn with_overrides(&self, overrides: &str) -> Result<Self, String> {
        let overrides: Value = serde_json::from_str(overrides).map_err(|error| format!("POLICY is not JSON: {error}"))?;
        let mut value = serde_json::to_value(self).map_err(|error| error.to_string())?;
        merge(&mut value, overrides);
        Self::from_value(value)
    }

    fn from_value(value: Value) -> Result<Self, String> {
        let policy: Self = serde_json::from_value(value).map_err(|error| error.to_string())?;
        policy.validate()?;
        Ok(policy)
    }
}

/// Objects are merged key by key; anything else, lists among them, is replaced.
fn merge(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                merge(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from,
    }
}

#[cfg(test)]
pub(crate) mod tests;
