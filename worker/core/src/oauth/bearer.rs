//! Bearer tokens at a resource (RFC 6750).

use super::error::ErrorCode;

/// What a resource request carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bearer<'a> {
    /// A token in the `Authorization` header; the scheme's case does not matter (RFC 9110 §11.1).
    Token(&'a str),
    /// No credentials at all, or those of another scheme.
    Missing,
    /// Two transports at once, or a header that cannot be read (RFC 6750 §2).
    Malformed,
}

/// Reads the `Authorization` header. `elsewhere` says whether the query or body carries an
/// `access_token`: alone it is ignored (RFC 9700 §4.3.2), beside the header it is refused.
#[must_use]
pub fn bearer(authorization: Option<&str>, elsewhere: bool) -> Bearer<'_> {
    let Some(header) = authorization else { return Bearer::Missing };
    let (scheme, value) = header.split_once(' ').unwrap_or((header, ""));
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Bearer::Missing;
    }
    token68(value, elsewhere)
}

/// As [`bearer`], and takes the scheme that a policy has for API keys too. The second value says whether
/// that scheme was used: what it carries must be an API key.
#[must_use]
pub fn bearer_or_key<'a>(authorization: Option<&'a str>, elsewhere: bool, key_scheme: Option<&str>) -> (Bearer<'a>, bool) {
    let value = key_scheme.and_then(|own| {
        let (scheme, value) = authorization?.split_once(' ')?;
        scheme.eq_ignore_ascii_case(own).then_some(value)
    });
    match value {
        Some(value) => (token68(value, elsewhere), true),
        None => (bearer(authorization, elsewhere), false),
    }
}

fn token68(value: &str, elsewhere: bool) -> Bearer<'_> {
    let token = value.trim();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'+' | b'/' | b'=');
    if elsewhere || token.is_empty() || !token.bytes().all(plain) { Bearer::Malformed } else { Bearer::Token(token) }
}

/// The `WWW-Authenticate` value (RFC 6750 §3): without an error code when no credentials were sent,
/// with the scope that was missing.
#[must_use]
pub fn challenge(realm: &str, error: Option<(ErrorCode, &str)>, scope: Option<&str>) -> String {
    let mut value = format!("Bearer realm=\"{realm}\"");
    if let Some((code, description)) = error {
        value.push_str(&format!(", error=\"{}\"", code.as_str()));
        if !description.is_empty() {
            value.push_str(&format!(", error_description=\"{description}\""));
        }
    }
    if let Some(scope) = scope {
        value.push_str(&format!(", scope=\"{scope}\""));
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scheme_has_no_case_and_only_the_header_counts_rs_01_rs_02_rs_03() {
        for header in ["Bearer abc", "bearer abc", "BEARER  abc "] {
            assert_eq!(bearer(Some(header), false), Bearer::Token("abc"), "{header}");
        }
        assert_eq!(bearer(None, true), Bearer::Missing);
        assert_eq!(bearer(Some("Basic abc"), false), Bearer::Missing);
        assert_eq!(bearer(Some("Bearer abc"), true), Bearer::Malformed);
        for bad in ["Bearer", "Bearer ", "Bearer a b", "Bearer a\"b", "Bearer ü"] {
            assert_eq!(bearer(Some(bad), false), Bearer::Malformed, "{bad}");
        }
    }

    #[test]
    fn a_policys_own_scheme_carries_keys() {
        let read = |header, elsewhere| bearer_or_key(header, elsewhere, Some("Klaviyo-API-Key"));
        assert_eq!(read(Some("Klaviyo-API-Key pk_a"), false), (Bearer::Token("pk_a"), true));
        assert_eq!(read(Some("klaviyo-api-key  pk_a "), false), (Bearer::Token("pk_a"), true));
        assert_eq!(read(Some("Klaviyo-API-Key pk_a"), true), (Bearer::Malformed, true));
        assert_eq!(read(Some("Klaviyo-API-Key a b"), false), (Bearer::Malformed, true));
        assert_eq!(read(Some("Bearer pk_a"), false), (Bearer::Token("pk_a"), false));
        assert_eq!(read(Some("Klaviyo-API-Key"), false), (Bearer::Missing, false));
        assert_eq!(read(None, true), (Bearer::Missing, false));
        assert_eq!(bearer_or_key(Some("Klaviyo-API-Key pk_a"), false, None), (Bearer::Missing, false));
    }

    #[test]
    fn no_credentials_no_error_code_rs_04_rs_05() {
        assert_eq!(challenge("x", None, None), "Bearer realm=\"x\"");
        let error = challenge("x", Some((ErrorCode::InsufficientScope, "")), Some("a:b"));
        assert_eq!(error, "Bearer realm=\"x\", error=\"insufficient_scope\", scope=\"a:b\"");
        let error = challenge("x", Some((ErrorCode::InvalidToken, "expired")), None);
        assert_eq!(error, "Bearer realm=\"x\", error=\"invalid_token\", error_description=\"expired\"");
    }
}
