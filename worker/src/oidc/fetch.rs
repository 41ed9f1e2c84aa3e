//! Requests to a provider: five seconds for all of it, bodies of at most 256 KB, no redirect followed
//! (a document or a secret belongs to the very address that was configured), nothing cached on the way.

use edgegrant_core::oidc::flow::TokenRequest;
use futures_util::StreamExt as _;
use worker::{AbortSignal, CacheMode, Fetch, Headers, Method, Request, RequestInit, RequestRedirect, web_sys};

use super::Failure;

const LIMIT_MS: u32 = 5_000;
const BODY_MAX: usize = 262_144;

/// A document; anything but 200 is a failure.
pub(super) async fn get(address: &str) -> Result<Vec<u8>, Failure> {
    match send(address, Method::Get, Headers::new(), None).await? {
        (200, body) => Ok(body),
        (500.., _) => Err(Failure::unreachable("provider failed")),
        _ => Err(Failure::wrong("provider has no document there")),
    }
}

/// A token request: the status and the body.
pub(super) async fn post(address: &str, request: &TokenRequest) -> Result<(u16, Vec<u8>), Failure> {
    let headers = Headers::new();
    let mut set = headers.set("content-type", "application/x-www-form-urlencoded");
    if let Some(authorization) = &request.authorization {
        set = set.and_then(|()| headers.set("authorization", authorization));
    }
    set.map_err(|_| Failure::wrong("token request cannot be made"))?;
    send(address, Method::Post, headers, Some(request.body.as_str().into())).await
}

async fn send(
    address: &str,
    method: Method,
    headers: Headers,
    body: Option<worker::wasm_bindgen::JsValue>,
) -> Result<(u16, Vec<u8>), Failure> {
    const UNREACHABLE: fn(worker::Error) -> Failure = |_| Failure::unreachable("provider did not answer");
    let mut init = RequestInit::new();
    headers.set("accept", "application/json").map_err(UNREACHABLE)?;
    init.with_method(method).with_headers(headers).with_body(body).with_redirect(RequestRedirect::Manual).with_cache(CacheMode::NoStore);
    let request = Request::new_with_init(address, &init).map_err(UNREACHABLE)?;
    // The signal ends the reading of the body too.
    let signal = AbortSignal::from(web_sys::AbortSignal::timeout_with_u32(LIMIT_MS));
    let mut response = Fetch::Request(request).send_with_signal(&signal).await.map_err(UNREACHABLE)?;
    let status = response.status_code();
    let mut body = Vec::new();
    let Ok(mut stream) = response.stream() else { return Ok((status, body)) };
    while let Some(chunk) = stream.next().await {
        body.extend_from_slice(&chunk.map_err(UNREACHABLE)?);
        if body.len() > BODY_MAX {
            return Err(Failure::wrong("provider answer too large"));
        }
    }
    Ok((status, body))
}
