//! The scope catalogue (RFC 6749 §3.3) and what a request may leave out.

use serde::{Deserialize, Serialize};

use super::endpoints::none;

/// The scope catalogue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scopes {
    /// What stands between the scopes of a request. Answers always use a space.
    pub separator: Separator,
    /// What a request without `scope` asks for (RFC 6749 §3.3: "a pre-defined default value"); empty:
    /// it is refused. Never "all".
    pub missing: Vec<String>,
    /// Who hears of a request without `scope` when it is refused.
    pub missing_told: Told,
    /// Asked for with every request, be they named in it or not.
    pub always: Vec<String>,
    /// Every scope there is, in the order in which pages show them.
    pub catalogue: Vec<ScopeEntry>,
}

/// What stands between the scopes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Separator {
    /// RFC 6749 §3.3.
    Space,
    /// A comma only.
    Comma,
    /// Either.
    SpaceOrComma,
}

/// Who hears of an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Told {
    /// The app, by a redirect (RFC 6749 §4.1.2.1).
    App,
    /// The person, on a page.
    Person,
}

/// One scope.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScopeEntry {
    /// As it travels.
    pub name: String,
    /// What the app may then do, in the words of the consent page.
    pub words: String,
    /// Whether pages point it out (personal data, changes).
    #[serde(default)]
    pub sensitive: bool,
    /// Personal data of third persons: an item of its own on the consent page, not ticked. A consent
    /// that leaves it out takes it from what was allowed before.
    #[serde(default)]
    pub personal: bool,
    /// Offered on the consent page whenever this other scope is asked for.
    #[serde(default, skip_serializing_if = "none")]
    pub offered_with: Option<String>,
    /// Scopes that it includes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub implies: Vec<String>,
}

impl Scopes {
    /// The catalogue's entry for a scope.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&ScopeEntry> {
        self.catalogue.iter().find(|entry| entry.name == name)
    }

    /// Whether a granted scope (names separated by spaces) covers another one: by name, or because one
    /// of its scopes includes it.
    #[must_use]
    pub fn covers(&self, granted: &str, needed: &str) -> bool {
        let includes = |name: &str| self.find(name).is_some_and(|entry| entry.implies.iter().any(|other| other == needed));
        granted.split(' ').any(|name| name == needed || includes(name))
    }

    /// The scopes of a token that reach a resource which serves these: they themselves, and those that
    /// include one of them.
    #[must_use]
    pub fn reaching(&self, served: &[String]) -> Vec<String> {
        let includes = |entry: &&ScopeEntry| entry.implies.iter().any(|other| served.contains(other)) && !served.contains(&entry.name);
        served.iter().chain(self.catalogue.iter().filter(includes).map(|entry| &entry.name)).cloned().collect()
    }

    /// The part of a granted scope that a resource serves, separated by spaces.
    #[must_use]
    pub fn within(&self, granted: &str, served: &[String]) -> String {
        let covered: Vec<&str> = served.iter().map(String::as_str).filter(|needed| self.covers(granted, needed)).collect();
        covered.join(" ")
    }

    /// Whether any scope is an item of its own.
    #[must_use]
    pub fn has_personal(&self) -> bool {
        self.catalogue.iter().any(|entry| entry.personal)
    }
}
