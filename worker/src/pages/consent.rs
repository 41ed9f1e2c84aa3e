//! The consent page.

use super::words::filters;
use super::{App, Frame};
use askama::Template;

/// One permission, in words that a business owner understands.
#[derive(Clone, Debug)]
pub(crate) struct Scope {
    /// The scope value, for developers.
    pub(crate) name: String,
    /// What it lets the app do: "See your bookings".
    pub(crate) words: String,
    /// Marked, because misuse would hurt.
    pub(crate) sensitive: bool,
    /// An item that was ticked before the page was shown again.
    pub(crate) ticked: bool,
}

/// A business account that the person may connect the app to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AccountChoice<'a> {
    /// Value of the form field `account`.
    pub(crate) id: &'a str,
    /// The account's name.
    pub(crate) name: &'a str,
    /// Selected when the page opens. Leave all unselected when there are several.
    pub(crate) selected: bool,
}

/// "May this app use your account?" Posts `consent`, `account`, an `item` for each that is ticked, and
/// `decision` to `action`.
#[derive(Clone, Debug, Template)]
#[template(path = "consent.html")]
pub(crate) struct ConsentPage<'a> {
    /// The frame around the page.
    pub(crate) frame: Frame<'a>,
    /// Who asks.
    pub(crate) app: App<'a>,
    /// The client id, for developers.
    pub(crate) client_id: &'a str,
    /// What it asks for.
    pub(crate) scopes: &'a [Scope],
    /// What the person may allow besides, one by one.
    pub(crate) items: &'a [Scope],
    /// How long the access lasts; see [`super::Lasting::words`].
    pub(crate) lasts: &'a str,
    /// The accounts to choose from; one is shown as text, several as radio buttons.
    pub(crate) accounts: &'a [AccountChoice<'a>],
    /// Where the answer is sent, as host name: "app.example" or "this computer (127.0.0.1)".
    pub(crate) returns_to: &'a str,
    /// The form's target.
    pub(crate) action: &'a str,
    /// The sealed field.
    pub(crate) consent: &'a str,
    /// Path of the login page that comes back here.
    pub(crate) switch_href: &'a str,
    /// Why the page is shown again: "Choose an account."
    pub(crate) error: Option<&'a str>,
}

impl ConsentPage<'_> {
    /// Whether the page is shown again because no account was chosen.
    fn is_account_missing(&self) -> bool {
        self.error.is_some() && !self.accounts.iter().any(|account| account.selected)
    }

    /// Whether a scope is marked, so that the page explains the mark.
    fn has_sensitive(&self) -> bool {
        self.scopes.iter().chain(self.items).any(|scope| scope.sensitive)
    }
}
