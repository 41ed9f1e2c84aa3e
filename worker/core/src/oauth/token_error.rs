//! Why the token or revocation endpoint refuses (RFC 6749 §5.2, RFC 7009 §2.2.1): one variant per
//! cause, one match for its form on the wire. A preset may say a cause in its platform's words.

use serde::{Deserialize, Serialize};

use super::error::{ErrorCode, fit};
use crate::policy::errors::Wire;

/// A cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenError {
    /// Another media type than the policy takes.
    BodyType,
    /// Larger than the policy allows.
    BodyTooLarge,
    /// Not what its media type says.
    BodyMalformed,
    /// Another method than POST.
    Method,
    /// A parameter stands more than once.
    ParameterTwice,
    /// No client is named.
    ClientIdMissing,
    /// Two client authentication methods at once.
    AuthTwice,
    /// An `Authorization` header that is not Basic.
    AuthHeader,
    /// A method that is not served for this client.
    AuthMethod,
    /// Two different client ids.
    ClientIdsDiffer,
    /// No such client.
    ClientUnknown,
    /// A confidential client without its secret.
    SecretMissing,
    /// The secret is not one of the client's.
    SecretWrong,
    /// A public client with a secret.
    SecretUnexpected,
    /// A script of an origin that is not the client's.
    OriginForeign,
    /// The app waits for review.
    AppPending,
    /// The app was refused in review.
    AppRejected,
    /// The app is suspended.
    AppSuspended,
    /// `grant_type` is missing.
    GrantTypeMissing,
    /// A grant type that is not served.
    GrantTypeUnknown,
    /// A grant type other than `refresh_token` at an address for refreshes.
    GrantTypeAtRefresh,
    /// `grant_type` is missing at an address for refreshes.
    GrantTypeMissingAtRefresh,
    /// `code` is missing.
    CodeMissing,
    /// The code is unknown, expired, used or another client's.
    CodeInvalid,
    /// A second, valid use of a code: what the first produced has ended.
    CodeReplayed,
    /// The owner has disconnected the app since.
    ConsentEnded,
    /// `redirect_uri` is missing where the policy wants it.
    RedirectUriMissing,
    /// `redirect_uri` is not the one of the authorization request.
    RedirectUriMismatch,
    /// `code_verifier` is missing though a challenge was sent.
    VerifierMissing,
    /// `code_verifier` is not 43 to 128 unreserved characters.
    VerifierMalformed,
    /// `code_verifier` does not match the challenge.
    VerifierWrong,
    /// `code_verifier` though no challenge was sent: a downgrade.
    VerifierUnexpected,
    /// `refresh_token` is missing.
    RefreshTokenMissing,
    /// A refresh token in the header and in the body.
    RefreshTokenTwice,
    /// A public client's refresh token in the header.
    RefreshTokenInHeader,
    /// Not a refresh token of ours.
    RefreshTokenInvalid,
    /// Another client's.
    RefreshTokenForeign,
    /// It was one, and is expired or revoked.
    RefreshTokenEnded,
    /// It was rotated away: its family has ended.
    RefreshTokenReplayed,
    /// It was replaced a moment ago and cannot be told from a duplicate.
    RefreshTokenSuperseded,
    /// `scope` is not a list of scopes.
    ScopeMalformed,
    /// `scope` is wider than what was granted.
    ScopeTooWide,
    /// `token` is missing (revocation, introspection).
    TokenMissing,
    /// `count` is neither true nor false (introspection).
    CountMalformed,
    /// The token to revoke is another client's.
    TokenForeign,
    /// A limit.
    TooFast,
    /// A storage fault.
    Fault,
}

impl TokenError {
    /// The form that the RFCs give it.
    #[must_use]
    pub const fn wire(self) -> Wire {
        let (status, error, description) = match self {
            Self::BodyType => (415, ErrorCode::InvalidRequest, "send the parameters in the body as {sent}"),
            Self::BodyTooLarge => (413, ErrorCode::InvalidRequest, "the body is too large"),
            Self::BodyMalformed => (400, ErrorCode::InvalidRequest, "the body is not a JSON object with a text for each name"),
            Self::Method => (405, ErrorCode::InvalidRequest, "this method is not served here"),
            Self::ParameterTwice => (400, ErrorCode::InvalidRequest, "the parameter {sent} was sent more than once"),
            Self::ClientIdMissing => (401, ErrorCode::InvalidClient, "client_id is missing"),
            Self::AuthTwice => (
                400,
                ErrorCode::InvalidRequest,
                "use one client authentication method: the Authorization header or client_secret in the body",
            ),
            Self::AuthHeader => (401, ErrorCode::InvalidClient, "the Authorization header is not 'Basic' with base64 of id:secret"),
            Self::AuthMethod => (401, ErrorCode::InvalidClient, "this client authentication method is not served here"),
            Self::ClientIdsDiffer => {
                (400, ErrorCode::InvalidRequest, "client_id in the body differs from the one in the Authorization header")
            }
            Self::ClientUnknown | Self::SecretWrong => (401, ErrorCode::InvalidClient, "the client is unknown or its secret is not right"),
            Self::SecretMissing => (401, ErrorCode::InvalidClient, "this client is confidential: send its secret"),
            Self::SecretUnexpected => (401, ErrorCode::InvalidClient, "this client is public: send no secret"),
            Self::OriginForeign => {
                (403, ErrorCode::UnauthorizedClient, "this origin is not one of the app's: register a redirect URI on it")
            }
            Self::AppPending | Self::AppRejected | Self::AppSuspended => {
                (400, ErrorCode::UnauthorizedClient, "this app is not in use at the moment")
            }
            Self::GrantTypeMissing => (400, ErrorCode::InvalidRequest, "grant_type is missing"),
            Self::GrantTypeUnknown => (400, ErrorCode::UnsupportedGrantType, "grant_type must be authorization_code or refresh_token"),
            Self::GrantTypeMissingAtRefresh => (400, ErrorCode::InvalidRequest, "grant_type is missing: send refresh_token"),
            Self::GrantTypeAtRefresh => (400, ErrorCode::UnsupportedGrantType, "grant_type must be refresh_token here"),
            Self::CodeMissing => (400, ErrorCode::InvalidRequest, "code is missing"),
            Self::CodeInvalid => (400, ErrorCode::InvalidGrant, "the code is unknown, expired or was used"),
            Self::CodeReplayed => (400, ErrorCode::InvalidGrant, "the code was used before; the tokens from its first use are revoked"),
            Self::ConsentEnded => (400, ErrorCode::InvalidGrant, "this consent has ended: the app was disconnected"),
            Self::RedirectUriMissing => {
                (400, ErrorCode::InvalidGrant, "redirect_uri is missing: send the one of the authorization request")
            }
            Self::RedirectUriMismatch => (400, ErrorCode::InvalidGrant, "redirect_uri differs from the one of the authorization request"),
            Self::VerifierMissing => (400, ErrorCode::InvalidGrant, "code_verifier is missing (RFC 7636 section 4.5)"),
            Self::VerifierMalformed => {
                (400, ErrorCode::InvalidGrant, "code_verifier must be 43 to 128 characters of A-Z a-z 0-9 - . _ ~ (RFC 7636 section 4.1)")
            }
            Self::VerifierWrong => (400, ErrorCode::InvalidGrant, "code_verifier does not match the code_challenge (RFC 7636 section 4.6)"),
            Self::VerifierUnexpected => {
                (400, ErrorCode::InvalidGrant, "code_verifier was sent, but the authorization request had no code_challenge")
            }
            Self::RefreshTokenMissing => (400, ErrorCode::InvalidRequest, "refresh_token is missing"),
            Self::RefreshTokenTwice => {
                (400, ErrorCode::InvalidRequest, "send the refresh token once: in the Authorization header or in the body")
            }
            Self::RefreshTokenInHeader => (400, ErrorCode::InvalidRequest, "a public client sends its refresh_token in the body"),
            Self::RefreshTokenInvalid | Self::RefreshTokenForeign | Self::RefreshTokenEnded => {
                (400, ErrorCode::InvalidGrant, "the refresh token is unknown, expired or revoked")
            }
            Self::RefreshTokenReplayed => (400, ErrorCode::InvalidGrant, "the refresh token was used before; its family is revoked"),
            Self::RefreshTokenSuperseded => (400, ErrorCode::InvalidGrant, "the refresh token was replaced: use the newest one"),
            Self::ScopeMalformed => (400, ErrorCode::InvalidScope, "'{sent}' is not a scope"),
            Self::ScopeTooWide => (400, ErrorCode::InvalidScope, "scope must be within what was granted"),
            Self::TokenMissing => (400, ErrorCode::InvalidRequest, "token is missing"),
            Self::CountMalformed => (400, ErrorCode::InvalidRequest, "count must be true or false"),
            Self::TokenForeign => (400, ErrorCode::InvalidGrant, "the token was issued to another client"),
            // An extension: RFC 6749 defines this code for authorization answers.
            Self::TooFast => (429, ErrorCode::TemporarilyUnavailable, "too many requests: try again in {sent} seconds"),
            Self::Fault => (503, ErrorCode::TemporarilyUnavailable, "a part of the server did not answer: try again"),
        };
        Wire { status, error, description }
    }

    /// Whether it says that the client has not proven itself: 401 carries a challenge then (§5.2).
    #[must_use]
    pub const fn about_client(self) -> bool {
        matches!(self.wire().error, ErrorCode::InvalidClient)
    }
}

/// A refusal with what the request said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenRefusal {
    /// The cause.
    pub error: TokenError,
    /// What `{sent}` stands for, within the alphabet of descriptions.
    pub sent: String,
}

impl TokenRefusal {
    /// A refusal that quotes a part of the request.
    #[must_use]
    pub fn quoting(error: TokenError, sent: &str) -> Self {
        Self { error, sent: fit(sent) }
    }
}

impl From<TokenError> for TokenRefusal {
    fn from(error: TokenError) -> Self {
        Self { error, sent: String::new() }
    }
}

impl From<super::params::Duplicate> for TokenRefusal {
    fn from(duplicate: super::params::Duplicate) -> Self {
        Self::quoting(TokenError::ParameterTwice, duplicate.0)
    }
}
