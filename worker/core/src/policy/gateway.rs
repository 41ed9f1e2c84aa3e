//! The gateway to the platform's own API, see [`crate::gateway`].

use serde::{Deserialize, Serialize};

use super::Policy;
use super::validate::require;
use crate::gateway::path::comparable;
use crate::gateway::rules::{Rule, covers, is_pattern};

/// What goes through the gateway.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gateway {
    /// The rules; the first with path and method of a request decides.
    pub rules: Vec<Rule>,
    /// How long the API may take until the headers of its answer, in seconds.
    pub answer_s: u32,
    /// The same for a request with a body, the sending of the body included.
    pub upload_s: u32,
}

const PATTERN: &str = "a path of literal segments (a-z A-Z 0-9 - . _ ~), {name} for one segment, and /* at the end for everything below";

impl Gateway {
    /// Checks its knobs against the rest of a policy: where somebody has set them, where there is an API to
    /// pass requests on to, and when presets are built in. A deployment without a gateway may replace the
    /// catalogue or move `me` and not think of rules that it does not use.
    ///
    /// # Errors
    /// The first key that breaks a rule, with what is allowed.
    pub fn validate(&self, policy: &Policy) -> Result<(), String> {
        require((1..=600).contains(&self.answer_s), "gateway.answer_s", "1 to 600")?;
        require((1..=3600).contains(&self.upload_s), "gateway.upload_s", "1 to 3600")?;
        for (at, rule) in self.rules.iter().enumerate() {
            let key = |name: &str| format!("gateway.rules[{at}]{name}");
            require(is_pattern(&rule.path), &key(".path"), PATTERN)?;
            require(policy.is_of_api(&rule.path), &key(".path"), "a path below /api/, or below the first part of one of me.paths")?;
            let taken = comparable(&rule.path).is_some_and(|path| policy.has_endpoint_like(&path));
            require(!taken, &key(".path"), "no address of an endpoint or of me")?;
            require(!rule.methods.is_empty(), &key(".methods"), "at least one method")?;
            let twice = rule.methods.iter().enumerate().any(|(n, method)| rule.methods.iter().skip(n + 1).any(|other| other == method));
            require(!twice, &key(".methods"), "each method once")?;
            let known = rule.scopes.iter().all(|scope| policy.scopes.find(scope).is_some());
            require(known, &key(".scopes"), "scopes of scopes.catalogue")?;
            let earlier = self.rules.iter().take(at);
            let same = |other: &Rule| covers(&other.path, &rule.path) && covers(&rule.path, &other.path);
            let shared = earlier.clone().any(|other| same(other) && other.methods.iter().any(|method| rule.methods.contains(method)));
            require(!shared, &key(""), "one rule for a method of a path")?;
            let hidden = |method| earlier.clone().any(|other| covers(&other.path, &rule.path) && other.methods.contains(method));
            require(!rule.methods.iter().all(hidden), &key(""), "a rule that can be reached: earlier ones have all its paths")?;
        }
        Ok(())
    }
}

impl Policy {
    /// Whether a path is in the part that is the API's: below `/api/`, or beside `me`.
    #[must_use]
    pub fn is_of_api(&self, path: &str) -> bool {
        path.starts_with("/api/") || self.me.is_beside(path)
    }

    /// Whether a path, in the spelling for comparison, is another spelling of an endpoint's address.
    #[must_use]
    pub fn has_endpoint_like(&self, path: &str) -> bool {
        let routes = &self.routes;
        let lists = [&self.me.paths, &routes.token, &routes.refresh, &routes.authorize, &routes.revoke];
        let mut all = lists.into_iter().flatten().chain([&routes.decision]);
        all.any(|known| comparable(known).is_some_and(|known| known == path))
    }
}

#[cfg(test)]
mod tests {
    use crate::policy::tests::default_policy;

    #[test]
    fn a_bad_rule_names_its_key() {
        let rule = |methods: &str, path: &str, scopes: &str| format!(r#"{{"methods":{methods},"path":"{path}","scopes":{scopes}}}"#);
        let get = |path: &str| rule(r#"["GET"]"#, path, "[]");
        for (rules, words) in [
            (get("/api/v1/bookings/"), "gateway.rules[0].path: allowed is a path of literal segments"),
            (get("/api/*/x"), "gateway.rules[0].path: allowed is a path of literal segments"),
            (get("/bookings"), "gateway.rules[0].path: allowed is a path below /api/"),
            (get("/{x}/bookings"), "gateway.rules[0].path: allowed is a path below /api/"),
            (get("/API/v1/bookings"), "gateway.rules[0].path: allowed is a path below /api/"),
            (get("/login"), "gateway.rules[0].path: allowed is a path below /api/"),
            (get("/api/v1/me"), "gateway.rules[0].path: allowed is no address of an endpoint"),
            (get("/api/V1/Me"), "gateway.rules[0].path: allowed is no address of an endpoint"),
            (rule("[]", "/api/x", "[]"), "gateway.rules[0].methods: allowed is at least one"),
            (rule(r#"["GET","GET"]"#, "/api/x", "[]"), "gateway.rules[0].methods: allowed is each method once"),
            (rule(r#"["HEAD"]"#, "/api/x", "[]"), "unknown variant `HEAD`, expected one of `GET`"),
            (rule(r#"["GET"]"#, "/api/x", r#"["nothing"]"#), "gateway.rules[0].scopes: allowed is scopes of scopes.catalogue"),
            (format!("{},{}", get("/api/{a}"), get("/api/{b}")), "gateway.rules[1]: allowed is one rule for a method of a path"),
            (format!("{},{}", get("/api/a"), get("/api/A")), "gateway.rules[1]: allowed is one rule for a method of a path"),
            (format!("{},{}", get("/api/*"), get("/api/a")), "gateway.rules[1]: allowed is a rule that can be reached"),
        ] {
            let error = default_policy().with_overrides(&format!(r#"{{"gateway":{{"rules":[{rules}]}}}}"#)).unwrap_err();
            assert!(error.contains(words), "{rules}: {error}");
        }
        for (knob, value) in [("answer_s", 0), ("answer_s", 601), ("upload_s", 0), ("upload_s", 3601)] {
            let error = default_policy().with_overrides(&format!(r#"{{"gateway":{{"{knob}":{value}}}}}"#)).unwrap_err();
            assert!(error.contains(&format!("gateway.{knob}")), "{error}");
        }
    }

    #[test]
    fn a_narrower_rule_first_and_other_methods_are_fine() {
        let rules = r#"{"gateway":{"rules":[
            {"methods":["GET"],"path":"/api/v1/bookings/{id}","scopes":["bookings:read"]},
            {"methods":["POST","GET"],"path":"/api/v1/bookings/*","scopes":["bookings:write"]},
            {"methods":["PUT","PATCH","DELETE"],"path":"/api/v1/bookings/{id}","scopes":[]}
        ]}}"#;
        assert_eq!(default_policy().with_overrides(rules).unwrap().gateway.rules.len(), 3);
        assert!(default_policy().with_overrides(r#"{"gateway":{"rules":[]}}"#).is_ok());
    }

    #[test]
    fn who_does_not_use_the_gateway_need_not_think_of_its_rules() {
        let policy = default_policy().with_overrides(r#"{"scopes":{"catalogue":[{"name":"a","words":"x"}]}}"#).unwrap();
        assert!(policy.gateway.validate(&policy).unwrap_err().contains("gateway.rules[0].scopes"));
    }

    #[test]
    fn other_spellings_of_an_endpoint_are_known() {
        let policy = default_policy();
        for path in ["/api/v1/me", "/oauth/token", "/oauth/authorize/decision"] {
            assert!(policy.has_endpoint_like(path), "{path}");
        }
        assert!(!policy.has_endpoint_like("/api/v1/bookings"));
    }
}
