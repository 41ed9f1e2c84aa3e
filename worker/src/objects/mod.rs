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

use std::cell::RefCell;

use edgegrant_core::encoding::{base64url, from_base64url};
use serde::Serialize;
use serde::de::DeserializeOwned;
use worker::js_sys::{JSON, Promise, Reflect};
use worker::wasm_bindgen::prelude::wasm_bindgen;
use worker::wasm_bindgen::{JsCast as _, JsValue};
use worker::wasm_bindgen_futures::JsFuture;
use worker::worker_sys::DurableObjectNamespace;
use worker::{Env, SqlStorage, SqlStorageValue, web_sys};

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
/// Name and command of what is asked about health: no grant, app or counter is called so, and no storage is
/// touched for it.
const PROBE: &str = "health";

#[wasm_bindgen(wasm_bindgen = worker::wasm_bindgen)]
extern "C" {
    /// An object as its callers see it.
    type Stub;

    #[wasm_bindgen(method, catch)]
    fn fetch(this: &Stub, address: &JsValue, init: &JsValue) -> Result<Promise, JsValue>;

    /// Headers of either side.
    type Carrier;

    #[wasm_bindgen(method, catch)]
    fn get(this: &Carrier, name: &JsValue) -> Result<JsValue, JsValue>;
}

/// What each request to an object needs, made once in an isolate: a binding is no part of a request.
struct Made {
    address: JsValue,
    command: JsValue,
    answer: JsValue,
    namespaces: RefCell<Vec<(&'static str, DurableObjectNamespace)>>,
}

thread_local! {
    static MADE: Made =
        Made { address: "https://object/".into(), command: COMMAND.into(), answer: ANSWER.into(), namespaces: RefCell::default() };
}

impl Made {
    fn namespace(&self, env: &Env, binding: &'static str) -> worker::Result<DurableObjectNamespace> {
        if let Some((_, known)) = self.namespaces.borrow().iter().find(|(name, _)| *name == binding) {
            return Ok(known.clone());
        }
        let namespace: DurableObjectNamespace = Reflect::get(env.as_ref(), &binding.into())?.unchecked_into();
        self.namespaces.borrow_mut().push((binding, namespace.clone()));
        Ok(namespace)
    }
}

/// What a request or response with one header is made from. The value is base64url.
fn init(start: &str, header: &str, value: &str) -> worker::Result<JsValue> {
    Ok(JSON::parse(&format!("{{{start}\"headers\":{{\"{header}\":\"{value}\"}}}}"))?)
}

/// Sends a command to the object `name` behind a binding; its answer. Made of the fewest calls into
/// JavaScript: through the wrappers of `worker` they take longer than the object.
async fn send(env: &Env, binding: &'static str, name: &str, command: &str) -> Result<String, Fault> {
    let asked = metrics::ask(match binding {
        "GRANT" => Part::Grant,
        "APP" => Part::App,
        _ => Part::Limiter,
    });
    let answer = MADE.with(|made| -> worker::Result<Promise> {
        let stub: Stub = made.namespace(env, binding)?.get_by_name(name)?.unchecked_into();
        Ok(stub.fetch(&made.address, &init("\"method\":\"POST\",", COMMAND, command)?)?)
    });
    let answer = JsFuture::from(answer.or_fault(binding)?).await.map_err(worker::Error::from).or_fault(binding)?;
    let headers: Carrier = answer.unchecked_into::<web_sys::Response>().headers().unchecked_into();
    let answer = MADE.with(|made| headers.get(&made.answer)).ok().and_then(|text| text.as_string()).or_fault(binding)?;
    asked.answered();
    Ok(answer)
}

/// Asks the object `name` behind a binding.
pub(crate) async fn ask<C: Serialize, A: DeserializeOwned>(env: &Env, binding: &'static str, name: &str, command: &C) -> Result<A, Fault> {
    let command = base64url(&postcard::to_allocvec(command).or_fault(binding)?);
    let answer = send(env, binding, name, &command).await?;
    postcard::from_bytes(&from_base64url(&answer).or_fault(binding)?).or_fault(binding)
}

/// That the objects behind a binding answer. The one that is asked stores nothing.
pub(crate) async fn probe(env: &Env, binding: &'static str) -> Result<(), Fault> {
    send(env, binding, PROBE, PROBE).await.map(|_| ())
}

/// The command of a request to an object.
fn command<C: DeserializeOwned>(request: &web_sys::Request) -> Result<C, Fault> {
    let headers: Carrier = request.headers().unchecked_into();
    let text = MADE.with(|made| headers.get(&made.command)).ok().and_then(|text| text.as_string()).or_fault("command")?;
    if text == PROBE {
        return Err(Fault::at(PROBE));
    }
    postcard::from_bytes(&from_base64url(&text).or_fault("command")?).or_fault("command")
}

/// An object's answer. A fault has no words: what an object says reaches the caller (attack A70).
fn answer<A: Serialize>(outcome: Result<A, Fault>) -> worker::Result<web_sys::Response> {
    let encoded = outcome.and_then(|answer| postcard::to_allocvec(&answer).or_fault("answer"));
    let init = match encoded {
        Ok(bytes) => init("", ANSWER, &base64url(&bytes))?,
        Err(fault) if fault.place == PROBE => init("", ANSWER, PROBE)?,
        Err(fault) => {
            worker::console_error!("object fault at {fault}");
            JSON::parse("{\"status\":503}")?
        }
    };
    Ok(web_sys::Response::new_with_opt_str_and_init(None, init.unchecked_ref())?)
}
