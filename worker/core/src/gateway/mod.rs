//! The gateway to the platform's own API: which requests go through, in which spelling, with which
//! headers, and how the API knows that they came through here.
//!
//! | module | decides |
//! |---|---|
//! | [`path`] | which paths are forwarded at all, and the one spelling in which they are compared |
//! | [`rules`] | which rule of the policy a request falls under |
//! | [`headers`] | what is passed on of the request's and the answer's headers, and what is added |
//! | [`signature`] | HTTP Message Signatures (RFC 9421) with `hmac-sha256` |
//!
//! Why it is safe: a path that two readers could read in two ways is refused, so the rule that was
//! matched is about what the API executes. What tells the API whose request it is (`Edgegrant-*`) is
//! taken from every request first, in any spelling that some server folds into the same name, and what
//! is added is signed together with method, host, path and query.

pub mod headers;
pub mod path;
pub mod rules;
pub mod signature;
