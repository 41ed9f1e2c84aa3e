//! The rules of the gateway: which scopes a method of a path needs.
//!
//! A pattern is a path of literal segments; `{name}` stands for exactly one segment, `/*` at the end for
//! everything below. The first rule that has both path and method decides. Paths are compared as
//! [`super::path::comparable`] spells them, so that no other spelling of a path falls under a wider rule.

use serde::{Deserialize, Serialize};

/// A method of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// And HEAD with it (RFC 9110 §9.3.2).
    Get,
    /// RFC 9110 §9.3.3.
    Post,
    /// RFC 9110 §9.3.4.
    Put,
    /// RFC 5789.
    Patch,
    /// RFC 9110 §9.3.5.
    Delete,
}

impl Method {
    /// Each of them, in the order of `Allow`.
    const ALL: [Self; 5] = [Self::Get, Self::Post, Self::Put, Self::Patch, Self::Delete];

    /// The method of a request.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.as_str().split(", ").any(|known| known == name))
    }

    /// As `Allow` names it.
    const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET, HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// What a request needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// The methods that it is about.
    pub methods: Vec<Method>,
    /// The pattern of its paths.
    pub path: String,
    /// The scopes that a token needs, all of them; none: any token will do.
    pub scopes: Vec<String>,
}

/// What the rules say of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// The rule with this number.
    Rule(usize),
    /// The path has rules, for these methods only; as `Allow` lists them.
    Methods(String),
    /// No rule has the path.
    Nothing,
}

/// The rule for a request; `path` is in the spelling for comparison.
#[must_use]
pub fn find(rules: &[Rule], method: Option<Method>, path: &str) -> Found {
    let of_path = || rules.iter().enumerate().filter(|(_, rule)| matches(&rule.path, path));
    let decides = |rule: &Rule| method.is_some_and(|method| rule.methods.contains(&method));
    if let Some((number, _)) = of_path().find(|(_, rule)| decides(rule)) {
        return Found::Rule(number);
    }
    let known = |method: &Method| of_path().any(|(_, rule)| rule.methods.contains(method));
    let methods: Vec<&str> = Method::ALL.into_iter().filter(known).map(Method::as_str).collect();
    if methods.is_empty() { Found::Nothing } else { Found::Methods(methods.join(", ")) }
}

fn is_parameter(segment: &str) -> bool {
    segment.starts_with('{')
}

/// Whether a path is one of a pattern's.
#[must_use]
pub fn matches(pattern: &str, path: &str) -> bool {
    let mut segments = path.split('/');
    for part in pattern.split('/') {
        let Some(segment) = segments.next() else { return false };
        match part {
            "*" => return !segment.is_empty(),
            _ if is_parameter(part) && !segment.is_empty() => {}
            _ if part.eq_ignore_ascii_case(segment) => {}
            _ => return false,
        }
    }
    segments.next().is_none()
}

/// Whether every path of `other` is one of `pattern`'s too.
#[must_use]
pub fn covers(pattern: &str, other: &str) -> bool {
    let mut others = other.split('/');
    for part in pattern.split('/') {
        let Some(other) = others.next() else { return false };
        match part {
            "*" => return true,
            _ if other == "*" => return false,
            _ if is_parameter(part) && !other.is_empty() => {}
            _ if !is_parameter(other) && part.eq_ignore_ascii_case(other) => {}
            _ => return false,
        }
    }
    others.next().is_none()
}

/// Whether a text is a pattern: literal segments of unreserved characters (RFC 3986 §2.3), `{name}`,
/// and `*` as the last one.
#[must_use]
pub fn is_pattern(text: &str) -> bool {
    let Some(rest) = text.strip_prefix('/') else { return false };
    let segments: Vec<&str> = rest.split('/').collect();
    let name = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    let literal = |text: &str| {
        let unreserved = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~');
        !text.is_empty() && !matches!(text, "." | "..") && text.bytes().all(unreserved)
    };
    let parameter = |text: &str| text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).is_some_and(name);
    segments.iter().enumerate().all(|(at, segment)| match *segment {
        "*" => at > 0 && at + 1 == segments.len(),
        segment => literal(segment) || parameter(segment),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(methods: &[Method], path: &str) -> Rule {
        Rule { methods: methods.to_vec(), path: path.into(), scopes: Vec::new() }
    }

    #[test]
    fn literals_parameters_and_rests_match_whole_segments() {
        for (pattern, yes, no) in [
            ("/api/v1/bookings", ["/api/v1/bookings", "/api/v1/bookings"], ["/api/v1/bookingsx", "/api/v1/bookings/1"]),
            ("/api/v1/Bookings", ["/api/v1/bookings", "/api/v1/bookings"], ["/api/v1", "/api/v2/bookings"]),
            ("/api/v1/{id}", ["/api/v1/7", "/api/v1/a%20b"], ["/api/v1", "/api/v1/7/8"]),
            ("/api/{a}/x/{b}", ["/api/1/x/2", "/api/x/x/x"], ["/api/1/y/2", "/api//x/2"]),
            ("/api/files/*", ["/api/files/a", "/api/files/a/b/c"], ["/api/files", "/api/files/"]),
        ] {
            for path in yes {
                assert!(matches(pattern, path), "{pattern} {path}");
            }
            for path in no {
                assert!(!matches(pattern, path), "{pattern} {path}");
            }
        }
    }

    #[test]
    fn the_first_rule_with_path_and_method_decides() {
        let rules = [
            rule(&[Method::Get], "/api/b/special"),
            rule(&[Method::Get, Method::Delete], "/api/b/{id}"),
            rule(&[Method::Post], "/api/b/*"),
        ];
        let asked = |method, path| find(&rules, Method::of(method), path);
        assert_eq!(asked("GET", "/api/b/special"), Found::Rule(0));
        assert_eq!(asked("HEAD", "/api/b/special"), Found::Rule(0));
        assert_eq!(asked("DELETE", "/api/b/special"), Found::Rule(1));
        assert_eq!(asked("POST", "/api/b/special"), Found::Rule(2));
        assert_eq!(asked("PUT", "/api/b/special"), Found::Methods("GET, HEAD, POST, DELETE".into()));
        assert_eq!(asked("GET", "/api/b/1/2"), Found::Methods("POST".into()));
        assert_eq!(asked("PURGE", "/api/b/1"), Found::Methods("GET, HEAD, POST, DELETE".into()));
        assert_eq!(asked("get", "/api/b/1"), Found::Methods("GET, HEAD, POST, DELETE".into()));
        assert_eq!(asked("GET", "/api/b"), Found::Nothing);
        assert_eq!(asked("GET", "/api/c"), Found::Nothing);
    }

    #[test]
    fn patterns_of_another_form_are_refused() {
        for good in ["/api/v1/b", "/api/{id}", "/api/*", "/api/a.b-c_d~e/{long_name}/*"] {
            assert!(is_pattern(good), "{good}");
        }
        for bad in [
            "",
            "api",
            "/",
            "/*",
            "/api/",
            "/api//b",
            "/api/*/b",
            "/api/b*",
            "/api/{}",
            "/api/{a",
            "/api/a}",
            "/api/x{a}",
            "/api/..",
            "/api/%20",
            "/api/a;b",
            "/api/é",
        ] {
            assert!(!is_pattern(bad), "{bad}");
        }
    }

    #[test]
    fn what_a_pattern_covers() {
        for (pattern, other) in
            [("/a/{x}", "/a/b"), ("/a/{x}", "/a/{y}"), ("/a/*", "/a/b/c"), ("/a/*", "/a/{x}/*"), ("/a/*", "/a/*"), ("/A/b", "/a/B")]
        {
            assert!(covers(pattern, other), "{pattern} {other}");
        }
        for (pattern, other) in [("/a/b", "/a/{x}"), ("/a/{x}", "/a/*"), ("/a/*", "/a"), ("/a/{x}", "/a/b/c"), ("/a/b", "/a/c")] {
            assert!(!covers(pattern, other), "{pattern} {other}");
        }
    }
}
