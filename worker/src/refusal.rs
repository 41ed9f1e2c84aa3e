//! Refusals of the endpoints for programs, in the policy's words: the core says
//! what each cause looks like, here it becomes an answer.

use edgegrant_core::encoding::uuid;
use edgegrant_core::oauth::bearer::challenge;
use edgegrant_core::oauth::error::ErrorCode;
use edgegrant_core::oauth::resource_error::ResourceError;
use edgegrant_core::oauth::token_error::{TokenError, TokenRefusal};
use edgegrant_core::policy::errors::Scene;
use edgegrant_core::rate::Standing;

use crate::answer::Answer;
use crate::call::Call;
use crate::config::Config;
use crate::platform::{now_ms, random};
use crate::routes::resource_metadata;
use crate::unproven;

const REALM: &str = "api";

fn scene<T>(path: &str, tell: impl FnOnce(&Scene<'_>) -> T) -> T {
    // An id is for finding this answer in somebody's log; without randomness there is none.
    let id = random().map(uuid).unwrap_or_default();
    tell(&Scene { path, now_ms: now_ms(), id: &id })
}

/// A refusal of the token or revocation endpoint. A 401 carries a Basic challenge (RFC 6749 §5.2).
pub(crate) fn token(call: &Call, refusal: impl Into<TokenRefusal>) -> Answer {
    let told = scene(&call.path, |scene| call.config.policy.token.errors.tell(&refusal.into(), scene));
    challenging(Answer::json(told.status, &told.body).because(told.error.as_str()))
}

/// With what tells a client how to prove itself, or when to come again.
fn challenging(answer: Answer) -> Answer {
    match answer.status {
        401 => answer.with("www-authenticate", "Basic realm=\"oauth\", charset=\"UTF-8\""),
        503 => answer.with("retry-after", "1"),
        _ => answer,
    }
}

/// The same for a caller who has proven nothing: its failures are counted, too many are 429.
pub(crate) async fn token_unproven(call: &Call, refusal: impl Into<TokenRefusal>) -> Answer {
    match unproven::failed(call).await {
        Some(standing) => token_limited(call, &standing).because("too many failed requests"),
        None => token(call, refusal),
    }
}

/// A limit at the token or revocation endpoint (RFC 6585 §4).
pub(crate) fn token_limited(call: &Call, standing: &Standing) -> Answer {
    let refusal = TokenRefusal::quoting(TokenError::TooFast, &standing.reset_s.to_string());
    limited(&call.config, token(call, refusal), standing)
}

fn limited(config: &Config, answer: Answer, standing: &Standing) -> Answer {
    let headers = &config.policy.api.headers;
    let answer = answer.with("retry-after", &standing.reset_s.to_string());
    if headers.on_429 { answer.with_standing(headers, standing) } else { answer }
}

/// A refusal of the introspection endpoint, in the RFC's words under every policy (RFC 7662 §2.3).
pub(crate) fn introspection(refusal: impl Into<TokenRefusal>) -> Answer {
    let TokenRefusal { error, sent } = refusal.into();
    let wire = error.wire();
    let told = serde_json::json!({ "error": wire.error.as_str(), "error_description": wire.description.replace("{sent}", &sent) });
    challenging(Answer::json(wire.status, &told).because(wire.error.as_str()))
}

/// The same for a caller who has proven nothing.
pub(crate) async fn introspection_unproven(call: &Call, refusal: TokenRefusal) -> Answer {
    match unproven::failed(call).await {
        Some(standing) => introspection_limited(call, &standing).because("too many failed requests"),
        None => introspection(refusal),
    }
}

/// A limit at the introspection endpoint.
pub(crate) fn introspection_limited(call: &Call, standing: &Standing) -> Answer {
    limited(&call.config, introspection(TokenRefusal::quoting(TokenError::TooFast, &standing.reset_s.to_string())), standing)
}

/// A refusal of a resource; `sent` is what the platform's words may quote. 400, 401 and 403 carry RFC
/// 6750's header whatever the body looks like, and where the resource is described (RFC 9728 §5.1).
pub(crate) fn resource(call: &Call, error: ResourceError, sent: &str) -> Answer {
    let answer = resource_at(&call.config, &call.path, error, sent);
    answer.adding("www-authenticate", || format!(", resource_metadata=\"{}\"", resource_metadata::address(call)))
}

/// The same for a resource elsewhere, which describes itself; at a path, where that is known.
pub(crate) fn resource_at(config: &Config, path: &str, error: ResourceError, sent: &str) -> Answer {
    let told = scene(path, |scene| config.policy.api.errors.tell(error, sent, scene));
    let answer = Answer::json(told.status, &told.body).because(told.error.as_str());
    let code = (error != ResourceError::TokenMissing).then_some((told.error, told.description.as_str()));
    let scope = (told.error == ErrorCode::InsufficientScope).then_some(sent);
    match told.status {
        400 | 401 | 403 => answer.with("www-authenticate", &challenge(REALM, code, scope)),
        503 => answer.with("retry-after", "1"),
        _ => answer,
    }
}

/// The same for a caller who has proven nothing.
pub(crate) async fn resource_unproven(call: &Call, error: ResourceError) -> Answer {
    match unproven::failed(call).await {
        Some(standing) => resource_limited(call, &standing).because("too many failed requests"),
        None => resource(call, error, ""),
    }
}

/// A limit at a resource.
pub(crate) fn resource_limited(call: &Call, standing: &Standing) -> Answer {
    limited(&call.config, resource(call, ResourceError::TooFast, &standing.reset_s.to_string()), standing)
}

/// The same for a resource elsewhere.
pub(crate) fn resource_limited_at(config: &Config, path: &str, standing: &Standing) -> Answer {
    limited(config, resource_at(config, path, ResourceError::TooFast, &standing.reset_s.to_string()), standing)
}
