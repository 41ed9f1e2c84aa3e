//! Pages that only tell something: errors, refusals, "continue".

use super::words::filters;
use super::{App, Frame};
use askama::Template;
use std::borrow::Cow;

/// A place in an RFC.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rfc {
    /// The RFC's number.
    pub(crate) number: u16,
    /// The section, without the sign: "4.1.2.1".
    pub(crate) section: &'static str,
}

/// One thing that is wrong with a request, for the app's developer.
#[derive(Clone, Debug)]
pub(crate) struct Fault<'a> {
    /// The OAuth error code.
    pub(crate) code: &'a str,
    /// The parameter at fault.
    pub(crate) parameter: Option<&'a str>,
    /// The value that came, as it came; the page shortens it and shows invisible characters.
    pub(crate) received: Option<&'a str>,
    /// What is wrong.
    pub(crate) problem: Cow<'a, str>,
    /// What to change.
    pub(crate) remedy: Cow<'a, str>,
    /// Where the rule stands.
    pub(crate) rfc: Option<Rfc>,
}

/// A link out of a notice.
#[derive(Clone, Debug)]
pub(crate) struct Link<'a> {
    /// The target: a path of ours, or a redirect URI that was proven.
    pub(crate) href: Cow<'a, str>,
    /// The text.
    pub(crate) text: Cow<'a, str>,
    /// The main way on, drawn as the button that stands out.
    pub(crate) main: bool,
}

impl<'a> Link<'a> {
    /// The main way on.
    pub(crate) fn main(href: impl Into<Cow<'a, str>>, text: impl Into<Cow<'a, str>>) -> Self {
        Self { href: href.into(), text: text.into(), main: true }
    }

    /// Another way on.
    pub(crate) fn other(href: impl Into<Cow<'a, str>>, text: impl Into<Cow<'a, str>>) -> Self {
        Self { main: false, ..Self::main(href, text) }
    }
}

/// A page with a heading, some sentences, and perhaps an app, links and details for developers.
/// The constructors in `notices` make the ones in use.
#[derive(Clone, Debug, Template)]
#[template(path = "notice.html")]
pub(crate) struct NoticePage<'a> {
    /// The frame around the page.
    pub(crate) frame: Frame<'a>,
    /// Heading and title; never a foreign string.
    pub(crate) title: Cow<'a, str>,
    /// Something is wrong: the first sentence is announced as an alert.
    pub(crate) problem: bool,
    /// The app it is about.
    pub(crate) app: Option<App<'a>>,
    /// The sentences, for a business owner.
    pub(crate) paragraphs: Vec<Cow<'a, str>>,
    /// Ways on.
    pub(crate) links: Vec<Link<'a>>,
    /// What is wrong, for the app's developer.
    pub(crate) faults: Vec<Fault<'a>>,
}
