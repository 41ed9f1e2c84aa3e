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

/// A cause with what the server said about it, which is only read after state and issuer proved
/// that it was this server. The texts are escaped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failure<'a> {
    /// The cause.
    pub code: Code,
    /// What it is about: an option, or the server's `error`.
    pub subject: &'a str,
    /// The server's `error_description`.
    pub description: &'a str,
    /// Where the app wanted to go after the login. A flow that has come so far is spent.
    pub spent: Option<&'a str>,
}

impl<'a> Failure<'a> {
    /// A failure that is about one option or one word of the server.
    pub fn about(code: Code, subject: &'a str) -> Self {
        Self { subject, ..code.into() }
    }

    /// The failure as a record.
    pub fn encode(&self) -> String {
        let mut record = String::new();
        push(&mut record, "failure", self.code.name());
        push(&mut record, "subject", self.subject);
        push(&mut record, "description", self.description);
        if let Some(return_to) = self.spent {
            push(&mut record, "spent", "1");
            push(&mut record, "return_to", return_to);
        }
        record
    }
}

impl From<Code> for Failure<'_> {
    fn from(code: Code) -> Self {
        Self { code, subject: "", description: "", spent: None }
    }
}

impl From<Repeated> for Failure<'_> {
    fn from(_: Repeated) -> Self {
        Code::InvalidResponse.into()
    }
}
