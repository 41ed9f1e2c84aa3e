//! The reader of JSON.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::json;

use super::*;

#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Word {
    OneWord,
    Other,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct All {
    small: u8,
    large: u64,
    signed: i64,
    truth: bool,
    text: String,
    maybe: Option<u32>,
    words: Vec<Word>,
    by_word: BTreeMap<String, Word>,
    any: Value,
    #[serde(default)]
    left_out: String,
}

fn all() -> Value {
    json!({ "small": 255, "large": u64::MAX, "signed": -3, "truth": true, "text": "ä", "maybe": null, "words": ["one_word", "other"],
        "by_word": { "a": "other" }, "any": [1, -1, 0.5, "x", { "y": null }] })
}

fn with(name: &str, value: Value) -> String {
    let mut all = all();
    all[name] = value;
    from_value::<All>(&all).unwrap_err().to_string()
}

#[test]
fn every_kind_is_read_as_serde_json_reads_it() {
    let ours: All = read(all().to_string().as_bytes()).unwrap();
    assert_eq!(ours, serde_json::from_value::<All>(all()).unwrap());
    assert_eq!(read::<BTreeMap<String, u8>>(b"{\"a\":1}").unwrap(), [("a".to_owned(), 1)].into());
}

#[test]
fn what_is_wrong_is_told_as_serde_json_tells_it() {
    for (name, value) in [
        ("small", json!(256)),
        ("small", json!(-1)),
        ("text", json!(1)),
        ("text", json!(null)),
        ("words", json!(["third"])),
        ("words", json!({})),
        ("by_word", json!([])),
        ("maybe", json!("1")),
        ("truth", json!("a\"b")),
        ("unknown", json!(1)),
    ] {
        let mut wrong = all();
        wrong[name] = value.clone();
        assert_eq!(with(name, value), serde_json::from_value::<All>(wrong).unwrap_err().to_string());
    }
    assert_eq!(from_value::<All>(&json!({})).unwrap_err().to_string(), "missing field `small`");
    assert!(read::<All>(b"{").unwrap_err().to_string().contains("line 1 column 1"));
    assert!(read::<All>(b"[1]").unwrap_err().to_string().starts_with("invalid type: sequence, expected struct All"));
}
