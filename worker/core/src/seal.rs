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
