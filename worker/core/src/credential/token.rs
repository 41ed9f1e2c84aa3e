//! Access tokens, refresh tokens and API keys.

use serde::{Deserialize, Serialize};

use super::{GrantId, Reader, push_seconds, truncate};
use crate::encoding::{base64url, from_base64url};
use crate::keys::{Key, Keyring, mac, same};

/// 16 bytes of HMAC-SHA256.
pub type Tag = [u8; 16];

const PAYLOAD_BYTES: usize = 37;
const FAMILY_LABEL: &str = "edgegrant/1/family-tag";
const EDGE_LABEL: &str = "edgegrant/1/edge-tag";

/// What a credential is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[repr(u8)]
pub enum Kind {
    /// An access token; `number` is its serial.
    Access = 1,
    /// A refresh token; `number` is its generation.
    Refresh = 2,
    /// An API key of an account; its app is [`super::NO_APP`], its `number` 0.
    Key = 3,
}

impl Kind {
    const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            1 => Some(Self::Access),
            2 => Some(Self::Refresh),
            3 => Some(Self::Key),
            _ => None,
        }
    }
}

/// The readable part of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payload {
    /// Access token, refresh token or API key.
    pub kind: Kind,
    /// The edge key that signed it.
    pub key_id: u8,
    /// The app it was issued to; [`super::NO_APP`] for an API key.
    pub app: u32,
    /// The object that knows it.
    pub grant: GrantId,
    /// The family inside the object.
    pub family: u32,
    /// Generation of a refresh token, serial of an access token.
    pub number: u32,
    /// The scope set of the family it carries; 0 is the family's own.
    pub scope_set: u16,
    /// Seconds since 1970 after which it is dead; 0 is never. For refresh tokens the family's
    /// absolute end: idle life is decided in the object.
    pub expires_s: u64,
}

impl Payload {
    /// The bytes that both tags cover.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(PAYLOAD_BYTES);
        out.push(self.kind as u8);
        out.push(self.key_id);
        out.extend_from_slice(&self.app.to_be_bytes());
        out.extend_from_slice(&self.grant.0);
        out.extend_from_slice(&self.family.to_be_bytes());
        out.extend_from_slice(&self.number.to_be_bytes());
        out.extend_from_slice(&self.scope_set.to_be_bytes());
        push_seconds(&mut out, self.expires_s);
        out
    }

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let [kind] = reader.take()?;
        let [key_id] = reader.take()?;
        Some(Self {
            kind: Kind::from_byte(kind)?,
            key_id,
            app: u32::from_be_bytes(reader.take()?),
            grant: GrantId(reader.take()?),
            family: u32::from_be_bytes(reader.take()?),
            number: u32::from_be_bytes(reader.take()?),
            scope_set: u16::from_be_bytes(reader.take()?),
            expires_s: reader.take_seconds()?,
        })
    }

    /// Whether its time is over.
    #[must_use]
    pub const fn expired(&self, now_s: u64) -> bool {
        self.expires_s != 0 && self.expires_s <= now_s
    }
}

/// The tag only the `Grant` object can make.
#[must_use]
pub fn family_tag(secret: &[u8; 32], issuer: &str, payload: &Payload) -> Tag {
    truncate(&mac(secret, FAMILY_LABEL, &[issuer.as_bytes(), &payload.to_bytes()]))
}

fn edge_tag(key: &Key, issuer: &str, payload: &Payload, family_tag: &Tag) -> Tag {
    truncate(&key.mac(EDGE_LABEL, &[issuer.as_bytes(), &payload.to_bytes(), family_tag]))
}

/// The prefixes that let secret scanners find leaked tokens. The kind inside decides; the prefix
/// must agree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prefixes {
    /// In front of access tokens.
    pub access: String,
    /// In front of refresh tokens.
    pub refresh: String,
    /// In front of API keys.
    pub key: String,
}

impl Prefixes {
    fn of(&self, kind: Kind) -> &str {
        match kind {
            Kind::Access => &self.access,
            Kind::Refresh => &self.refresh,
            Kind::Key => &self.key,
        }
    }
}

/// A payload with its family tag: a token whose edge tag was right, or one to be signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    /// The readable part.
    pub payload: Payload,
    /// The tag that the object checks.
    pub tag: Tag,
}

impl Token {
    /// The token's text, or `None` when the key it names is not there.
    #[must_use]
    pub fn encode(&self, edge: &Keyring, issuer: &str, prefixes: &Prefixes) -> Option<String> {
        let key = edge.get(self.payload.key_id)?;
        let mut bytes = self.payload.to_bytes();
        bytes.extend_from_slice(&self.tag);
        bytes.extend_from_slice(&edge_tag(key, issuer, &self.payload, &self.tag));
        Some(format!("{}{}", prefixes.of(self.payload.kind), base64url(&bytes)))
    }

    /// The token behind a text that this deployment signed. Expiry is the caller's to apply:
    /// revocation asks for authenticity, not for life.
    #[must_use]
    pub fn decode(text: &str, edge: &Keyring, issuer: &str, prefixes: &Prefixes) -> Option<Self> {
        [Kind::Access, Kind::Refresh, Kind::Key].into_iter().find_map(|kind| {
            let token = Self::decode_body(text.strip_prefix(prefixes.of(kind))?, edge, issuer)?;
            (token.payload.kind == kind).then_some(token)
        })
    }

    fn decode_body(body: &str, edge: &Keyring, issuer: &str) -> Option<Self> {
        // The length first: nothing of another size is worth decoding.
        if body.len() != (PAYLOAD_BYTES + 32) * 4 / 3 {
            return None;
        }
        let bytes = from_base64url(body)?;
        let mut reader = Reader(&bytes);
        let payload = Payload::read(&mut reader)?;
        let tag: Tag = reader.take()?;
        let presented: Tag = reader.take()?;
        let key = edge.get(payload.key_id)?;
        (reader.0.is_empty() && same(&edge_tag(key, issuer, &payload, &tag), &presented)).then_some(Self { payload, tag })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ring() -> Keyring {
        Keyring::parse("1:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE").unwrap()
    }

    fn prefixes() -> Prefixes {
        Prefixes { access: "eg_at_".into(), refresh: "eg_rt_".into(), key: "eg_key_".into() }
    }

    fn token() -> Token {
        let payload = Payload {
            kind: Kind::Access,
            key_id: 1,
            app: 7,
            grant: GrantId([9; 16]),
            family: 0xdead_beef,
            number: 3,
            scope_set: 1,
            expires_s: 1_800_000_000,
        };
        Token { payload, tag: family_tag(&[5; 32], "https://a", &payload) }
    }

    #[test]
    fn a_token_is_92_characters_behind_its_prefix_and_round_trips() {
        let text = token().encode(&ring(), "https://a", &prefixes()).unwrap();
        assert_eq!(text.len(), "eg_at_".len() + 92);
        assert_eq!(Token::decode(&text, &ring(), "https://a", &prefixes()), Some(token()));
    }

    #[test]
    fn the_layout_on_the_wire_does_not_change() {
        let text = token().encode(&ring(), "https://a", &prefixes()).unwrap();
        assert_eq!(text, "eg_at_AQEAAAAHCQkJCQkJCQkJCQkJCQkJCd6tvu8AAAADAAEAa0nSAO7ZfMxu-LRE8c6xReS4ER94IKox2ilQcpcYiCqjKYca");
    }

    #[test]
    fn every_changed_character_is_refused_tk_35() {
        let text = token().encode(&ring(), "https://a", &prefixes()).unwrap();
        for at in 0..text.len() {
            for other in ['A', 'B', '_', '=', ' '] {
                let mut changed: Vec<char> = text.chars().collect();
                if changed[at] != other {
                    changed[at] = other;
                    let changed: String = changed.into_iter().collect();
                    assert_eq!(Token::decode(&changed, &ring(), "https://a", &prefixes()), None, "{changed}");
                }
            }
        }
    }

    #[test]
    fn another_issuer_kind_prefix_or_length_is_refused() {
        let text = token().encode(&ring(), "https://a", &prefixes()).unwrap();
        assert_eq!(Token::decode(&text, &ring(), "https://b", &prefixes()), None);
        let body = text.strip_prefix("eg_at_").unwrap();
        for other in
            [format!("eg_rt_{body}"), body.to_owned(), format!("{text}AAAA"), text.get(..text.len() - 4).unwrap().to_owned(), String::new()]
        {
            assert_eq!(Token::decode(&other, &ring(), "https://a", &prefixes()), None, "{other}");
        }
    }

    #[test]
    fn expiry_zero_is_never_and_the_second_itself_is_too_late() {
        let mut payload = token().payload;
        assert!(payload.expired(payload.expires_s) && !payload.expired(payload.expires_s - 1));
        payload.expires_s = 0;
        assert!(!payload.expired(u64::MAX));
    }
}
