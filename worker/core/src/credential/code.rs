//! Authorization codes (RFC 6749 §4.1.2).
//!
//! 160 random bits and a tag: a code that was not minted here, or is over, costs no look-up. Being
//! authentic, one that KV lacks is "not here yet" and not "invalid".

use super::{GrantId, Reader, Tag, push_seconds, truncate};
use crate::encoding::{base64url, from_base64url, sha256};
use crate::keys::{Key, Keyring, same};

const KIND: u8 = 4;
const CODE_BYTES: usize = 63;
const LABEL: &str = "edgegrant/1/code";

/// An authentic authorization code, or one to be signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code {
    /// The edge key that signed it.
    pub key_id: u8,
    /// The app it was issued to.
    pub app: u32,
    /// The object that will claim it.
    pub grant: GrantId,
    /// Seconds since 1970 after which it is dead.
    pub expires_s: u64,
    /// What makes it unguessable.
    pub random: [u8; 20],
}

impl Code {
    fn body(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(CODE_BYTES);
        out.push(KIND);
        out.push(self.key_id);
        out.extend_from_slice(&self.app.to_be_bytes());
        out.extend_from_slice(&self.grant.0);
        push_seconds(&mut out, self.expires_s);
        out.extend_from_slice(&self.random);
        out
    }

    fn tag(key: &Key, issuer: &str, body: &[u8]) -> Tag {
        truncate(&key.mac(LABEL, &[issuer.as_bytes(), body]))
    }

    /// The code's text, or `None` when the key it names is not there.
    #[must_use]
    pub fn encode(&self, edge: &Keyring, issuer: &str) -> Option<String> {
        let mut bytes = self.body();
        let tag = Self::tag(edge.get(self.key_id)?, issuer, &bytes);
        bytes.extend_from_slice(&tag);
        Some(base64url(&bytes))
    }

    /// The code behind a text that this deployment signed; expiry is the caller's to apply.
    #[must_use]
    pub fn decode(text: &str, edge: &Keyring, issuer: &str) -> Option<Self> {
        if text.len() != CODE_BYTES * 4 / 3 {
            return None;
        }
        let bytes = from_base64url(text)?;
        let mut reader = Reader(&bytes);
        let [kind] = reader.take()?;
        let [key_id] = reader.take()?;
        let code = Self {
            key_id,
            app: u32::from_be_bytes(reader.take()?),
            grant: GrantId(reader.take()?),
            expires_s: reader.take_seconds()?,
            random: reader.take()?,
        };
        let presented: Tag = reader.take()?;
        let tag = Self::tag(edge.get(key_id)?, issuer, &code.body());
        (kind == KIND && reader.0.is_empty() && same(&tag, &presented)).then_some(code)
    }

    /// Under what a code's record is stored: no storage holds the code itself.
    #[must_use]
    pub fn hash(text: &str) -> [u8; 32] {
        sha256(text.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ring() -> Keyring {
        Keyring::parse("1:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE").unwrap()
    }

    #[test]
    fn round_trips_and_every_changed_character_is_refused() {
        let code = Code { key_id: 1, app: 1, grant: GrantId([2; 16]), expires_s: 1_800_000_000, random: [3; 20] };
        let text = code.encode(&ring(), "https://a").unwrap();
        assert_eq!(text.len(), 84);
        assert_eq!(Code::decode(&text, &ring(), "https://a"), Some(code));
        assert_eq!(Code::decode(&text, &ring(), "https://b"), None);
        for at in 0..text.len() {
            let mut changed = text.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            assert_eq!(Code::decode(core::str::from_utf8(&changed).unwrap(), &ring(), "https://a"), None);
        }
    }
}
