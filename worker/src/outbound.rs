//! Requests that the server itself makes: five seconds for all of it, bodies cut while they are read, no
//! redirect followed (a document or a secret belongs to the very address that was named), nothing cached
//! on the way.

use futures_util::StreamExt as _;
use worker::wasm_bindgen::JsValue;
use worker::{AbortSignal, CacheMode, Fetch, Headers, Method, Request, RequestInit, RequestRedirect, web_sys};

const LIMIT_MS: u32 = 5_000;

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoAnswer {
    /// None came in time.
    Unreachable,
    /// Its body is larger than what is taken.
    TooLarge,
}

impl From<worker::Error> for NoAnswer {
    fn from(_: worker::Error) -> Self {
        Self::Unreachable
    }
}

/// Sends a request; the status and a body of at most so many bytes.
pub(crate) async fn send(
    address: &str,
    method: Method,
    headers: Headers,
    body: Option<JsValue>,
    most: usize,
) -> Result<(u16, Vec<u8>), NoAnswer> {
    let mut init = RequestInit::new();
    init.with_method(method).with_headers(headers).with_body(body).with_redirect(RequestRedirect::Manual).with_cache(CacheMode::NoStore);
    let request = Request::new_with_init(address, &init)?;
    // The signal ends the reading of the body too.
    let signal = AbortSignal::from(web_sys::AbortSignal::timeout_with_u32(LIMIT_MS));
    let mut response = Fetch::Request(request).send_with_signal(&signal).await?;
    let status = response.status_code();
    let mut body = Vec::new();
    let Ok(mut stream) = response.stream() else { return Ok((status, body)) };
    while let Some(chunk) = stream.next().await {
        body.extend_from_slice(&chunk?);
        if body.len() > most {
            return Err(NoAnswer::TooLarge);
        }
    }
    Ok((status, body))
}
