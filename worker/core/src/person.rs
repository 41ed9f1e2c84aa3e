//! People who sign in: passwords, sessions, the tokens of forms.

use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordHasher as _, PasswordVerifier as _, Version};
use serde::{Deserialize, Serialize};

use crate::encoding::{base64url, from_base64url};
use crate::keys::{Keyring, same};
use crate::oauth::authorize::Request;
use crate::policy::Policy;

/// argon2id with 19 MiB, two passes, one lane (OWASP's first choice for this memory): about 50 ms of
/// CPU or more.
fn argon2id() -> Option<Argon2<'static>> {
    Some(Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(19 * 1024, 2, 1, None).ok()?))
}

/// The PHC string of a password.
#[must_use]
pub fn hash_password(password: &str, salt: &[u8; 16]) -> Option<String> {
    Some(argon2id()?.hash_password_with_salt(password.as_bytes(), salt).ok()?.to_string())
}

/// Whether the password is the hashed one. With no hash, or none that can be read (a person without a
/// password), a dummy of the same cost is computed, so that all names take as long.
#[must_use]
pub fn verify_password(password: &str, stored: Option<&str>) -> bool {
    let Some(parsed) = stored.and_then(|stored| PasswordHash::new(stored).ok()) else {
        let _ = hash_password(password, &[0; 16]);
        return false;
    };
    argon2id().is_some_and(|argon2| argon2.verify_password(password.as_bytes(), &parsed).is_ok())
}

/// An e-mail address as it is looked up: without surrounding space, in lower case.
#[must_use]
pub fn normal_email(text: &str) -> String {
    text.trim().to_lowercase()
}

/// What the session cookie seals.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionCookie {
    /// The person.
    pub user: String,
    /// The row, so that signing out ends this browser.
    pub session: String,
    /// The person's epoch: a password change raises it and ends every session.
    pub epoch: u32,
    /// When it began, in seconds.
    pub created_s: u64,
    /// When a page was last shown, in seconds.
    pub seen_s: u64,
    /// Where the person signed in, unless here.
    pub provider: Option<ProviderSession>,
}

/// A sign-in at a provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProviderSession {
    /// The provider's issuer: a session ends when the deployment no longer trusts it.
    pub issuer: String,
    /// Where the session with the provider ends, as its metadata said at the time.
    pub end_session: Option<String>,
}

impl SessionCookie {
    /// How long the session lasts at most, in seconds.
    #[must_use]
    pub fn life_s(&self, policy: &Policy) -> u32 {
        match self.provider {
            None => policy.session.absolute_s,
            Some(_) => policy.session.absolute_s.min(policy.login.provider_session_s),
        }
    }

    /// Whether idle or absolute life is over.
    #[must_use]
    pub fn over(&self, policy: &Policy, now_s: u64) -> bool {
        now_s.saturating_sub(self.seen_s) >= u64::from(policy.session.idle_s)
            || now_s.saturating_sub(self.created_s) >= u64::from(self.life_s(policy))
    }
}

/// What the sign-in form seals: bound to the browser by a cookie with the same random value, so that
/// nobody can be signed in to an attacker's account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoginForm {
    /// Also in the pre-session cookie.
    pub browser: [u8; 16],
    /// Until when it may be sent, in seconds.
    pub expires_s: u64,
}

/// What the consent form seals: the request, the session that saw it, a number that is used once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsentForm {
    /// The app's number.
    pub app: u32,
    /// The proven request.
    pub request: Request,
    /// The session.
    pub session: String,
    /// The person.
    pub user: String,
    /// Inserted under a unique key by the decision.
    pub number: [u8; 16],
    /// Until when the decision may be sent, in seconds.
    pub expires_s: u64,
}

const FORM_LABEL: &str = "edgegrant/1/form";

/// The token of a signed-in form: bound to the session.
#[must_use]
pub fn form_token(seal: &Keyring, session: &str) -> Option<String> {
    let (_, key) = seal.newest()?;
    Some(base64url(&key.mac(FORM_LABEL, &[session.as_bytes()])))
}

/// Whether a form's token is this session's, under any key that still opens.
#[must_use]
pub fn form_token_ok(seal: &Keyring, session: &str, presented: &str) -> bool {
    let Some(presented) = from_base64url(presented) else { return false };
    seal.iter().any(|(_, key)| same(&key.mac(FORM_LABEL, &[session.as_bytes()]), &presented))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_verifies_only_against_its_own_hash() {
        let hash = hash_password("demo-password", &[7; 16]).unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(verify_password("demo-password", Some(&hash)));
        assert!(!verify_password("demo-passwore", Some(&hash)));
        assert!(!verify_password("demo-password", Some("")));
        assert!(!verify_password("", None));
    }

    #[test]
    fn a_session_of_a_provider_has_a_life_of_its_own() {
        let policy = crate::policy::tests::default_policy();
        let own = SessionCookie { user: String::new(), session: String::new(), epoch: 0, created_s: 0, seen_s: 30_000, provider: None };
        let provider = Some(ProviderSession { issuer: String::new(), end_session: None });
        let foreign = SessionCookie { provider, ..own.clone() };
        assert!(!own.over(&policy, 30_000) && foreign.over(&policy, 30_000));
        assert!(!foreign.over(&policy, 28_799));
        let short = policy.with_overrides(r#"{"session":{"absolute_s":600,"idle_s":600}}"#).unwrap();
        assert_eq!(foreign.life_s(&short), 600, "never longer than any other");
    }

    #[test]
    fn form_tokens_belong_to_one_session() {
        let ring = Keyring::parse("1:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE").unwrap();
        let token = form_token(&ring, "a").unwrap();
        assert!(form_token_ok(&ring, "a", &token));
        assert!(!form_token_ok(&ring, "b", &token) && !form_token_ok(&ring, "a", "") && !form_token_ok(&ring, "a", "!"));
    }
}
