//! Requests of apps that failed, on their way to their developers.
//!
//! Anybody who knows a client id can fail in its name, so a failure costs no storage of its own (attack
//! A42): an isolate keeps a few in memory and hands them over when it asks the app's object anyway.

use std::cell::RefCell;
use std::collections::HashMap;

use edgegrant_core::app::{Failure, fit_for_log};

use crate::answer::Answer;
use crate::call::Call;
use crate::platform::{now_ms, now_s};

/// Failures of one app that wait; further ones are not kept.
const PER_APP: usize = 10;
/// Apps of which failures wait.
const APPS: usize = 200;
/// How often an isolate hands an app's failures over, in milliseconds.
const EVERY_MS: u64 = 10_000;

#[derive(Default)]
struct Waiting {
    failures: Vec<Failure>,
    handed_ms: u64,
}

thread_local! {
    static WAITING: RefCell<HashMap<u32, Waiting>> = RefCell::new(HashMap::new());
}

/// Keeps a request of an app that failed.
pub(crate) fn note(call: &Call, answer: &Answer) {
    keep(call.app.get(), || format!("{} {}", call.method().as_ref(), fit_for_log(call.shown_path())), answer);
}

/// The same for what came by another way, which `request` names.
pub(crate) fn keep(app: Option<u32>, request: impl FnOnce() -> String, answer: &Answer) {
    let Some(app) = app else { return };
    let told = answer.told();
    if answer.reason.is_empty() || told.is_empty() {
        return;
    }
    let failure =
        Failure { at_s: now_s(), request: request(), status: answer.status, reason: answer.reason.to_owned(), told: fit_for_log(&told) };
    WAITING.with_borrow_mut(|waiting| {
        if waiting.len() >= APPS && !waiting.contains_key(&app) {
            waiting.clear();
        }
        let of_app = waiting.entry(app).or_default();
        if of_app.failures.len() < PER_APP {
            of_app.failures.push(failure);
        }
    });
}

/// What waits for an app's object; nothing when it was handed something a moment ago, unless `now`.
pub(crate) fn take(app: u32, now: bool) -> Vec<Failure> {
    WAITING.with_borrow_mut(|waiting| match waiting.get_mut(&app) {
        Some(of_app) if now || now_ms().saturating_sub(of_app.handed_ms) >= EVERY_MS => {
            of_app.handed_ms = now_ms();
            std::mem::take(&mut of_app.failures)
        }
        _ => Vec::new(),
    })
}
