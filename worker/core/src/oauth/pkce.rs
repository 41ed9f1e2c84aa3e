//! Proof Key for Code Exchange (RFC 7636), S256 only: `plain` protects nothing once the request is
//! seen, and a missing method means `plain` (§4.3), so it is refused too.

use super::error::{ErrorCode, Refusal};
use super::params::Params;
use super::token_error::TokenError;
use crate::encoding::{array_from_base64url, sha256};
use crate::keys::same;

/// BASE64URL-decoded S256 challenge: 32 bytes.
pub type Challenge = [u8; 32];

/// The challenge of an authorization request, or `None` when it has none (RFC 7636 §4.3).
///
/// # Errors
/// `invalid_request` (RFC 7636 §4.4.1) for another method, a method without challenge or a
/// malformed challenge.
pub fn challenge(params: &Params) -> Result<Option<Challenge>, Refusal> {
    let invalid = |description: &str| Refusal::new(ErrorCode::InvalidRequest, description);
    let method = params.get("code_challenge_method")?;
    let Some(challenge) = params.get("code_challenge")? else {
        return match method {
            Some(_) => Err(invalid("code_challenge_method was sent without code_challenge (RFC 7636 section 4.3)")),
            None => Ok(None),
        };
    };
    if method != Some("S256") {
        return Err(invalid("code_challenge_method must be S256 (RFC 7636 section 4.2)"));
    }
    array_from_base64url(challenge)
        .map(Some)
        .ok_or_else(|| invalid("code_challenge must be 43 characters: base64url of a SHA-256 hash, without padding"))
}

/// What a well-formed verifier (43 to 128 unreserved characters, RFC 7636 §4.1) hashes to.
#[must_use]
pub fn transform(verifier: &str) -> Option<Challenge> {
    let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
    ((43..=128).contains(&verifier.len()) && verifier.bytes().all(unreserved)).then(|| sha256(verifier.as_bytes()))
}

/// Whether the verifier proves possession (RFC 7636 §4.6). A challenge once sent is enforced.
///
/// # Errors
/// Why it does not; a verifier without a challenge is a downgrade (RFC 9700 §2.1.1, §4.8.2).
pub fn verify(challenge: Option<&Challenge>, verifier: Option<&str>) -> Result<(), TokenError> {
    match (challenge, verifier) {
        (None, None) => Ok(()),
        (None, Some(_)) => Err(TokenError::VerifierUnexpected),
        (Some(_), None) => Err(TokenError::VerifierMissing),
        (Some(challenge), Some(verifier)) => match transform(verifier) {
            None => Err(TokenError::VerifierMalformed),
            Some(made) if same(&made, challenge) => Ok(()),
            Some(_) => Err(TokenError::VerifierWrong),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoding::base64url;

    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    #[test]
    fn rfc7636_appendix_b_tk_12() {
        assert_eq!(base64url(&transform(VERIFIER).unwrap()), CHALLENGE);
        let challenge = array_from_base64url(CHALLENGE).unwrap();
        assert_eq!(verify(Some(&challenge), Some(VERIFIER)), Ok(()));
        assert_eq!(verify(Some(&challenge), Some(CHALLENGE)), Err(TokenError::VerifierWrong), "a plain copy of the challenge");
        assert_eq!(verify(Some(&challenge), Some("abc")), Err(TokenError::VerifierMalformed));
        assert_eq!(verify(Some(&challenge), None), Err(TokenError::VerifierMissing));
        assert_eq!(verify(None, Some(VERIFIER)), Err(TokenError::VerifierUnexpected), "downgrade");
        assert_eq!(verify(None, None), Ok(()));
    }

    #[test]
    fn verifiers_have_43_to_128_unreserved_characters_tk_11() {
        for bad in ["abc".to_owned(), "a".repeat(42), "a".repeat(129), format!("{}+", "a".repeat(43)), format!("{} ", "a".repeat(43))] {
            assert_eq!(transform(&bad), None, "{bad}");
        }
        assert!(transform(&"~".repeat(128)).is_some());
    }

    #[test]
    fn only_s256_with_a_well_formed_challenge_az_16_az_17_az_18() {
        let ask = |query: String| challenge(&Params::parse(query.as_bytes()));
        assert!(ask(format!("code_challenge={CHALLENGE}&code_challenge_method=S256")).unwrap().is_some());
        assert_eq!(ask(String::new()), Ok(None));
        for bad in [
            format!("code_challenge={CHALLENGE}"),
            format!("code_challenge={CHALLENGE}&code_challenge_method=plain"),
            format!("code_challenge={CHALLENGE}&code_challenge_method=s256"),
            "code_challenge_method=S256".to_owned(),
            format!("code_challenge={}&code_challenge_method=S256", CHALLENGE.get(..42).unwrap()),
            format!("code_challenge={CHALLENGE}%3D&code_challenge_method=S256"),
            format!("code_challenge={}%2B&code_challenge_method=S256", CHALLENGE.get(..42).unwrap()),
        ] {
            assert_eq!(ask(bad.clone()).unwrap_err().error, ErrorCode::InvalidRequest, "{bad}");
        }
    }
}
