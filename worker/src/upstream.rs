//! The platform's own API: a Worker behind the service binding `API`, or an origin (`UPSTREAM`).
//!
//! Bodies are streams that the platform pumps; nothing of them is read here. A request has a limit until
//! the headers of its answer, and none afterwards: an answer may stream for as long as it likes. When the
//! app goes away the platform ends the request here, and the one to the API with it.

use std::time::Duration;

use futures_util::future::{Either, select};
use worker::js_sys::{self, Function, Promise, Reflect};
use worker::wasm_bindgen::{JsCast as _, JsValue};
use worker::wasm_bindgen_futures::JsFuture;
use worker::{Delay, Env, web_sys};

const BINDING: &str = "API";

/// Where it is.
pub(crate) enum Upstream {
    /// Behind the service binding.
    Binding,
    /// An origin, and its host.
    Origin {
        /// Such as `https://api.example.com`.
        origin: String,
        /// Host and port.
        host: String,
    },
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoAnswer {
    /// It cannot be reached, or fails without an answer.
    Failed,
    /// None came in time.
    Slow,
}

impl From<JsValue> for NoAnswer {
    fn from(_: JsValue) -> Self {
        Self::Failed
    }
}

impl Upstream {
    /// Whether there is the service binding.
    pub(crate) fn is_bound(env: &Env) -> bool {
        Reflect::get(env.as_ref(), &BINDING.into()).is_ok_and(|binding| binding.is_object())
    }

    /// The origin and host that requests are sent to; a service binding has none, and gets the issuer's.
    pub(crate) fn place<'a>(&'a self, issuer: &'a str, host: &'a str) -> (&'a str, &'a str) {
        match self {
            Self::Binding => (issuer, host),
            Self::Origin { origin, host } => (origin, host),
        }
    }

    /// Sends a request; its answer, when the headers are there within so many seconds. Redirects are not
    /// followed, and nothing is kept on the way: caches know addresses, not whose request it is.
    pub(crate) async fn send(
        &self,
        env: &Env,
        address: &str,
        method: &str,
        headers: &web_sys::Headers,
        body: Option<&web_sys::ReadableStream>,
        limit_s: u32,
    ) -> Result<web_sys::Response, NoAnswer> {
        let controller = web_sys::AbortController::new()?;
        let init = web_sys::RequestInit::new();
        init.set_method(method);
        init.set_headers(headers);
        init.set_redirect(web_sys::RequestRedirect::Manual);
        init.set_signal(Some(&controller.signal()));
        if let Some(body) = body {
            init.set_body(body);
        }
        let target = match self {
            Self::Binding => Reflect::get(env.as_ref(), &BINDING.into())?,
            Self::Origin { .. } => {
                init.set_cache(web_sys::RequestCache::NoStore);
                js_sys::global().into()
            }
        };
        let fetch: Function = Reflect::get(&target, &"fetch".into())?.dyn_into()?;
        let asked: Promise = fetch.call2(&target, &address.into(), &init)?.dyn_into()?;
        let limit = Box::pin(Delay::from(Duration::from_secs(limit_s.into())));
        match select(JsFuture::from(asked), limit).await {
            Either::Left((answer, _)) => Ok(answer?.unchecked_into()),
            Either::Right(_) => {
                controller.abort();
                Err(NoAnswer::Slow)
            }
        }
    }
}
