//! Scopes (RFC 6749 §3.3): case-sensitive, order without meaning, separated by spaces.

use super::error::{ErrorCode, Refusal, quoted};

/// Whether a text is one scope token: 1*( %x21 / %x23-5B / %x5D-7E ).
#[must_use]
pub fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e))
}

/// A set of scopes in the order in which they were asked for, each once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScopeSet(Vec<String>);

impl ScopeSet {
    /// Parses the value of a `scope` parameter.
    ///
    /// # Errors
    /// `invalid_scope` for anything that is not a list of scope tokens.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let mut out: Vec<String> = Vec::new();
        for token in text.split(' ').filter(|token| !token.is_empty()) {
            if !is_token(token) {
                return Err(Refusal::new(ErrorCode::InvalidScope, format!("{} is not a scope", quoted(token))));
            }
            if !out.iter().any(|known| known == token) {
                out.push(token.to_owned());
            }
        }
        if out.is_empty() {
            return Err(Refusal::new(ErrorCode::InvalidScope, "scope is missing: name the scopes that the app needs"));
        }
        Ok(Self(out))
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

    #[test]
    fn order_and_repetition_have_no_meaning_az_29() {
        let a = ScopeSet::parse("x y  x").unwrap();
        let b = ScopeSet::parse("y x").unwrap();
        assert!(a.within(&b) && b.within(&a));
        assert_eq!(a.to_string(), "x y");
    }

    #[test]
    fn characters_outside_nqchar_and_empty_lists_are_refused() {
        for bad in ["\"x", "a\\b", "ü", "a\tb", "", "   "] {
            assert_eq!(ScopeSet::parse(bad).unwrap_err().error, ErrorCode::InvalidScope, "{bad}");
        }
        assert!(!ScopeSet::parse("X").unwrap().within(&ScopeSet::parse("x").unwrap()));
    }
}
