//! API keys: what an account's own scripts use in place of OAuth.

use serde::{Deserialize, Serialize};

/// The longest life that a key with an end or a policy may have: ten years, in seconds.
pub(super) const LIFE_MAX_S: u64 = 315_360_000;

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

    /// Whether a key may live so long, in seconds; 0 is for ever, and what has an end has it within ten years.
    #[must_use]
    pub const fn allows_life(&self, life_s: u64) -> bool {
        let most = if self.life_max_s == 0 { LIFE_MAX_S } else { self.life_max_s };
        if life_s == 0 { self.life_max_s == 0 } else { life_s <= most }
    }
}
