//! Copies of app records in the isolate, each under a lease of 5 seconds.
//!
//! /token and the API must not read D1, and KV cannot carry a suspension. A lease counts from before
//! the read was sent, so an isolate never holds a copy longer than the object believes. No lease and
//! no answer from the object is a fault, never "unknown client".

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use edgegrant_core::app::App;
use worker::Env;

use crate::config::Config;
use crate::failures;
use crate::fault::Fault;
use crate::objects::app::{Command, ask};
use crate::platform::now_ms;

/// How long a copy may be used, in milliseconds.
const LEASE_MS: u64 = 5_000;
/// How long a writer waits until every earlier lease has run out, with a margin for slow clocks.
pub(crate) const OUTLIVED_MS: u64 = LEASE_MS + 2_000;
/// A secret that does not match is looked up anew when the copy is older than this, so that a new
/// secret works at once and a wrong one costs at most one request per second.
const SECOND_LOOK_MS: u64 = 1_000;
/// How long a writer waits until every copy is old enough for a second look, with a margin.
pub(crate) const LOOKED_UP_AGAIN_MS: u64 = SECOND_LOOK_MS + 200;
/// Copies kept at most; the map is emptied when it is full.
const COPIES_MAX: usize = 1_000;

struct Copy {
    app: Option<Rc<App>>,
    asked_ms: u64,
}

thread_local! {
    static COPIES: RefCell<HashMap<u32, Copy>> = RefCell::new(HashMap::new());
    /// Apps whose record is being looked up anew, and since when.
    static LOOKING: RefCell<HashMap<u32, u64>> = RefCell::new(HashMap::new());
}

/// The record of an app, at most 5 seconds old; `None` when there is no such app.
pub(crate) async fn app(env: &Env, number: u32) -> Result<Option<Rc<App>>, Fault> {
    app_within(env, number, LEASE_MS).await
}

/// The record for a second look after a secret did not match. One request looks at a time: a flood of
/// wrong secrets would keep the object from renewing the leases of those who hold a right one. Who
/// comes meanwhile is told to try again, for a new secret may be right.
pub(crate) async fn app_again(env: &Env, number: u32) -> Result<Option<Rc<App>>, Fault> {
    if let Some(app) = held(number, SECOND_LOOK_MS) {
        return Ok(app);
    }
    let now = now_ms();
    // A look that was cancelled with its request is over after a second.
    let taken = LOOKING.with_borrow_mut(|looking| {
        looking.retain(|_, begun_ms| now.saturating_sub(*begun_ms) < SECOND_LOOK_MS);
        let taken = looking.contains_key(&number);
        looking.entry(number).or_insert(now);
        taken
    });
    if taken {
        return Err(Fault::at("app second look"));
    }
    let app = app_within(env, number, SECOND_LOOK_MS).await;
    LOOKING.with_borrow_mut(|looking| looking.remove(&number));
    app
}

/// The copy, when it is younger than so many milliseconds.
fn held(number: u32, age_ms: u64) -> Option<Option<Rc<App>>> {
    let now = now_ms();
    COPIES.with_borrow(|copies| {
        let copy = copies.get(&number)?;
        // A clock that ran backwards ends the lease: how old the copy is cannot be told.
        now.checked_sub(copy.asked_ms).filter(|age| *age < age_ms)?;
        Some(copy.app.clone())
    })
}

/// The client id of an app: as its copy has it, however old that is, or made anew.
pub(crate) fn client_id(config: &Config, number: u32) -> String {
    let known = COPIES.with_borrow(|copies| copies.get(&number)?.app.as_ref().map(|app| app.client_id.clone()));
    known.unwrap_or_else(|| edgegrant_core::credential::client_id(&config.keys.grant_id, number))
}

async fn app_within(env: &Env, number: u32, age_ms: u64) -> Result<Option<Rc<App>>, Fault> {
    if let Some(app) = held(number, age_ms) {
        return Ok(app);
    }
    let asked_ms = now_ms();
    let app = ask(env, number, &Command::Read(failures::take(number, false))).await?.app().map(|app| Rc::new(*app));
    // An answer that was on its way for longer than a lease says nothing about now: the writer did not
    // wait for it.
    if now_ms().checked_sub(asked_ms).is_none_or(|age| age >= LEASE_MS) {
        return Err(Fault::at("app lease"));
    }
    COPIES.with_borrow_mut(|copies| {
        if copies.len() >= COPIES_MAX {
            copies.clear();
        }
        copies.insert(number, Copy { app: app.clone(), asked_ms });
    });
    Ok(app)
}
