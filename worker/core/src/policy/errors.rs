//! What refusals look like: for each endpoint a shape, and per cause the words and the status where a
//! platform's differ from the RFC's.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Shape;
use crate::calendar;
use crate::oauth::error::ErrorCode;
use crate::oauth::resource_error::ResourceError;
use crate::oauth::token_error::{TokenError, TokenRefusal};

/// Placeholders of the shapes here.
pub(super) const PLACEHOLDERS: [&str; 10] =
    ["error", "code", "title", "description", "status", "path", "timestamp", "now_ms", "id", "null"];

/// The token and revocation endpoints.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenErrors {
    /// The body.
    pub body: Shape,
    /// Where words or status differ from RFC 6749 §5.2.
    #[serde(default)]
    pub says: BTreeMap<TokenError, Say>,
}

/// The resources below `/api/` and `me`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApiErrors {
    /// The body. The `WWW-Authenticate` header is RFC 6750's whatever stands here.
    pub body: Shape,
    /// Where words or status differ from RFC 6750 §3.1.
    #[serde(default)]
    pub says: BTreeMap<ResourceError, Say>,
}

/// What a platform says in place of the RFC's words. What is left out stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Say {
    /// The HTTP status.
    #[serde(default, skip_serializing_if = "super::endpoints::none")]
    pub status: Option<u16>,
    /// The OAuth error code.
    #[serde(default, skip_serializing_if = "super::endpoints::none")]
    pub error: Option<ErrorCode>,
    /// The platform's own code, for `$code`.
    #[serde(default, skip_serializing_if = "super::endpoints::none")]
    pub code: Option<String>,
    /// A short text, for `$title`.
    #[serde(default, skip_serializing_if = "super::endpoints::none")]
    pub title: Option<String>,
    /// The description; `{sent}` is what the request said. Empty: none.
    #[serde(default, skip_serializing_if = "super::endpoints::none")]
    pub description: Option<String>,
}

/// The form that the RFC gives a refusal.
#[derive(Clone, Copy, Debug)]
pub struct Wire {
    /// The HTTP status.
    pub status: u16,
    /// The OAuth error code.
    pub error: ErrorCode,
    /// What to change; `{sent}` stands for what the request said.
    pub description: &'static str,
}

/// Where and when a refusal happens.
#[derive(Clone, Copy, Debug)]
pub struct Scene<'a> {
    /// The path that was asked for.
    pub path: &'a str,
    /// Milliseconds since 1970.
    pub now_ms: u64,
    /// A random id of this answer, as UUID.
    pub id: &'a str,
}

/// A refusal ready to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Worded {
    /// The HTTP status.
    pub status: u16,
    /// The OAuth error code.
    pub error: ErrorCode,
    /// The description.
    pub description: String,
    /// The body.
    pub body: Value,
}

impl TokenErrors {
    /// A refusal as the platform says it.
    #[must_use]
    pub fn tell(&self, refusal: &TokenRefusal, scene: &Scene<'_>) -> Worded {
        tell(&self.body, refusal.error.wire(), self.says.get(&refusal.error), &refusal.sent, scene)
    }
}

impl ApiErrors {
    /// A refusal as the platform says it.
    #[must_use]
    pub fn tell(&self, error: ResourceError, sent: &str, scene: &Scene<'_>) -> Worded {
        tell(&self.body, error.wire(), self.says.get(&error), sent, scene)
    }
}

fn tell(body: &Shape, wire: Wire, say: Option<&Say>, sent: &str, scene: &Scene<'_>) -> Worded {
    let own = Say::default();
    let say = say.unwrap_or(&own);
    let status = say.status.unwrap_or(wire.status);
    let error = say.error.unwrap_or(wire.error);
    let description = say.description.as_deref().unwrap_or(wire.description).replace("{sent}", sent);
    let text = |text: &str| if text.is_empty() { Value::Null } else { Value::String(text.to_owned()) };
    let body = body.fill(&|name| match name {
        "error" => text(error.as_str()),
        "code" => text(say.code.as_deref().unwrap_or_else(|| error.as_str())),
        "title" => text(say.title.as_deref().unwrap_or(&description)),
        "description" => text(&description),
        "status" => Value::from(status),
        "path" => text(scene.path),
        "timestamp" => Value::String(calendar::iso(scene.now_ms)),
        "now_ms" => Value::from(scene.now_ms),
        "id" => text(scene.id),
        _ => Value::Null,
    });
    Worded { status, error, description, body }
}
