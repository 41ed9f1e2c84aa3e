//! The core of the browser module.

use pkce_wasm::form::Form;
use pkce_wasm::question::answer;

use crate::text;

/// Every question gets an answer. A callback that was never asked for gives no code.
pub fn question(data: &[u8]) {
    let sent = text(data);
    assert!(answer(&sent).len() <= 16 * sent.len() + 4096);
    let client = "ask=callback&issuer=https%3A%2F%2Fas.example&client_id=demo&place=https%3A%2F%2Fapp.example%2F&now=1";
    let url = sent.replace('\n', "");
    let landed = answer(&format!("{client}\nhttps://app.example/?{url}\n"));
    assert!(Form(&landed).field("code").is_empty());
}
