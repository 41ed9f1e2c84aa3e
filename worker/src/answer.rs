//! Answers: status, headers, body; built once and turned into a response at the very end.

use std::borrow::Cow;

use edgegrant_core::policy::RateHeaders;
use edgegrant_core::rate::Standing;
use serde::{Serialize, Serializer};
#[cfg(not(feature = "protocol"))]
use worker::Response;
use worker::js_sys::{JSON, Uint8Array};
use worker::wasm_bindgen::JsCast as _;
use worker::web_sys;

use crate::pages::Page;

/// An answer on its way out.
#[derive(Clone, Debug, Default)]
pub(crate) struct Answer {
    /// The HTTP status.
    pub(crate) status: u16,
    headers: Vec<(Cow<'static, str>, String)>,
    body: Vec<u8>,
    /// A fixed word for the log: why a request was refused.
    pub(crate) reason: &'static str,
    told: String,
    /// What is passed on as it comes, under the headers above.
    passed: Option<web_sys::Response>,
}

/// Scripts never run on our pages; everything comes from our own host.
const PAGE_POLICY: &str =
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'";

/// The headers that a page of ours shows.
const SHOWN: [&str; 4] = ["content-type", "location", "www-authenticate", "retry-after"];

/// An answer whose body is text, as JSON: what `new Response(body, { status, headers })` takes.
#[derive(Serialize)]
pub(crate) struct Plain<'a> {
    status: u16,
    headers: Named<'a>,
    body: Cow<'a, str>,
}

impl Answer {
    /// An empty answer.
    pub(crate) fn empty(status: u16) -> Self {
        Self { status, ..Self::default() }
    }

    /// A JSON answer that must not be stored (RFC 6749 §5.1).
    pub(crate) fn json<T: Serialize>(status: u16, value: &T) -> Self {
        Self::json_text(status, serde_json::to_string(value).unwrap_or_default())
    }

    /// The same from JSON that is text already.
    pub(crate) fn json_text(status: u16, body: String) -> Self {
        Self { status, body: body.into_bytes(), ..Self::default() }
            .with("content-type", "application/json")
            .with("cache-control", "no-store")
            .with("pragma", "no-cache")
            .with("x-content-type-options", "nosniff")
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
            .for_our_origin()
    }

    /// No page of another origin has it as an image, script or the like: what it holds would be in the
    /// memory of that page's process.
    pub(crate) fn for_our_origin(self) -> Self {
        self.with("cross-origin-resource-policy", "same-origin")
    }

    /// A window of another origin that opened the page cannot reach it, nor the other way round. Not for
    /// pages on an app's way: an app may have opened them in a window and wait for it.
    pub(crate) fn in_own_window(self) -> Self {
        self.with("cross-origin-opener-policy", "same-origin")
    }

    /// Lets the page's forms be answered with a redirect to `source` too: browsers apply
    /// `form-action` to redirects after a submission (attack A45).
    pub(crate) fn form_action(self, source: Option<&str>) -> Self {
        match source {
            None => self,
            Some(source) => self.with("content-security-policy", &format!("{PAGE_POLICY} {source}")),
        }
    }

    /// As [`Answer::form_action`], for a page that may name other sources already.
    pub(crate) fn form_action_too(mut self, source: &str) -> Self {
        for (name, value) in &mut self.headers {
            if name == "content-security-policy" && value.split(' ').all(|known| known != source) {
                value.push(' ');
                value.push_str(source);
            }
        }
        self
    }

    /// Whether it is a page.
    pub(crate) fn is_page(&self) -> bool {
        self.headers.iter().any(|(name, _)| name == "content-security-policy")
    }

    /// A redirect after a form: 303, so that the form is never sent on (RFC 9700 §4.12).
    pub(crate) fn see_other(location: &str) -> Self {
        Self::empty(303).with("location", location).with("cache-control", "no-store").with("referrer-policy", "no-referrer")
    }

    /// Bytes of a fixed type.
    pub(crate) fn bytes(content_type: &str, body: Vec<u8>) -> Self {
        Self { status: 200, body, ..Self::default() }.with("content-type", content_type).with("x-content-type-options", "nosniff")
    }

    /// Somebody else's answer, whose body is not read here. Headers that are set replace none of its own.
    pub(crate) fn passing(response: web_sys::Response) -> Self {
        Self { status: response.status(), passed: Some(response), ..Self::default() }
    }

    /// Sets a header.
    pub(crate) fn with(mut self, name: impl Into<Cow<'static, str>>, value: &str) -> Self {
        let name = name.into();
        if name != COOKIE {
            self.headers.retain(|(known, _)| *known != name);
        }
        self.headers.push((name, value.to_owned()));
        self
    }

    /// Adds to the value of a header that is there.
    pub(crate) fn adding(mut self, name: &str, more: impl Fn() -> String) -> Self {
        for (_, value) in self.headers.iter_mut().filter(|(known, _)| known == name) {
            value.push_str(&more());
        }
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

    /// The answer without its body.
    pub(crate) fn without_body(mut self) -> Self {
        self.body.clear();
        self.without("content-type")
    }

    /// Names the reason for the log.
    pub(crate) fn because(mut self, reason: &'static str) -> Self {
        self.reason = reason;
        self
    }

    /// Says for the app's developer what a page or redirect told.
    pub(crate) fn telling(mut self, told: &str) -> Self {
        told.clone_into(&mut self.told);
        self
    }

    /// What an app was told by an answer that refuses: the body of a JSON one.
    pub(crate) fn told(&self) -> Cow<'_, str> {
        let json = self.headers.iter().any(|(name, value)| name == "content-type" && value == "application/json");
        if json && self.status >= 400 { String::from_utf8_lossy(&self.body) } else { Cow::Borrowed(&self.told) }
    }

    /// An answer as it came back from our own module of the protocol.
    #[cfg(not(feature = "protocol"))]
    pub(crate) async fn of(mut response: Response) -> worker::Result<Self> {
        let mut answer = Self { status: response.status_code(), body: response.bytes().await?, ..Self::default() };
        for name in SHOWN {
            if let Some(value) = response.headers().get(name)? {
                answer = answer.with(name, &value);
            }
        }
        Ok(answer)
    }

    /// What a page of ours shows of an answer: its status, headers and body.
    pub(crate) fn shown(&self) -> String {
        let headers = self.headers.iter().filter(|(name, _)| SHOWN.contains(&&**name));
        let lines: String = headers.map(|(name, value)| format!("{name}: {value}\n")).collect();
        format!("HTTP {}\n{lines}\n{}", self.status, String::from_utf8_lossy(&self.body))
    }

    /// The same for a program: what it needs to give the answer itself.
    pub(crate) fn plain(&self) -> Plain<'_> {
        Plain { status: self.status, headers: Named(&self.headers), body: String::from_utf8_lossy(&self.body) }
    }

    /// The body of a JSON answer.
    pub(crate) fn json_body(&self) -> serde_json::Value {
        edgegrant_core::json::parse(&self.body).unwrap_or_default()
    }

    /// Where the caller stands with its limit, in the policy's headers.
    pub(crate) fn with_standing(self, headers: &RateHeaders, standing: &Standing) -> Self {
        let named = [(&headers.limit, standing.limit), (&headers.remaining, standing.remaining), (&headers.reset, standing.reset_s)];
        let sent = named.into_iter().filter(|(name, _)| !name.is_empty());
        sent.fold(self, |answer, (name, value)| answer.with(name.clone(), &value.to_string()))
    }

    /// Lets a script of one origin, or with `*` of any, read the answer and the `exposed` headers;
    /// credentials are never allowed.
    pub(crate) fn readable_from(self, origin: &str, exposed: &str) -> Self {
        self.with("access-control-allow-origin", origin).with("access-control-expose-headers", exposed).with("vary", "Origin")
    }

    /// The answer to a preflight: `*`, no credentials, no storage.
    pub(crate) fn preflight(methods: &str) -> Self {
        Self::empty(204)
            .with("access-control-allow-origin", "*")
            .with("access-control-allow-methods", methods)
            .with("access-control-allow-headers", "Authorization, Content-Type, Accept")
            .with("access-control-max-age", "86400")
    }

    /// The platform's response. Status and headers go over to JavaScript in one piece, as one object, and
    /// text as text: each call between it and this module costs more than what the call does, and so do
    /// headers as a list, and bytes.
    pub(crate) fn into_response(mut self, secure: bool) -> worker::Result<web_sys::Response> {
        if secure {
            self = self.with("strict-transport-security", "max-age=31536000");
        }
        if let Some(response) = self.passed {
            let headers = response.headers();
            for (name, value) in &self.headers {
                headers.append(name, value)?;
            }
            return Ok(response);
        }
        let init = serde_json::to_string(&Init { status: self.status, headers: Named(&self.headers) })?;
        let init = JSON::parse(&init)?.unchecked_into();
        let response = match str::from_utf8(&self.body) {
            Ok(text) => web_sys::Response::new_with_opt_str_and_init(Some(text).filter(|text| !text.is_empty()), &init),
            Err(_) => web_sys::Response::new_with_opt_buffer_source_and_init(Some(&Uint8Array::from(self.body.as_slice())), &init),
        }?;
        // The one header of which there may be several.
        for (_, cookie) in self.headers.iter().filter(|(name, _)| name == COOKIE) {
            response.headers().append(COOKIE, cookie)?;
        }
        Ok(response)
    }
}

const COOKIE: &str = "set-cookie";

/// What a response is made from.
#[derive(Serialize)]
struct Init<'a> {
    status: u16,
    headers: Named<'a>,
}

/// Headers by their names, without cookies.
struct Named<'a>(&'a [(Cow<'static, str>, String)]);

impl Serialize for Named<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().filter(|(name, _)| name != COOKIE).map(|(name, value)| (name, value)))
    }
}
