//! Sealed values: AES-256-GCM under a key derived for one label.
//!
//! A sealed consent form never opens as a session: label and deployment are in the derived key. The
//! nonce is 96 random bits from the caller; at most 2^32 values per key are sealed (NIST SP 800-38D
//! §8.3), so seal keys are rotated long before.

use aes_gcm::aead::{Aead as _, Payload};
use aes_gcm::{Aes256Gcm, KeyInit as _};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::encoding::{base64url, from_base64url};
use crate::keys::{Key, Keyring};

/// What a sealed value is for. Every purpose has its own derived key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// The session cookie.
    Session,
    /// The pre-session token of the login form.
    Login,
    /// A sign-in at a provider, kept by the browser meanwhile.
    Flow,
    /// The consent form.
    Consent,
    /// Personal data at rest.
    PersonalData,
    /// What a developer's trial of the flow remembers from step to step.
    Trial,
}

impl Purpose {
    const fn label(self) -> &'static str {
        match self {
            Self::Session => "edgegrant/1/seal/session",
            Self::Login => "edgegrant/1/seal/login",
            Self::Flow => "edgegrant/1/seal/flow",
            Self::Consent => "edgegrant/1/seal/consent",
            Self::Trial => "edgegrant/1/seal/trial",
            Self::PersonalData => "edgegrant/1/seal/personal-data",
        }
    }
}

fn cipher(key: &Key, purpose: Purpose) -> Option<Aes256Gcm> {
    Aes256Gcm::new_from_slice(&key.mac(purpose.label(), &[])).ok()
}

/// Seals bytes; `context` (a row's id, an issuer) must be the same when opening.
#[must_use]
pub fn seal(keys: &Keyring, purpose: Purpose, context: &str, plain: &[u8], nonce: [u8; 12]) -> Option<String> {
    let (id, key) = keys.newest()?;
    let sealed = cipher(key, purpose)?.encrypt(&nonce.into(), Payload { msg: plain, aad: context.as_bytes() }).ok()?;
    let mut out = Vec::with_capacity(1 + nonce.len() + sealed.len());
    out.push(id);
    out.extend_from_slice(&nonce);
    out.extend_from_slice(&sealed);
    Some(base64url(&out))
}

/// Opens what [`seal`] made, or `None` when anything about it differs.
#[must_use]
pub fn open(keys: &Keyring, purpose: Purpose, context: &str, text: &str) -> Option<Vec<u8>> {
    let bytes = from_base64url(text)?;
    let (id, rest) = bytes.split_first()?;
    let (nonce, sealed) = rest.split_first_chunk::<12>()?;
    let payload = Payload { msg: sealed, aad: context.as_bytes() };
    cipher(keys.get(*id)?, purpose)?.decrypt(&(*nonce).into(), payload).ok()
}

/// The SQLite GLOB pattern of what a key has sealed: the id is the first byte, so six bits of it are in
/// the first character and two in the second. It finds rows that are still under an older key.
#[must_use]
pub fn glob_of(key_id: u8) -> String {
    const SECOND: [&str; 4] = ["A-P", "Q-Za-f", "g-v", "-w-z0-9_"];
    let first = base64url(&[key_id, 0, 0]).chars().next().unwrap_or('A');
    let second = SECOND.get(usize::from(key_id & 3)).copied().unwrap_or_default();
    format!("{first}[{second}]*")
}

/// Seals a value in postcard form.
#[must_use]
pub fn seal_value<T: Serialize>(keys: &Keyring, purpose: Purpose, context: &str, value: &T, nonce: [u8; 12]) -> Option<String> {
    seal(keys, purpose, context, &postcard::to_allocvec(value).ok()?, nonce)
}

/// Opens what [`seal_value`] made.
#[must_use]
pub fn open_value<T: DeserializeOwned>(keys: &Keyring, purpose: Purpose, context: &str, text: &str) -> Option<T> {
    postcard::from_bytes(&open(keys, purpose, context, text)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ring() -> Keyring {
        Keyring::parse("1:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE").unwrap()
    }

    #[test]
    fn opens_only_under_the_same_purpose_and_context() {
        let sealed = seal(&ring(), Purpose::Consent, "https://a", b"hello", [1; 12]).unwrap();
        assert_eq!(open(&ring(), Purpose::Consent, "https://a", &sealed).unwrap(), b"hello");
        assert_eq!(open(&ring(), Purpose::Session, "https://a", &sealed), None);
        assert_eq!(open(&ring(), Purpose::Consent, "https://b", &sealed), None);
    }

    /// GLOB as far as the patterns need it: a character, a set of characters and ranges, anything.
    fn matches(pattern: &str, text: &str) -> bool {
        let (first, rest) = pattern.split_once('[').unwrap();
        let set: Vec<char> = rest.strip_suffix("]*").unwrap().chars().collect();
        let mut text = text.chars();
        let second = |c: char| {
            let range = set.windows(3).any(|w| w[1] == '-' && w[0] != '-' && (w[0]..=w[2]).contains(&c));
            range || set.first() == Some(&'-') && c == '-' || set.last() == Some(&'_') && c == '_'
        };
        text.next() == first.chars().next() && text.next().is_some_and(second)
    }

    #[test]
    fn the_pattern_of_a_key_finds_its_values_and_no_others() {
        for id in 1..=255 {
            for nonce in (0..=255).step_by(16) {
                let text = base64url(&[id, nonce, 7]);
                for other in 1..=255 {
                    assert_eq!(matches(&glob_of(other), &text), id == other, "{other}: {text}");
                }
            }
        }
    }

    #[test]
    fn every_changed_byte_is_noticed() {
        let sealed = seal(&ring(), Purpose::Session, "", b"hello", [1; 12]).unwrap();
        let bytes = from_base64url(&sealed).unwrap();
        for at in 0..bytes.len() {
            let mut other = bytes.clone();
            other[at] ^= 1;
            assert_eq!(open(&ring(), Purpose::Session, "", &base64url(&other)), None, "byte {at}");
        }
    }
}
