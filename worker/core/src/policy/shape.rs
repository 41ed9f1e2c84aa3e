//! The shape of a JSON answer: the answer itself, with placeholders where values go.
//!
//! `{"message": "$description"}` and `{"errors": [{"status": "$status", …}]}` are two dialects of the
//! same errors, so a platform's dialect is a value in its preset and not code. A text that begins with
//! `$` is a placeholder as a whole; `$name?` as the value of a member leaves the member out when there
//! is nothing to say.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A JSON value with placeholders.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Shape(Value);

impl Shape {
    /// The answer, with the value of each placeholder from `value`. `Value::Null` is "nothing to say".
    pub fn fill(&self, value: &dyn Fn(&str) -> Value) -> Value {
        fill(&self.0, value)
    }

    /// The first placeholder that is not among the known ones.
    #[must_use]
    pub fn first_unknown(&self, known: &[&str]) -> Option<String> {
        first_unknown(&self.0, known)
    }
}

/// The name of a placeholder and whether its member may be left out.
fn placeholder(text: &str) -> Option<(&str, bool)> {
    let name = text.strip_prefix('$')?;
    Some(name.strip_suffix('?').map_or((name, false), |name| (name, true)))
}

fn fill(shape: &Value, value: &dyn Fn(&str) -> Value) -> Value {
    match shape {
        Value::String(text) => placeholder(text).map_or_else(|| shape.clone(), |(name, _)| value(name)),
        Value::Array(items) => Value::Array(items.iter().map(|item| fill(item, value)).collect()),
        Value::Object(members) => Value::Object(filled(members, value)),
        other => other.clone(),
    }
}

fn filled(members: &Map<String, Value>, value: &dyn Fn(&str) -> Value) -> Map<String, Value> {
    let mut out = Map::new();
    for (name, shape) in members {
        let optional = shape.as_str().and_then(placeholder).is_some_and(|(_, optional)| optional);
        let filled = fill(shape, value);
        if !(optional && filled.is_null()) {
            out.insert(name.clone(), filled);
        }
    }
    out
}

fn first_unknown(shape: &Value, known: &[&str]) -> Option<String> {
    match shape {
        Value::String(text) => placeholder(text).filter(|(name, _)| !known.contains(name)).map(|_| text.clone()),
        Value::Array(items) => items.iter().find_map(|item| first_unknown(item, known)),
        Value::Object(members) => members.values().find_map(|item| first_unknown(item, known)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn ask(name: &str) -> Value {
        match name {
            "status" => json!(401),
            "description" => json!("a \"b\""),
            _ => Value::Null,
        }
    }

    #[test]
    fn placeholders_become_values_of_their_type_wherever_they_stand() {
        let shape =
            Shape(json!({ "errors": [{ "status": "$status", "detail": "$description", "fixed": "401", "n": 1 }], "none": "$null" }));
        let expected = json!({ "errors": [{ "status": 401, "detail": "a \"b\"", "fixed": "401", "n": 1 }], "none": null });
        assert_eq!(shape.fill(&ask), expected);
    }

    #[test]
    fn a_member_that_may_be_missing_is_left_out_when_there_is_nothing_to_say() {
        assert_eq!(Shape(json!({ "a": "$nothing?", "b": "$status?" })).fill(&ask), json!({ "b": 401 }));
    }

    #[test]
    fn a_misspelled_placeholder_is_found() {
        let shape = Shape(json!({ "a": ["$status", { "b": "$stauts" }] }));
        assert_eq!(shape.first_unknown(&["status"]), Some("$stauts".to_owned()));
        assert_eq!(shape.first_unknown(&["status", "stauts"]), None);
    }
}
