//! What is known of an app (an OAuth client): the record in its `App` object, of which isolates hold
//! a copy under a lease.

mod change;
mod details;
mod failure;
mod logo;
mod name;
mod resource_server;

pub use change::{Change, NotChanged, Revision};
pub use details::{Details, Problem, ScopeReason};
pub use failure::{Failure, fit_for_log, log_failures};
pub use logo::{LOGO_MAX, logo_type};
pub use name::{clean_line, name_key};
pub use resource_server::{ResourceServer, SECRETS_MAX};

use serde::{Deserialize, Serialize};

use crate::keys::{Keyring, SecretHash};
use crate::oauth::client_auth::Presented;
use crate::oauth::redirect_uri;
use crate::policy::{AuthMethod, Overrides};

/// Client types (RFC 6749 §2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientType {
    /// Can keep a secret: a server.
    Confidential,
    /// Cannot: a browser or native app.
    Public,
}

/// Where an app stands with the platform.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Waits for review.
    Pending,
    /// In use.
    Approved,
    /// Refused in review.
    Rejected,
    /// Stopped by the platform; its grants come back with it.
    Suspended,
    /// Gone for ever; the number is never used again.
    Deleted,
}

impl Status {
    /// As it is stored and shown in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::Rejected => "rejected",
            Self::Suspended => "suspended",
            Self::Deleted => "deleted",
        }
    }
}

/// The record of an app, or of a resource server (see [`ResourceServer`]).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct App {
    /// The number in its tokens and the name of its object; never reused.
    pub number: u32,
    /// Its random id (32 hexadecimal digits): half of every grant id; never reused.
    pub id: String,
    /// RFC 6749 §2.2.
    pub client_id: String,
    /// Its name, for pages that must not read D1.
    pub name: String,
    /// Public or confidential.
    pub client_type: ClientType,
    /// Whether it may be used.
    pub status: Status,
    /// For development: any port on the loopback literals.
    pub development: bool,
    /// Registered redirect URIs.
    pub redirect_uris: Vec<String>,
    /// Scopes it may ask for.
    pub scopes: Vec<String>,
    /// Hashes of its live secrets.
    pub secrets: Vec<SecretHash>,
    /// The id of the person who registered it; empty: staff.
    #[serde(default)]
    pub owner: String,
    /// What staff has set for it.
    #[serde(default)]
    pub overrides: Overrides,
    /// Stands for the whole of the details in use, so that nothing is approved that was not looked at;
    /// empty in records from before there was such.
    #[serde(default)]
    pub about: String,
    /// The status that a suspension has interrupted.
    #[serde(default)]
    pub suspended_from: Option<Status>,
    /// The identifier of a resource server, which no app has (RFC 8707 §2).
    #[serde(default)]
    pub resource: String,
}

/// Whether a client has proven itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// A public client that named itself, or a confidential one with a right secret.
    Ok,
    /// A confidential client without a secret.
    SecretMissing,
    /// The secret is not one of the app's.
    SecretWrong,
    /// A public client must not send a secret: it would prove nothing.
    SecretUnexpected,
    /// The secret came in a way that is not served for this client.
    MethodNotServed,
}

impl App {
    /// Checks what a request presented (RFC 6749 §3.2.1), by one of the methods that are served.
    #[must_use]
    pub fn authenticate(&self, presented: &Presented, served: &[AuthMethod], hash: &Keyring) -> Proof {
        match (self.client_type, presented.secret.as_deref()) {
            (ClientType::Public, None) => Proof::Ok,
            (ClientType::Public, Some(_)) => Proof::SecretUnexpected,
            (ClientType::Confidential, None) => Proof::SecretMissing,
            (ClientType::Confidential, Some(_)) if !served.contains(&presented.method) => Proof::MethodNotServed,
            (ClientType::Confidential, Some(secret)) => {
                if self.secrets.iter().any(|known| known.verify(secret, hash)) {
                    Proof::Ok
                } else {
                    Proof::SecretWrong
                }
            }
        }
    }

    /// Whether it is a public client.
    #[must_use]
    pub const fn is_public(&self) -> bool {
        matches!(self.client_type, ClientType::Public)
    }

    /// Whether a requested redirect URI is one of the registered (RFC 9700 §4.1.3).
    #[must_use]
    pub fn knows_redirect_uri(&self, requested: &str) -> bool {
        let any_port = self.is_public() || self.development;
        self.redirect_uris.iter().any(|known| redirect_uri::matches(known, requested, any_port))
    }

    /// Whether a browser page of this origin may use the token and revocation endpoints for it: its
    /// redirect origins may (attack A23). On loopback literals the port is free as for redirects.
    #[must_use]
    pub fn knows_origin(&self, origin: &str) -> bool {
        let any_port = self.is_public() || self.development;
        self.redirect_uris.iter().filter_map(|uri| redirect_uri::origin(uri)).any(|known| redirect_uri::matches(&known, origin, any_port))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    const POST: &[AuthMethod] = &[AuthMethod::ClientSecretPost];

    pub(crate) fn ring() -> Keyring {
        Keyring::parse("1:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE").unwrap()
    }

    pub(crate) fn app(client_type: ClientType) -> App {
        App {
            number: 1,
            id: "00".repeat(16),
            client_id: "a".into(),
            name: "A".into(),
            client_type,
            status: Status::Approved,
            development: false,
            redirect_uris: vec!["https://a.example/cb".into(), "http://127.0.0.1/cb".into()],
            scopes: vec![],
            secrets: vec![SecretHash::of("one", &ring()).unwrap(), SecretHash::of("two", &ring()).unwrap()],
            owner: String::new(),
            overrides: Overrides::default(),
            about: String::new(),
            suspended_from: None,
            resource: String::new(),
        }
    }

    fn with(secret: Option<&str>) -> Presented {
        Presented { client_id: "a".into(), secret: secret.map(str::to_owned), method: AuthMethod::ClientSecretPost }
    }

    #[test]
    fn each_live_secret_of_a_confidential_client_works() {
        let app = app(ClientType::Confidential);
        assert_eq!(app.authenticate(&with(Some("one")), POST, &ring()), Proof::Ok);
        assert_eq!(app.authenticate(&with(Some("two")), POST, &ring()), Proof::Ok);
        assert_eq!(app.authenticate(&with(Some("three")), POST, &ring()), Proof::SecretWrong);
        assert_eq!(app.authenticate(&with(None), POST, &ring()), Proof::SecretMissing);
        let basic = &[AuthMethod::ClientSecretBasic];
        assert_eq!(app.authenticate(&with(Some("one")), basic, &ring()), Proof::MethodNotServed);
    }

    #[test]
    fn a_secret_proves_nothing_for_a_public_client() {
        assert_eq!(app(ClientType::Public).authenticate(&with(None), POST, &ring()), Proof::Ok);
        assert_eq!(app(ClientType::Public).authenticate(&with(Some("one")), POST, &ring()), Proof::SecretUnexpected);
    }

    #[test]
    fn origins_are_those_of_the_redirect_uris() {
        let app = app(ClientType::Public);
        assert!(app.knows_origin("https://a.example") && app.knows_origin("http://127.0.0.1:5173"));
        for other in ["https://b.example", "http://a.example", "null", "https://a.example.evil.example", "http://127.0.0.1:5173/cb"] {
            assert!(!app.knows_origin(other), "{other}");
        }
    }
}
