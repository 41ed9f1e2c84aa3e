//! Answers: status, headers, body; built once and turned into a response at the very end.

use edgegrant_core::oauth::error::{ErrorCode, Refusal};
use edgegrant_core::rate::Standing;
use serde::Serialize;
use worker::{Headers, Response, ResponseBuilder};

use crate::pages::Page;

/// An answer on its way out.
#[derive(Clone, Debug, Default)]
pub(crate) struct Answer {
    /// The HTTP status.
    pub(crate) status: u16,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
    /// A fixed word for the log: why a request was refused.
    pub(crate) reason: &'static str,
}

/// Scripts never run on our pages; everything comes from our own host.
const PAGE_POLICY: &str =
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'";

impl Answer {
    /// An empty answer.
    pub(crate) fn empty(status: u16) -> Self {
        Self { status, ..Self::default() }
    }

    /// A JSON answer that must not be stored (RFC 6749 §5.1).
    pub(crate) fn json<T: Serialize>(status: u16, value: &T) -> Self {
        let body = serde_json::to_vec(value).unwrap_or_default();
        Self { status, body, ..Self::default() }
            .with("content-type", "application/json")
            .with("cache-control", "no-store")
            .with("pragma", "no-cache")
            .with("x-content-type-options", "nosniff")
    }

    /// An error in the form of RFC 6749 §5.2.
    pub(crate) fn refusal(status: u16, refusal: &Refusal) -> Self {
        #[derive(Serialize)]
        struct Body<'a> {
            error: ErrorCode,
            error_description: &'a str,
        }
        let body = Body { error: refusal.error, error_description: &refusal.description };
        Self { reason: refusal.error.as_str(), ..Self::json(status, &body) }
    }

    /// A storage fault at a JSON endpoint: try again, nothing was lost.
    pub(crate) fn unavailable() -> Self {
        let refusal = Refusal::new(ErrorCode::TemporarilyUnavailable, "a part of the server did not answer: try again");
        Self::refusal(503, &refusal).with("retry-after", "1")
    }

    /// A limit at a JSON endpoint (RFC 6585 §4). `temporarily_unavailable` is an extension here:
    /// RFC 6749 defines it for authorization answers.
    pub(crate) fn limited(standing: &Standing) -> Self {
        let description = format!("too many requests: try again in {} seconds", standing.reset_s);
        Self::refusal(429, &Refusal::new(ErrorCode::TemporarilyUnavailable, description))
            .with_standing(standing)
            .with("retry-after", &standing.reset_s.to_string())
    }

    /// A page. It is never framed, stored or given a script (RFC 9700 §4.2.4, §4.16).
    pub(crate) fn page<P: Page>(status: u16, page: &P) -> Self {
        let (status, body) = match page.render_page() {
            Ok(html) => (status, html),
            Err(_) => (500, "<!doctype html><title>Error</title><p>This page cannot be shown.".to_owned()),
        };
        Self { status, body: body.into_bytes(), ..Self::default() }
            .with("content-type", "text/html; charset=utf-8")
            .with("content-security-policy", PAGE_POLICY)
            .with("x-frame-options", "DENY")
            .with("referrer-policy", "same-origin")
            .with("x-content-type-options", "nosniff")
            .with("cache-control", "no-store")
    }

    /// Lets the page's forms be answered with a redirect to `source` too: browsers apply
    /// `form-action` to redirects after a submission (attack A45).
    pub(crate) fn form_action(self, source: Option<&str>) -> Self {
        match source {
            None => self,
            Some(source) => self.with("content-security-policy", &format!("{PAGE_POLICY} {source}")),
        }
    }

    /// A redirect after a form: 303, so that the form is never sent on (RFC 9700 §4.12).
    pub(crate) fn see_other(location: &str) -> Self {
        Self::empty(303).with("location", location).with("cache-control", "no-store").with("referrer-policy", "no-referrer")
    }

    /// Bytes of a fixed type.
    pub(crate) fn bytes(content_type: &str, body: Vec<u8>) -> Self {
        Self { status: 200, body, ..Self::default() }.with("content-type", content_type).with("x-content-type-options", "nosniff")
    }

    /// Sets a header.
    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        if name != "set-cookie" {
            self.headers.retain(|(known, _)| *known != name);
        }
        self.headers.push((name, value.to_owned()));
        self
    }

    /// Takes a header back.
    pub(crate) fn without(mut self, name: &'static str) -> Self {
        self.headers.retain(|(known, _)| *known != name);
        self
    }

    /// The answer to HEAD.
    pub(crate) fn headers_only(mut self) -> Self {
        self.body.clear();
        self
    }

    /// Names the reason for the log.
    pub(crate) fn because(mut self, reason: &'static str) -> Self {
        self.reason = reason;
        self
    }

    /// Where the caller stands with its limit.
    pub(crate) fn with_standing(self, standing: &Standing) -> Self {
        self.with("ratelimit-limit", &standing.limit.to_string())
            .with("ratelimit-remaining", &standing.remaining.to_string())
            .with("ratelimit-reset", &standing.reset_s.to_string())
    }

    /// Lets a script of any origin read the answer; credentials are never allowed.
    pub(crate) fn readable_anywhere(self) -> Self {
        self.readable_from("*")
    }

    /// Lets a script of one origin read the answer.
    pub(crate) fn readable_from(self, origin: &str) -> Self {
        let exposed = "Retry-After, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset, WWW-Authenticate";
        self.with("access-control-allow-origin", origin).with("access-control-expose-headers", exposed).with("vary", "Origin")
    }

    /// The answer to a preflight: `*`, no credentials, no storage (design section 5).
    pub(crate) fn preflight(methods: &str) -> Self {
        Self::empty(204)
            .with("access-control-allow-origin", "*")
            .with("access-control-allow-methods", methods)
            .with("access-control-allow-headers", "Authorization, Content-Type, Accept")
            .with("access-control-max-age", "86400")
    }

    /// The platform's response.
    pub(crate) fn into_response(self, secure: bool) -> worker::Result<Response> {
        let headers = Headers::new();
        for (name, value) in &self.headers {
            headers.append(name, value)?;
        }
        if secure {
            headers.set("strict-transport-security", "max-age=31536000")?;
        }
        let builder = ResponseBuilder::new().with_status(self.status).with_headers(headers);
        Ok(if self.body.is_empty() { builder.empty() } else { builder.fixed(self.body) })
    }
}
