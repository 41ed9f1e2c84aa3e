//! The three Durable Objects: shells that load, ask the core, write once, answer.
//!
//! | object | one per | owns |
//! |---|---|---|
//! | [`grant::Grant`] | (account, app), and account for its API keys | token families, claimed codes, keys, API counters |
//! | [`app::App`] | app, and resource server | status, secret hashes, redirect URIs, scopes |
//! | [`limiter::RateLimiter`] | name that tries to sign in; app, account, address | counters before authentication; limits wider than a grant |
//!
//! A command travels in one header, the answer in another, as base64url of postcard. Nothing secret
//! is in an object's URL; what is in the headers is usable by nobody (see `edgegrant_core::grant`).

pub(crate) mod app;
pub(crate) mod grant;
pub(crate) mod limiter;

use edgegrant_core::encoding::{base64url, from_base64url};
use serde::Serialize;
use serde::de::DeserializeOwned;
use worker::{Env, Headers, Request, Response, ResponseBuilder, SqlStorage, SqlStorageValue};

use crate::fault::{Fault, OrFault as _};
use crate::metrics::{self, Part};

/// The values of the rows that a statement of an object's own storage returns, column by column.
fn rows(
    sql: &SqlStorage,
    statement: &str,
    bindings: Vec<SqlStorageValue>,
    place: &'static str,
) -> Result<Vec<Vec<SqlStorageValue>>, Fault> {
    sql.exec(statement, bindings).or_fault(place)?.raw().collect::<worker::Result<_>>().or_fault(place)
}

/// Whether an object has made this table.
fn has_table(sql: &SqlStorage, name: &str, place: &'static str) -> Result<bool, Fault> {
    Ok(!rows(sql, "SELECT name FROM sqlite_master WHERE type = 'table' AND name = ?", vec![name.into()], place)?.is_empty())
}

const COMMAND: &str = "edgegrant-command";
const ANSWER: &str = "edgegrant-answer";
/// Name and command of what is asked about health: no grant, app or counter is called so.
const PROBE: &str = "health";

/// Asks the object `name` behind a binding.
pub(crate) async fn ask<C: Serialize, A: DeserializeOwned>(env: &Env, binding: &'static str, name: &str, command: &C) -> Result<A, Fault> {
    let bytes = postcard::to_allocvec(command).or_fault(binding)?;
    let answer = send(env, binding, name, &base64url(&bytes)).await?;
    let bytes = from_base64url(&answer).or_fault(binding)?;
    postcard::from_bytes(&bytes).or_fault(binding)
}

/// That the objects behind a binding answer. The one that is asked stores nothing.
pub(crate) async fn probe(env: &Env, binding: &'static str) -> Result<(), Fault> {
    send(env, binding, PROBE, PROBE).await.map(|_| ())
}

/// Sends a command; the answer as it came.
async fn send(env: &Env, binding: &'static str, name: &str, command: &str) -> Result<String, Fault> {
    let asked = metrics::ask(match binding {
        "GRANT" => Part::Grant,
        "APP" => Part::App,
        _ => Part::Limiter,
    });
    let stub = env.durable_object(binding).and_then(|namespace| namespace.get_by_name(name)).or_fault(binding)?;
    let headers = Headers::new();
    headers.set(COMMAND, command).or_fault(binding)?;
    let request = crate::platform::request("https://object/", "POST", &headers, None).or_fault(binding)?;
    let response = stub.fetch_with_request(request).await.or_fault(binding)?;
    let answer = response.headers().get(ANSWER).or_fault(binding)?.or_fault(binding)?;
    asked.answered();
    Ok(answer)
}

/// The answer to a request that only asks whether an object answers: before any storage is touched.
fn probed(request: &Request) -> Option<worker::Result<Response>> {
    let asked = request.headers().get(COMMAND).ok()??;
    (asked == PROBE).then(|| Ok(ResponseBuilder::new().with_header(ANSWER, PROBE)?.empty()))
}

/// The command of a request to an object.
fn command<C: DeserializeOwned>(request: &Request) -> Result<C, Fault> {
    let text = request.headers().get(COMMAND).or_fault("command")?.or_fault("command")?;
    postcard::from_bytes(&from_base64url(&text).or_fault("command")?).or_fault("command")
}

/// An object's answer. A fault has no words: what an object says reaches the caller (attack A70).
fn answer<A: Serialize>(outcome: Result<A, Fault>) -> worker::Result<Response> {
    let encoded = outcome.and_then(|answer| postcard::to_allocvec(&answer).or_fault("answer"));
    match encoded {
        Ok(bytes) => Ok(ResponseBuilder::new().with_header(ANSWER, &base64url(&bytes))?.empty()),
        Err(fault) => {
            worker::console_error!("object fault at {fault}");
            Ok(ResponseBuilder::new().with_status(503).empty())
        }
    }
}
