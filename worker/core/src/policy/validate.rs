//! What a policy may not say, whatever deployment it is for.
//!
//! The floor under every preset: public clients always have S256, rotation and an access revocation
//! that ends that token only (RFC 9700 §2.1.1, §4.14.2). Those three are not knobs: the code that
//! applies a policy asks the client's type first. Here stand the rules between knobs.

use super::{Policy, Reach};
use crate::oauth::scope;
use crate::rate::Limit;

impl Policy {
    /// Checks every rule.
    ///
    /// # Errors
    /// The first key that breaks one, with what is allowed.
    pub fn validate(&self) -> Result<(), String> {
        self.check_scopes()?;
        self.check_lives()?;
        self.check_limits()?;
        let prefixes = &self.token.prefixes;
        let names = [&prefixes.access, &prefixes.refresh, &prefixes.key];
        require(
            names.iter().all(|p| p.len() <= 16 && p.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')),
            "token.prefixes",
            "letters, digits and _, at most 16",
        )?;
        require(
            names.iter().enumerate().all(|(at, p)| names.iter().skip(at + 1).all(|other| p != other)),
            "token.prefixes",
            "three different prefixes",
        )?;
        require(!self.token.auth_methods.is_empty(), "token.auth_methods", "at least one method")?;
        require(self.token.token_type.eq_ignore_ascii_case("bearer"), "token.token_type", "a spelling of Bearer (RFC 6749 §7.1)")?;
        require(!self.authorize.consent_roles.is_empty(), "authorize.consent_roles", "at least one role")?;
        require(
            crate::oauth::error::description_ok(&self.authorize.deny_description),
            "authorize.deny_description",
            "printable ASCII without quotation marks and backslashes (RFC 6749 §4.1.2.1)",
        )?;
        require(self.revoke.refresh_ends != Reach::Token, "revoke.refresh_ends", "family or grant")?;
        require(self.revoke.access_ends != Reach::Family, "revoke.access_ends", "token or grant")
    }

    fn check_scopes(&self) -> Result<(), String> {
        require(!self.scopes.catalogue.is_empty(), "scopes.catalogue", "at least one scope")?;
        for (at, entry) in self.scopes.catalogue.iter().enumerate() {
            let key = format!("scopes.catalogue[{at}]");
            require(scope::is_token(&entry.name), &key, "a scope name without space, quotation mark or backslash (RFC 6749 §3.3)")?;
            require(!entry.words.trim().is_empty(), &key, "words for the consent page")?;
            let twice = self.scopes.catalogue.iter().skip(at + 1).any(|other| other.name == entry.name);
            require(!twice, &key, "each scope once")?;
        }
        Ok(())
    }

    fn check_lives(&self) -> Result<(), String> {
        require((10..=600).contains(&self.code.life_s), "code.life_s", "10 to 600 (RFC 6749 §4.1.2)")?;
        require((60..=86_400).contains(&self.access.life_s), "access.life_s", "60 to 86400")?;
        require(self.refresh.retry_window_ms <= 60_000, "refresh.retry_window_ms", "0 to 60000")?;
        let (idle, absolute) = (self.refresh.idle_s, self.refresh.absolute_s);
        require(absolute == 0 || idle <= absolute, "refresh.idle_s", "no more than refresh.absolute_s")?;
        require(idle <= 315_360_000 && absolute <= 315_360_000, "refresh.absolute_s", "at most ten years")?;
        require((60..=3600).contains(&self.authorize.decision_s), "authorize.decision_s", "60 to 3600")?;
        require((128..=8192).contains(&self.authorize.state_max), "authorize.state_max", "128 to 8192")?;
        require((60..=86_400).contains(&self.login.form_s), "login.form_s", "60 to 86400")?;
        require(self.session.idle_s > 0 && self.session.idle_s <= self.session.absolute_s, "session.idle_s", "1 to session.absolute_s")
    }

    fn check_limits(&self) -> Result<(), String> {
        let limits: [(&str, Limit); 7] = [
            ("refresh.rate", self.refresh.rate),
            ("api.rate", self.api.rate),
            ("login.per_address", self.login.per_address),
            ("login.per_network", self.login.per_network),
            ("login.per_name", self.login.per_name),
            ("login.per_known_browser", self.login.per_known_browser),
            ("unproven.rate", self.unproven.rate),
        ];
        for (key, limit) in limits {
            require((1..=1_000_000).contains(&limit.limit), &format!("{key}.limit"), "1 to 1000000")?;
            require((1..=86_400).contains(&limit.window_s), &format!("{key}.window_s"), "1 to 86400")?;
        }
        require((1..=1000).contains(&self.refresh.families_max), "refresh.families_max", "1 to 1000")?;
        require((1024..=65_536).contains(&self.token.body_max), "token.body_max", "1024 to 65536")
    }
}

fn require(holds: bool, key: &str, allowed: &str) -> Result<(), String> {
    if holds { Ok(()) } else { Err(format!("{key}: allowed is {allowed}")) }
}
