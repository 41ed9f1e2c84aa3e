//! Identity providers over the network: metadata, keys and the exchange of a code.
//!
//! What a provider publishes is kept in the isolate for an hour. A signature by an unknown key asks for
//! the keys again, at most once a minute, so that a new key works at once and a made-up one costs the
//! provider nothing. No code or token is kept or logged; failures are fixed words.

mod fetch;
mod signature;

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use edgegrant_core::oidc::discovery::{self, Metadata};
use edgegrant_core::oidc::flow::{Flow, known_error, token_request};
use edgegrant_core::oidc::id_token::{Expected, Header, IdToken};
use edgegrant_core::oidc::identity::Identity;
use edgegrant_core::oidc::jwks::Jwks;
use edgegrant_core::oidc::provider::Provider;
use serde_json::Value;

use crate::platform::now_s;

/// Plain http for providers on this computer.
pub(crate) const PLAIN_LOOPBACK: bool = cfg!(feature = "development");

/// How long metadata and keys are used, in seconds.
const LIFE_S: u64 = 3600;
/// How soon an unknown key asks for the keys again, in seconds.
const UNKNOWN_KEY_S: u64 = 60;

/// Why a sign-in at a provider did not work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    /// 503 when the provider did not answer, 502 when its answer is not to be used.
    pub(crate) status: u16,
    /// Fixed words for the log.
    pub(crate) why: &'static str,
}

impl Failure {
    fn unreachable(why: &'static str) -> Self {
        Self { status: 503, why }
    }

    /// An answer that is not to be used.
    pub(crate) fn wrong(why: &'static str) -> Self {
        Self { status: 502, why }
    }
}

/// What is known of a provider.
#[derive(Clone, Default)]
struct Known {
    metadata: Option<Rc<Metadata>>,
    metadata_s: u64,
    keys: Option<Rc<Jwks>>,
    keys_s: u64,
    /// When the keys were last asked for, whatever came of it.
    keys_asked_s: u64,
}

thread_local! {
    static KNOWN: RefCell<HashMap<String, Known>> = RefCell::new(HashMap::new());
}

fn known(provider: &Provider) -> Known {
    KNOWN.with_borrow(|known| known.get(&provider.issuer).cloned()).unwrap_or_default()
}

fn remember(provider: &Provider, change: impl FnOnce(&mut Known)) {
    KNOWN.with_borrow_mut(|known| change(known.entry(provider.issuer.clone()).or_default()));
}

/// The provider's metadata.
pub(crate) async fn metadata(provider: &Provider) -> Result<Rc<Metadata>, Failure> {
    let (known, now) = (known(provider), now_s());
    if let Some(metadata) = known.metadata.filter(|_| now.saturating_sub(known.metadata_s) < LIFE_S) {
        return Ok(metadata);
    }
    let body = fetch::get(&discovery::address(&provider.issuer)).await?;
    let metadata = Rc::new(Metadata::parse(&body, &provider.issuer, PLAIN_LOOPBACK).map_err(Failure::wrong)?);
    remember(provider, |known| (known.metadata, known.metadata_s) = (Some(metadata.clone()), now));
    Ok(metadata)
}

/// The provider's keys, with the one that a header names if the provider has it.
async fn keys(provider: &Provider, metadata: &Metadata, header: &Header) -> Result<Rc<Jwks>, Failure> {
    let (known, now) = (known(provider), now_s());
    if let Some(keys) = known.keys {
        let has_key = keys.for_header(header).next().is_some();
        let asked_just_now = now.saturating_sub(known.keys_asked_s) < UNKNOWN_KEY_S;
        if now.saturating_sub(known.keys_s) < LIFE_S && (has_key || asked_just_now) {
            return Ok(keys);
        }
    }
    remember(provider, |known| known.keys_asked_s = now);
    let keys = Rc::new(Jwks::parse(&fetch::get(&metadata.jwks_uri).await?).map_err(Failure::wrong)?);
    remember(provider, |known| (known.keys, known.keys_s) = (Some(keys.clone()), now));
    Ok(keys)
}

/// Exchanges the code of a flow and says whom the ID token is about.
pub(crate) async fn identify(provider: &Provider, metadata: &Metadata, flow: &Flow, code: &str, origin: &str) -> Result<Identity, Failure> {
    let request = token_request(provider, metadata, flow, code, &provider.redirect_uri(origin));
    let (status, body) = fetch::post(&metadata.token_endpoint, &request).await?;
    let answer: Value = serde_json::from_slice(&body).map_err(|_| Failure::wrong("token answer is not JSON"))?;
    let text = |name: &str| answer.get(name).and_then(Value::as_str);
    match status {
        200 => {}
        500.. => return Err(Failure::unreachable("token endpoint failed")),
        _ => return Err(Failure::wrong(known_error(text("error").unwrap_or_default()))),
    }
    let token = IdToken::parse(text("id_token").ok_or(Failure::wrong("token answer without ID token"))?).map_err(Failure::wrong)?;
    let keys = keys(provider, metadata, &token.header).await?;
    if !signature::is_right(&token, &keys).await {
        return Err(Failure::wrong("ID token signature is wrong"));
    }
    let expected = Expected {
        issuer: &provider.issuer,
        client_id: &provider.client_id,
        nonce: &flow.nonce,
        access_token: text("access_token"),
        now_s: now_s(),
    };
    let claims = token.claims(&expected).map_err(Failure::wrong)?;
    Identity::read(&claims, provider).map_err(Failure::wrong)
}
