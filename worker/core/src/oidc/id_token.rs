//! ID tokens: compact JWS (RFC 7515 §3.1, §4.1) with the claims of OpenID Connect Core §2, checked in
//! the order of §3.1.3.7.
//!
//! The algorithm is one of two, so neither `none` nor a symmetric one is ever asked about (RFC 8725
//! §3.1). The signature is always checked, although the token comes from the provider over TLS.

use serde_json::{Map, Value};

use super::jwks::Algorithm;
use crate::encoding::{base64url, from_base64url, sha256};
use crate::keys::same;

/// Clocks may differ by this, in seconds.
const SKEW_S: f64 = 60.0;
/// An ID token that comes straight from the provider was made just now, give or take this, in seconds.
const AGE_MAX_S: f64 = 3600.0;

/// What the header of a token says about its signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The algorithm.
    pub algorithm: Algorithm,
    /// The key's id.
    pub kid: Option<String>,
}

/// A token in its parts. Nothing in it is to be believed before the signature was checked.
pub struct IdToken<'a> {
    /// The header.
    pub header: Header,
    /// What was signed.
    pub signed: &'a str,
    /// The signature.
    pub signature: Vec<u8>,
    claims: Map<String, Value>,
}

/// What the claims must say.
pub struct Expected<'a> {
    /// The provider's issuer.
    pub issuer: &'a str,
    /// Our client id there.
    pub client_id: &'a str,
    /// The flow's nonce.
    pub nonce: &'a str,
    /// The access token that came with it, for `at_hash`.
    pub access_token: Option<&'a str>,
    /// Now, in seconds.
    pub now_s: u64,
}

fn object(part: &str) -> Option<Map<String, Value>> {
    match serde_json::from_slice(&from_base64url(part)?).ok()? {
        Value::Object(members) => Some(members),
        _ => None,
    }
}

impl<'a> IdToken<'a> {
    /// Takes a token apart.
    ///
    /// # Errors
    /// Fixed words for the log.
    pub fn parse(token: &'a str) -> Result<Self, &'static str> {
        const MALFORMED: &str = "ID token malformed";
        let (signed, signature) = token.rsplit_once('.').ok_or(MALFORMED)?;
        let (header, claims) = signed.split_once('.').ok_or(MALFORMED)?;
        let header = object(header).ok_or(MALFORMED)?;
        // An extension that must be understood (RFC 7515 §4.1.11), and none is.
        if header.contains_key("crit") {
            return Err("ID token with crit");
        }
        let text = |name: &str| header.get(name).and_then(Value::as_str);
        let algorithm = text("alg").and_then(Algorithm::from_name).ok_or("ID token algorithm not allowed")?;
        Ok(Self {
            header: Header { algorithm, kid: text("kid").map(str::to_owned) },
            signed,
            signature: from_base64url(signature).ok_or(MALFORMED)?,
            claims: object(claims).ok_or(MALFORMED)?,
        })
    }

    /// The claims, after the signature was found right.
    ///
    /// # Errors
    /// Fixed words for the log: which claim does not hold.
    pub fn claims(self, expected: &Expected<'_>) -> Result<Map<String, Value>, &'static str> {
        let text = |name: &str| self.claims.get(name).and_then(Value::as_str);
        if text("iss") != Some(expected.issuer) {
            return Err("ID token of another issuer");
        }
        check_audience(&self.claims, expected.client_id)?;
        self.check_times(expected.now_s as f64)?;
        if !text("nonce").is_some_and(|nonce| same(nonce.as_bytes(), expected.nonce.as_bytes())) {
            return Err("ID token with another nonce");
        }
        if let (Some(hash), Some(token)) = (self.claims.get("at_hash"), expected.access_token) {
            let half: Vec<u8> = sha256(token.as_bytes()).into_iter().take(16).collect();
            if hash.as_str() != Some(&base64url(&half)) {
                return Err("ID token with another at_hash");
            }
        }
        Ok(self.claims)
    }

    fn check_times(&self, now_s: f64) -> Result<(), &'static str> {
        let time = |name: &str| self.claims.get(name).and_then(Value::as_f64);
        if time("exp").is_none_or(|exp| exp + SKEW_S <= now_s) {
            return Err("ID token expired");
        }
        if time("iat").is_none_or(|iat| iat > now_s + SKEW_S || iat + AGE_MAX_S < now_s) {
            return Err("ID token issued at another time");
        }
        if self.claims.contains_key("nbf") && time("nbf").is_none_or(|nbf| nbf > now_s + SKEW_S) {
            return Err("ID token not valid yet");
        }
        Ok(())
    }
}

/// The audience is this client, alone or among others; who else it is for, `azp` says who asked.
fn check_audience(claims: &Map<String, Value>, client_id: &str) -> Result<(), &'static str> {
    let azp = claims.get("azp").map(|azp| azp.as_str() == Some(client_id));
    let (mine, several) = match claims.get("aud") {
        Some(Value::String(one)) => (one == client_id, false),
        Some(Value::Array(all)) => (all.iter().any(|one| one.as_str() == Some(client_id)), all.len() > 1),
        _ => (false, false),
    };
    match (mine, azp) {
        (false, _) => Err("ID token for another client"),
        (true, Some(false)) => Err("ID token asked for by another client"),
        (true, None) if several => Err("ID token for several clients without azp"),
        (true, _) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW_S: u64 = 1_800_000_000;

    fn token(header: &Value, claims: &Value) -> String {
        let part = |value: &Value| base64url(value.to_string().as_bytes());
        format!("{}.{}.{}", part(header), part(claims), base64url(&[7; 64]))
    }

    fn good() -> Value {
        json!({ "iss": "https://a.example", "aud": "me", "exp": NOW_S + 300, "iat": NOW_S, "nonce": "n", "sub": "s" })
    }

    fn check(claims: &Value, access_token: Option<&str>) -> Result<(), &'static str> {
        let token = token(&json!({ "alg": "RS256" }), claims);
        let expected = Expected { issuer: "https://a.example", client_id: "me", nonce: "n", access_token, now_s: NOW_S };
        IdToken::parse(&token).unwrap().claims(&expected).map(|_| ())
    }

    fn changed(changes: &Value) -> Result<(), &'static str> {
        let mut claims = good();
        for (name, value) in changes.as_object().unwrap() {
            match value {
                Value::Null => _ = claims.as_object_mut().unwrap().remove(name),
                value => claims[name] = value.clone(),
            }
        }
        check(&claims, Some("token"))
    }

    #[test]
    fn only_two_algorithms_are_read() {
        let parse = |header: Value| IdToken::parse(&token(&header, &good())).map(|token| token.header);
        assert_eq!(parse(json!({ "alg": "ES256", "kid": "1" })), Ok(Header { algorithm: Algorithm::Es256, kid: Some("1".into()) }));
        for alg in ["none", "None", "HS256", "HS512", "RS384", "PS256", "rs256", ""] {
            assert!(parse(json!({ "alg": alg })).is_err(), "{alg}");
        }
        assert!(parse(json!({})).is_err() && parse(json!({ "alg": "RS256", "crit": [] })).is_err());
    }

    #[test]
    fn anything_but_three_strict_parts_is_malformed() {
        let whole = token(&json!({ "alg": "RS256" }), &good());
        assert!(IdToken::parse(&whole).is_ok());
        for other in ["", ".", "..", "a.b", &whole.replace('.', ""), &format!("{whole}="), &format!("{whole}.x"), &format!(" {whole}")] {
            assert!(IdToken::parse(other).is_err(), "{other}");
        }
        assert!(IdToken::parse(&token(&json!({ "alg": "RS256" }), &json!([]))).is_err());
    }

    #[test]
    fn the_claims_are_those_of_this_very_sign_in() {
        assert_eq!(changed(&json!({})), Ok(()));
        for wrong in [
            json!({ "iss": "https://a.example/" }),
            json!({ "iss": null }),
            json!({ "nonce": "N" }),
            json!({ "nonce": null }),
            json!({ "aud": "you" }),
            json!({ "aud": ["you"] }),
            json!({ "aud": null }),
            json!({ "aud": ["me", "you"] }),
            json!({ "aud": ["me", "you"], "azp": "you" }),
            json!({ "azp": "you" }),
            json!({ "azp": 1 }),
            json!({ "exp": NOW_S - 60 }),
            json!({ "exp": null }),
            json!({ "exp": "soon" }),
            json!({ "iat": NOW_S + 61 }),
            json!({ "iat": NOW_S - 3601 }),
            json!({ "iat": null }),
            json!({ "nbf": NOW_S + 61 }),
            json!({ "nbf": "x" }),
            json!({ "at_hash": "AAAAAAAAAAAAAAAAAAAAAA" }),
            json!({ "at_hash": 1 }),
        ] {
            assert!(changed(&wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn clocks_may_differ_and_audiences_may_be_several() {
        for right in [
            json!({ "aud": ["me"] }),
            json!({ "aud": ["you", "me"], "azp": "me" }),
            json!({ "azp": "me" }),
            json!({ "exp": NOW_S - 59 }),
            json!({ "exp": NOW_S as f64 + 0.5 }),
            json!({ "iat": NOW_S + 60, "nbf": NOW_S + 60 }),
            json!({ "at_hash": base64url(&sha256(b"token")[..16]) }),
        ] {
            assert_eq!(changed(&right), Ok(()), "{right}");
        }
        let mut claims = good();
        claims["at_hash"] = "unused".into();
        assert_eq!(check(&claims, None), Ok(()));
    }
}
