//! The policy: every number, word and switch on which platforms differ, as one typed value.
//!
//! A preset is a commented TOML file in `worker/presets/`, read and validated when the Worker is
//! built. A deployment picks one with `PRESET` and may override knobs with `POLICY` (JSON of the same
//! shape, only the keys that differ). Unknown keys and contradictions are refused with the name of
//! the key. Nothing else in the code holds a protocol number or switch.
//!
//! | file | knobs |
//! |---|---|
//! | [`platform`] | name, colour, words of the pages |
//! | [`scopes`] | catalogue, separator, what a request without scope means |
//! | [`endpoints`] | addresses; authorize, token, revoke, `me`: what they take and answer |
//! | [`lives`] | codes, access tokens, refresh tokens, sessions |
//! | [`limits`] | requests, refreshes, sign-ins |
//! | [`errors`], [`shape`] | what refusals and answers look like |
//! | [`apps`] | review, secrets, what staff may set per app; [`AppPolicy`], what holds for one app |
//! | [`development`] | the data that `npm run dev` seeds under a preset |

pub mod apps;
pub mod development;
pub mod endpoints;
pub mod errors;
pub mod limits;
pub mod lives;
pub mod platform;
pub mod scopes;
pub mod shape;
mod validate;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use apps::{AppPolicy, Apps, Knob, Overrides, Review, Use};
pub use development::Development;
pub use endpoints::{
    AuthMethod, Authorize, Encoding, Endpoint, Foreign, Me, Member, PkceRule, Presence, Reach, RedirectUriRule, Revoke, RevokeAnswer,
    Routes, TokenPolicy,
};
pub use errors::{ApiErrors, Say, TokenErrors};
pub use limits::{Api, Login, Per, RateHeaders, Unproven};
pub use lives::{Access, CodePolicy, Refresh, Rotation, Session};
pub use platform::Platform;
pub use scopes::{ScopeEntry, Scopes, Separator, Told};
pub use shape::Shape;

/// Everything a deployment may decide.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// The platform's own face.
    pub platform: Platform,
    /// Scopes and how a request may name them.
    pub scopes: Scopes,
    /// The addresses of the endpoints.
    pub routes: Routes,
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
    /// API calls: limits and errors.
    pub api: Api,
    /// The resource that says whose token it is.
    pub me: Me,
    /// Apps: who makes them, who reviews them.
    pub apps: Apps,
    /// Signing in.
    pub login: Login,
    /// Browser sessions.
    pub session: Session,
    /// Callers that have proven nothing.
    pub unproven: Unproven,
}

/// A preset file: the policy and the development data that goes with it.
#[derive(Clone, Debug)]
pub struct Preset {
    /// The policy.
    pub policy: Policy,
    /// What `npm run dev` seeds.
    pub development: Development,
}

impl Preset {
    /// Reads a preset file's content, given as JSON, and validates it.
    ///
    /// # Errors
    /// The key and what is wrong with it.
    pub fn from_value(mut value: Value) -> Result<Self, String> {
        let development = value.as_object_mut().and_then(|tables| tables.remove("development"));
        let development: Development = typed(development.ok_or("development: this table is missing")?, "development.")?;
        let policy = Policy::from_value(value)?;
        development.validate(&policy)?;
        Ok(Self { policy, development })
    }
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
        let policy: Self = typed(value, "")?;
        policy.validate()?;
        Ok(policy)
    }
}

/// A value of its type, or the path of the key at fault with what is allowed there.
fn typed<T: DeserializeOwned>(value: Value, start: &str) -> Result<T, String> {
    serde_path_to_error::deserialize(value).map_err(|error| match error.path().to_string().as_str() {
        "." => format!("{start}{}", error.inner()),
        path => format!("{start}{path}: {}", error.inner()),
    })
}

/// Objects are merged key by key; anything else, lists among them, is replaced. The shape of an answer
/// is one value: a part of another one would mean nothing.
fn merge(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                match into.get_mut(&key) {
                    Some(known) if key != "body" => merge(known, value),
                    _ => _ = into.insert(key, value),
                }
            }
        }
        (into, from) => *into = from,
    }
}

#[cfg(test)]
pub(crate) mod tests;
