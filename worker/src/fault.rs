//! Faults that are ours, not the caller's: a storage that did not answer, a value that cannot be made.
//!
//! A fault is 503 with `Retry-After` at JSON endpoints and a "try again" page elsewhere; never
//! `invalid_grant`, 401, "wrong password" or a redirect (RFC 7009 §2.2.1; attack A17). Its text goes
//! to the log only.

use std::fmt;

/// What went wrong on our side.
#[derive(Debug)]
pub(crate) struct Fault {
    /// Where: a fixed word for the log.
    pub(crate) place: &'static str,
    /// The platform's words. Never shown to a caller.
    pub(crate) detail: String,
}

impl Fault {
    /// A fault without words of the platform.
    pub(crate) fn at(place: &'static str) -> Self {
        Self { place, detail: String::new() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.detail)
    }
}

/// Names the place of a platform error.
pub(crate) trait OrFault<T> {
    /// The value, or a fault at `place`.
    fn or_fault(self, place: &'static str) -> Result<T, Fault>;
}

impl<T, E: fmt::Display> OrFault<T> for Result<T, E> {
    fn or_fault(self, place: &'static str) -> Result<T, Fault> {
        self.map_err(|error| Fault { place, detail: error.to_string() })
    }
}

impl<T> OrFault<T> for Option<T> {
    fn or_fault(self, place: &'static str) -> Result<T, Fault> {
        self.ok_or_else(|| Fault::at(place))
    }
}
