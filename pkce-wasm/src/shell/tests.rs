//! The export as JavaScript sees it; run in Node and in a browser.

use super::*;
use crate::form::{Form, base64url};
use crate::pkce;
use js_sys::futures::JsFuture;
use js_sys::{Array, Function, Promise, Reflect, Uint8Array};
use wasm_bindgen::JsCast as _;
use wasm_bindgen_test::wasm_bindgen_test;

fn web_crypto_digest(message: &str) -> JsFuture {
    let global = js_sys::global();
    let crypto = Reflect::get(&global, &"crypto".into()).unwrap();
    let subtle = Reflect::get(&crypto, &"subtle".into()).unwrap();
    let digest: Function = Reflect::get(&subtle, &"digest".into()).unwrap().unchecked_into();
    let arguments = Array::of2(&"SHA-256".into(), &Uint8Array::from(message.as_bytes()));
    let promise: Promise = digest.apply(&subtle, &arguments).unwrap().unchecked_into();
    JsFuture::from(promise)
}

#[wasm_bindgen_test]
async fn challenges_agree_with_the_platform_s_sha256() {
    for length in [0, 1, 43, 55] {
        let verifier = "v".repeat(length);
        let expected = Uint8Array::new(&web_crypto_digest(&verifier).await.unwrap()).to_vec();
        assert_eq!(pkce::challenge(&verifier), base64url(expected), "{length}");
    }
}

/// Texts made of the pieces that parsers stumble over, in an order that a linear congruence chooses.
fn garbage(seed: &mut u32) -> String {
    const PIECES: [&str; 16] =
        ["%", "%4", "%zz", "%ff", "&", "=", "\n", "#", "+", "state=", "code=", "iss=", "é", "\u{1F511}", "\0", "https://app.example/?"];
    let mut text = String::new();
    for _ in 0..12 {
        *seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        text.push_str(PIECES[(*seed >> 28) as usize]);
    }
    text
}

#[wasm_bindgen_test]
fn no_input_stops_the_module() {
    let mut seed = 7;
    for round in 0..4_000 {
        let (one, two, three) = (garbage(&mut seed), garbage(&mut seed), garbage(&mut seed));
        let what = ["login", "callback", "tokens", "metadata", "pkce", ""][round % 6];
        let now = ["0", "-1", "1700000000000", "999999999999999999"][round % 4];
        ask(&["ask=", what, "&now=", now, "&verifier=", &"k".repeat(43), "&state=", &"k".repeat(32), "&", &one, "\n", &two, "\n", &three]
            .concat());
        ask(&one);
    }
    let record = ask(&("ask=pkce&verifier=".to_owned() + &"k".repeat(43)));
    assert_eq!(Form(&record).field("verifier"), "k".repeat(43));
}
