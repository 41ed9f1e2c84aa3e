//! Documents and tokens of a provider, of at most 256 KB.

use edgegrant_core::oidc::flow::TokenRequest;
use worker::wasm_bindgen::JsValue;
use worker::{Headers, Method};

use super::Failure;
use crate::outbound::{self, NoAnswer};

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

async fn send(address: &str, method: Method, headers: Headers, body: Option<JsValue>) -> Result<(u16, Vec<u8>), Failure> {
    headers.set("accept", "application/json").map_err(|_| Failure::wrong("request cannot be made"))?;
    outbound::send(address, method, headers, body, BODY_MAX).await.map_err(|why| match why {
        NoAnswer::Unreachable => Failure::unreachable("provider did not answer"),
        NoAnswer::TooLarge => Failure::wrong("provider answer too large"),
    })
}
