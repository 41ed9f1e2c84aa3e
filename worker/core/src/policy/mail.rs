//! Notices by e-mail: which are sent, and where their words differ from the server's own.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::notice::{Kind, first_unknown};

/// Notices by e-mail. Without a sender address (`MAIL_FROM`) none is sent, whatever stands here.
///
/// The kinds are read as text and the words as they are, and both are checked with the rest of the
/// policy: readers of their types would be kilobytes of the module.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mail {
    /// The kinds that are sent, by their names.
    #[serde(default = "all")]
    pub notices: Vec<String>,
    /// The platform's words: kind, then `subject` or `opening`. `$platform`, `$app` and `$account` stand
    /// for names; `$account` is there where a notice is about one.
    #[serde(default)]
    pub words: Map<String, Value>,
}

/// What a platform may say in its own words, and how many characters long.
const WORDS: [(&str, usize); 2] = [("subject", 120), ("opening", 500)];

fn all() -> Vec<String> {
    Kind::ALL.into_iter().map(|kind| kind.as_str().to_owned()).collect()
}

impl Default for Mail {
    fn default() -> Self {
        Self { notices: all(), words: Map::new() }
    }
}

impl Mail {
    /// Whether notices of a kind are sent.
    #[must_use]
    pub fn sends(&self, kind: Kind) -> bool {
        self.notices.iter().any(|name| name == kind.as_str())
    }

    /// The platform's `subject` or `opening` of a kind, when it has one of its own.
    #[must_use]
    pub fn words(&self, kind: Kind, which: &str) -> Option<&str> {
        self.words.get(kind.as_str())?.get(which)?.as_str()
    }

    /// Checks kinds and words.
    ///
    /// # Errors
    /// The key and what is wrong with it.
    pub fn validate(&self) -> Result<(), String> {
        if let Some(unknown) = self.notices.iter().find(|name| Kind::named(name).is_none()) {
            return Err(format!("mail.notices: there is no kind {unknown}; there are {}", all().join(", ")));
        }
        for (name, words) in &self.words {
            let Some(kind) = Kind::named(name) else {
                return Err(format!("mail.words: there is no kind {name}; there are {}", all().join(", ")));
            };
            let Some(words) = words.as_object() else { return Err(format!("mail.words.{name}: allowed is subject and opening")) };
            for (key, text) in words {
                check(kind, key, text).map_err(|problem| format!("mail.words.{name}.{key}: {problem}"))?;
            }
        }
        Ok(())
    }
}

fn check(kind: Kind, key: &str, text: &Value) -> Result<(), String> {
    let Some((_, most)) = WORDS.into_iter().find(|(known, _)| *known == key) else {
        return Err("allowed is subject and opening".to_owned());
    };
    let Some(text) = text.as_str() else { return Err("allowed is a text".to_owned()) };
    let known = kind.placeholders();
    if let Some(unknown) = first_unknown(text, known) {
        return Err(format!("there is no placeholder ${unknown}; there are ${}", known.join(", $")));
    }
    if text.trim().is_empty() || text.chars().count() > most || text.chars().any(char::is_control) {
        return Err(format!("allowed is one line of at most {most} characters"));
    }
    Ok(())
}
