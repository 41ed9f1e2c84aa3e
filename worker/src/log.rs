//! The log: one line of JSON per request, per event and per fault. Never a code, token, secret, verifier,
//! name or address of a person, IP address or query string (invariant 8): a line is made of our own words,
//! of names that we gave (client ids, grants, request ids), and of numbers.

use edgegrant_core::encoding::hex;
use serde::Serialize;

use crate::answer::Answer;
use crate::call::Call;
use crate::fault::Fault;
use crate::metrics;
use crate::platform::random;

/// What is told of a request.
#[derive(Serialize)]
pub(crate) struct Line<'a> {
    /// `request`.
    pub(crate) event: &'static str,
    /// Its id.
    pub(crate) id: &'a str,
    /// Its method.
    pub(crate) method: &'a str,
    /// Where it went.
    pub(crate) route: &'a str,
    /// The HTTP status.
    pub(crate) status: u16,
    /// `ok`, `refused`, `limited` or `fault`.
    pub(crate) outcome: &'static str,
    /// Why: one of our words, or empty.
    pub(crate) reason: &'static str,
    /// The client id of the app, when the request is of one that we know.
    pub(crate) client: Option<String>,
    /// The grant's object, when it is of one.
    pub(crate) grant: Option<String>,
    /// How long it took, in milliseconds.
    pub(crate) ms: u64,
}

/// Tells of a request, and counts it.
pub(crate) fn request(call: &Call, answer: &Answer, tally: &metrics::Tally, ms: u64) {
    let (method, outcome) = (call.method(), metrics::outcome(answer));
    let of_policy = call.rule.get().is_some() || call.config.policy.endpoint(&call.path).is_some();
    let line = Line {
        event: "request",
        id: &tally.id,
        method: method.as_ref(),
        // An endpoint's address and a rule's pattern are the policy's words; of others only the part that is ours.
        route: if of_policy { call.shown_path() } else { route(&call.path) },
        status: answer.status,
        outcome: outcome.name(),
        reason: answer.reason,
        client: call.app.get().map(|app| crate::lease::client_id(&call.config, app)),
        grant: call.grant.get().map(|grant| grant.object_name()),
        ms,
    };
    let text = serde_json::to_string(&line).unwrap_or_default();
    worker::console_log!("{text}");
    metrics::done(call, tally, outcome, &line);
}

/// The id of a request: Cloudflare's, or one of our own where there is none. It is answered as
/// `x-request-id` and finds the line of a request.
pub(crate) fn request_id(cf_ray: Option<String>) -> String {
    let plain = |id: &String| (1..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    cf_ray.filter(plain).unwrap_or_else(|| random::<8>().map(|bytes| hex(&bytes)).unwrap_or_default())
}

/// A line for something an operator wants to know.
pub(crate) fn event(what: &str) {
    let line = serde_json::json!({ "event": what, "id": metrics::request_id() });
    worker::console_log!("{line}");
}

/// A line for a fault of ours.
pub(crate) fn fault(what: &str, fault: &Fault) {
    let id = metrics::request_id();
    let line = serde_json::json!({ "event": "fault", "id": id, "what": what, "place": fault.place, "detail": fault.detail });
    worker::console_error!("{line}");
}

/// A path whose parts a caller cannot choose freely: what is not a route of ours is not repeated, nor is
/// the name of a provider.
fn route(path: &str) -> &str {
    const ROUTES: &[&str] = &[
        "/.well-known/oauth-authorization-server",
        "/.well-known/oauth-protected-resource",
        "/login",
        "/logout",
        "/admin/setup",
        "/account/apps",
        "/account/apps/disconnect",
        "/account/keys",
        "/account/keys/new",
        "/account/keys/revoke",
        "/manage/v1/accounts",
        "/account/profile",
        "/account/activity",
        "/manage/v1/apps",
        "/developers",
        "/developers/apps",
        "/admin/resource-servers",
        "/admin",
        "/marketplace",
        "/manage/v1/audit",
        "/manage/v1/people",
        "/manage/v1/resource-servers",
        "/manage/v1/tokens",
        "/logo",
        "/platform.css",
        "/health",
        "/admin/metrics",
    ];
    if path.starts_with("/login/") {
        return if path.ends_with("/callback") { "/login/*/callback" } else { "/login/*" };
    }
    let exact = ROUTES.iter().find(|known| path == **known);
    exact.or_else(|| ROUTES.iter().find(|known| path.starts_with(**known))).copied().unwrap_or("other")
}
