//! The sign-in page.

use super::Frame;
use super::words::filters;
use askama::Template;

/// Sign in with e-mail address and password; posts to `/login`.
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
    /// A line below the form, such as the addresses of the development data.
    pub(crate) hint: Option<&'a str>,
}
