//! Callers that have proven nothing: garbage tokens, unknown clients, wrong secrets; and resource servers that
//! ask about garbage, each for itself (RFC 7662 §4).
//!
//! Counted in the isolate and by the rate-limit binding: approximate, without storage, no object
//! (attack A11). Asked only when a request has failed, so whoever proves itself is never held up by a
//! neighbour behind the same address. Secrets have 256 bits: this sheds load, it does not guard them.

use std::cell::RefCell;
use std::collections::HashMap;

use edgegrant_core::keys::lookup_name;
use edgegrant_core::rate::{Standing, Window};
use worker::js_sys::Reflect;

use crate::call::Call;
use crate::metrics::{self, Counter};
use crate::platform::{ask_binding, now_ms, object};

const ADDRESSES_MAX: usize = 10_000;

thread_local! {
    static FAILURES: RefCell<HashMap<String, Window>> = RefCell::new(HashMap::new());
}

/// Counts a failed request of the caller's address; where it stands when it fails too often.
pub(crate) async fn failed(call: &Call) -> Option<Standing> {
    counted(call, call.network()).await
}

/// The same for a resource server that asks about garbage: by its number, not by the address, which other
/// resource servers may share.
pub(crate) async fn failed_of(call: &Call, server: u32) -> Option<Standing> {
    counted(call, format!("resource server {server}")).await
}

async fn counted(call: &Call, caller: String) -> Option<Standing> {
    let limit = call.config.policy.unproven.rate;
    metrics::count(Counter::Unproven);
    let counted = FAILURES.with_borrow_mut(|failures| {
        if failures.len() >= ADDRESSES_MAX {
            let now = now_ms();
            failures.retain(|_, window| !window.over(limit, now));
            if failures.len() >= ADDRESSES_MAX {
                failures.clear();
            }
        }
        failures.entry(caller.clone()).or_default().take(limit, now_ms())
    });
    if let Err(standing) = counted {
        return Some(standing);
    }
    // The binding counts per location; a binding that is missing or fails lets the answer pass.
    // It is told a keyed hash: the address itself is nobody's to keep.
    let (_, key) = call.config.keys.hash.newest()?;
    let asked = object("key", &lookup_name(key, "address", &caller).into()).ok()?;
    let outcome = ask_binding(&call.env, "UNPROVEN", "limit", &[asked]).await.ok()?;
    let refused = Reflect::get(&outcome, &"success".into()).ok()?.as_bool() == Some(false);
    refused.then_some(Standing::new(limit.limit, 0, u64::from(limit.window_s) * 1000))
}
