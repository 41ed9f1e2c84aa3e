//! `GET /health`: whether what this deployment is made of answers, for a monitor.
//!
//! No credentials, and nothing but fixed words in the answer; what a part said is in the log. Each part is
//! really asked, with a limit of a few seconds: D1 and KV for one read, an object of each class for an
//! answer that touches no storage, the rate limiter for one count. Nothing is written. An isolate asks
//! once in five seconds whoever calls, so the address is no way to load the storage.

use std::cell::{Cell, RefCell};
use std::pin::{Pin, pin};
use std::time::Duration;

use edgegrant_core::keys::lookup_name;
use futures_util::future::{Either, join, join3, select};
use worker::js_sys::Reflect;
use worker::{Delay, Env};

use crate::answer::Answer;
use crate::call::Call;
use crate::fault::{Fault, OrFault as _};
use crate::platform::{ask_binding, now_ms, object};
use crate::{objects, store};

pub(super) const HERE: &str = "/health";
/// How long an answer is used again, in milliseconds.
const KEPT_MS: u64 = 5_000;
/// How long a part is waited for, in milliseconds.
const LIMIT_MS: u64 = 3_000;
/// How often a request looks whether another one's checks are done, in milliseconds, and how many times.
const LOOK_MS: u64 = 100;
const LOOKS: u64 = LIMIT_MS / LOOK_MS + 5;

const PARTS: [&str; 6] = ["d1", "kv", "grant", "app", "rate_limiter", "unproven"];
/// Bindings that nothing depends on, each with its word.
const OPTIONAL: [(&str, &str); 2] = [("email", "EMAIL"), ("analytics", "METRICS")];

/// Which parts answered.
type Answered = [bool; PARTS.len()];

thread_local! {
    static LAST: RefCell<Option<(u64, Answered)>> = const { RefCell::new(None) };
    /// Since when a request checks.
    static CHECKING: Cell<Option<u64>> = const { Cell::new(None) };
}

/// Answers with the health of the parts.
pub(super) async fn answer(call: &Call) -> Result<Answer, Fault> {
    let answered = match recent() {
        Some(answered) => Some(answered),
        None => checked(call).await,
    };
    Ok(told(&call.env, answered.as_ref()))
}

/// What was found out in the last five seconds.
fn recent() -> Option<Answered> {
    let (at_ms, answered) = LAST.with_borrow(|last| *last)?;
    now_ms().checked_sub(at_ms).filter(|age| *age < KEPT_MS).map(|_| answered)
}

/// Checks, or waits for the request that does. One that was cancelled is over when its checks would be.
async fn checked(call: &Call) -> Option<Answered> {
    let now = now_ms();
    let is_checked = CHECKING.get().and_then(|since| now.checked_sub(since)).is_some_and(|age| age <= LIMIT_MS + LOOK_MS);
    if is_checked {
        for _ in 0..LOOKS {
            Delay::from(Duration::from_millis(LOOK_MS)).await;
            if let Some(answered) = recent() {
                return Some(answered);
            }
        }
        return None;
    }
    CHECKING.set(Some(now));
    let answered = check(call).await;
    LAST.set(Some((now_ms(), answered)));
    CHECKING.set(None);
    Some(answered)
}

/// A check on its way.
type Check<'a> = Pin<Box<dyn Future<Output = bool> + 'a>>;

/// Asks all parts at once.
async fn check(call: &Call) -> Answered {
    let env = &call.env;
    let stores = join3(
        within("d1", Box::pin(store::counters::probe(env))),
        within("kv", Box::pin(store::codes::probe(env))),
        within("unproven", Box::pin(limiter(call))),
    );
    let objects = join3(
        within("grant", Box::pin(objects::probe(env, "GRANT"))),
        within("app", Box::pin(objects::probe(env, "APP"))),
        within("rate_limiter", Box::pin(objects::probe(env, "RATE_LIMITER"))),
    );
    let ((d1, kv, unproven), (grant, app, rate_limiter)) = join(stores, objects).await;
    [d1, kv, grant, app, rate_limiter, unproven]
}

/// Whether a part answers within the limit.
fn within<'a>(name: &'static str, check: Pin<Box<dyn Future<Output = Result<(), Fault>> + 'a>>) -> Check<'a> {
    Box::pin(async move {
        let limit = pin!(Delay::from(Duration::from_millis(LIMIT_MS)));
        let outcome = match select(check, limit).await {
            Either::Left((outcome, _)) => outcome,
            Either::Right(_) => Err(Fault::at("no answer in time")),
        };
        outcome.inspect_err(|fault| crate::log::fault(name, fault)).is_ok()
    })
}

/// The rate limiter counts one; a name of its own keeps it apart from callers.
async fn limiter(call: &Call) -> Result<(), Fault> {
    let (_, key) = call.config.keys.hash.newest().or_fault("hash key")?;
    let asked = object("key", &lookup_name(key, "health", "").into()).or_fault("UNPROVEN")?;
    ask_binding(&call.env, "UNPROVEN", "limit", &[asked]).await.or_fault("UNPROVEN")?;
    Ok(())
}

/// The answer; without any, the request that checks was lost.
fn told(env: &Env, answered: Option<&Answered>) -> Answer {
    let all = answered.is_some_and(|parts| parts.iter().all(|ok| *ok));
    let word = |ok: bool| if ok { "ok" } else { "failing" };
    let is_bound = |name: &str| Reflect::get(env.as_ref(), &name.into()).is_ok_and(|binding| !binding.is_undefined());
    let parts = PARTS.iter().zip(answered.into_iter().flatten()).map(|(name, ok)| (*name, word(*ok)));
    let optional = OPTIONAL.iter().map(|(name, binding)| (*name, if is_bound(binding) { "bound" } else { "not bound" }));
    let checks: serde_json::Map<String, serde_json::Value> =
        parts.chain(optional).map(|(name, word)| (name.to_owned(), word.into())).collect();
    let answer = Answer::json(if all { 200 } else { 503 }, &serde_json::json!({ "status": word(all), "checks": checks }));
    if all { answer } else { answer.with("retry-after", "5").because("health") }
}
