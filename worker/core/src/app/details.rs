//! What a developer says about an app, and what of it must be looked at by staff.
//!
//! Everything wrong is told at once, each problem beside the field it is about (RFC 9700 §2.1 and §2.6,
//! RFC 8252 §7 for redirect URIs). What people trust an app by (name, logo, addresses, more scopes) goes
//! to review again; what only explains or takes away holds at once.

use serde::{Deserialize, Serialize};

use super::ClientType;
use super::name::{check_name, clean_line};
use crate::encoding::{hex, sha256};
use crate::oauth::redirect_uri::check_registration;
use crate::policy::Policy;

/// What is wrong with a field, and what to change.
pub type Problem = (&'static str, String);

/// A scope with the reason why the app needs it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScopeReason {
    /// The scope.
    pub name: String,
    /// Why, in the developer's words.
    #[serde(default)]
    pub reason: String,
}

/// The listing of an app as its developer wrote it. The JSON form is that of the management API.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Details {
    /// Its name.
    pub name: String,
    /// What it does, in a few sentences.
    #[serde(default)]
    pub description: String,
    /// Its website; https.
    #[serde(default)]
    pub website: String,
    /// Where somebody who wants to install it starts; https or on this computer, may be empty.
    #[serde(default)]
    pub install_url: String,
    /// SHA-256 of its logo in hexadecimal digits.
    #[serde(default)]
    pub logo: Option<String>,
    /// Redirect URIs.
    #[serde(default)]
    pub redirect_uris: Vec<String>,
    /// Scopes.
    #[serde(default)]
    pub scopes: Vec<ScopeReason>,
}

const DESCRIPTION_MAX: usize = 500;
const REASON_MAX: usize = 200;

/// Addresses on this computer: for apps in development.
const LOCAL: [&str; 3] = ["http://localhost:", "http://127.0.0.1:", "http://[::1]:"];

fn check_address(address: &str) -> Result<(), &'static str> {
    let parsed = url::Url::parse(address).map_err(|_| "write a complete address such as https://app.example/")?;
    if parsed.scheme() != "https" || parsed.host_str().is_none_or(|host| !host.contains('.')) {
        return Err("use https and a public host name");
    }
    if address.len() > 500 || !address.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("use at most 500 printable ASCII characters");
    }
    if !parsed.username().is_empty() || parsed.password().is_some() {
        return Err("remove the user name and password");
    }
    Ok(())
}

impl Details {
    /// The details with white space at the ends, doubled lines and what breaks the line of a name taken out.
    #[must_use]
    pub fn tidied(mut self) -> Self {
        for text in [&mut self.name, &mut self.description, &mut self.website, &mut self.install_url] {
            *text = text.trim().to_owned();
        }
        self.name = self.name.split_whitespace().collect::<Vec<_>>().join(" ");
        self.redirect_uris = self.redirect_uris.iter().map(|uri| uri.trim().to_owned()).filter(|uri| !uri.is_empty()).collect();
        for scope in &mut self.scopes {
            scope.reason = scope.reason.trim().to_owned();
        }
        self
    }

    /// Everything that is wrong, in the order of the form; empty when it may be registered.
    #[must_use]
    pub fn problems(&self, policy: &Policy, client_type: ClientType) -> Vec<Problem> {
        let mut problems: Vec<Problem> = Vec::new();
        let mut note = |field: &'static str, outcome: Result<(), String>| problems.extend(outcome.err().map(|text| (field, text)));
        note("name", check_name(&self.name, &policy.platform.name).map_err(str::to_owned));
        note("description", check_text(&self.description, 10, DESCRIPTION_MAX));
        note("website", check_address(&self.website).map_err(str::to_owned));
        let local = LOCAL.iter().any(|start| self.install_url.starts_with(start));
        let install = if self.install_url.is_empty() || local { Ok(()) } else { check_address(&self.install_url) };
        note("install_url", install.map_err(str::to_owned));
        note("redirect_uris", self.check_redirect_uris(policy, client_type));
        note("scopes", self.check_scopes(policy));
        problems
    }

    fn check_redirect_uris(&self, policy: &Policy, client_type: ClientType) -> Result<(), String> {
        let most = usize::from(policy.apps.redirect_uris_max);
        if self.redirect_uris.is_empty() {
            return Err("register at least one redirect URI".into());
        }
        if self.redirect_uris.len() > most {
            return Err(format!("register at most {most} redirect URIs"));
        }
        for (at, uri) in self.redirect_uris.iter().enumerate() {
            let shown: String = uri.chars().take(80).collect();
            check_registration(uri).map_err(|problem| format!("in {shown}: {problem}"))?;
            let private = !uri.starts_with("https:") && !uri.starts_with("http:");
            if private && client_type == ClientType::Confidential {
                return Err(format!("in {shown}: a private-use scheme belongs to a public client (RFC 8252 section 8.4)"));
            }
            if self.redirect_uris.iter().skip(at + 1).any(|other| other == uri) {
                return Err(format!("name {shown} once"));
            }
        }
        Ok(())
    }

    fn check_scopes(&self, policy: &Policy) -> Result<(), String> {
        if self.scopes.is_empty() {
            return Err("choose at least one scope".into());
        }
        for (at, scope) in self.scopes.iter().enumerate() {
            if policy.scopes.find(&scope.name).is_none() {
                return Err(format!("there is no scope {}", scope.name.chars().take(40).collect::<String>()));
            }
            if self.scopes.iter().skip(at + 1).any(|other| other.name == scope.name) {
                return Err(format!("name {} once", scope.name));
            }
            if check_text(&scope.reason, 3, REASON_MAX).is_err() {
                return Err(format!("say in 3 to {REASON_MAX} characters why the app needs {}", scope.name));
            }
        }
        Ok(())
    }

    /// Stands for the whole of it.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        hex(&sha256(&serde_json::to_vec(self).unwrap_or_default()))
    }

    /// The names of the scopes.
    #[must_use]
    pub fn scope_names(&self) -> Vec<String> {
        self.scopes.iter().map(|scope| scope.name.clone()).collect()
    }

    /// What `wanted` changes of that by which people trust the app, in words.
    #[must_use]
    pub fn trust_changes(&self, wanted: &Self) -> Vec<&'static str> {
        let more_uris = wanted.redirect_uris.iter().any(|uri| !self.redirect_uris.contains(uri));
        let more_scopes = wanted.scopes.iter().any(|scope| self.scopes.iter().all(|known| known.name != scope.name));
        let changes = [
            (wanted.name != self.name, "name"),
            (wanted.logo != self.logo, "logo"),
            (wanted.website != self.website, "website"),
            (wanted.install_url != self.install_url, "install address"),
            (more_uris, "redirect URIs"),
            (more_scopes, "scopes"),
        ];
        changes.into_iter().filter_map(|(changed, what)| changed.then_some(what)).collect()
    }

    /// What of `wanted` holds at once: the words that explain, and what is taken away.
    #[must_use]
    pub fn without_trust_changes(&self, wanted: &Self) -> Self {
        let kept = |scope: &&ScopeReason| self.scopes.iter().any(|known| known.name == scope.name);
        let uris: Vec<String> = wanted.redirect_uris.iter().filter(|uri| self.redirect_uris.contains(uri)).cloned().collect();
        let scopes: Vec<ScopeReason> = wanted.scopes.iter().filter(kept).cloned().collect();
        Self {
            description: wanted.description.clone(),
            // Where nothing of the old is left, the approved version goes on as it is until the review.
            redirect_uris: if uris.is_empty() { self.redirect_uris.clone() } else { uris },
            scopes: if scopes.is_empty() { self.scopes.clone() } else { scopes },
            ..self.clone()
        }
    }
}

/// A text of some sentences without what could disturb the page around it.
fn check_text(text: &str, least: usize, most: usize) -> Result<(), String> {
    let length = text.chars().count();
    if length < least || length > most {
        return Err(format!("write {least} to {most} characters"));
    }
    clean_line(text).map_err(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::tests::default_policy;

    fn details() -> Details {
        Details {
            name: "Salon Planner".into(),
            description: "Shows your bookings.".into(),
            website: "https://planner.example/".into(),
            install_url: String::new(),
            logo: None,
            redirect_uris: vec!["https://planner.example/cb".into(), "http://127.0.0.1:3000/cb".into()],
            scopes: vec![ScopeReason { name: "bookings:read".into(), reason: "to show them".into() }],
        }
    }

    fn problems(change: impl FnOnce(&mut Details), client_type: ClientType) -> Vec<&'static str> {
        let mut changed = details();
        change(&mut changed);
        changed.problems(&default_policy(), client_type).into_iter().map(|(field, _)| field).collect()
    }

    #[test]
    fn every_problem_is_told_at_once_beside_its_field() {
        let empty = Details::default().problems(&default_policy(), ClientType::Public);
        let fields: Vec<_> = empty.iter().map(|(field, _)| *field).collect();
        assert_eq!(fields, ["name", "description", "website", "redirect_uris", "scopes"]);
        assert!(problems(|_| (), ClientType::Confidential).is_empty());
    }

    #[test]
    fn a_name_is_one_line_with_single_spaces_as_pages_show_it() {
        let tidied = Details { name: " Night\u{a0} \nLedger ".into(), ..details() }.tidied();
        assert_eq!(tidied.name, "Night Ledger");
    }

    #[test]
    fn what_may_not_be_registered_is_refused_cl_02_az_10_az_11_az_13() {
        for uri in [
            "https://a",
            "https://*.a.example/cb",
            "https://a.example/cb#f",
            "http://a.example/cb",
            "myapp:/cb",
            "javascript:alert(1)//",
            "data:text/html,x",
            "vbscript:x",
            "blob:https://a.example/x",
            "file:///etc/passwd",
        ] {
            assert_eq!(problems(|d| d.redirect_uris = vec![uri.into()], ClientType::Public), ["redirect_uris"], "{uri}");
        }
        let scheme = |d: &mut Details| d.redirect_uris = vec!["com.example.app:/cb".into()];
        assert!(problems(scheme, ClientType::Public).is_empty());
        assert_eq!(problems(scheme, ClientType::Confidential), ["redirect_uris"]);
        assert_eq!(problems(|d| d.redirect_uris = vec!["https://a.example/cb".into(); 2], ClientType::Public), ["redirect_uris"]);
        let many = |d: &mut Details| d.redirect_uris = (0..11).map(|n| format!("https://a.example/{n}")).collect();
        assert_eq!(problems(many, ClientType::Public), ["redirect_uris"]);
    }

    #[test]
    fn addresses_scopes_and_words_are_checked() {
        for website in
            ["", "http://a.example/", "https://localhost/", "javascript:alert(1)", "https://u:p@a.example/", "https://a.example/ü"]
        {
            assert_eq!(problems(|d| d.website = website.into(), ClientType::Public), ["website"], "{website}");
        }
        assert_eq!(problems(|d| d.install_url = "http://a.example".into(), ClientType::Public), ["install_url"]);
        assert_eq!(problems(|d| d.description = "x".repeat(501), ClientType::Public), ["description"]);
        assert_eq!(problems(|d| d.description = "about \u{202e}this".into(), ClientType::Public), ["description"]);
        assert_eq!(problems(|d| d.scopes[0].name = "all".into(), ClientType::Public), ["scopes"]);
        assert_eq!(problems(|d| d.scopes[0].reason = String::new(), ClientType::Public), ["scopes"]);
        assert_eq!(problems(|d| d.scopes.push(d.scopes[0].clone()), ClientType::Public), ["scopes"]);
    }

    #[test]
    fn what_changes_trust_is_told_apart_from_what_does_not() {
        let before = details();
        let mut wanted = details();
        wanted.description = "Shows and prints your bookings.".into();
        wanted.redirect_uris.remove(1);
        wanted.scopes[0].reason = "to print them".into();
        assert!(before.trust_changes(&wanted).is_empty());
        assert_eq!(before.without_trust_changes(&wanted), wanted);
        wanted.name = "Planner".into();
        wanted.redirect_uris.push("https://planner.example/other".into());
        wanted.scopes.push(ScopeReason { name: "bookings:write".into(), reason: "to change".into() });
        assert_eq!(before.trust_changes(&wanted), ["name", "redirect URIs", "scopes"]);
        let now = before.without_trust_changes(&wanted);
        assert_eq!((now.name.as_str(), now.redirect_uris.len(), now.scopes.len()), ("Salon Planner", 1, 1));
        assert_eq!(now.description, wanted.description);
        wanted.redirect_uris = vec!["https://else.example/cb".into()];
        assert_eq!(before.without_trust_changes(&wanted).redirect_uris, before.redirect_uris, "the approved version keeps working");
    }
}
