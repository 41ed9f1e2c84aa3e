//! Notices by e-mail: which are sent, and where their words differ from the server's own.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::notice::{Kind, first_unknown};

/// Notices by e-mail. Without a sender address (`MAIL_FROM`) none is sent, whatever stands here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mail {
    /// The kinds that are sent.
    #[serde(default = "all")]
    pub notices: Vec<Kind>,
    /// The platform's words for some of them.
    #[serde(default)]
    pub words: BTreeMap<Kind, MailWords>,
}

/// What a platform says in its own words. Empty: the server's. `$platform`, `$app` and `$account` stand
/// for names; `$account` is there where a notice is about one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MailWords {
    /// The subject.
    #[serde(default)]
    pub subject: String,
    /// The opening sentence.
    #[serde(default)]
    pub opening: String,
}

fn all() -> Vec<Kind> {
    Kind::ALL.to_vec()
}

impl Default for Mail {
    fn default() -> Self {
        Self { notices: all(), words: BTreeMap::new() }
    }
}

impl Mail {
    /// Whether notices of a kind are sent.
    #[must_use]
    pub fn sends(&self, kind: Kind) -> bool {
        self.notices.contains(&kind)
    }

    /// Checks the words.
    ///
    /// # Errors
    /// The key and what is wrong with it.
    pub fn validate(&self) -> Result<(), String> {
        for (kind, words) in &self.words {
            for (key, text, most) in [("subject", &words.subject, 120), ("opening", &words.opening, 500)] {
                let key = format!("mail.words.{}.{key}", kind.as_str());
                let known = kind.placeholders();
                if let Some(unknown) = first_unknown(text, known) {
                    return Err(format!("{key}: there is no placeholder ${unknown}; there are ${}", known.join(", $")));
                }
                if text.chars().count() > most || text.chars().any(char::is_control) {
                    return Err(format!("{key}: allowed is one line of at most {most} characters"));
                }
            }
        }
        Ok(())
    }
}
