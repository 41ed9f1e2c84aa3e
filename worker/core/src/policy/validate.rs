//! What a policy may not say, whatever platform it is for: the rules between knobs. The floor for
//! public clients is not here but in [`super::AppPolicy`], which no policy gets past.

use super::api_keys::LIFE_MAX_S;
use super::errors::{self, Say};
use super::platform::{contrast_with_white, rgb};
use super::{AuthMethod, Me, Member, Policy, Reach, Rotation, Separator};
use crate::oauth::{error::description_ok, scope};
use crate::rate::Limit;

impl Policy {
    /// Checks every rule.
    ///
    /// # Errors
    /// The first key that breaks one, with what is allowed.
    pub fn validate(&self) -> Result<(), String> {
        self.check_platform()?;
        self.check_scopes()?;
        self.check_routes()?;
        self.check_authorize()?;
        self.check_token()?;
        self.check_answers()?;
        self.check_lives()?;
        self.check_limits()?;
        self.check_keys()?;
        self.mail.validate()?;
        require(self.revoke.refresh_ends != Reach::Token, "revoke.refresh_ends", "family or grant")?;
        require(self.revoke.access_ends != Reach::Family, "revoke.access_ends", "token or grant")?;
        require((1..=10).contains(&self.apps.secrets_max), "apps.secrets_max", "1 to 10")?;
        require((1..=100).contains(&self.apps.redirect_uris_max), "apps.redirect_uris_max", "1 to 100")?;
        require((1..=10_000).contains(&self.apps.per_account_max), "apps.per_account_max", "1 to 10000")?;
        require((1..=90).contains(&self.apps.review_days), "apps.review_days", "1 to 90")?;
        require((1..=3650).contains(&self.audit.keep_days), "audit.keep_days", "1 to 3650")
    }

    fn check_platform(&self) -> Result<(), String> {
        require(!self.platform.name.trim().is_empty(), "platform.name", "the platform's name")?;
        require(!self.platform.account.trim().is_empty(), "platform.account", "a word such as \"business account\"")?;
        if self.platform.colour.is_empty() {
            return Ok(());
        }
        let dark_enough = rgb(&self.platform.colour).is_some_and(|colour| contrast_with_white(colour) >= 4.5);
        require(dark_enough, "platform.colour", "#rrggbb on which white text has a contrast of at least 4.5 (WCAG 2.2, 1.4.3)")
    }

    fn check_scopes(&self) -> Result<(), String> {
        let scopes = &self.scopes;
        require(!scopes.catalogue.is_empty(), "scopes.catalogue", "at least one scope")?;
        for (at, entry) in scopes.catalogue.iter().enumerate() {
            let key = format!("scopes.catalogue[{at}]");
            require(scope::is_token(&entry.name), &key, "a scope name without space, quotation mark or backslash (RFC 6749 §3.3)")?;
            let comma = scopes.separator != Separator::Space && entry.name.contains(',');
            require(!comma, &key, "a scope name without comma, since a comma separates scopes here")?;
            require(!entry.words.trim().is_empty(), &key, "words for the consent page")?;
            let twice = scopes.catalogue.iter().skip(at + 1).any(|other| other.name == entry.name);
            require(!twice, &key, "each scope once")?;
            let others = entry.implies.iter().chain(entry.offered_with.iter());
            let known = others.into_iter().all(|other| *other != entry.name && scopes.find(other).is_some());
            require(known, &key, "implies and offered_with name other scopes of the catalogue")?;
            let own_item = entry.offered_with.is_none() || entry.personal;
            require(own_item, &key, "personal = true with offered_with: nothing is added without being ticked")?;
        }
        let listed = |names: &[String]| names.iter().all(|name| scopes.find(name).is_some_and(|entry| !entry.personal));
        require(listed(&scopes.missing), "scopes.missing", "scopes of the catalogue that are not personal")?;
        require(listed(&scopes.always), "scopes.always", "scopes of the catalogue that are not personal")?;
        require(self.me.scope.is_empty() || scopes.find(&self.me.scope).is_some(), "me.scope", "a scope of the catalogue, or empty")
    }

    fn check_routes(&self) -> Result<(), String> {
        let routes = &self.routes;
        let lists = [
            ("routes.authorize", &routes.authorize, true),
            ("routes.token", &routes.token, true),
            ("routes.refresh", &routes.refresh, false),
            ("routes.revoke", &routes.revoke, true),
            ("routes.introspect", &routes.introspect, true),
            ("me.paths", &self.me.paths, true),
        ];
        let mut seen: Vec<&str> = Vec::new();
        for (key, paths, needed) in lists {
            require(!needed || !paths.is_empty(), key, "at least one path")?;
            for path in paths {
                require(is_free_path(path), key, FREE_PATH)?;
                require(!seen.contains(&path.as_str()), key, "each path once")?;
                seen.push(path);
            }
        }
        let decision = routes.decision.as_str();
        require(is_free_path(decision), "routes.decision", FREE_PATH)?;
        let own = routes.authorize.iter().any(|path| path == decision) || !seen.contains(&decision);
        require(own, "routes.decision", "a path of its own, or one of routes.authorize")
    }

    fn check_authorize(&self) -> Result<(), String> {
        let authorize = &self.authorize;
        require(!authorize.consent_roles.is_empty(), "authorize.consent_roles", "at least one role")?;
        require(description_ok(&authorize.deny_description), "authorize.deny_description", DESCRIPTION)?;
        require((60..=3600).contains(&authorize.decision_s), "authorize.decision_s", "60 to 3600")?;
        require((128..=8192).contains(&authorize.state_max), "authorize.state_max", "128 to 8192")?;
        authorize.scope_not_registered.as_ref().map_or(Ok(()), |say| check_say("authorize.scope_not_registered", say))
    }

    fn check_token(&self) -> Result<(), String> {
        let token = &self.token;
        let prefixes = [&token.prefixes.access, &token.prefixes.refresh, &token.prefixes.key];
        let letters = |p: &String| p.len() <= 16 && p.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        require(prefixes.iter().all(|p| letters(p)), "token.prefixes", "letters, digits and _, at most 16")?;
        let different = prefixes.iter().enumerate().all(|(at, p)| prefixes.iter().skip(at + 1).all(|other| p != other));
        require(different, "token.prefixes", "three different prefixes")?;
        require(!token.encodings.is_empty(), "token.encodings", "at least one of form, json")?;
        let with_secret = token.auth_methods.iter().any(|method| *method != AuthMethod::None);
        require(with_secret, "token.auth_methods", "at least one method with a secret")?;
        require(token.token_type.eq_ignore_ascii_case("bearer"), "token.token_type", "a spelling of Bearer (RFC 6749 §7.1)")?;
        require((1024..=65_536).contains(&token.body_max), "token.body_max", "1024 to 65536")?;
        require(token.answer.contains(&Member::RefreshToken), "token.answer", "a list with refresh_token")?;
        let kept = self.refresh.rotation == Rotation::Static || token.refresh_answer.contains(&Member::RefreshToken);
        require(kept, "token.refresh_answer", "a list with refresh_token, since refresh.rotation replaces it")?;
        let own_path = !token.refresh_header || !self.routes.refresh.is_empty();
        require(own_path, "token.refresh_header", "false, or an address for refreshes in routes.refresh: nowhere else")
    }

    fn check_answers(&self) -> Result<(), String> {
        let shapes = [
            ("token.errors.body", &self.token.errors.body, errors::PLACEHOLDERS.as_slice()),
            ("api.errors.body", &self.api.errors.body, errors::PLACEHOLDERS.as_slice()),
            ("me.body", &self.me.body, Me::PLACEHOLDERS.as_slice()),
        ];
        for (key, shape, known) in shapes {
            if let Some(unknown) = shape.first_unknown(known) {
                return Err(format!("{key}: there is no placeholder {unknown}; there are ${}", known.join(", $")));
            }
        }
        for (cause, say) in &self.token.errors.says {
            check_say(&format!("token.errors.says.{cause:?}"), say)?;
        }
        for (cause, say) in &self.api.errors.says {
            check_say(&format!("api.errors.says.{cause:?}"), say)?;
        }
        require((200..=299).contains(&self.me.status), "me.status", "200 to 299")?;
        require(!self.me.methods.is_empty(), "me.methods", "at least one of GET, POST")?;
        let headers = &self.api.headers;
        let names = [&headers.limit, &headers.remaining, &headers.reset];
        let plain = names.iter().all(|name| name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'));
        require(plain, "api.headers", "header names of letters, digits and -, or empty")
    }

    fn check_lives(&self) -> Result<(), String> {
        require((10..=600).contains(&self.code.life_s), "code.life_s", "10 to 600 (RFC 6749 §4.1.2)")?;
        require((60..=86_400).contains(&self.access.life_s), "access.life_s", "60 to 86400")?;
        require(self.refresh.retry_window_ms <= 60_000, "refresh.retry_window_ms", "0 to 60000")?;
        require(self.refresh.retry_window_public_ms <= 60_000, "refresh.retry_window_public_ms", "0 to 60000")?;
        let (idle, absolute) = (self.refresh.idle_s, self.refresh.absolute_s);
        require(absolute == 0 || idle <= absolute, "refresh.idle_s", "no more than refresh.absolute_s")?;
        require(idle <= 315_360_000 && absolute <= 315_360_000, "refresh.absolute_s", "at most ten years")?;
        require((60..=86_400).contains(&self.login.form_s), "login.form_s", "60 to 86400")?;
        require((60..=2_592_000).contains(&self.login.provider_session_s), "login.provider_session_s", "60 to 2592000 (30 days)")?;
        require(self.session.idle_s > 0 && self.session.idle_s <= self.session.absolute_s, "session.idle_s", "1 to session.absolute_s")
    }

    fn check_limits(&self) -> Result<(), String> {
        for (key, rate) in [
            ("refresh.rate", self.refresh.rate),
            ("api.rate", self.api.rate),
            ("api.key_rate", self.api.key_rate.unwrap_or(self.api.rate)),
            ("api.burst", self.api.burst.unwrap_or(self.api.rate)),
            ("login.per_address", self.login.per_address),
            ("login.per_network", self.login.per_network),
            ("login.per_name", self.login.per_name),
            ("login.per_known_browser", self.login.per_known_browser),
            ("unproven.rate", self.unproven.rate),
        ] {
            limit(key, rate)?;
        }
        for (key, wide, _) in self.api.wide_rates() {
            wide.map_or(Ok(()), |wide| limit(key, wide))?;
        }
        self.api.first_narrow().map_or(Ok(()), Err)?;
        let (rate, burst) = (self.api.rate, self.api.burst);
        let shorter = burst.is_none_or(|burst| burst.window_s < rate.window_s && burst.limit <= rate.limit);
        require(shorter, "api.burst", "a shorter window with no more calls than api.rate")?;
        require((1..=1000).contains(&self.refresh.families_max), "refresh.families_max", "1 to 1000")
    }

    fn check_keys(&self) -> Result<(), String> {
        let keys = &self.keys;
        require((1..=200).contains(&keys.max), "keys.max", "1 to 200")?;
        let life = keys.life_max_s == 0 || (86_400..=LIFE_MAX_S).contains(&keys.life_max_s);
        require(life, "keys.life_max_s", "0, or a day to ten years")?;
        // RFC 9110 §11.1: a scheme is a token; those with a meaning of their own are taken.
        let own = |scheme: &String| {
            let plain = !scheme.is_empty() && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
            plain && !["bearer", "basic"].iter().any(|taken| scheme.eq_ignore_ascii_case(taken))
        };
        require(self.api.key_scheme.as_ref().is_none_or(own), "api.key_scheme", "letters, digits and -, neither Bearer nor Basic")
    }
}

pub(super) fn limit(key: &str, limit: Limit) -> Result<(), String> {
    require((1..=1_000_000).contains(&limit.limit), &format!("{key}.limit"), "1 to 1000000")?;
    require((1..=86_400).contains(&limit.window_s), &format!("{key}.window_s"), "1 to 86400")
}

const DESCRIPTION: &str = "printable ASCII without quotation marks and backslashes (RFC 6749 §4.1.2.1)";
const FREE_PATH: &str =
    "a path of a-z A-Z 0-9 - _ . and / that begins with / and is none of the server's own (/login, /logout, /account, /manage, …)";

fn check_say(key: &str, say: &Say) -> Result<(), String> {
    require(say.status.is_none_or(|status| (400..=599).contains(&status)), key, "a status from 400 to 599")?;
    let texts = [&say.description, &say.title, &say.code];
    require(texts.into_iter().flatten().all(|text| description_ok(text)), key, DESCRIPTION)
}

/// A path that an endpoint may have.
fn is_free_path(path: &str) -> bool {
    const OWN: [&str; 17] = [
        "/login",
        "/logout",
        "/account",
        "/manage",
        "/developers",
        "/admin",
        "/marketplace",
        "/logo",
        "/demo",
        "/pkce-wasm",
        "/react",
        "/.well-known",
        "/platform.css",
        "/style.css",
        "/favicon.svg",
        "/index.html",
        "/openapi.json",
    ];
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'/');
    let own = |start: &str| path == start || path.strip_prefix(start).is_some_and(|rest| rest.starts_with('/'));
    path.len() > 1
        // What begins with an underscore is for development.
        && !path.starts_with("/_")
        && path.starts_with('/')
        && path.bytes().all(plain)
        && !path.contains("//")
        && !path.contains("..")
        && !OWN.into_iter().any(own)
}

pub(super) fn require(holds: bool, key: &str, allowed: &str) -> Result<(), String> {
    if holds { Ok(()) } else { Err(format!("{key}: allowed is {allowed}")) }
}
