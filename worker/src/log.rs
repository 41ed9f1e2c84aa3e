//! The log: one line of JSON per request and per event. Never a code, token, secret, verifier,
//! address of a person or query string (invariant 8).

use crate::answer::Answer;
use crate::call::Call;
use crate::fault::Fault;

/// A line for a request.
pub(crate) fn request(call: &Call, answer: &Answer, duration_ms: u64) {
    // An endpoint's address and a rule's pattern are the policy's words; of others only the part that is ours.
    let of_policy = call.rule.get().is_some() || call.config.policy.endpoint(&call.path).is_some();
    let route = if of_policy { call.shown_path() } else { route(&call.path) };
    let (method, status, reason) = (call.method(), answer.status, answer.reason);
    let line = serde_json::json!({ "event": "request", "method": method.as_ref(), "route": route, "status": status, "reason": reason, "ms": duration_ms });
    worker::console_log!("{line}");
}

/// A line for something an operator wants counted.
pub(crate) fn event(what: &str) {
    let line = serde_json::json!({ "event": what });
    worker::console_log!("{line}");
}

/// A line for a fault of ours.
pub(crate) fn fault(what: &str, fault: &Fault) {
    let line = serde_json::json!({ "event": "fault", "what": what, "place": fault.place, "detail": fault.detail });
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
    ];
    if path.starts_with("/login/") {
        return if path.ends_with("/callback") { "/login/*/callback" } else { "/login/*" };
    }
    let exact = ROUTES.iter().find(|known| path == **known);
    exact.or_else(|| ROUTES.iter().find(|known| path.starts_with(**known))).copied().unwrap_or("other")
}
