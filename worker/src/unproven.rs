//! Callers that have proven nothing: garbage tokens, unknown clients, wrong secrets.
//!
//! Counted in the isolate and by the rate-limit binding: approximate, without storage, no object
//! (attack A11). Asked only when a request has failed, so whoever proves itself is never held up by a
//! neighbour behind the same address. Secrets have 256 bits: this sheds load, it does not guard them.

use std::cell::RefCell;
use std::collections::HashMap;

use edgegrant_core::keys::lookup_name;
use edgegrant_core::rate::{Standing, Window};
use worker::Env;

use crate::answer::Answer;
use crate::config::Config;
use crate::platform::now_ms;

const ADDRESSES_MAX: usize = 10_000;

thread_local! {
    static FAILURES: RefCell<HashMap<String, Window>> = RefCell::new(HashMap::new());
}

/// The answer to a failed request: its own, or 429 for an address that fails too often.
pub(crate) async fn failed(env: &Env, config: &Config, network: &str, answer: Answer) -> Answer {
    let limit = config.policy.unproven.rate;
    let counted = FAILURES.with_borrow_mut(|failures| {
        if failures.len() >= ADDRESSES_MAX {
            let now = now_ms();
            failures.retain(|_, window| !window.over(limit, now));
            if failures.len() >= ADDRESSES_MAX {
                failures.clear();
            }
        }
        failures.entry(network.to_owned()).or_default().take(limit, now_ms())
    });
    if let Err(standing) = counted {
        return Answer::limited(&standing).because("too many failed requests");
    }
    // The binding counts per location; a binding that is missing or fails lets the answer pass.
    // It is told a keyed hash: the address itself is nobody's to keep.
    let (Ok(binding), Some((_, key))) = (env.rate_limiter("UNPROVEN"), config.keys.hash.newest()) else { return answer };
    match binding.limit(lookup_name(key, "address", network)).await {
        Ok(outcome) if !outcome.success => {
            let standing = Standing { limit: limit.limit, remaining: 0, reset_s: limit.window_s };
            Answer::limited(&standing).because("too many failed requests")
        }
        _ => answer,
    }
}
