use super::*;
use crate::form::decoded;

const WISHES: &str = "issuer=https%3A%2F%2Fas.example&client_id=demo&redirect_uri=https%3A%2F%2Fapp.example%2F";
const NOW: &str = "&now=1700000000000";

fn plain(escaped: &str) -> String {
    String::from_utf8(decoded(escaped).flatten().collect()).unwrap()
}

fn login(extra: &str, slots: &str) -> String {
    answer(&["ask=login&", WISHES, NOW, "&verifier=", &"k".repeat(43), "&state=", &"k".repeat(32), "\n", extra, "\n", slots].concat())
}

fn callback(url: &str, flow: &str) -> String {
    let client = "ask=callback&issuer=https%3A%2F%2Fas.example&client_id=demo&place=https%3A%2F%2Fapp.example%2F";
    answer(&[client, NOW, "\n", url, "\n", flow].concat())
}

#[test]
fn a_login_goes_out_and_comes_home() {
    let request = login("prompt=login", "old=7");
    let request = Form(&request);
    assert!(plain(request.field("query")).ends_with("&prompt=login"));
    assert_eq!(request.field("drop"), "old+");
    let flow = plain(request.field("flow"));
    let url = "https://app.example/?page=2&code=c&iss=https://as.example&state=".to_owned() + request.field("state");
    let landed = callback(&url, &flow);
    assert_eq!(Form(&landed).field("code"), "c");
    assert_eq!(Form(&landed).field("verifier"), request.field("verifier"));
    assert_eq!(plain(Form(&landed).field("clean")), "https://app.example/?page=2");
}

#[test]
fn failures_are_records_too_and_the_url_is_cleaned_with_them() {
    let landed = callback("https://app.example/?code=c&state=s#top", "");
    assert_eq!(Form(&landed).field("failure"), "state_unknown");
    assert_eq!(plain(Form(&landed).field("clean")), "https://app.example/#top");
    assert_eq!(Form(&answer("ask=login")).field("failure"), "unsupported");
    assert_eq!(Form(&answer("ask=tokens\naccess_token=")).field("failure"), "invalid_response");
    assert_eq!(Form(&answer("ask=metadata&issuer=a\nissuer=b")).field("failure"), "issuer_mismatch");
}

#[test]
fn a_url_without_an_answer_is_nothing() {
    assert_eq!(callback("https://app.example/?page=2", ""), "");
    assert_eq!(callback("https://app.example/shop?code=SALE10&state=x", ""), "");
}
