//! A provider's keys (RFC 7517, RFC 7518 §6): those that may sign an ID token here, and nothing else.
//!
//! RSA from 2048 bits and P-256. A symmetric key is never taken, so that nobody can use the client
//! secret, or a public key as text, to sign.

use serde_json::{Value, json};

use super::id_token::Header;
use crate::encoding::from_base64url;

/// The algorithms of ID tokens (RFC 7518 §3.3, §3.4). `none` and `HS256` are none of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256, which every provider has (OpenID Connect Core §15.1).
    Rs256,
    /// ECDSA on P-256 with SHA-256.
    Es256,
}

impl Algorithm {
    /// The algorithm with this name, if it is allowed.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "RS256" => Some(Self::Rs256),
            "ES256" => Some(Self::Es256),
            _ => None,
        }
    }
}

/// A public key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Jwk {
    kid: Option<String>,
    algorithm: Algorithm,
    /// The key alone as JSON, for WebCrypto: nothing else of what the provider wrote.
    pub json: String,
}

/// A provider's keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Jwks(Vec<Jwk>);

/// More keys than this are not looked at.
const KEYS_MAX: usize = 50;

impl Jwks {
    /// Reads a set; keys of other kinds in it are left out (RFC 7517 §5).
    ///
    /// # Errors
    /// Fixed words for the log.
    pub fn parse(body: &[u8]) -> Result<Self, &'static str> {
        let value: Value = serde_json::from_slice(body).map_err(|_| "provider keys are not JSON")?;
        let keys = value.get("keys").and_then(Value::as_array).ok_or("provider keys without keys")?;
        Ok(Self(keys.iter().take(KEYS_MAX).filter_map(Jwk::read).collect()))
    }

    /// The keys that may have made a signature: by `kid` when the header has one.
    pub fn for_header(&self, header: &Header) -> impl Iterator<Item = &Jwk> {
        self.0.iter().filter(move |key| key.algorithm == header.algorithm && (header.kid.is_none() || key.kid == header.kid))
    }
}

impl Jwk {
    fn read(value: &Value) -> Option<Self> {
        let text = |key: &str| value.get(key).and_then(Value::as_str);
        let number = |key: &str, least: usize, most: usize| {
            text(key).filter(|text| from_base64url(text).is_some_and(|bytes| (least..=most).contains(&bytes.len())))
        };
        let (algorithm, name, json) = match (text("kty")?, text("crv")) {
            ("RSA", _) => (Algorithm::Rs256, "RS256", json!({ "kty": "RSA", "n": number("n", 256, 1024)?, "e": number("e", 1, 8)? })),
            ("EC", Some("P-256")) => {
                (Algorithm::Es256, "ES256", json!({ "kty": "EC", "crv": "P-256", "x": number("x", 32, 32)?, "y": number("y", 32, 32)? }))
            }
            _ => return None,
        };
        let for_signatures = text("use").is_none_or(|usage| usage == "sig") && text("alg").is_none_or(|alg| alg == name);
        for_signatures.then(|| Self { kid: text("kid").map(str::to_owned), algorithm, json: json.to_string() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoding::base64url;

    fn rsa(bytes: usize) -> Value {
        json!({ "kty": "RSA", "kid": "r", "n": base64url(&vec![0xff; bytes]), "e": "AQAB" })
    }

    fn ec() -> Value {
        json!({ "kty": "EC", "crv": "P-256", "kid": "e", "x": base64url(&[1; 32]), "y": base64url(&[2; 32]), "d": "private", "alg": "ES256", "use": "sig" })
    }

    fn with(mut key: Value, member: &str, value: &str) -> Value {
        key[member] = value.into();
        key
    }

    fn found(keys: &[Value], algorithm: Algorithm, kid: Option<&str>) -> usize {
        let set = Jwks::parse(json!({ "keys": keys }).to_string().as_bytes()).unwrap();
        set.for_header(&Header { algorithm, kid: kid.map(str::to_owned) }).count()
    }

    #[test]
    fn a_key_is_found_by_its_id_and_algorithm() {
        let keys = [rsa(256), ec(), with(rsa(256), "kid", "r2")];
        assert_eq!(found(&keys, Algorithm::Rs256, Some("r")), 1);
        assert_eq!(found(&keys, Algorithm::Rs256, None), 2);
        assert_eq!(found(&keys, Algorithm::Es256, Some("e")), 1);
        assert_eq!(found(&keys, Algorithm::Es256, Some("r")), 0, "a key is of one algorithm");
        assert_eq!(found(&keys, Algorithm::Rs256, Some("x")), 0);
    }

    #[test]
    fn what_must_not_sign_is_left_out() {
        let oct = json!({ "kty": "oct", "kid": "r", "k": base64url(b"secret") });
        for key in [oct, rsa(128), with(rsa(256), "use", "enc"), with(rsa(256), "alg", "RS512"), with(rsa(256), "n", "!"), json!(1)] {
            assert_eq!(found(std::slice::from_ref(&key), Algorithm::Rs256, None), 0, "{key}");
        }
        for key in [with(ec(), "crv", "P-384"), with(ec(), "x", "AA"), with(ec(), "alg", "HS256")] {
            assert_eq!(found(std::slice::from_ref(&key), Algorithm::Es256, None), 0, "{key}");
        }
        assert!(Jwks::parse(b"{}").is_err() && Jwks::parse(b"").is_err());
    }

    #[test]
    fn nothing_but_the_public_key_is_handed_on() {
        let set = Jwks::parse(json!({ "keys": [ec()] }).to_string().as_bytes()).unwrap();
        assert!(!set.0[0].json.contains("private") && !set.0[0].json.contains("use"));
    }
}
