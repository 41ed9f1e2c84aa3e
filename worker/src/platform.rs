//! Clock, randomness and address: what the core takes as arguments.

use worker::wasm_bindgen::JsValue;
use worker::{Date, Headers, Request, web_sys};

/// Milliseconds since 1970. The platform's clock stands still while a request computes.
pub(crate) fn now_ms() -> u64 {
    let now = Date::now().as_millis();
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
