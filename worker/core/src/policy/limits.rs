//! Limits of requests: windows with an exact bound, see [`crate::rate`].

use serde::{Deserialize, Serialize};

use super::endpoints::none;
use super::errors::ApiErrors;
use crate::rate::{Limit, Rates};

/// What API calls are counted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Per {
    /// All calls of one app for one account.
    Grant,
    /// Each family on its own: one authorization and every access token made with it, so that a
    /// refresh gives no more.
    Family,
}

/// API calls: limits and errors.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Api {
    /// Calls per window.
    pub rate: Limit,
    /// Calls per window of a second, shorter one that holds beside it.
    #[serde(default, skip_serializing_if = "none")]
    pub burst: Option<Limit>,
    /// What they are counted by.
    pub per: Per,
    /// Calls per window of one API key, which has no burst limit then; without it a key has the limits
    /// above, for itself.
    #[serde(default, skip_serializing_if = "none")]
    pub key_rate: Option<Limit>,
    /// Calls per window of all accounts of one app together; without it there is no such limit. API keys
    /// are of no app.
    #[serde(default, skip_serializing_if = "none")]
    pub app_rate: Option<Limit>,
    /// Calls per window of one account, by all its apps and API keys together.
    #[serde(default, skip_serializing_if = "none")]
    pub account_rate: Option<Limit>,
    /// Calls per window from one address (IPv6: one /64), whatever apps, accounts and keys they are of.
    #[serde(default, skip_serializing_if = "none")]
    pub address_rate: Option<Limit>,
    /// An authentication scheme beside `Bearer` that carries API keys and nothing else.
    #[serde(default, skip_serializing_if = "none")]
    pub key_scheme: Option<String>,
    /// The headers that say where a caller stands.
    pub headers: RateHeaders,
    /// What refusals look like.
    pub errors: ApiErrors,
}

impl Api {
    /// Both limits.
    #[must_use]
    pub const fn rates(&self) -> Rates {
        Rates { rate: self.rate, burst: self.burst }
    }

    /// The limits of one API key.
    #[must_use]
    pub const fn key_rates(&self) -> Rates {
        match self.key_rate {
            Some(rate) => Rates { rate, burst: None },
            None => self.rates(),
        }
    }

    /// The limits wider than a grant, each with its key and whether API keys count in it too.
    #[must_use]
    pub const fn wide_rates(&self) -> [(&'static str, Option<Limit>, bool); 3] {
        [
            ("api.app_rate", self.app_rate, false),
            ("api.account_rate", self.account_rate, true),
            ("api.address_rate", self.address_rate, true),
        ]
    }

    /// A limit wider than a grant that is less than twice what one grant or key may use in its window:
    /// that one could use it up alone and starve its neighbours. What staff sets for one app is not
    /// asked here: an app with such a limit may.
    pub(super) fn first_narrow(&self) -> Option<String> {
        self.wide_rates().into_iter().find_map(|(key, wide, with_keys)| {
            let wide = wide?;
            let apps = self.rates().most_in(wide.window_s);
            let most = if with_keys { apps.max(self.key_rates().most_in(wide.window_s)) } else { apps };
            let least = most.saturating_mul(2);
            (u64::from(wide.limit) < least).then(|| {
                format!("{key}: allowed is at least {least} calls in {} seconds, twice what one connection or key may make", wide.window_s)
            })
        })
    }
}

/// Names of the headers that say where a caller stands; an empty name is a header that is not sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RateHeaders {
    /// Calls per window.
    pub limit: String,
    /// Calls left in it.
    pub remaining: String,
    /// Seconds until the next one.
    pub reset: String,
    /// Whether they stand beside `Retry-After` on a 429.
    pub on_429: bool,
}

/// Signing in: with the embedded accounts, at a provider.
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
    /// What a password change ends besides the person's other sessions.
    pub password_change_ends: PasswordChangeEnds,
    /// How long a sign-in page may stay open, in seconds.
    pub form_s: u32,
    /// Whether people sign in with e-mail address and password. Without it, only at a provider.
    pub password: bool,
    /// A session that began at a provider lasts at most this, in seconds: roles are taken afresh at
    /// each sign-in, so this bounds how long somebody keeps what the provider has taken away.
    pub provider_session_s: u32,
}

/// What a password change ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PasswordChangeEnds {
    /// The person's other sessions.
    Sessions,
    /// And every connection that the person has allowed.
    SessionsAndGrants,
}

/// The record of who did what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Audit {
    /// Days after which an entry is deleted.
    pub keep_days: u32,
}

/// Callers that have proven nothing: counted in the isolate, approximately, without storage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unproven {
    /// Failed requests per address.
    pub rate: Limit,
}
