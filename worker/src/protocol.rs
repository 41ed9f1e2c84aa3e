//! The way from the pages of developers to the protocol.
//!
//! In development both are one module: a call. A deployment has two modules in one Worker, so that
//! requests of apps never wait for the portal's code. There the entry (`worker/entry.mjs`) gives the
//! portal's module one binding more, `PROTOCOL`, made anew for each request: it can be reached from
//! code only, never by a request from outside.

use edgegrant_core::app::Failure;
use worker::Request;

use crate::answer::Answer;
use crate::call::Call;
use crate::fault::Fault;

/// Asks one of our own routes as an app would.
#[cfg(feature = "protocol")]
pub(crate) async fn ask(call: &Call, request: Request, path: &str) -> Result<Answer, Fault> {
    let mut inner = call.inner(request, path);
    let answer: std::pin::Pin<Box<dyn Future<Output = Answer> + '_>> = Box::pin(crate::routes::answer(&mut inner));
    let answer = answer.await;
    crate::failures::note(&inner, &answer);
    Ok(answer)
}

/// An app's failed requests that wait in this isolate.
#[cfg(feature = "protocol")]
pub(crate) fn failures(_: &Call, app: u32) -> Result<Vec<Failure>, Fault> {
    Ok(crate::failures::take(app, true))
}

/// Hands over what this isolate has counted of requests to the protocol.
#[cfg(feature = "protocol")]
pub(crate) async fn flush(_: &Call) -> Result<(), Fault> {
    // In one module with the portal there is one memory, and the page hands it over itself.
    Ok(())
}

#[cfg(not(feature = "protocol"))]
pub(crate) use elsewhere::{ask, failures, flush};

/// The protocol is in another module.
#[cfg(not(feature = "protocol"))]
mod elsewhere {
    use edgegrant_core::app::Failure;
    use worker::js_sys::{Function, Promise, Reflect};
    use worker::wasm_bindgen::{JsCast as _, JsValue};
    use worker::wasm_bindgen_futures::JsFuture;
    use worker::{Request, Response, web_sys};

    use crate::answer::Answer;
    use crate::call::Call;
    use crate::fault::{Fault, OrFault as _};

    const PLACE: &str = "protocol";

    /// Calls a function of the binding.
    fn call_it(call: &Call, name: &str, argument: &JsValue) -> Result<JsValue, Fault> {
        let get = |from: &JsValue, name: &str| Reflect::get(from, &JsValue::from_str(name)).ok();
        let binding = get(call.env.as_ref(), "PROTOCOL").or_fault(PLACE)?;
        let function: Function = get(&binding, name).or_fault(PLACE)?.dyn_into().ok().or_fault(PLACE)?;
        function.call1(&binding, argument).ok().or_fault(PLACE)
    }

    pub(crate) async fn ask(call: &Call, request: Request, _: &str) -> Result<Answer, Fault> {
        let answer: Promise = call_it(call, "fetch", request.inner())?.dyn_into().ok().or_fault(PLACE)?;
        let response: web_sys::Response = JsFuture::from(answer).await.ok().or_fault(PLACE)?.unchecked_into();
        Answer::of(Response::from(response)).await.or_fault(PLACE)
    }

    pub(crate) async fn flush(call: &Call) -> Result<(), Fault> {
        let done: Promise = call_it(call, "flush", &JsValue::UNDEFINED)?.dyn_into().ok().or_fault(PLACE)?;
        let done = JsFuture::from(done).await.ok().or_fault(PLACE)?;
        done.is_truthy().then_some(()).or_fault(PLACE)
    }

    pub(crate) fn failures(call: &Call, app: u32) -> Result<Vec<Failure>, Fault> {
        let text = call_it(call, "failures", &app.into())?.as_string().or_fault(PLACE)?;
        edgegrant_core::json::read(text.as_bytes()).or_fault(PLACE)
    }
}

/// The same for the portal, which is in another module: as JSON.
#[cfg(all(feature = "protocol", not(feature = "portal")))]
#[worker::wasm_bindgen::prelude::wasm_bindgen(wasm_bindgen = worker::wasm_bindgen)]
pub fn failures_of(app: u32) -> String {
    serde_json::to_string(&crate::failures::take(app, true)).unwrap_or_default()
}

/// The same: hands over what this module has counted. Whether that was done.
#[cfg(all(feature = "protocol", not(feature = "portal")))]
#[worker::wasm_bindgen::prelude::wasm_bindgen(
    wasm_bindgen = worker::wasm_bindgen,
    wasm_bindgen_futures = worker::wasm_bindgen_futures,
    js_sys = worker::js_sys
)]
pub async fn flush_counters(env: worker::Env) -> bool {
    crate::metrics::flush(&env).await.inspect_err(|fault| crate::log::fault("counters", fault)).is_ok()
}
