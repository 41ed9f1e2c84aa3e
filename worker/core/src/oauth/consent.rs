//! What a consent page asks and what its answer grants.
//!
//! Scopes of personal data are items of their own and not ticked: allowing the rest does not allow
//! them. What is not ticked is not granted, and taken from what earlier consents of the same
//! connection granted (attack A33).

use super::scope::ScopeSet;
use crate::policy::{ScopeEntry, Scopes};

/// What is put to the person.
#[derive(Clone, Debug)]
pub struct Question<'a> {
    /// Allowed together, with one button.
    pub listed: Vec<&'a ScopeEntry>,
    /// Ticked one by one.
    pub items: Vec<&'a ScopeEntry>,
}

/// What an Allow grants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Granted {
    /// The scope of the tokens.
    pub scope: ScopeSet,
    /// Items that were put to the person and not ticked.
    pub withheld: Vec<String>,
}

impl<'a> Question<'a> {
    /// The question for a requested scope, in the catalogue's order. What is offered beside it must be
    /// among the scopes that the app has `registered`.
    #[must_use]
    pub fn of(scopes: &'a Scopes, requested: &ScopeSet, registered: &[String]) -> Self {
        let asked = |name: &str| requested.iter().any(|known| known == name);
        let offered = |entry: &ScopeEntry| entry.offered_with.as_deref().is_some_and(asked) && registered.contains(&entry.name);
        let put = |entry: &&ScopeEntry| asked(&entry.name) || offered(entry);
        let (items, listed) = scopes.catalogue.iter().filter(put).partition(|entry| entry.personal);
        Self { listed, items }
    }

    /// What is granted when these items were ticked.
    #[must_use]
    pub fn granted(&self, ticked: &[&str]) -> Granted {
        let mut granted = Granted { scope: ScopeSet::default(), withheld: Vec::new() };
        self.listed.iter().for_each(|entry| granted.scope.add(&entry.name));
        for entry in &self.items {
            if ticked.contains(&entry.name.as_str()) {
                granted.scope.add(&entry.name);
            } else {
                granted.withheld.push(entry.name.clone());
            }
        }
        granted
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::tests::default_policy;

    fn scopes() -> Scopes {
        let overrides = r#"{"scopes":{"catalogue":[
            {"name":"a","words":"a"},{"name":"b","words":"b"},
            {"name":"people","words":"people","personal":true,"offered_with":"a"}]}}"#;
        default_policy().with_overrides(overrides).unwrap().scopes
    }

    fn ask(requested: &str, ticked: &[&str]) -> (String, Vec<String>) {
        let scopes = scopes();
        let registered = scopes.catalogue.iter().map(|entry| entry.name.clone()).collect::<Vec<_>>();
        let granted = Question::of(&scopes, &ScopeSet::stored(requested), &registered).granted(ticked);
        (granted.scope.to_string(), granted.withheld)
    }

    #[test]
    fn an_item_that_the_app_has_not_registered_is_not_offered() {
        let scopes = scopes();
        let question = Question::of(&scopes, &ScopeSet::stored("a"), &["a".to_owned()]);
        assert!(question.items.is_empty());
        assert_eq!(question.granted(&["people"]).scope.to_string(), "a");
    }

    #[test]
    fn an_item_is_granted_only_when_it_was_put_and_ticked() {
        assert_eq!(ask("b a", &[]), ("a b".into(), vec!["people".into()]));
        assert_eq!(ask("b a", &["people"]), ("a b people".into(), vec![]));
        assert_eq!(ask("b", &["people", "a"]), ("b".into(), vec![]), "neither asked for nor offered");
        assert_eq!(ask("people", &[]), (String::new(), vec!["people".into()]));
    }
}
