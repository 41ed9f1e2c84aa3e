//! Notices: what people are told by e-mail about their apps, accounts and sign-in.
//!
//! A notice is a fact with the values it needs; [`Letter::of`] puts it into the words of the policy.
//! No notice holds a secret, token or code, nor a value from which one could be made: it links to the
//! page where the person who is signed in makes the secret appear. Names and reasons are foreign and
//! pass [`crate::foreign`] before they are put anywhere; the HTML part escapes everything.

mod letter;
mod words;

#[cfg(test)]
mod tests;

pub use letter::Letter;
pub(crate) use words::first_unknown;

use crate::app::{self, Status};

/// The kinds of notices, by which a policy names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// To the developer: the app, or a change of it, waits for review.
    AppSubmitted,
    /// To the developer: review ended well.
    AppApproved,
    /// To the developer: review ended badly.
    AppRejected,
    /// To the developer: changes of an app in use are in use too.
    ChangeApproved,
    /// To the developer: changes of an app in use are dropped.
    ChangeRejected,
    /// To the developer: the platform has stopped the app.
    AppSuspended,
    /// To the developer: the app goes on after a suspension.
    AppRestored,
    /// To the developer: the app has one more client secret.
    SecretAdded,
    /// To the people of an account who may connect apps: one was connected, or may do more than before.
    AppConnected,
    /// To the people of an account who manage its API keys: one was made.
    KeyIssued,
    /// To a person: the password is another one.
    PasswordChanged,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 11] = [
        Self::AppSubmitted,
        Self::AppApproved,
        Self::AppRejected,
        Self::ChangeApproved,
        Self::ChangeRejected,
        Self::AppSuspended,
        Self::AppRestored,
        Self::SecretAdded,
        Self::AppConnected,
        Self::KeyIssued,
        Self::PasswordChanged,
    ];

    /// The kind that a policy names.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// As policies spell it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AppSubmitted => "app_submitted",
            Self::AppApproved => "app_approved",
            Self::AppRejected => "app_rejected",
            Self::ChangeApproved => "change_approved",
            Self::ChangeRejected => "change_rejected",
            Self::AppSuspended => "app_suspended",
            Self::AppRestored => "app_restored",
            Self::SecretAdded => "secret_added",
            Self::AppConnected => "app_connected",
            Self::KeyIssued => "key_issued",
            Self::PasswordChanged => "password_changed",
        }
    }

    /// The placeholders that its words may hold: those it has values for.
    #[must_use]
    pub const fn placeholders(self) -> &'static [&'static str] {
        match self {
            Self::AppConnected => &["platform", "app", "account"],
            Self::KeyIssued => &["platform", "account"],
            Self::PasswordChanged => &["platform"],
            _ => &["platform", "app"],
        }
    }
}

/// The app that a notice is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AboutApp {
    /// RFC 6749 §2.2; it is no secret.
    pub client_id: String,
    /// Its name, as its developer wrote it.
    pub name: String,
    /// Whether it has client secrets.
    pub confidential: bool,
}

impl From<&app::App> for AboutApp {
    fn from(app: &app::App) -> Self {
        Self { client_id: app.client_id.clone(), name: app.name.clone(), confidential: !app.is_public() }
    }
}

/// Something to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// The app, or a change of it, waits for review.
    AppSubmitted(AboutApp),
    /// Review ended well.
    AppApproved(AboutApp),
    /// Review ended badly.
    AppRejected {
        /// The app.
        app: AboutApp,
        /// Why, in the words of who decided; empty when nothing was said.
        reason: String,
    },
    /// Changes of an app in use are in use too.
    ChangeApproved(AboutApp),
    /// Changes of an app in use are dropped.
    ChangeRejected {
        /// The app.
        app: AboutApp,
        /// Why, in the words of who decided; empty when nothing was said.
        reason: String,
    },
    /// The platform has stopped the app.
    AppSuspended {
        /// The app.
        app: AboutApp,
        /// Why, in the words of who decided; empty when nothing was said.
        reason: String,
    },
    /// The app goes on after a suspension.
    AppRestored {
        /// The app.
        app: AboutApp,
        /// It goes on in review, where the suspension met it.
        in_review: bool,
    },
    /// The app has one more client secret.
    SecretAdded(AboutApp),
    /// An app was connected to an account, or may do more than before.
    AppConnected {
        /// The app's name.
        app: String,
        /// The account's name.
        account: String,
        /// What the app may do, in the words of the consent page.
        may: Vec<String>,
    },
    /// An API key was made for an account.
    KeyIssued {
        /// What the key is called.
        name: String,
        /// The account's name.
        account: String,
    },
    /// The person's password is another one; every other session has ended.
    PasswordChanged,
}

impl Notice {
    /// What an app's new status tells its developer, if anything: a decision that found the app as it
    /// was tells nothing.
    #[must_use]
    pub fn of_status(before: &str, after: &app::App, reason: &str) -> Option<Self> {
        let (app, reason) = (AboutApp::from(after), reason.to_owned());
        let was_suspended = before == Status::Suspended.as_str();
        match after.status {
            status if status.as_str() == before => None,
            Status::Approved | Status::Pending if was_suspended => {
                Some(Self::AppRestored { app, in_review: after.status == Status::Pending })
            }
            Status::Approved => Some(Self::AppApproved(app)),
            Status::Rejected => Some(Self::AppRejected { app, reason }),
            Status::Suspended => Some(Self::AppSuspended { app, reason }),
            Status::Pending | Status::Deleted => None,
        }
    }

    /// Its kind.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::AppSubmitted(_) => Kind::AppSubmitted,
            Self::AppApproved(_) => Kind::AppApproved,
            Self::AppRejected { .. } => Kind::AppRejected,
            Self::ChangeApproved(_) => Kind::ChangeApproved,
            Self::ChangeRejected { .. } => Kind::ChangeRejected,
            Self::AppSuspended { .. } => Kind::AppSuspended,
            Self::AppRestored { .. } => Kind::AppRestored,
            Self::SecretAdded(_) => Kind::SecretAdded,
            Self::AppConnected { .. } => Kind::AppConnected,
            Self::KeyIssued { .. } => Kind::KeyIssued,
            Self::PasswordChanged => Kind::PasswordChanged,
        }
    }
}

/// Whom a notice is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recipients {
    /// People, by their ids.
    People(Vec<String>),
    /// Everybody with one of these roles in an account.
    Roles {
        /// The account's id.
        account: String,
        /// The roles.
        roles: Vec<String>,
    },
    /// An address that is stored beside something else than a person, such as an app's contact.
    Contact {
        /// The address, sealed as personal data.
        sealed: String,
        /// The context it was sealed with.
        context: String,
    },
}

impl Recipients {
    /// How many people hear of one notice at most.
    pub const MOST: usize = 20;
}

/// Whether a text can be somebody's address: one `@` between a name and a host, and nothing that would
/// end the address or begin another.
#[must_use]
pub fn is_address(text: &str) -> bool {
    let plain = |c: char| !c.is_whitespace() && !c.is_control() && !matches!(c, '<' | '>' | '(' | ')' | ',' | ';' | ':' | '"' | '\\');
    let Some((name, host)) = text.split_once('@') else { return false };
    let host_ok = host.contains('.') && !host.contains('@') && !host.starts_with('.') && !host.ends_with('.');
    !name.is_empty() && host_ok && text.len() <= 254 && text.chars().all(plain)
}
