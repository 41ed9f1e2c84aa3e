//! The HTML pages: plain view structs, each rendered by one template in `templates/`.
//!
//! A view struct holds what the page shows and nothing else: no request, no storage, no clock, no
//! protocol decision. Templates escape everything; strings that apps chose also pass the filter
//! `shown` (or `described`, `received`), which takes out what could disturb the text around them.
//! Every page works without JavaScript and loads `/style.css`, the favicon and app logos only.

mod account;
mod chart;
mod consent;
pub(crate) mod csv;
mod form;
pub(crate) mod history;
mod login;
mod notice;
mod notices;
mod parts;
mod sheet;
mod words;

#[cfg(test)]
mod tests;

pub(crate) use account::{AppsPage, Connection, ConnectionStatus, DisconnectPage};
pub(crate) use chart::{BAR_S, BARS, Chart, MetricsPage, Series};
pub(crate) use consent::{AccountChoice, ConsentPage, Scope};
pub(crate) use form::{Choice, Control, Field, FormPage};
pub(crate) use login::{LoginPage, ProviderButton};
pub(crate) use notice::{Fault, Link, NoticePage, Rfc};
pub(crate) use sheet::{Action, Card, Fact, Section, SheetPage, Value};
pub(crate) use words::{Lasting, Moment, duration_words, one_of, wait_words, with_article};

use edgegrant_core::policy::Platform;

/// A page that can be turned into HTML.
pub(crate) trait Page {
    /// The whole HTML document.
    fn render_page(&self) -> Result<String, askama::Error>;
}

impl<T: askama::Template> Page for T {
    fn render_page(&self) -> Result<String, askama::Error> {
        self.render()
    }
}

/// What every page shows around its content.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frame<'a> {
    /// The platform's name, as its customers know it.
    pub(crate) platform: &'a str,
    /// What the platform calls an account, in the middle of a sentence.
    pub(crate) account: &'a str,
    /// Whether the platform has a colour of its own: `/platform.css`.
    pub(crate) themed: bool,
    /// The e-mail address of who is signed in, if anybody is.
    pub(crate) person: Option<&'a str>,
    /// Token of the session: with it the top of the page has the account's navigation.
    pub(crate) csrf: Option<&'a str>,
    /// What the navigation leads to.
    pub(crate) nav: Nav,
}

/// What the navigation of somebody who is signed in leads to, besides connected apps.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Nav {
    /// Their role in an account lets them register apps.
    pub(crate) develops: bool,
    /// The platform has API keys.
    pub(crate) keys: bool,
    /// They are platform staff.
    pub(crate) staff: bool,
}

impl<'a> Frame<'a> {
    /// The frame of a page for nobody in particular.
    pub(crate) fn of(platform: &'a Platform) -> Self {
        let Platform { name, account, colour } = platform;
        Self { platform: name, account, themed: !colour.is_empty(), person: None, csrf: None, nav: Nav::default() }
    }
}

/// An app as its developer described it. Every string in it is foreign.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct App<'a> {
    /// The app's name.
    pub(crate) name: &'a str,
    /// Path of the approved logo on our own host; without one the page shows an initial.
    pub(crate) logo: Option<&'a str>,
    /// The person or company behind it.
    pub(crate) developer: &'a str,
    /// Host name of its website.
    pub(crate) website_host: Option<&'a str>,
    /// What it does, in its makers' words.
    pub(crate) description: Option<&'a str>,
    /// Marked as for development: the page says so.
    pub(crate) in_development: bool,
    /// Nobody has reviewed it yet: the page warns.
    pub(crate) unreviewed: bool,
}

impl App<'_> {
    /// The description, when it says anything.
    fn about(&self) -> Option<&str> {
        self.description.filter(|text| !text.trim().is_empty())
    }

    /// The letter or digit that stands in for a missing logo.
    fn initial(&self) -> String {
        self.name.chars().find(|c| c.is_alphanumeric()).map_or_else(|| "?".to_owned(), |c| c.to_uppercase().collect())
    }
}
