//! The exports to JavaScript. Strings cross, never classes: nothing to free. A record is
//! form-encoded; one with `failure` says what went wrong.
//!
//! No input makes an export panic, because a panic would leave the module unusable for the rest of
//! the page's life.

use alloc::string::String;
use wasm_bindgen::prelude::*;

use crate::callback;
use crate::error::{Code, Failure};
use crate::form::push;
use crate::login;
use crate::pkce;

#[global_allocator]
static ALLOCATOR: talc::wasm::WasmDynamicTalc = talc::wasm::new_wasm_dynamic_allocator();

/// A record with a new `verifier` and its `challenge`.
#[wasm_bindgen(js_name = generatePkce)]
pub fn generate_pkce() -> String {
    encode(random().map(|random| {
        let verifier = pkce::verifier(&random);
        let mut record = String::new();
        push(&mut record, "challenge", &pkce::challenge(&verifier));
        push(&mut record, "verifier", &verifier);
        record
    }))
}

/// See [`login::begin`].
#[wasm_bindgen]
pub fn begin(wishes: &str, extra: &str, now: f64) -> String {
    encode(random().and_then(|random| login::begin(wishes, extra, &random, now as u64)))
}

/// See [`callback::land`].
#[wasm_bindgen]
pub fn land(client: &str, url: &str, flow: &str, now: f64) -> String {
    encode(callback::land(client, url, flow, now as u64))
}

/// See [`callback::clean`].
#[wasm_bindgen]
pub fn clean(url: &str) -> String {
    callback::clean(url)
}

fn encode(result: Result<String, Failure<'_>>) -> String {
    match result {
        Ok(record) => record,
        Err(failure) => failure.encode(),
    }
}

fn random<const N: usize>() -> Result<[u8; N], Failure<'static>> {
    let mut bytes = [0; N];
    match getrandom::fill(&mut bytes) {
        Ok(()) => Ok(bytes),
        Err(_) => Err(Code::Unsupported.into()),
    }
}

#[cfg(test)]
mod tests;
