//! The keys of a deployment and the keyed hashes made with them.
//!
//! Each purpose has its own key, each use its own label, so that a value made for one purpose never
//! verifies for another. All comparisons are constant-time.
//!
//! | key | used for | rotation |
//! |---|---|---|
//! | edge | edge tags of tokens and codes | newest signs, older ones verify |
//! | grant id | names of objects, tags of client ids | never |
//! | hash | client secrets, look-up of names, limiter names | newest hashes, older ones verify; the daily sweep renews addresses |
//! | seal | session cookie, login and consent forms | a day of overlap |
//! | gateway | signatures of requests to the platform's own API | newest signs |
//! | data | personal data at rest | newest seals, older ones open until the daily sweep has sealed all anew |

use core::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;

use crate::encoding::array_from_base64url;

/// 256 bits of key.
#[derive(Clone)]
pub struct Key([u8; 32]);

impl Key {
    /// A key from its 32 bytes.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// A key from base64url of 32 bytes.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        array_from_base64url(text.trim()).map(Self)
    }

    /// HMAC-SHA256 of the label and the parts, each preceded by its length, so that no two lists of
    /// parts give the same input.
    #[must_use]
    pub fn mac(&self, label: &str, parts: &[&[u8]]) -> [u8; 32] {
        mac(&self.0, label, parts)
    }

    /// Plain HMAC-SHA256, for a reader outside who holds the same key; everything else has a label.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> [u8; 32] {
        hmac_sha256(&self.0, message)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key([redacted])")
    }
}

/// HMAC-SHA256 under a raw 256-bit secret; see [`Key::mac`].
#[must_use]
pub fn mac(secret: &[u8; 32], label: &str, parts: &[&[u8]]) -> [u8; 32] {
    // A key of any length is taken, so the error cannot occur; an empty tag verifies nothing.
    let Ok(mut hmac) = Hmac::<Sha256>::new_from_slice(secret) else { return [0; 32] };
    for part in core::iter::once(label.as_bytes()).chain(parts.iter().copied()) {
        hmac.update(&(part.len() as u64).to_be_bytes());
        hmac.update(part);
    }
    hmac.finalize().into_bytes().into()
}

/// HMAC-SHA256 (RFC 2104).
#[must_use]
pub fn hmac_sha256(secret: &[u8], message: &[u8]) -> [u8; 32] {
    let Ok(mut hmac) = Hmac::<Sha256>::new_from_slice(secret) else { return [0; 32] };
    hmac.update(message);
    hmac.finalize().into_bytes().into()
}

/// Constant-time equality.
#[must_use]
pub fn same(a: &[u8], b: &[u8]) -> bool {
    a.ct_eq(b).into()
}

/// Keys of one purpose, each with an id from 1 to 255, the newest first.
#[derive(Clone, Debug)]
pub struct Keyring(Vec<(u8, Key)>);

impl Keyring {
    /// `id:base64url` pairs separated by commas, newest first.
    ///
    /// # Errors
    /// What is wrong with the text; never the text itself.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let mut keys = Vec::new();
        for entry in text.split(',') {
            let (id, key) = entry.trim().split_once(':').ok_or("must be id:key pairs separated by commas")?;
            let id = id.parse().ok().filter(|id| *id != 0).ok_or("has an id that is not a number from 1 to 255")?;
            let key = Key::parse(key).ok_or("has a key that is not base64url of 32 bytes")?;
            if keys.iter().any(|(known, _)| *known == id) {
                return Err("has the same id twice");
            }
            keys.push((id, key));
        }
        Ok(Self(keys))
    }

    /// The id and key that new values are made with. `parse` never makes an empty ring.
    #[must_use]
    pub fn newest(&self) -> Option<(u8, &Key)> {
        self.0.first().map(|(id, key)| (*id, key))
    }

    /// The key with this id.
    #[must_use]
    pub fn get(&self, id: u8) -> Option<&Key> {
        self.0.iter().find(|(known, _)| *known == id).map(|(_, key)| key)
    }

    /// All keys, newest first.
    pub fn iter(&self) -> impl Iterator<Item = (u8, &Key)> {
        self.0.iter().map(|(id, key)| (*id, key))
    }
}

/// Every key of a deployment.
#[derive(Clone, Debug)]
pub struct Keys {
    /// Edge tags.
    pub edge: Keyring,
    /// Object names and client ids.
    pub grant_id: Key,
    /// Secrets at rest and look-up hashes.
    pub hash: Keyring,
    /// Cookies and forms.
    pub seal: Keyring,
    /// Personal data at rest.
    pub data: Keyring,
    /// Signatures of requests to the platform's own API, which holds the same keys.
    pub gateway: Keyring,
}

/// A client secret, management token or resource server secret at rest.
///
/// They are 256 random bits, so a keyed hash suffices; no slow hash is needed.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct SecretHash {
    /// Which hash key made it.
    pub key_id: u8,
    /// base64url of the 32-byte keyed hash.
    pub hash: String,
    /// The last four characters, shown to the developer so that secrets can be told apart.
    pub hint: String,
}

const SECRET_LABEL: &str = "edgegrant/1/secret";
const LOOKUP_LABEL: &str = "edgegrant/1/lookup";

impl SecretHash {
    /// Hashes `secret` under the newest key.
    #[must_use]
    pub fn of(secret: &str, hash: &Keyring) -> Option<Self> {
        let (key_id, key) = hash.newest()?;
        let hint = secret.chars().skip(secret.chars().count().saturating_sub(4)).collect();
        let hash = crate::encoding::base64url(&key.mac(SECRET_LABEL, &[secret.as_bytes()]));
        Some(Self { key_id, hash, hint })
    }

    /// Whether `secret` is the one that was hashed.
    #[must_use]
    pub fn verify(&self, secret: &str, hash: &Keyring) -> bool {
        let Some(key) = hash.get(self.key_id) else { return false };
        let Some(stored) = array_from_base64url::<32>(&self.hash) else { return false };
        same(&key.mac(SECRET_LABEL, &[secret.as_bytes()]), &stored)
    }
}

/// A name under which something personal (an e-mail address, a network address) is found without
/// storing it: base64url of a keyed hash. `purpose` keeps the name spaces apart.
#[must_use]
pub fn lookup_name(key: &Key, purpose: &str, value: &str) -> String {
    crate::encoding::base64url(&key.mac(LOOKUP_LABEL, &[purpose.as_bytes(), value.as_bytes()]))
}

#[cfg(test)]
mod tests {
    use super::*;

    const RING: &str = "2:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE,1:AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI";

    #[test]
    fn the_first_key_is_the_newest_and_older_ones_still_verify() {
        let ring = Keyring::parse(RING).unwrap();
        assert_eq!(ring.newest().unwrap().0, 2);
        let old = Keyring::parse(RING.split(',').next_back().unwrap()).unwrap();
        let hash = SecretHash::of("s3cret-value", &old).unwrap();
        assert_eq!(hash.hint, "alue");
        assert!(hash.verify("s3cret-value", &ring));
        assert!(!hash.verify("s3cret-valuE", &ring));
    }

    #[test]
    fn a_bad_ring_says_what_is_wrong_without_repeating_it() {
        for bad in ["", "1", "0:AQ", "x:AQ", "1:AQ", &format!("{0},{0}", RING.split(',').next().unwrap())] {
            let error = Keyring::parse(bad).unwrap_err();
            assert!(bad.is_empty() || !error.contains(bad), "{error}");
        }
    }

    #[test]
    fn parts_cannot_be_shifted_between_each_other() {
        let key = Key::new([7; 32]);
        assert_ne!(key.mac("l", &[b"ab", b"c"]), key.mac("l", &[b"a", b"bc"]));
        assert_ne!(key.mac("l", &[b"a"]), key.mac("la", &[]));
    }

    #[test]
    fn debug_shows_no_key() {
        assert!(!format!("{:?}", Keyring::parse(RING).unwrap()).contains("[1, 1"));
    }
}
