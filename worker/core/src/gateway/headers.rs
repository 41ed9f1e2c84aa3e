//! Headers on their way through the gateway.
//!
//! Up goes what the app sent, but for what belongs to one connection (RFC 9110 §7.6.1), what is a
//! credential for Edgegrant, what claims an address, host, path or method of its own, and what only
//! Edgegrant may say. Down goes what the API answered, but for what would speak for Edgegrant's origin,
//! which has consent pages. Names are compared in lower case with every other character than letters and
//! digits as `-`: servers that turn headers into variables (CGI, WSGI, PHP) do the same, and would take
//! `Edgegrant_Account` for `Edgegrant-Account`.

/// A name as servers may fold it.
fn folded(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' }).collect()
}

/// Whether a header belongs to the connection, or is one that `Connection` names.
fn is_of_hop(name: &str, connection: &str) -> bool {
    const HOP: [&str; 7] = ["connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "expect"];
    HOP.contains(&name) || name.starts_with("proxy-") || connection.split(',').any(|nominated| folded(nominated.trim()) == name)
}

/// Whether a request's header is passed on; `connection` is the value of its `Connection`.
#[must_use]
pub fn goes_up(name: &str, connection: &str) -> bool {
    const NEVER: [&str; 16] = [
        // The platform writes both anew.
        "host",
        "content-length",
        "cookie",
        "cookie2",
        "authorization",
        "x-http-method",
        "x-http-method-override",
        "x-method-override",
        "x-rewrite-url",
        "forwarded",
        "x-real-ip",
        "true-client-ip",
        "client-ip",
        "x-client-ip",
        "signature",
        "signature-input",
    ];
    const NEVER_BEGIN: [&str; 5] = ["edgegrant-", "x-forwarded", "x-original-", "cf-", "x-cluster-client-"];
    let name = folded(name);
    !(NEVER.contains(&name.as_str()) || NEVER_BEGIN.iter().any(|start| name.starts_with(start)) || is_of_hop(&name, connection))
}

/// Whether an answer's header is passed on; `connection` is the value of its `Connection`.
#[must_use]
pub fn goes_down(name: &str, connection: &str) -> bool {
    const NEVER: [&str; 10] = [
        // The answer has that of the log.
        "x-request-id",
        "set-cookie",
        "set-cookie2",
        "clear-site-data",
        "service-worker-allowed",
        "strict-transport-security",
        "alt-svc",
        "nel",
        "report-to",
        "reporting-endpoints",
    ];
    const NEVER_BEGIN: [&str; 3] = ["edgegrant-", "access-control-", "public-key-pins"];
    let name = folded(name);
    !(NEVER.contains(&name.as_str()) || NEVER_BEGIN.iter().any(|start| name.starts_with(start)) || is_of_hop(&name, connection))
}

/// Whether a `Content-Type` says JSON and nothing else (RFC 8259, RFC 6839 §3.1): no browser runs it.
#[must_use]
pub fn is_json(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    // Several values in one header are read in more than one way.
    !content_type.contains(',') && (essence == "application/json" || essence.ends_with("+json"))
}

/// Whose request it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller<'a> {
    /// The account.
    pub account: &'a str,
    /// The app's client id; API keys have none.
    pub app: Option<&'a str>,
    /// The person who allowed the app, or made the key.
    pub user: &'a str,
    /// Scopes, separated by spaces.
    pub scope: &'a str,
    /// Of this request.
    pub request_id: &'a str,
}

impl<'a> Caller<'a> {
    /// The headers that say so, in alphabetical order.
    #[must_use]
    pub fn headers(&self) -> Vec<(&'static str, &'a str)> {
        let credential = if self.app.is_some() { "access_token" } else { "api_key" };
        let all = [
            ("edgegrant-account", Some(self.account)),
            ("edgegrant-app", self.app),
            ("edgegrant-credential", Some(credential)),
            ("edgegrant-request-id", Some(self.request_id)),
            ("edgegrant-scope", Some(self.scope)),
            ("edgegrant-user", Some(self.user)),
        ];
        all.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_edgegrant_may_say_never_goes_up_in_any_spelling() {
        for name in [
            "Edgegrant-Account",
            "edgegrant_account",
            "EDGEGRANT.SCOPE",
            "edgegrant!user",
            "Edgegrant-Anything",
            "edgegrant-",
            "edgegrant~~app",
            "Authorization",
            "Cookie",
            "Host",
            "Signature",
            "Signature-Input",
            "signature_input",
            "X-HTTP-Method-Override",
            "X_HTTP_Method_Override",
            "X-Method-Override",
            "X-HTTP-Method",
            "X-Original-URL",
            "X-Rewrite-URL",
            "Forwarded",
            "X-Forwarded-For",
            "X-Forwarded",
            "X_Forwarded_Host",
            "X-Real-IP",
            "True-Client-IP",
            "CF-Connecting-IP",
            "Cf-Access-Jwt-Assertion",
            "Connection",
            "Keep-Alive",
            "Proxy-Authorization",
            "Proxy-Connection",
            "TE",
            "Trailer",
            "Transfer-Encoding",
            "Upgrade",
            "Expect",
        ] {
            assert!(!goes_up(name, ""), "{name}");
        }
        for name in [
            "Accept",
            "Content-Type",
            "Content-Encoding",
            "Idempotency-Key",
            "If-None-Match",
            "Range",
            "X-Request-Id",
            "Edgegranted",
            "X-Edgegrant-Account",
        ] {
            assert!(goes_up(name, ""), "{name}");
        }
    }

    #[test]
    fn what_connection_names_stays_behind_rfc_9110_7_6_1() {
        let connection = "close, X-Secret ,x_other";
        for name in ["x-secret", "X-Secret", "X-Other"] {
            assert!(!goes_up(name, connection) && !goes_down(name, connection), "{name}");
        }
        assert!(goes_up("X-Secrets", connection));
    }

    #[test]
    fn an_answer_does_not_speak_for_our_origin() {
        for name in [
            "Set-Cookie",
            "Set-Cookie2",
            "Access-Control-Allow-Origin",
            "Access-Control-Allow-Credentials",
            "Clear-Site-Data",
            "Service-Worker-Allowed",
            "Strict-Transport-Security",
            "Public-Key-Pins-Report-Only",
            "Alt-Svc",
            "NEL",
            "Report-To",
            "Reporting-Endpoints",
            "Edgegrant-Account",
            "Transfer-Encoding",
        ] {
            assert!(!goes_down(name, ""), "{name}");
        }
        for name in [
            "Content-Type",
            "Content-Encoding",
            "Content-Length",
            "ETag",
            "Location",
            "Cache-Control",
            "Content-Range",
            "WWW-Authenticate",
            "Retry-After",
        ] {
            assert!(goes_down(name, ""), "{name}");
        }
    }

    #[test]
    fn only_json_is_json() {
        for json in ["application/json", "Application/JSON; charset=utf-8", "application/problem+json", " application/json "] {
            assert!(is_json(json), "{json}");
        }
        for other in [
            "",
            "text/html",
            "application/javascript",
            "application/json, text/html",
            "text/html;a=application/json",
            "application/jsonp",
            "json",
        ] {
            assert!(!is_json(other), "{other}");
        }
    }

    #[test]
    fn the_headers_of_a_caller_are_in_alphabetical_order() {
        let caller = Caller { account: "a", app: Some("c"), user: "u", scope: "s t", request_id: "r" };
        let names = |caller: Caller<'_>| caller.headers().iter().map(|(name, _)| *name).collect::<Vec<_>>();
        let all = names(caller);
        assert!(all.is_sorted() && all.len() == 6);
        assert!(!names(Caller { app: None, ..caller }).contains(&"edgegrant-app"));
        assert!(caller.headers().contains(&("edgegrant-credential", "access_token")));
        assert!(Caller { app: None, ..caller }.headers().contains(&("edgegrant-credential", "api_key")));
        assert!(all.iter().all(|name| !goes_up(name, "") && !goes_down(name, "")));
    }
}
