//! `GET /.well-known/oauth-protected-resource…` (RFC 9728): which authorization server a resource trusts.
//! Without storage, readable anywhere.
//!
//! The issuer itself is described at the address without more; `me` and everything below the API's prefix
//! with their path behind it (§3.1), as the very identifier that was asked for (§3.3). Refusals of
//! resources lead there (§5.1), so that a client needs to know nothing but the resource.

use serde_json::json;
use worker::Method;

use super::{Endpoint, Place, below};
use crate::answer::Answer;
use crate::call::Call;

const HERE: &str = "/.well-known/oauth-protected-resource";
/// Longer paths are not repeated in a header.
const PATH_MAX: usize = 500;

fn is_resource(call: &Call, path: &str) -> bool {
    matches!(Place::of(call, path), Place::Api | Place::Endpoint(Endpoint::Me))
}

/// The methods of an address; empty: no document is there.
pub(super) fn methods(call: &Call, path: &str) -> &'static str {
    match below(path, HERE) {
        Some(resource) if resource.is_empty() || is_resource(call, resource) => "GET, HEAD, OPTIONS",
        _ => "",
    }
}

/// Answers with the document of the resource whose path follows.
pub(super) fn answer(call: &Call, method: &Method) -> Answer {
    if *method == Method::Options {
        return Answer::preflight("GET");
    }
    let resource = below(&call.path, HERE).unwrap_or_default();
    let (issuer, policy) = (&call.config.issuer, &call.config.policy);
    let scopes: Vec<&str> = policy.scopes.catalogue.iter().map(|entry| entry.name.as_str()).collect();
    // No list is ever empty here: a policy has at least one scope (§3.2).
    let document = json!({
        "resource": format!("{issuer}{resource}"),
        "authorization_servers": [issuer],
        "scopes_supported": scopes,
        "bearer_methods_supported": ["header"],
        "resource_name": policy.platform.name,
    });
    call.readable_anywhere(Answer::json(200, &document).with("cache-control", "public, max-age=300").without("pragma"))
}

/// Where the document of the resource that is called now is. Of a path that cannot stand in a header as
/// it is, that of the issuer.
pub(crate) fn address(call: &Call) -> String {
    let path = call.path.as_str();
    let plain = path.len() <= PATH_MAX && path.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\'));
    let path = if plain && is_resource(call, path) { path } else { "" };
    format!("{}{HERE}{path}", call.config.issuer)
}
