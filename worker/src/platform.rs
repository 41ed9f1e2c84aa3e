//! Clock, randomness and address: what the core takes as arguments.

use worker::js_sys::{Array, Date, Function, Object, Promise, Reflect};
use worker::wasm_bindgen::{JsCast as _, JsValue};
use worker::wasm_bindgen_futures::JsFuture;
use worker::{Env, Headers, Request, web_sys};

/// Milliseconds since 1970. The platform's clock stands still while a request computes.
pub(crate) fn now_ms() -> u64 {
    // Whole and positive: what JavaScript's clock says fits.
    let now = Date::now() as u64;
    #[cfg(feature = "development")]
    let now = crate::development::clock::shifted(now);
    now
}

/// Seconds since 1970.
pub(crate) fn now_s() -> u64 {
    now_ms() / 1000
}

/// Random bytes from the platform's generator.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], crate::fault::Fault> {
    use crate::fault::OrFault as _;
    let mut out = [0; N];
    getrandom::fill(&mut out).or_fault("random")?;
    Ok(out)
}

/// A random id: 32 hexadecimal digits.
pub(crate) fn random_id() -> Result<String, crate::fault::Fault> {
    Ok(edgegrant_core::encoding::hex(&random::<16>()?))
}

/// The caller's network: the address that the platform saw, IPv6 by its /64 (one customer owns that
/// many). Never from a header that a client can set.
pub(crate) fn network(headers: &Headers) -> String {
    let address = headers.get("cf-connecting-ip").ok().flatten().unwrap_or_default();
    match address.parse::<std::net::IpAddr>() {
        Ok(std::net::IpAddr::V6(v6)) => match v6.to_ipv4_mapped() {
            Some(v4) => v4.to_string(),
            None => {
                let [a, b, c, d, ..] = v6.segments();
                format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
            }
        },
        Ok(v4) => v4.to_string(),
        Err(_) => "unknown".to_owned(),
    }
}

/// A request of our own. Made without `worker::RequestInit`, which brings writers of settings that nothing here uses.
pub(crate) fn request(address: &str, method: &str, headers: &Headers, body: Option<&JsValue>) -> worker::Result<Request> {
    let init = web_sys::RequestInit::new();
    init.set_method(method);
    init.set_headers(headers.as_ref());
    if let Some(body) = body {
        init.set_body(body);
    }
    Ok(web_sys::Request::new_with_str_and_init(address, &init)?.into())
}

/// Calls a method of a binding and waits for what it promises. KV and the rate limiter are asked so: their wrappers in
/// `worker` bring a serializer and a deserializer of JavaScript objects that nothing else here needs.
pub(crate) async fn ask_binding(env: &Env, binding: &str, method: &str, arguments: &[JsValue]) -> worker::Result<JsValue> {
    let binding = Reflect::get(env.as_ref(), &binding.into())?;
    let method: Function = Reflect::get(&binding, &method.into())?.dyn_into()?;
    let arguments: Array = arguments.iter().collect();
    let promise = method.apply(&binding, &arguments)?;
    Ok(JsFuture::from(Promise::resolve(&promise)).await?)
}

/// An object with one member.
pub(crate) fn object(name: &str, value: &JsValue) -> worker::Result<JsValue> {
    let object = Object::new();
    Reflect::set(&object, &name.into(), value)?;
    Ok(object.into())
}
