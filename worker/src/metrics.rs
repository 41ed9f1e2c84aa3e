//! What an operator counts: events of requests, and how long storage took.
//!
//! A request's events are kept in its own [`Tally`], which is current while the request's future is
//! polled: requests that run at the same time in one isolate never see each other's. What happens
//! after an answer has no tally and goes to the isolate's sums at once. Two sinks, neither of which a
//! request waits for or fails with:
//!
//! - Analytics Engine, when the binding `METRICS` is there: one data point per request;
//! - the D1 table `counters`: sums of the isolate in slots of ten minutes, added after an answer at most
//!   once a minute. An isolate that the platform ends loses what it had not handed over, a minute at most.
//!
//! Counters are fixed words and numbers: nothing of anybody is in them.

use std::cell::{Cell, RefCell};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use worker::Env;
use worker::js_sys::{Array, Function, Object, Reflect};
use worker::wasm_bindgen::{JsCast as _, JsValue};

use crate::answer::Answer;
use crate::call::Call;
use crate::fault::Fault;
use crate::log::Line;
use crate::platform::{now_ms, now_s};
use crate::store;

/// Seconds in a slot of the table.
pub(crate) const SLOT_S: u64 = 600;
/// How often an isolate hands its sums over, in milliseconds.
const EVERY_MS: u64 = 60_000;
/// Slots that wait at most while the database does not answer.
const WAITING_MAX: usize = 12;

/// What is counted. The numbers are places in [`NAMES`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Counter {
    /// Requests that were done.
    Ok,
    /// Requests that were refused.
    Refused,
    /// Requests over a limit: 429.
    Limited,
    /// Requests that a fault of ours ended: 5xx.
    Fault,
    /// Codes exchanged for tokens.
    CodeExchanged,
    /// Refresh tokens used.
    Refreshed,
    /// Refreshes answered with the newest answer once more.
    RefreshRetried,
    /// Second uses of a code.
    CodeReplayed,
    /// Uses of a refresh token that was rotated away.
    RefreshReplayed,
    /// Revocations by apps.
    Revoked,
    /// Connections that people or programs of the platform cut.
    Disconnected,
    /// Failures of callers that have proven nothing.
    Unproven,
    /// Codes that KV did not have: the copy in D1 was asked.
    KvMissed,
    /// Requests to objects that failed.
    ObjectFault,
    /// Statements of D1 that failed.
    D1Fault,
    /// Operations of KV that failed.
    KvFault,
    /// The platform's API did not answer, or with a fault.
    UpstreamError,
}

/// The counters' names, as they are stored and sent.
pub(crate) const NAMES: [&str; 17] = [
    "ok",
    "refused",
    "limited",
    "fault",
    "code_exchanges",
    "refreshes",
    "refresh_retries",
    "code_replays",
    "refresh_replays",
    "revocations",
    "disconnects",
    "unproven",
    "kv_misses",
    "object_faults",
    "d1_faults",
    "kv_faults",
    "upstream_errors",
];

type Counts = [u32; NAMES.len()];

impl Counter {
    /// Its name.
    pub(crate) fn name(self) -> &'static str {
        NAMES.get(self as usize).copied().unwrap_or_default()
    }
}

/// A part of a request that is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// A `Grant` object.
    Grant,
    /// An `App` object.
    App,
    /// A `RateLimiter` object.
    Limiter,
    /// KV.
    Kv,
    /// D1.
    D1,
}

const PARTS: [&str; 5] = ["grant", "app", "limiter", "kv", "d1"];

impl Part {
    const fn fault(self) -> Counter {
        match self {
            Self::Grant | Self::App | Self::Limiter => Counter::ObjectFault,
            Self::Kv => Counter::KvFault,
            Self::D1 => Counter::D1Fault,
        }
    }
}

/// What one request has done so far.
#[derive(Default)]
pub(crate) struct Tally {
    /// The request's id.
    pub(crate) id: String,
    counts: Cell<Counts>,
    /// Milliseconds and number of times that each part was waited for.
    parts: Cell<[(u64, u32); PARTS.len()]>,
}

impl Tally {
    /// Nothing yet.
    pub(crate) fn new(id: String) -> Rc<Self> {
        Rc::new(Self { id, ..Self::default() })
    }

    fn count(&self, counter: Counter) {
        let mut counts = self.counts.get();
        add(&mut counts, counter, 1);
        self.counts.set(counts);
    }

    /// The names of what was counted.
    fn events(&self) -> String {
        let counted = NAMES.iter().zip(self.counts.get()).filter(|(_, count)| *count > 0);
        counted.map(|(name, _)| *name).collect::<Vec<_>>().join(",")
    }

    /// The header `Server-Timing`: the whole and the parts that were waited for, in milliseconds.
    #[cfg(feature = "development")]
    pub(crate) fn server_timing(&self, total_ms: u64) -> String {
        let parts = PARTS.iter().zip(self.parts.get()).filter(|(_, (_, times))| *times > 0);
        let parts = parts.map(|(name, (ms, times))| format!(", {name};dur={ms};desc=\"{times}\""));
        format!("total;dur={total_ms}{}", parts.collect::<String>())
    }
}

fn add(counts: &mut Counts, counter: Counter, times: u32) {
    if let Some(count) = counts.get_mut(counter as usize) {
        *count = count.saturating_add(times);
    }
}

/// Sums that wait for the table.
#[derive(Default)]
struct Waiting {
    /// Slots, the newest last.
    slots: Vec<(u64, Counts)>,
    flushed_ms: u64,
}

impl Waiting {
    fn add(&mut self, slot: u64, more: &Counts) {
        if !self.slots.iter().any(|(known, _)| *known == slot) {
            if self.slots.len() >= WAITING_MAX {
                self.slots.remove(0);
            }
            self.slots.push((slot, Counts::default()));
        }
        for (_, counts) in self.slots.iter_mut().filter(|(known, _)| *known == slot) {
            for (count, more) in counts.iter_mut().zip(more) {
                *count = count.saturating_add(*more);
            }
        }
    }

    /// Whether it is time to hand over. A clock that ran backwards says nothing: it is.
    fn due(&mut self, now_ms: u64) -> bool {
        let due = now_ms.checked_sub(self.flushed_ms).is_none_or(|age| age >= EVERY_MS);
        if due {
            self.flushed_ms = now_ms;
        }
        due
    }
}

/// Rows for the table, as JSON: slot, name, count.
fn rows(slots: &[(u64, Counts)]) -> String {
    let counted = slots.iter().flat_map(|(slot, counts)| NAMES.iter().zip(counts).map(move |(name, count)| (slot, name, *count)));
    let rows = counted.filter(|(.., count)| *count > 0).map(|(slot, name, count)| format!("[{slot},\"{name}\",{count}]"));
    format!("[{}]", rows.collect::<Vec<_>>().join(","))
}

thread_local! {
    static CURRENT: RefCell<Option<Rc<Tally>>> = const { RefCell::new(None) };
    static WAITING: RefCell<Waiting> = RefCell::default();
}

fn current() -> Option<Rc<Tally>> {
    CURRENT.with_borrow(Clone::clone)
}

/// The id of the request that runs now.
pub(crate) fn request_id() -> Option<String> {
    current().map(|tally| tally.id.clone())
}

/// Counts something, for the request that runs now or, after its answer, for the isolate.
pub(crate) fn count(counter: Counter) {
    counted(current().as_deref(), counter);
}

fn counted(tally: Option<&Tally>, counter: Counter) {
    match tally {
        Some(tally) => tally.count(counter),
        None => {
            let mut one = Counts::default();
            add(&mut one, counter, 1);
            WAITING.with_borrow_mut(|waiting| waiting.add(now_s() / SLOT_S, &one));
        }
    }
}

/// Something that is waited for; dropped without an answer it counts as a fault of its part.
pub(crate) struct Asked {
    part: Part,
    begun_ms: u64,
    tally: Option<Rc<Tally>>,
    answered: bool,
}

/// Begins to wait for a part.
pub(crate) fn ask(part: Part) -> Asked {
    Asked { part, begun_ms: now_ms(), tally: current(), answered: false }
}

impl Asked {
    /// It has answered.
    pub(crate) fn answered(mut self) {
        self.answered = true;
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        if let Some(tally) = &self.tally {
            let mut parts = tally.parts.get();
            if let Some((ms, times)) = parts.get_mut(self.part as usize) {
                *ms += now_ms().saturating_sub(self.begun_ms);
                *times += 1;
            }
            tally.parts.set(parts);
        }
        if !self.answered {
            counted(self.tally.as_deref(), self.part.fault());
        }
    }
}

/// A request's future with its tally, which is the current one whenever the future runs.
pub(crate) struct Watched<'a, T> {
    tally: Rc<Tally>,
    future: Pin<Box<dyn Future<Output = T> + 'a>>,
}

/// Watches a request.
pub(crate) fn watched<'a, T>(tally: &Rc<Tally>, future: Pin<Box<dyn Future<Output = T> + 'a>>) -> Watched<'a, T> {
    Watched { tally: Rc::clone(tally), future }
}

impl<T> Future for Watched<'_, T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        let before = CURRENT.replace(Some(Rc::clone(&self.tally)));
        let polled = self.future.as_mut().poll(context);
        CURRENT.set(before);
        polled
    }
}

/// How a request ended.
pub(crate) fn outcome(answer: &Answer) -> Counter {
    match (answer.status, answer.reason) {
        (429, _) => Counter::Limited,
        // What is not served is the caller's mistake (a WebSocket at the gateway).
        (400..=499 | 501, _) => Counter::Refused,
        (500.., _) => Counter::Fault,
        // A redirect tells an app why not, and people to sign in.
        (300..=399, reason) if !matches!(reason, "" | "allowed" | "not signed in") => Counter::Refused,
        _ => Counter::Ok,
    }
}

/// Takes a request's events over, once it is answered.
pub(crate) fn done(call: &Call, tally: &Tally, outcome: Counter, line: &Line<'_>) {
    tally.count(outcome);
    let _ = point(&call.env, line, tally, &call.config.preset);
    let (now_ms, counts) = (now_ms(), tally.counts.get());
    let due = WAITING.with_borrow_mut(|waiting| {
        waiting.add(now_ms / 1000 / SLOT_S, &counts);
        waiting.due(now_ms)
    });
    if due {
        let env = call.env.clone();
        call.context.wait_until(async move {
            if let Err(fault) = flush(&env).await {
                crate::log::fault("counters", &fault);
            }
        });
    }
}

/// One D1 statement, or none: hands the isolate's sums over. What could not be handed over waits for the
/// next time; where only the answer was lost, it is counted twice.
pub(crate) async fn flush(env: &Env) -> Result<(), Fault> {
    let slots = WAITING.with_borrow_mut(|waiting| std::mem::take(&mut waiting.slots));
    if slots.is_empty() {
        return Ok(());
    }
    let added = store::counters::add(env, &rows(&slots)).await;
    if added.is_err() {
        WAITING.with_borrow_mut(|waiting| slots.iter().for_each(|(slot, counts)| waiting.add(*slot, counts)));
    }
    added
}

/// One data point for a request, where the binding is; `None` where it is not, or refuses.
fn point(env: &Env, line: &Line<'_>, tally: &Tally, preset: &str) -> Option<()> {
    // To ask nothing for its method throws, which takes longer than all the rest.
    let dataset = Reflect::get(env.as_ref(), &"METRICS".into()).ok().filter(JsValue::is_object)?;
    let write: Function = Reflect::get(&dataset, &"writeDataPoint".into()).ok()?.dyn_into().ok()?;
    let (client, events) = (line.client.as_deref().unwrap_or_default(), tally.events());
    let blobs = [line.route, line.method, line.outcome, line.reason, client, preset, &events];
    let texts = |texts: &[&str]| texts.iter().map(|text| JsValue::from_str(text)).collect::<Array>();
    let doubles: Array = [f64::from(line.status), line.ms as f64].map(JsValue::from_f64).iter().collect();
    let point = Object::new();
    for (name, values) in [("indexes", texts(&[line.route])), ("blobs", texts(&blobs)), ("doubles", doubles)] {
        Reflect::set(&point, &name.into(), &values).ok()?;
    }
    write.call1(&dataset, &point).ok()?;
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_counter_has_the_name_at_its_place() {
        assert_eq!((Counter::Ok.name(), Counter::CodeExchanged.name()), ("ok", "code_exchanges"));
        assert_eq!((Counter::KvMissed.name(), Counter::UpstreamError.name()), ("kv_misses", "upstream_errors"));
        assert_eq!(Counter::UpstreamError as usize, NAMES.len() - 1);
        assert_eq!(PARTS.get(Part::D1 as usize), Some(&"d1"));
    }

    #[test]
    fn sums_wait_by_slot_and_the_oldest_go_first() {
        let mut waiting = Waiting::default();
        let mut one = Counts::default();
        add(&mut one, Counter::Refreshed, 1);
        for slot in [7, 7, 8] {
            waiting.add(slot, &one);
        }
        assert_eq!(rows(&waiting.slots), "[[7,\"refreshes\",2],[8,\"refreshes\",1]]");
        (8..40).for_each(|slot| waiting.add(slot, &one));
        assert_eq!((waiting.slots.len(), waiting.slots.first().map(|(slot, _)| *slot)), (WAITING_MAX, Some(28)));
        assert_eq!(rows(&[]), "[]");
    }

    #[test]
    fn sums_are_handed_over_once_a_minute() {
        let mut waiting = Waiting::default();
        let now = 1_800_000_000_000;
        assert_eq!([now, now + 59_999, now + 60_000, now + 60_001, now - 1].map(|at| waiting.due(at)), [true, false, true, false, true]);
    }
}
