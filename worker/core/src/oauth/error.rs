//! Error codes of RFC 6749 §4.1.2.1 and §5.2, RFC 6750 §3.1 and RFC 7009 §2.2.1.

use serde::{Deserialize, Serialize};

/// A registered error code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// A parameter is missing, doubled or malformed.
    InvalidRequest,
    /// The client has not proven itself.
    InvalidClient,
    /// The code, refresh token or what proves them is not right.
    InvalidGrant,
    /// The client may not do this, or not now.
    UnauthorizedClient,
    /// A grant type that is not served.
    UnsupportedGrantType,
    /// A response type that is not served.
    UnsupportedResponseType,
    /// A scope that is unknown, malformed, missing or too wide.
    InvalidScope,
    /// The person said no.
    AccessDenied,
    /// A storage fault, or too many requests. Defined for authorization answers only; used beyond
    /// them as an extension.
    TemporarilyUnavailable,
    /// RFC 6750: the access token is expired, revoked, malformed or unknown.
    InvalidToken,
    /// RFC 6750: the access token does not carry the scope.
    InsufficientScope,
}

impl ErrorCode {
    /// As it travels.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidClient => "invalid_client",
            Self::InvalidGrant => "invalid_grant",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::UnsupportedResponseType => "unsupported_response_type",
            Self::InvalidScope => "invalid_scope",
            Self::AccessDenied => "access_denied",
            Self::TemporarilyUnavailable => "temporarily_unavailable",
            Self::InvalidToken => "invalid_token",
            Self::InsufficientScope => "insufficient_scope",
        }
    }
}

/// Whether a text may be an `error_description`: %x20-21 / %x23-5B / %x5D-7E (RFC 6749 §5.2), so no
/// `"`, no `\`, nothing beyond ASCII.
#[must_use]
pub fn description_ok(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, 0x20..=0x21 | 0x23..=0x5b | 0x5d..=0x7e))
}

/// Text from a request, made fit for an `error_description`: other characters become `?`, what is
/// longer than 60 characters is cut.
#[must_use]
pub fn fit(text: &str) -> String {
    let fit = |c: char| if c.is_ascii() && c != '\'' && description_ok(c.encode_utf8(&mut [0; 4])) { c } else { '?' };
    let mut cut: String = text.chars().take(60).map(fit).collect();
    if text.chars().nth(60).is_some() {
        cut.push_str("...");
    }
    cut
}

/// The same in quotation marks.
#[must_use]
pub fn quoted(text: &str) -> String {
    format!("'{}'", fit(text))
}

/// A refusal that is told to the app by a redirect (RFC 6749 §4.1.2.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The code.
    pub error: ErrorCode,
    /// For the client's developer: what to change. Within the alphabet of [`description_ok`].
    pub description: String,
}

impl Refusal {
    /// A refusal with its description.
    #[must_use]
    pub fn new(error: ErrorCode, description: impl Into<String>) -> Self {
        Self { error, description: description.into() }
    }

    /// `invalid_request`: the parameter stands more than once.
    #[must_use]
    pub fn duplicate(duplicate: super::params::Duplicate) -> Self {
        Self::new(ErrorCode::InvalidRequest, format!("the parameter {} was sent more than once", duplicate.0))
    }
}

impl From<super::params::Duplicate> for Refusal {
    fn from(duplicate: super::params::Duplicate) -> Self {
        Self::duplicate(duplicate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_clients_send_cannot_leave_the_alphabet_of_descriptions_az_31() {
        for hostile in ["a\"b", "a\\b", "a\r\nSet-Cookie: x", "ü\u{202e}", "'", &"x".repeat(5000)] {
            let quoted = quoted(hostile);
            assert!(description_ok(&quoted) && quoted.len() < 70, "{quoted}");
        }
    }
}
