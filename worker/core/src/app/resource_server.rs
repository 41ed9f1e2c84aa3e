//! Resource servers: the platform's own APIs, which ask whether a token may be used (RFC 7662 §2.1).
//!
//! Each has an identifier (RFC 8707 §2, RFC 9728 §1.2) and the scopes that it serves; a token is meant
//! for it when it carries one of them. On the hot path it is a record like an app's: looked up under the
//! same lease, proven by the same secrets, ended by the same changes. It is no app: its number is of a
//! range of its own, so no client id of an app stands for it and no token names it.

use super::{App, ClientType, Problem, Status};
use crate::keys::SecretHash;
use crate::oauth::redirect_uri::{is_clean, is_loopback_host};
use crate::policy::{Overrides, Scopes};

/// Live secrets of a resource server: a new one beside the old, so that a change needs no downtime.
pub const SECRETS_MAX: u8 = 2;

const RESOURCE_MAX: usize = 500;

/// A resource server as staff describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceServer {
    /// Its identifier: an absolute URI.
    pub resource: String,
    /// What staff calls it.
    pub name: String,
    /// The scopes that it serves, of the policy's catalogue.
    pub scopes: Vec<String>,
}

impl ResourceServer {
    /// What is wrong with identifier and scopes; empty when it may be registered.
    #[must_use]
    pub fn problems(&self, scopes: &Scopes) -> Vec<Problem> {
        let checks = [("resource", check_resource(&self.resource).map_err(str::to_owned)), ("scopes", self.check_scopes(scopes))];
        checks.into_iter().filter_map(|(field, outcome)| Some((field, outcome.err()?))).collect()
    }

    fn check_scopes(&self, scopes: &Scopes) -> Result<(), String> {
        if self.scopes.is_empty() {
            return Err("choose at least one scope".into());
        }
        for (at, name) in self.scopes.iter().enumerate() {
            let shown = || name.chars().take(40).collect::<String>();
            if scopes.find(name).is_none() {
                return Err(format!("there is no scope {}", shown()));
            }
            if self.scopes.iter().skip(at + 1).any(|other| other == name) {
                return Err(format!("name {} once", shown()));
            }
        }
        Ok(())
    }

    /// Its record. `id` is random and used for nothing but telling records apart.
    #[must_use]
    pub fn record(self, number: u32, id: String, client_id: String, secret: SecretHash) -> App {
        App {
            number,
            id,
            client_id,
            name: self.name,
            client_type: ClientType::Confidential,
            status: Status::Approved,
            development: false,
            redirect_uris: Vec::new(),
            scopes: self.scopes,
            secrets: vec![secret],
            owner: String::new(),
            overrides: Overrides::default(),
            about: String::new(),
            suspended_from: None,
            resource: self.resource,
        }
    }
}

/// Checks an identifier (RFC 8707 §2, RFC 9728 §1.2).
fn check_resource(uri: &str) -> Result<(), &'static str> {
    if uri.len() > RESOURCE_MAX || !is_clean(uri) {
        return Err("use at most 500 printable ASCII characters, without spaces, quotes, ';', ',', backslashes and braces");
    }
    if uri.contains('#') {
        return Err("remove the fragment: an identifier has no '#' (RFC 8707 section 2)");
    }
    let parsed = url::Url::parse(uri).map_err(|_| "write a complete URI such as https://api.example.com")?;
    if !parsed.username().is_empty() || parsed.password().is_some() {
        return Err("remove the user name and password");
    }
    match parsed.scheme() {
        "https" => Ok(()),
        "http" if is_loopback_host(&parsed) => Ok(()),
        _ => Err("use https; plain http is for 127.0.0.1, [::1] and localhost only"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::ring;
    use super::*;
    use crate::policy::tests::default_policy;

    fn server(resource: &str, scopes: &[&str]) -> ResourceServer {
        ResourceServer { resource: resource.into(), name: "API".into(), scopes: scopes.iter().map(|&scope| scope.into()).collect() }
    }

    #[test]
    fn identifiers_are_absolute_https_uris_without_fragment() {
        let scopes = default_policy().scopes;
        let wrong = |resource: &str| server(resource, &["bookings:read"]).problems(&scopes).iter().any(|(field, _)| *field == "resource");
        for fine in
            ["https://api.example.com", "https://api.example.com/v1/", "http://localhost:8787/x", "http://127.0.0.1", "http://[::1]:1/"]
        {
            assert!(!wrong(fine), "{fine}");
        }
        let long = format!("https://api.example.com/{}", "a".repeat(500));
        for bad in [
            "",
            "/v1",
            "api.example.com",
            "http://api.example.com",
            "https://a.example/#x",
            "https://u@a.example",
            "ftp://a.example",
            "https://a.example/\"",
            "https://",
            &long,
        ] {
            assert!(wrong(bad), "{bad}");
        }
    }

    #[test]
    fn scopes_are_those_of_the_catalogue_at_least_one_each_once() {
        let scopes = default_policy().scopes;
        let wrong = |names: &[&str]| !server("https://a.example", names).problems(&scopes).is_empty();
        assert!(!wrong(&["bookings:read", "account:read"]));
        for bad in [&[][..], &["nothing"], &["bookings:read", "bookings:read"], &["bookings:read account:read"]] {
            assert!(wrong(bad), "{bad:?}");
        }
    }

    #[test]
    fn the_record_is_confidential_in_use_and_has_no_redirect_uri() {
        let secret = SecretHash::of("s", &ring()).unwrap();
        let app = server("https://a.example", &["bookings:read"]).record(
            crate::credential::RESOURCE_SERVERS + 1,
            "id".into(),
            "c".into(),
            secret,
        );
        assert!(!app.is_public() && app.status == Status::Approved && !app.knows_redirect_uri("") && app.secrets.len() == 1);
    }
}
