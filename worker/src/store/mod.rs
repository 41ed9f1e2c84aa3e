//! D1 and KV: one file per thing that is stored. Every function is one statement, one batch or one
//! key, and says which.

pub(crate) mod accounts;
pub(crate) mod apps;
pub(crate) mod audit;
pub(crate) mod codes;
pub(crate) mod consent;
pub(crate) mod counters;
pub(crate) mod departure;
pub(crate) mod idempotency;
pub(crate) mod identities;
pub(crate) mod installs;
pub(crate) mod keys;
pub(crate) mod people;
pub(crate) mod portrait;
pub(crate) mod profile;
pub(crate) mod resource_servers;
pub(crate) mod rotation;
pub(crate) mod setup;
pub(crate) mod tokens;

use edgegrant_core::json;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use worker::js_sys::{Array, JSON};
use worker::wasm_bindgen::JsCast as _;
use worker::wasm_bindgen::JsValue;
use worker::wasm_bindgen_futures::JsFuture;
use worker::{D1Database, D1PreparedStatement, Env, worker_sys};

use crate::fault::{Fault, OrFault as _};
use crate::metrics::{self, Part};

/// The database.
pub(crate) fn database(env: &Env) -> Result<D1Database, Fault> {
    env.d1("DB").or_fault("D1")
}

/// A statement with its values.
pub(crate) fn statement(database: &D1Database, sql: &str, values: &[JsValue]) -> Result<D1PreparedStatement, Fault> {
    database.prepare(sql).bind(values).or_fault("D1 statement")
}

/// The rows of one statement.
pub(crate) async fn rows<T: DeserializeOwned>(database: &D1Database, sql: &str, values: &[JsValue]) -> Result<Vec<T>, Fault> {
    rows_of(&read(database, sql, values).await?, "D1 read")
}

async fn read(database: &D1Database, sql: &str, values: &[JsValue]) -> Result<Value, Fault> {
    let statement = statement(database, sql, values)?;
    let asked = metrics::ask(Part::D1);
    let answer = statement.inner().all().map_err(worker::Error::from).or_fault("D1 read")?;
    let answer = JsFuture::from(answer).await.map_err(worker::Error::from).or_fault("D1 read")?;
    asked.answered();
    results(answer, "D1 read")
}

/// The rows of a result, through the one reader of JSON (see `edgegrant_core::json`).
fn results(answer: JsValue, place: &'static str) -> Result<Value, Fault> {
    let rows = answer.unchecked_into::<worker_sys::D1Result>().results().map_err(worker::Error::from).or_fault(place)?;
    let text = JSON::stringify(&rows.unwrap_or_default()).map_err(worker::Error::from).or_fault(place)?;
    json::parse(String::from(text).as_bytes()).or_fault(place)
}

/// Runs statements as one transaction, all of them or none; the rows of each, for [`rows_of`].
pub(crate) async fn batch(database: &D1Database, statements: Vec<D1PreparedStatement>, place: &'static str) -> Result<Vec<Value>, Fault> {
    let statements: Array = statements.iter().map(D1PreparedStatement::inner).collect();
    let database = AsRef::<JsValue>::as_ref(database).unchecked_ref::<worker_sys::D1Database>();
    let asked = metrics::ask(Part::D1);
    let answers = database.batch(statements).map_err(worker::Error::from).or_fault(place)?;
    let answers = JsFuture::from(answers).await.map_err(worker::Error::from).or_fault(place)?;
    asked.answered();
    Array::from(&answers).iter().map(|answer| results(answer, place)).collect()
}

/// Rows as a type.
pub(crate) fn rows_of<T: DeserializeOwned>(rows: &Value, place: &'static str) -> Result<Vec<T>, Fault> {
    json::from_value(rows).or_fault(place)
}

/// A row of a list for programs, which the database has put into JSON.
#[derive(Deserialize)]
pub(crate) struct Item {
    /// Where the list goes on after it.
    pub(crate) key: String,
    /// A JSON object.
    pub(crate) json: String,
}

/// A text and a number: what small queries give. One type for all of them, since each type that rows are
/// read into is kilobytes of module.
#[derive(Deserialize)]
pub(crate) struct Pair {
    /// Column `text`.
    pub(crate) text: String,
    /// Column `number`.
    pub(crate) number: u32,
}

/// Runs one statement that returns nothing.
pub(crate) async fn run(database: &D1Database, sql: &str, values: &[JsValue]) -> Result<(), Fault> {
    read(database, sql, values).await?;
    Ok(())
}

/// A number for a statement. Seconds and counters stay far below 2^53, where JavaScript is exact.
pub(crate) fn number(value: u64) -> JsValue {
    JsValue::from_f64(value as f64)
}

/// Text for a statement.
pub(crate) fn text(value: &str) -> JsValue {
    JsValue::from_str(value)
}

/// Text or nothing for a statement.
pub(crate) fn optional(value: Option<&str>) -> JsValue {
    value.map_or(JsValue::NULL, text)
}

/// How long counts are kept, in seconds.
const COUNTS_KEPT_S: u64 = 8 * 86_400;

/// Deletes what is over: codes, decisions, sessions, old audit entries and counts, and registrations
/// that were not finished (their numbers are not used again). Runs daily.
pub(crate) async fn sweep(env: &Env, keep_audit_days: u32, now_s: u64) -> Result<(), Fault> {
    let database = database(env)?;
    let old = now_s.saturating_sub(u64::from(keep_audit_days) * 86_400);
    let mut batch = vec![
        statement(&database, "DELETE FROM counters WHERE slot < ?1", &[number(now_s.saturating_sub(COUNTS_KEPT_S) / metrics::SLOT_S)])?,
        statement(&database, "DELETE FROM audit WHERE at < ?1", &[number(old)])?,
        statement(
            &database,
            "UPDATE apps SET status = 'deleted' WHERE status = 'registering' AND created_at < ?1",
            &[number(now_s.saturating_sub(3600))],
        )?,
    ];
    for table in ["codes", "decisions", "sessions", "idempotency"] {
        let sql = format!("DELETE FROM {table} WHERE expires_at < ?1");
        batch.push(statement(&database, &sql, &[number(now_s.saturating_sub(3600))])?);
    }
    self::batch(&database, batch, "D1 sweep").await?;
    Ok(())
}
