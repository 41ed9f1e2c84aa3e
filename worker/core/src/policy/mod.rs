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
//! | [`gateway`] | rules of the gateway to the platform's own API |
//! | [`limits`] | requests, refreshes, sign-ins |
//! | [`api_keys`] | who makes API keys, how many, how long they live |
//! | [`errors`], [`shape`] | what refusals and answers look like |
//! | [`apps`] | review, secrets, what staff may set per app; [`AppPolicy`], what holds for one app |
//! | [`mail`] | notices by e-mail and their words |
//! | [`development`] | the data that `npm run dev` seeds under a preset |

pub mod api_keys;
pub mod apps;
pub mod development;
pub mod endpoints;
pub mod errors;
pub mod gateway;
pub mod limits;
pub mod lives;
pub mod mail;
pub mod platform;
pub mod scopes;
pub mod shape;
mod validate;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::json;

pub use api_keys::ApiKeys;
pub use apps::{AppPolicy, Apps, Knob, Overrides, Review, Use};
pub use development::Development;
pub use endpoints::{
    AuthMethod, Authorize, Encoding, Endpoint, Foreign, Me, Member, PkceRule, Presence, Reach, RedirectUriRule, Revoke, RevokeAnswer,
    Routes, TokenPolicy,
};
pub use errors::{ApiErrors, Say, TokenErrors};
pub use gateway::Gateway;
pub use limits::{Api, Audit, Login, PasswordChangeEnds, Per, RateHeaders, Unproven};
pub use lives::{Access, CodePolicy, Refresh, Rotation, Session};
pub use mail::Mail;
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
    /// What goes through to the platform's own API.
    pub gateway: Gateway,
    /// API keys.
    pub keys: ApiKeys,
    /// The resource that says whose token it is.
    pub me: Me,
    /// Apps: who makes them, who reviews them.
    pub apps: Apps,
    /// Signing in.
    pub login: Login,
    /// Browser sessions.
    pub session: Session,
    /// Who did what.
    pub audit: Audit,
    /// Callers that have proven nothing.
    pub unproven: Unproven,
    /// Notices by e-mail.
    #[serde(default)]
    pub mail: Mail,
}

impl Policy {
    /// Reads a preset (JSON) with the keys of `overrides` (JSON of the same shape) in place of its own,
    /// and validates the whole.
    ///
    /// # Errors
    /// The key and what is wrong with it.
    pub fn read(preset: &str, overrides: Option<&str>) -> Result<Self, String> {
        let preset = json::parse(preset.as_bytes()).map_err(|error| error.to_string())?;
        let Some(overrides) = overrides else { return Self::from_value(&preset) };
        let overrides = json::parse(overrides.as_bytes()).map_err(|error| format!("it is not JSON: {error}"))?;
        let mut whole = preset.clone();
        merge(&mut whole, overrides.clone());
        let policy = Self::from_value(&whole).and_then(|policy| {
            if overrides.get("gateway").is_some() {
                policy.gateway.validate(&policy)?;
            }
            Ok(policy)
        });
        policy.map_err(|error| match faulty_key(&preset, &overrides) {
            // What a rule between knobs says begins with its key already, or with that of the table it is in.
            Some(key) if !error.split_once(':').is_some_and(|(own, _)| key.starts_with(own)) => format!("{key}: {error}"),
            _ => error,
        })
    }

    /// Reads a policy and validates it, but for the rules of the gateway. What has the wrong type is told
    /// without the path to it.
    ///
    /// # Errors
    /// What is wrong.
    pub fn from_value(value: &Value) -> Result<Self, String> {
        let policy: Self = json::from_value(value).map_err(|error| error.to_string())?;
        policy.validate()?;
        Ok(policy)
    }
}

/// The path of the first override whose type is wrong: found by trying each alone, so that a module of
/// few kilobytes needs no second, path-keeping reader of every type.
fn faulty_key(preset: &Value, overrides: &Value) -> Option<String> {
    let mut leaves = Vec::new();
    collect_leaves(overrides, &mut Vec::new(), &mut leaves);
    leaves.into_iter().find_map(|(path, value)| {
        let single = path.iter().rev().fold(value, |inner, key| {
            let mut object = Map::new();
            object.insert(key.clone(), inner);
            Value::Object(object)
        });
        let mut whole = preset.clone();
        merge(&mut whole, single);
        json::from_value::<Policy>(&whole).is_err().then(|| path.join("."))
    })
}

fn collect_leaves(value: &Value, path: &mut Vec<String>, leaves: &mut Vec<(Vec<String>, Value)>) {
    match value {
        Value::Object(members) if !members.is_empty() && path.last().is_none_or(|key| key != SHAPE) => {
            for (key, value) in members {
                path.push(key.clone());
                collect_leaves(value, path, leaves);
                path.pop();
            }
        }
        other => leaves.push((path.clone(), other.clone())),
    }
}

/// The key of a shape, which is one value: a part of another one would mean nothing.
const SHAPE: &str = "body";

/// Objects are merged key by key; anything else, lists and shapes among them, is replaced.
fn merge(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                match into.get_mut(&key) {
                    Some(known) if key != SHAPE => merge(known, value),
                    _ => _ = into.insert(key, value),
                }
            }
        }
        (into, from) => *into = from,
    }
}

#[cfg(test)]
pub(crate) mod tests;
