//! Scopes (RFC 6749 §3.3): case-sensitive, order without meaning, separated by spaces; by commas in
//! requests where a policy says so.

use crate::policy::Separator;

/// Whether a text is one scope token: 1*( %x21 / %x23-5B / %x5D-7E ).
#[must_use]
pub fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e))
}

/// A set of scopes in the order in which they were asked for, each once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScopeSet(Vec<String>);

impl ScopeSet {
    /// Parses the value of a `scope` parameter. No scope at all is an empty set.
    ///
    /// # Errors
    /// The first part that is not a scope token.
    pub fn parse(text: &str, separator: Separator) -> Result<Self, &str> {
        let separates = |c: char| match separator {
            Separator::Space => c == ' ',
            Separator::Comma => c == ',',
            Separator::SpaceOrComma => matches!(c, ' ' | ','),
        };
        let mut out = Self::default();
        for token in text.split(separates).filter(|token| !token.is_empty()) {
            if !is_token(token) {
                return Err(token);
            }
            out.add(token);
        }
        Ok(out)
    }

    /// The set behind what this server stored or answered: separated by spaces.
    #[must_use]
    pub fn stored(text: &str) -> Self {
        Self(text.split(' ').filter(|token| !token.is_empty()).map(str::to_owned).collect())
    }

    /// Adds a scope unless it is there.
    pub fn add(&mut self, scope: &str) {
        if !self.0.iter().any(|known| known == scope) {
            self.0.push(scope.to_owned());
        }
    }

    /// Whether no scope is in it.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The scopes for which `keep` says so.
    #[must_use]
    pub fn filtered(&self, keep: impl Fn(&str) -> bool) -> Self {
        Self(self.0.iter().filter(|scope| keep(scope)).cloned().collect())
    }

    /// The first scope that `allowed` does not hold.
    #[must_use]
    pub fn first_outside(&self, allowed: impl Fn(&str) -> bool) -> Option<&str> {
        self.0.iter().map(String::as_str).find(|scope| !allowed(scope))
    }

    /// Whether every scope of this set is in the other.
    #[must_use]
    pub fn within(&self, other: &Self) -> bool {
        self.0.iter().all(|scope| other.0.contains(scope))
    }

    /// The scopes.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

impl core::fmt::Display for ScopeSet {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(&self.0.join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(text: &str) -> ScopeSet {
        ScopeSet::parse(text, Separator::Space).unwrap()
    }

    #[test]
    fn order_and_repetition_have_no_meaning_az_29() {
        let (a, b) = (set("x y  x"), set("y x"));
        assert!(a.within(&b) && b.within(&a));
        assert_eq!(a.to_string(), "x y");
        assert!(set("").is_empty() && set("   ").is_empty());
    }

    #[test]
    fn characters_outside_nqchar_are_refused() {
        for bad in ["\"x", "a\\b", "ü", "a\tb"] {
            assert_eq!(ScopeSet::parse(bad, Separator::Space), Err(bad));
        }
        assert!(!set("X").within(&set("x")));
    }

    #[test]
    fn a_comma_separates_only_where_the_policy_says_so() {
        fn count(text: &str, separator: Separator) -> Result<usize, &str> {
            ScopeSet::parse(text, separator).map(|set| set.iter().count())
        }
        assert_eq!(count("a,b c", Separator::Space), Ok(2));
        assert_eq!(count("a,b", Separator::Comma), Ok(2));
        assert_eq!(count("a b", Separator::Comma), Err("a b"));
        assert_eq!(count("a,b c", Separator::SpaceOrComma), Ok(3));
    }
}
