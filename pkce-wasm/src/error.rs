//! What can go wrong in the core. The driver adds what can go wrong on the network and owns the
//! texts and the retry hints.

use alloc::string::String;

use crate::form::{Repeated, push};

/// A stable cause. The wire names are public: never rename one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// The answer has `error=access_denied`.
    AuthorizationDenied,
    /// The answer has another `error`.
    AuthorizationError,
    /// The answer has neither a code nor an error.
    CodeMissing,
    /// An option cannot be used.
    ConfigInvalid,
    /// The answer breaks the protocol.
    InvalidResponse,
    /// The answer names another issuer than the login was started with.
    IssuerMismatch,
    /// The answer names no issuer although this server always does.
    IssuerMissing,
    /// The login was started too long ago.
    StateExpired,
    /// The answer has no `state`.
    StateMissing,
    /// No login with this `state` is pending here.
    StateUnknown,
    /// No secure randomness.
    Unsupported,
}

impl Code {
    /// The public name.
    pub fn name(self) -> &'static str {
        match self {
            Self::AuthorizationDenied => "authorization_denied",
            Self::AuthorizationError => "authorization_error",
            Self::CodeMissing => "code_missing",
            Self::ConfigInvalid => "config_invalid",
            Self::InvalidResponse => "invalid_response",
            Self::IssuerMismatch => "issuer_mismatch",
            Self::IssuerMissing => "issuer_missing",
            Self::StateExpired => "state_expired",
            Self::StateMissing => "state_missing",
            Self::StateUnknown => "state_unknown",
            Self::Unsupported => "unsupported",
        }
    }
}

/// What went wrong, as the record that says so. What the server said about it is only read after state
/// and issuer proved that it was this server; its texts stay escaped.
#[derive(Debug, PartialEq, Eq)]
pub struct Failure(pub String);

impl Failure {
    /// A failure that is about something: an option, or the server's `error`.
    pub fn about(code: Code, subject: &str) -> Self {
        let mut record = String::new();
        push(&mut record, "failure", code.name());
        push(&mut record, "subject", subject);
        Self(record)
    }
}

impl From<Code> for Failure {
    fn from(code: Code) -> Self {
        Self::about(code, "")
    }
}

impl From<Repeated> for Failure {
    fn from(_: Repeated) -> Self {
        Code::InvalidResponse.into()
    }
}
