//! The `App` object: the truth about one app, written before D1.
//!
//! Isolates hold a copy under a lease (see `crate::lease`). A write answers only when every lease
//! given before it has run out, so that what suspension, deletion or secret revocation forbids is
//! refused everywhere once it has answered (invariant 3). Durations are measured on one's own clock
//! on both sides, so skew does not matter.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use edgegrant_core::app::{self, Change, Failure, NotChanged, log_failures};
use edgegrant_core::json;
use serde::{Deserialize, Serialize};
use worker::{DurableObject, Env, Request, Response, SqlStorage, SqlStorageValue, State, durable_object};

use crate::fault::{Fault, OrFault as _};
use crate::lease;
use crate::platform::now_ms;

/// A question to an `App` object.
#[derive(Serialize, Deserialize)]
pub(crate) enum Command {
    /// The record, and with it a lease. Failed requests come along.
    Read(Vec<Failure>),
    /// The log of failed requests, with these.
    Log(Vec<Failure>),
    /// Replaces the record; answers when it holds everywhere.
    Write(Box<app::App>),
    /// Changes the record; answers when it holds everywhere.
    Change(Box<Change>),
}

/// Its answer.
#[derive(Serialize, Deserialize)]
pub(crate) enum Answer {
    /// There is no such app.
    Missing,
    /// The record as it is now.
    App(Box<app::App>),
    /// The change was not made.
    NotChanged(NotChanged),
    /// The newest failed requests.
    Log(Vec<Failure>),
}

impl Answer {
    /// The record.
    pub(crate) fn app(self) -> Option<Box<app::App>> {
        match self {
            Self::App(app) => Some(app),
            Self::Missing | Self::NotChanged(_) | Self::Log(_) => None,
        }
    }
}

/// One app.
#[cfg_attr(feature = "protocol", durable_object(fetch))]
pub struct App {
    state: State,
    /// When the last lease was given; a restarted object assumes now.
    leased_ms: Cell<Option<u64>>,
    /// The newest failed requests.
    failures: RefCell<Vec<Failure>>,
}

/// Asks the object of an app.
pub(crate) async fn ask(env: &Env, number: u32, command: &Command) -> Result<Answer, Fault> {
    super::ask(env, "APP", &format!("app:{number}"), command).await
}

#[cfg(feature = "protocol")]
impl DurableObject for App {
    fn new(state: State, _: Env) -> Self {
        Self { state, leased_ms: Cell::new(None), failures: RefCell::new(Vec::new()) }
    }

    async fn fetch(&self, request: Request) -> worker::Result<Response> {
        Ok(super::answer(self.handle(&request).await)?.into())
    }
}

/// How long failed requests are recorded after the developer has looked at them, in milliseconds.
const RECORDED_MS: u64 = 86_400_000;

/// The stored log of failed requests.
#[derive(Default, Serialize, Deserialize)]
struct Recorded {
    until_ms: u64,
    log: Vec<Failure>,
}

/// The text that a statement finds; one that is no text is a fault.
fn record(sql: &SqlStorage, statement: &str, place: &'static str) -> Result<Option<String>, Fault> {
    match super::rows(sql, statement, Vec::new(), place)?.into_iter().flatten().next() {
        None => Ok(None),
        Some(SqlStorageValue::String(text)) => Ok(Some(text)),
        Some(_) => Err(Fault::at(place)),
    }
}

impl App {
    async fn handle(&self, request: &Request) -> Result<Answer, Fault> {
        match super::command(request.inner())? {
            Command::Read(failures) => {
                self.leased_ms.set(Some(now_ms()));
                if !failures.is_empty() {
                    self.log(failures, false)?;
                }
                self.current()
            }
            Command::Log(failures) => Ok(Answer::Log(self.log(failures, true)?)),
            Command::Write(record) => {
                let new = self.read()?.is_none();
                self.write(&record)?;
                self.outlive(if new { 0 } else { lease::OUTLIVED_MS }).await;
                self.current()
            }
            Command::Change(change) => {
                let Some(record) = self.read()? else { return Ok(Answer::Missing) };
                let changed = match record.changed(&change) {
                    Err(why) => return Ok(Answer::NotChanged(why)),
                    Ok(changed) => changed,
                };
                self.write(&changed)?;
                // A secret that an isolate does not know yet is looked up again once its copy is a second
                // old: where nothing was taken away, that is all there is to wait for.
                let only_added = changed.secrets.len() > record.secrets.len();
                // What only stands in the listing is in no copy that decides.
                let only_listed = changed.about != record.about && app::App { about: record.about.clone(), ..changed.clone() } == *record;
                self.outlive(match (only_listed, only_added) {
                    (true, _) => 0,
                    (_, true) => lease::LOOKED_UP_AGAIN_MS,
                    _ => lease::OUTLIVED_MS,
                })
                .await;
                self.current()
            }
        }
    }

    /// Adds to the log of failed requests. It is in memory, so that failing costs no row; for a day after
    /// the developer has looked, it is one row too, written as often as isolates hand something over.
    fn log(&self, new: Vec<Failure>, looked: bool) -> Result<Vec<Failure>, Fault> {
        let sql = self.state.storage().sql();
        let mut stored = Recorded::default();
        if super::has_table(&sql, "failures", "app log")? {
            let record = record(&sql, "SELECT record FROM failures WHERE id = 1", "app log")?;
            stored = record.and_then(|text| json::read(text.as_bytes()).ok()).unwrap_or_default();
        }
        let mut log = self.failures.take();
        log.extend(stored.log.iter().filter(|known| !log.contains(known)).cloned().collect::<Vec<_>>());
        let is_news = !new.is_empty();
        log_failures(&mut log, new);
        self.failures.replace(log.clone());
        let until_ms = if looked && self.read()?.is_some() { now_ms() + RECORDED_MS } else { stored.until_ms };
        if until_ms > now_ms() && (is_news || looked) {
            sql.exec("CREATE TABLE IF NOT EXISTS failures (id INTEGER PRIMARY KEY CHECK (id = 1), record TEXT NOT NULL) STRICT", None)
                .or_fault("app log")?;
            let text = serde_json::to_string(&Recorded { until_ms, log: log.clone() }).or_fault("app log")?;
            let statement = "INSERT INTO failures (id, record) VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET record = excluded.record";
            sql.exec(statement, vec![SqlStorageValue::String(text)]).or_fault("app log")?;
        }
        Ok(log)
    }

    /// The record as it is now: another change may have been written while one waited.
    fn current(&self) -> Result<Answer, Fault> {
        Ok(self.read()?.map_or(Answer::Missing, Answer::App))
    }

    /// A record that cannot be read is a fault, never "no such app".
    fn read(&self) -> Result<Option<Box<app::App>>, Fault> {
        let sql = self.state.storage().sql();
        if !super::has_table(&sql, "app", "app read")? {
            return Ok(None);
        }
        let record = record(&sql, "SELECT record FROM app WHERE id = 1", "app read")?;
        record.map(|text| json::read(text.as_bytes()).or_fault("app record")).transpose()
    }

    fn write(&self, record: &app::App) -> Result<(), Fault> {
        let text = serde_json::to_string(record).or_fault("app record")?;
        let sql = self.state.storage().sql();
        sql.exec("CREATE TABLE IF NOT EXISTS app (id INTEGER PRIMARY KEY CHECK (id = 1), record TEXT NOT NULL) STRICT", None)
            .or_fault("app schema")?;
        let statement = "INSERT INTO app (id, record) VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET record = excluded.record";
        sql.exec(statement, vec![SqlStorageValue::String(text)]).or_fault("app write")?;
        Ok(())
    }

    /// Waits until every copy that an isolate holds of before is older than this.
    async fn outlive(&self, age_ms: u64) {
        let since_ms = now_ms().saturating_sub(self.leased_ms.get().unwrap_or_else(now_ms));
        let wait_ms = age_ms.saturating_sub(since_ms);
        if wait_ms > 0 {
            worker::Delay::from(Duration::from_millis(wait_ms)).await;
        }
    }
}
