//! Apps: who makes them, who reviews them, what holds for one of them.
//!
//! [`AppPolicy`] is the floor under every preset (attack A21). Whatever a policy or an override says, a
//! public client has S256, rotation, complete answers and an access revocation that ends that token
//! only (RFC 9700 §2.1.1, §4.14.2). Whoever applies one of these knobs asks here.

use serde::{Deserialize, Serialize};

use super::{AuthMethod, Member, PkceRule, Policy, Reach, Rotation};
use crate::app::{App, Status};
use crate::credential::Kind;
use crate::rate::{Limit, Rates};

/// Apps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Apps {
    /// Roles in an account whose people may create apps for it; empty: staff only.
    pub creator_roles: Vec<String>,
    /// What an app that waits for review may do.
    pub review: Review,
    /// Secrets that may be active at once.
    pub secrets_max: u8,
    /// Days within which staff answers: what waits longer stands out.
    pub review_days: u16,
    /// Apps that one account may have.
    pub per_account_max: u16,
    /// Redirect URIs that may be registered.
    pub redirect_uris_max: u8,
    /// What staff may set for a single app.
    pub overridable: Vec<Knob>,
}

/// What an app that waits for review may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Review {
    /// Nothing.
    Manual,
    /// Be connected by the person who registered it.
    OwnerOnly,
    /// Be connected by everybody, behind a warning.
    Warn,
    /// There is no review: everything.
    None,
}

/// A knob that staff may set for a single app, named as in the policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Knob {
    /// Who must use PKCE.
    #[serde(rename = "authorize.pkce")]
    Pkce,
    /// How the client authenticates.
    #[serde(rename = "token.auth_methods")]
    AuthMethods,
    /// What a refresh does to the refresh token.
    #[serde(rename = "refresh.rotation")]
    Rotation,
    /// The retry window, at most 60,000 ms.
    #[serde(rename = "refresh.retry_window_ms")]
    RetryWindow,
    /// Calls per window.
    #[serde(rename = "api.rate")]
    Rate,
}

/// What staff has set for an app. Part of its record, so no field may be left out on the wire.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Overrides {
    /// [`Knob::Pkce`].
    #[serde(default, rename = "authorize.pkce")]
    pub pkce: Option<PkceRule>,
    /// [`Knob::AuthMethods`].
    #[serde(default, rename = "token.auth_methods")]
    pub auth_methods: Option<Vec<AuthMethod>>,
    /// [`Knob::Rotation`].
    #[serde(default, rename = "refresh.rotation")]
    pub rotation: Option<Rotation>,
    /// [`Knob::RetryWindow`].
    #[serde(default, rename = "refresh.retry_window_ms")]
    pub retry_window_ms: Option<u32>,
    /// [`Knob::Rate`].
    #[serde(default, rename = "api.rate")]
    pub rate: Option<Limit>,
}

impl Overrides {
    /// Whether the policy allows them for an app.
    ///
    /// # Errors
    /// The knob and why not.
    pub fn check(&self, policy: &Policy, app: &App) -> Result<(), String> {
        let set = [
            (self.pkce.is_some(), Knob::Pkce, "authorize.pkce"),
            (self.auth_methods.is_some(), Knob::AuthMethods, "token.auth_methods"),
            (self.rotation.is_some(), Knob::Rotation, "refresh.rotation"),
            (self.retry_window_ms.is_some(), Knob::RetryWindow, "refresh.retry_window_ms"),
            (self.rate.is_some(), Knob::Rate, "api.rate"),
        ];
        if let Some((_, _, name)) = set.iter().find(|(set, knob, _)| *set && !policy.apps.overridable.contains(knob)) {
            return Err(format!("{name}: this platform's policy does not let it be set for a single app"));
        }
        if app.is_public() && (self.pkce.is_some() || self.auth_methods.is_some() || self.rotation == Some(Rotation::Static)) {
            return Err("authorize.pkce, token.auth_methods and refresh.rotation = static are for confidential clients".into());
        }
        if self.auth_methods.as_ref().is_some_and(|methods| methods.is_empty() || methods.contains(&AuthMethod::None)) {
            return Err("token.auth_methods: client_secret_basic, client_secret_post or both".into());
        }
        if self.retry_window_ms.is_some_and(|ms| ms > 60_000) {
            return Err("refresh.retry_window_ms: 0 to 60000".into());
        }
        self.rate.map_or(Ok(()), |rate| super::validate::limit("api.rate", rate))
    }
}

/// Who may use an app.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// Everybody.
    Everybody {
        /// Nobody has reviewed it: pages warn.
        unreviewed: bool,
    },
    /// The person who registered it.
    OwnerOnly,
    /// Nobody, because of its status.
    Nobody(Status),
}

/// The policy for one app.
#[derive(Clone, Copy, Debug)]
pub struct AppPolicy<'a> {
    policy: &'a Policy,
    app: &'a App,
}

impl Policy {
    /// The policy for one app.
    #[must_use]
    pub const fn of<'a>(&'a self, app: &'a App) -> AppPolicy<'a> {
        AppPolicy { policy: self, app }
    }
}

impl AppPolicy<'_> {
    /// Who may use it.
    #[must_use]
    pub const fn usable(&self) -> Use {
        match (self.app.status, self.policy.apps.review) {
            (Status::Approved, _) | (Status::Pending, Review::None) => Use::Everybody { unreviewed: false },
            (Status::Pending, Review::Warn) => Use::Everybody { unreviewed: true },
            (Status::Pending, Review::OwnerOnly) => Use::OwnerOnly,
            (status, _) => Use::Nobody(status),
        }
    }

    /// Whether a person may connect it, or has, as far as its status goes.
    #[must_use]
    pub fn usable_by(&self, user: &str) -> bool {
        match self.usable() {
            Use::Everybody { .. } => true,
            Use::OwnerOnly => self.app.owner == user,
            Use::Nobody(_) => false,
        }
    }

    /// The only person whose consents count, when it is one.
    #[must_use]
    pub fn only_user(&self) -> Option<String> {
        (self.usable() == Use::OwnerOnly).then(|| self.app.owner.clone())
    }

    /// Whether an authorization request needs a challenge.
    #[must_use]
    pub fn needs_pkce(&self) -> bool {
        self.app.is_public() || self.app.overrides.pkce.unwrap_or(self.policy.authorize.pkce) == PkceRule::Required
    }

    /// How it may authenticate. A public client names itself, whatever the policy serves.
    #[must_use]
    pub fn auth_methods(&self) -> &[AuthMethod] {
        if self.app.is_public() {
            return &[AuthMethod::None];
        }
        self.app.overrides.auth_methods.as_deref().unwrap_or(&self.policy.token.auth_methods)
    }

    /// What a refresh does to its refresh token.
    #[must_use]
    pub fn rotation(&self) -> Rotation {
        let rotation = self.app.overrides.rotation.unwrap_or(self.policy.refresh.rotation);
        if self.app.is_public() && rotation == Rotation::Static { Rotation::Rotate } else { rotation }
    }

    /// Its retry window in milliseconds.
    #[must_use]
    pub fn retry_window_ms(&self) -> u32 {
        let refresh = &self.policy.refresh;
        let own = if self.app.is_public() { refresh.retry_window_public_ms } else { refresh.retry_window_ms };
        self.app.overrides.retry_window_ms.unwrap_or(own)
    }

    /// The members of an answer with tokens. What rotates must be handed out.
    #[must_use]
    pub fn answer(&self, is_refresh: bool) -> &[Member] {
        const ALL: [Member; 4] = [Member::TokenType, Member::ExpiresIn, Member::RefreshToken, Member::Scope];
        let token = &self.policy.token;
        match is_refresh {
            _ if self.app.is_public() => &ALL,
            true if self.rotation() != Rotation::Static && !token.refresh_answer.contains(&Member::RefreshToken) => &token.answer,
            true => &token.refresh_answer,
            false => &token.answer,
        }
    }

    /// Whether a bearer header may carry its refresh token at the addresses for refreshes.
    #[must_use]
    pub const fn refresh_header(&self) -> bool {
        self.policy.token.refresh_header && !self.app.is_public()
    }

    /// What revoking one of its tokens ends (attack A21).
    #[must_use]
    pub const fn reach(&self, kind: Kind) -> Reach {
        match kind {
            Kind::Access | Kind::Key if self.app.is_public() => Reach::Token,
            Kind::Access | Kind::Key => self.policy.revoke.access_ends,
            Kind::Refresh => self.policy.revoke.refresh_ends,
        }
    }

    /// Its limits on API calls.
    #[must_use]
    pub fn rates(&self) -> Rates {
        match self.app.overrides.rate {
            Some(rate) => Rates { rate, burst: None },
            None => self.policy.api.rates(),
        }
    }
}
