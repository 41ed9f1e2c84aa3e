//! The gateway: requests to the platform's own API, with the token or key of an app (RFC 6750).
//!
//! The path is judged first, then the rule, the credential (counted), its scopes; only then does the API
//! hear of it. It is sent what the app sent, as a stream, without what it could take for Edgegrant's word
//! or for a credential, and with whose request it is, signed (RFC 9421). Its answer is passed on as a
//! stream without what would speak for this origin, which has consent pages.

use edgegrant_core::gateway::headers::{Caller, goes_down, goes_up, is_json};
use edgegrant_core::gateway::rules::{Found, Method, Rule, find};
use edgegrant_core::gateway::{path, signature};
use edgegrant_core::oauth::bearer::{Bearer, bearer_or_key};
use edgegrant_core::oauth::resource_error::ResourceError;
use worker::{Headers, web_sys};

use crate::access::{self, Access, Presented, Verdict};
use crate::answer::Answer;
use crate::call::Call;
use crate::fault::{Fault, OrFault as _};
use crate::metrics::{self, Counter};
use crate::platform::now_s;
use crate::refusal;
use crate::upstream::{NoAnswer, Upstream};

/// Answers a request in the part of the addresses that is the API's.
pub(super) async fn answer(call: &mut Call) -> Result<Answer, Fault> {
    let config = call.config.clone();
    let Some(upstream) = &config.upstream else { return Err(Fault::at("no upstream")) };
    let answer = match covered(call) {
        Ok(number) => {
            call.rule.set(Some(number));
            let rule = config.policy.gateway.rules.get(number).or_fault("rule")?;
            with_rule(call, upstream, rule).await?
        }
        Err(answer) => *answer,
    };
    Ok(answer.readable_from("*", &format!("*, {}", config.exposed)))
}

/// The number of the rule that a request falls under, or the answer to one that has none.
fn covered(call: &Call) -> Result<usize, Box<Answer>> {
    let refused = |why, reason| Box::new(refusal::resource(call, why, "").because(reason));
    let policy = &call.config.policy;
    let path = path::comparable(&call.path).ok_or_else(|| refused(ResourceError::PathUnsafe, "unsafe path"))?;
    if policy.has_endpoint_like(&path) {
        return Err(refused(ResourceError::NotFound, "no rule"));
    }
    let method = call.request().method();
    match find(&policy.gateway.rules, Method::of(&method), &path) {
        Found::Rule(number) => Ok(number),
        Found::Nothing => Err(refused(ResourceError::NotFound, "no rule")),
        Found::Methods(methods) if method == "OPTIONS" => {
            Err(Box::new(Answer::preflight(&methods).with("access-control-allow-headers", "Authorization, Content-Type, Accept, *")))
        }
        Found::Methods(methods) => {
            Err(Box::new(refused(ResourceError::Method, "no rule for the method").with("allow", &format!("{methods}, OPTIONS"))))
        }
    }
}

/// Checks the credential of a request, and passes it on.
async fn with_rule(call: &Call, upstream: &Upstream, rule: &Rule) -> Result<Answer, Fault> {
    let upgrade = call.header("upgrade").unwrap_or_default();
    if upgrade.split(',').any(|protocol| protocol.trim().eq_ignore_ascii_case("websocket")) {
        return Ok(refusal::resource(call, ResourceError::Upgrade, "").because("websocket"));
    }
    let header = call.header("authorization");
    let elsewhere = call.query_params().all("access_token").next().is_some();
    let (presented, only_key) = bearer_or_key(header.as_deref(), elsewhere, call.config.policy.api.key_scheme.as_deref());
    let text = match presented {
        Bearer::Missing => return Ok(refusal::resource_unproven(call, ResourceError::TokenMissing).await),
        Bearer::Malformed => return Ok(refusal::resource_unproven(call, ResourceError::TokenMalformed).await),
        Bearer::Token(text) => text,
    };
    let presented = Presented { text, only_key, counted: true, network: call.counted_network(), audience: &[] };
    let judged = access::judge(&call.env, &call.context, &call.config, &presented).await?;
    call.is_of(judged.payload.as_ref());
    match judged.verdict {
        Verdict::Allowed(access) => allowed(call, upstream, rule, &access).await,
        Verdict::Limited(standing) => Ok(refusal::resource_limited(call, &standing)),
        Verdict::Unproven(why) => Ok(refusal::resource_unproven(call, why).await),
        Verdict::Refused(why) => Ok(refusal::resource(call, why, "")),
    }
}

/// Passes on a request whose credential may be used, where its scopes suffice.
async fn allowed(call: &Call, upstream: &Upstream, rule: &Rule, access: &Access) -> Result<Answer, Fault> {
    let policy = &call.config.policy;
    let lacks = |scope: &&String| !policy.scopes.covers(&access.checked.scope, scope);
    let missing: Vec<&str> = rule.scopes.iter().filter(lacks).map(String::as_str).collect();
    if !missing.is_empty() {
        return Ok(refusal::resource(call, ResourceError::ScopeMissing, &missing.join(" ")));
    }
    let sent = forwarded(call, upstream, access).await?;
    if !sent.as_ref().is_ok_and(|response| (200..500).contains(&response.status())) {
        metrics::count(Counter::UpstreamError);
    }
    let answer = match sent {
        Ok(response) if (200..=599).contains(&response.status()) => passed_on(call, &response)?,
        Ok(_) => refusal::resource(call, ResourceError::UpstreamFailed, "").because("upstream answer invalid"),
        Err(NoAnswer::Failed) => refusal::resource(call, ResourceError::UpstreamFailed, "").because("upstream unreachable"),
        Err(NoAnswer::Slow) => refusal::resource(call, ResourceError::UpstreamSlow, "").because("upstream too slow"),
    };
    Ok(answer.with_standing(&policy.api.headers, &access.checked.standing))
}

/// Sends the request to the API.
async fn forwarded(call: &Call, upstream: &Upstream, access: &Access) -> Result<Result<web_sys::Response, NoAnswer>, Fault> {
    let config = &call.config;
    let (origin, host) = upstream.place(&config.issuer, &config.host);
    let (request, method) = (call.request(), call.request().method());
    let query = path::sent_query(&call.query);
    // A question mark with nothing behind it is sent on too.
    let target = if request.url().contains('?') { format!("{origin}{}?{query}", call.path) } else { format!("{origin}{}", call.path) };
    let headers =
        upward(call, access, &[("@method", &method), ("@authority", host), ("@path", &call.path), ("@query", &format!("?{query}"))])?;
    // What a GET carries has no meaning (RFC 9110 §9.3.1), and the platform cannot send it.
    let body = request.body().filter(|_| method != "GET" && method != "HEAD");
    let gateway = &config.policy.gateway;
    let limit_s = if body.is_some() { gateway.upload_s } else { gateway.answer_s };
    Ok(upstream.send(&call.env, &target, &method, &headers.0, body.as_ref(), limit_s).await)
}

/// The headers of the request to the API: the app's own but for those that stay behind, whose request it
/// is, and the signature of that and of what is asked.
fn upward(call: &Call, access: &Access, derived: &[(&str, &str)]) -> Result<Headers, Fault> {
    let sent = call.headers();
    let headers = copy(sent)?;
    let connection = call.header("connection").unwrap_or_default();
    keep(&headers, |name| goes_up(name, &connection))?;
    // That of the line in the log, and of the answer.
    let request_id = metrics::request_id().or_fault("request id")?;
    let checked = &access.checked;
    let caller = Caller {
        account: &checked.account,
        app: access.client_id.as_deref(),
        user: &checked.user,
        scope: &checked.scope,
        request_id: &request_id,
    };
    let named = caller.headers();
    let components: Vec<(&str, &str)> = derived.iter().copied().chain(named.iter().copied()).collect();
    let signed = signature::sign(&components, now_s(), &call.config.keys.gateway).or_fault("gateway key")?;
    for (name, value) in named.into_iter().chain([("signature-input", signed.input.as_str()), ("signature", &signed.signature)]) {
        headers.set(name, value).or_fault("upstream header")?;
    }
    Ok(headers)
}

/// A copy that may be changed; values keep their bytes.
fn copy(headers: &Headers) -> Result<Headers, Fault> {
    web_sys::Headers::new_with_headers(&headers.0).map(Headers).map_err(worker::Error::from).or_fault("header copy")
}

/// Takes away the headers that do not pass.
fn keep(headers: &Headers, passes: impl Fn(&str) -> bool) -> Result<(), Fault> {
    let names: Vec<String> = headers.keys().collect();
    names.iter().filter(|name| !passes(name)).try_for_each(|name| headers.delete(name)).or_fault("header left out")
}

/// The API's answer on its way to the app.
fn passed_on(call: &Call, upstream: &web_sys::Response) -> Result<Answer, Fault> {
    let status = upstream.status();
    let has_body = !matches!(status, 204 | 205 | 304) && call.request().method() != "HEAD";
    let body = upstream.body().filter(|_| has_body);
    // A response is taken in place of the members that it shares with the settings of one.
    let settings = worker::wasm_bindgen::JsCast::unchecked_ref(upstream);
    let made = web_sys::Response::new_with_opt_readable_stream_and_init(body.as_ref(), settings);
    let response = made.map_err(worker::Error::from).or_fault("upstream answer")?;
    let headers = Headers(response.headers());
    let value = |name: &str| headers.get(name).ok().flatten();
    let connection = value("connection").unwrap_or_default();
    let rates = &call.config.policy.api.headers;
    let is_ours = |name: &str| [&rates.limit, &rates.remaining, &rates.reset].into_iter().any(|own| name.eq_ignore_ascii_case(own));
    keep(&headers, |name| goes_down(name, &connection) && !is_ours(name))?;
    headers.set("x-content-type-options", "nosniff").or_fault("answer header")?;
    if !value("content-type").is_some_and(|content_type| is_json(&content_type)) {
        headers.set("content-security-policy", "sandbox").or_fault("answer header")?;
    }
    if value("cache-control").is_none() {
        headers.set("cache-control", "no-store").or_fault("answer header")?;
    }
    Ok(Answer::passing(response))
}
