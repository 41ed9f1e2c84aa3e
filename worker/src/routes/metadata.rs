//! `GET /.well-known/oauth-authorization-server` (RFC 8414 §3), without storage, readable anywhere.

use edgegrant_core::oauth::metadata::Metadata;

use crate::answer::Answer;
use crate::call::Call;

/// Answers with the document.
pub(crate) fn answer(call: &Call) -> Answer {
    let document = Answer::json(200, &Metadata::new(&call.config.issuer, &call.config.policy));
    call.readable_anywhere(document.with("cache-control", "public, max-age=300").without("pragma"))
}
