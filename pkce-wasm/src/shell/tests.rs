//! The exports as JavaScript sees them; run in Node and in a browser.

use super::*;
use crate::form::{Form, base64url, decoded, push_plain};
use js_sys::futures::JsFuture;
use js_sys::{Array, Function, Promise, Reflect, Uint8Array};
use wasm_bindgen_test::wasm_bindgen_test;

const WISHES: &str = "issuer=https%3A%2F%2Fas.example&client_id=demo&redirect_uri=https%3A%2F%2Fapp.example%2F";
const CLIENT: &str = "issuer=https%3A%2F%2Fas.example&client_id=demo&place=https%3A%2F%2Fapp.example%2F";
const NOW: f64 = 1_700_000_000_000.0;

fn plain(escaped: &str) -> String {
    String::from_utf8(decoded(escaped).flatten().collect()).unwrap()
}

#[wasm_bindgen_test]
fn rfc7636_appendix_b() {
    let challenge = pkce::challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
    assert_eq!(challenge, "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
}

#[wasm_bindgen_test]
fn every_pair_is_new_and_fits() {
    let (first, second) = (generate_pkce(), generate_pkce());
    let (first, second) = (Form(&first), Form(&second));
    assert_ne!(first.field("verifier"), second.field("verifier"));
    assert_eq!(first.field("verifier").len(), 43);
    assert_eq!(first.field("challenge"), pkce::challenge(first.field("verifier")));
}

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
    for length in [0, 43, 55, 56, 64, 128] {
        let verifier = "v".repeat(length);
        let expected = Uint8Array::new(&web_crypto_digest(&verifier).await.unwrap()).to_vec();
        assert_eq!(pkce::challenge(&verifier), base64url(&expected), "{length}");
    }
}

#[wasm_bindgen_test]
fn a_login_goes_out_and_comes_home() {
    let request = begin(WISHES, "prompt=login", NOW);
    let request = Form(&request);
    assert!(plain(request.field("query")).ends_with("&prompt=login"));
    let flow = plain(request.field("flow"));
    let url = "https://app.example/?code=c&iss=https://as.example&state=".to_owned() + request.field("state");
    let answer = land(CLIENT, &url, &flow, NOW + 5_000.0);
    assert_eq!(Form(&answer).field("code"), "c");
    assert_eq!(Form(&answer).field("verifier"), request.field("verifier"));
    assert_eq!(clean(&url), "https://app.example/");
}

#[wasm_bindgen_test]
fn failures_are_records() {
    let answer = land(CLIENT, "https://app.example/?code=c&state=s", "", NOW);
    assert_eq!(Form(&answer).field("failure"), "state_unknown");
    let request = begin("", "", NOW);
    assert_eq!(Form(&request).field("failure"), "config_invalid");
}

/// Texts made of the pieces that parsers stumble over, in an order that a linear congruence chooses.
fn garbage(seed: &mut u32) -> String {
    const PIECES: [&str; 16] =
        ["%", "%4", "%zz", "%ff", "&", "=", "?", "#", "+", "state=", "code=", "iss=", "é", "\u{1F511}", "\0", "https://app.example/"];
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
    for round in 0..2_000 {
        let (one, two, three) = (garbage(&mut seed), garbage(&mut seed), garbage(&mut seed));
        let time = [NOW, f64::NAN, -1.0, f64::INFINITY][round % 4];
        land(&one, &two, &three, time);
        land(CLIENT, &two, &three, time);
        begin(&one, &two, time);
        let mut wishes = String::from(WISHES);
        push_plain(&mut wishes, "return_to", &one);
        begin(&wishes, &two, time);
        clean(&three);
    }
    assert_eq!(clean("https://a/?code=1"), "https://a/");
}
