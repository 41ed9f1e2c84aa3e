//! Why a resource refuses (RFC 6750 §3.1): one variant per cause, one match for its form on the wire.

use serde::{Deserialize, Serialize};

use super::error::ErrorCode;
use crate::policy::errors::Wire;

/// A cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResourceError {
    /// No credentials.
    TokenMissing,
    /// Two transports at once, or a header that cannot be read.
    TokenMalformed,
    /// Ours, and its time is over.
    TokenExpired,
    /// Not an access token of ours.
    TokenUnknown,
    /// Ours, and it was taken back.
    TokenRevoked,
    /// Its app is not in use.
    AppStopped,
    /// It does not carry the scope.
    ScopeMissing,
    /// A limit.
    TooFast,
    /// There is no such resource.
    NotFound,
    /// Another method.
    Method,
    /// A path that servers read in more than one way.
    PathUnsafe,
    /// A connection that would outlive a revocation.
    Upgrade,
    /// The platform's own API cannot be reached, or its answer is none.
    UpstreamFailed,
    /// It did not answer in time.
    UpstreamSlow,
    /// A storage fault.
    Fault,
}

impl ResourceError {
    /// The form that RFC 6750 gives it.
    #[must_use]
    pub const fn wire(self) -> Wire {
        let (status, error, description) = match self {
            Self::TokenMissing => (401, ErrorCode::InvalidToken, "send an access token: Authorization: Bearer"),
            Self::TokenMalformed => (400, ErrorCode::InvalidRequest, "send one access token, in the Authorization header only"),
            Self::TokenExpired | Self::TokenUnknown | Self::TokenRevoked | Self::AppStopped => {
                (401, ErrorCode::InvalidToken, "the access token is expired, revoked or unknown")
            }
            Self::ScopeMissing => (403, ErrorCode::InsufficientScope, "the access token lacks the scope {sent}"),
            // An extension, as at the token endpoint.
            Self::TooFast => (429, ErrorCode::TemporarilyUnavailable, "too many requests: try again in {sent} seconds"),
            Self::NotFound => (404, ErrorCode::InvalidRequest, "there is nothing at this address"),
            Self::Method => (405, ErrorCode::InvalidRequest, "this method is not served here"),
            Self::PathUnsafe => {
                (400, ErrorCode::InvalidRequest, "the path has empty, dot or parameter segments, or characters that are not forwarded")
            }
            Self::Upgrade => {
                (501, ErrorCode::InvalidRequest, "WebSocket connections are not served here: each request needs its own token")
            }
            Self::UpstreamFailed => (502, ErrorCode::TemporarilyUnavailable, "the API behind this address did not answer"),
            Self::UpstreamSlow => (504, ErrorCode::TemporarilyUnavailable, "the API behind this address did not answer in time"),
            Self::Fault => (503, ErrorCode::TemporarilyUnavailable, "a part of the server did not answer: try again"),
        };
        Wire { status, error, description }
    }
}
