//! API keys: what an account's own scripts use in place of OAuth.

use serde::{Deserialize, Serialize};

/// API keys. Their prefix is `token.prefixes.key`, their limit `api.key_rate`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApiKeys {
    /// Roles in an account that may make and revoke its keys; empty: there are no API keys.
    pub roles: Vec<String>,
    /// Live keys per account.
    pub max: u32,
    /// Longest life in seconds; 0: a key may live until it is revoked.
    pub life_max_s: u64,
}

impl ApiKeys {
    /// Whether there are any.
    #[must_use]
    pub const fn on(&self) -> bool {
        !self.roles.is_empty()
    }

    /// Whether a role may make and revoke keys.
    #[must_use]
    pub fn allows(&self, role: &str) -> bool {
        self.roles.iter().any(|allowed| allowed == role)
    }

    /// Whether a key may live so long, in seconds; 0 is for ever.
    #[must_use]
    pub const fn allows_life(&self, life_s: u64) -> bool {
        self.life_max_s == 0 || (life_s != 0 && life_s <= self.life_max_s)
    }
}
