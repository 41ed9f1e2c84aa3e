//! Parts that stand on several pages or several times on one, each a template of its own: what is
//! included instead is written into the module once more for each place.

use super::form::{Choice, Field};
use super::sheet::{Action, Fact, Value};
use super::words::filters;
use super::{App, Frame};
use askama::Template;

/// The top of every page, with the account's navigation for somebody who is signed in.
#[derive(Debug, Template)]
#[template(path = "parts/top.html")]
pub(super) struct Top<'a> {
    frame: Frame<'a>,
}

impl<'a> Frame<'a> {
    /// The top of the page.
    pub(super) fn top(self) -> Top<'a> {
        Top { frame: self }
    }

    /// Buttons and links.
    pub(super) fn actions<'b>(self, list: &'b [Action<'b>]) -> Actions<'b>
    where
        'a: 'b,
    {
        Actions { csrf: self.csrf, list }
    }
}

/// An app's logo or the letter in its place.
#[derive(Debug, Template)]
#[template(path = "parts/logo.html")]
pub(super) struct Logo<'a> {
    app: App<'a>,
}

/// Who makes an app.
#[derive(Debug, Template)]
#[template(path = "parts/maker.html")]
pub(super) struct Maker<'a> {
    app: App<'a>,
}

/// An app with logo, name and maker.
#[derive(Debug, Template)]
#[template(path = "parts/app.html")]
pub(super) struct Head<'a> {
    app: App<'a>,
}

impl<'a> App<'a> {
    /// Its logo.
    pub(super) fn logo(self) -> Logo<'a> {
        Logo { app: self }
    }

    /// Who makes it.
    pub(super) fn maker(self) -> Maker<'a> {
        Maker { app: self }
    }

    /// The app as the head of a page.
    pub(super) fn head(self) -> Head<'a> {
        Head { app: self }
    }
}

/// Buttons and links.
#[derive(Debug, Template)]
#[template(path = "parts/actions.html")]
pub(super) struct Actions<'a> {
    csrf: Option<&'a str>,
    list: &'a [Action<'a>],
}

/// Labels with what stands beside them.
#[derive(Debug, Template)]
#[template(path = "parts/facts.html")]
pub(super) struct Facts<'a> {
    facts: &'a [Fact<'a>],
}

/// A list of facts.
pub(super) fn facts<'a>(facts: &'a [Fact<'a>]) -> Facts<'a> {
    Facts { facts }
}

/// Hint and error of a field.
#[derive(Debug, Template)]
#[template(path = "parts/about.html")]
pub(super) struct About<'a> {
    field: &'a Field<'a>,
}

/// Answers to choose from.
#[derive(Debug, Template)]
#[template(path = "parts/choices.html")]
pub(super) struct Choices<'a> {
    field: &'a Field<'a>,
    choices: &'a [Choice<'a>],
    kind: &'static str,
}

impl<'a> Field<'a> {
    /// Its hint and what is wrong.
    pub(super) fn about(&'a self) -> About<'a> {
        About { field: self }
    }

    /// Its choices, as inputs of a kind.
    pub(super) fn choices(&'a self, choices: &'a [Choice<'a>], kind: &'static str) -> Choices<'a> {
        Choices { field: self, choices, kind }
    }
}
