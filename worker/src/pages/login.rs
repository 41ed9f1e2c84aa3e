//! The sign-in page.

use super::Frame;
use super::words::filters;
use askama::Template;

/// An identity provider on the sign-in page.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ProviderButton<'a> {
    /// Its id, safe in a path.
    pub(crate) id: &'a str,
    /// Its name.
    pub(crate) name: &'a str,
}

/// Sign in with e-mail address and password, posted to `/login`, or at a provider.
#[derive(Clone, Debug, Template)]
#[template(path = "login.html")]
pub(crate) struct LoginPage<'a> {
    /// The frame around the page; `person` is set when somebody else is signed in already.
    pub(crate) frame: Frame<'a>,
    /// Token of the pre-session.
    pub(crate) csrf: &'a str,
    /// Where to go after signing in: a path of ours.
    pub(crate) return_to: &'a str,
    /// The address typed before, when the page is shown again.
    pub(crate) email: &'a str,
    /// Why the last try failed.
    pub(crate) error: Option<&'a str>,
    /// Name of the app that waits for the answer, when known.
    pub(crate) app_name: Option<&'a str>,
    /// Whether there is a form for address and password.
    pub(crate) password: bool,
    /// The providers; each has a button, posted to `/login/{id}`.
    pub(crate) providers: &'a [ProviderButton<'a>],
    /// A line below the form, such as the addresses of the development data.
    pub(crate) hint: Option<&'a str>,
}
