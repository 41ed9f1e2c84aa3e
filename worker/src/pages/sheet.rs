//! A page that shows things and what can be done with them: an app, a queue, a list of keys, a
//! history. What it shows is data, so that all these pages look and behave alike.

use super::notice::Link;
use super::words::{Moment, filters};
use super::{App, Frame};
use askama::Template;
use std::borrow::Cow;

/// What stands beside a label.
#[derive(Clone, Debug)]
pub(crate) enum Value<'a> {
    /// Text.
    Text(Cow<'a, str>),
    /// A value as it is typed or sent, whole.
    Code(Cow<'a, str>),
    /// Several texts.
    List(Vec<Cow<'a, str>>),
    /// Several values as they are typed.
    Codes(Vec<Cow<'a, str>>),
    /// A point in time.
    Time(Moment),
    /// A link of another host: address and text.
    Away(Cow<'a, str>),
}

/// A label with what stands beside it.
#[derive(Clone, Debug)]
pub(crate) struct Fact<'a> {
    /// The label.
    pub(crate) label: &'static str,
    /// The value.
    pub(crate) value: Value<'a>,
}

impl<'a> Fact<'a> {
    /// A text.
    pub(crate) fn text(label: &'static str, text: impl Into<Cow<'a, str>>) -> Self {
        Self { label, value: Value::Text(text.into()) }
    }

    /// A value as it is typed.
    pub(crate) fn code(label: &'static str, text: impl Into<Cow<'a, str>>) -> Self {
        Self { label, value: Value::Code(text.into()) }
    }

    /// A second since 1970.
    pub(crate) fn time(label: &'static str, at_s: u64) -> Self {
        Self { label, value: Value::Time(Moment::from_unix(at_s)) }
    }
}

/// Something to press.
#[derive(Clone, Debug)]
pub(crate) struct Action<'a> {
    /// Its text.
    pub(crate) text: &'static str,
    /// What tells it from the same button elsewhere on the page, for screen readers.
    pub(crate) about: Cow<'a, str>,
    /// The address.
    pub(crate) href: Cow<'a, str>,
    /// The fields that are posted; `None` is a link.
    pub(crate) post: Option<Vec<(&'static str, Cow<'a, str>)>>,
    /// Class of the button: `button-primary`, `button-danger` or nothing.
    pub(crate) class: &'static str,
}

impl<'a> Action<'a> {
    /// A link.
    pub(crate) fn link(text: &'static str, href: impl Into<Cow<'a, str>>) -> Self {
        Self { text, about: "".into(), href: href.into(), post: None, class: "" }
    }

    /// A form with one button.
    pub(crate) fn post(text: &'static str, href: impl Into<Cow<'a, str>>) -> Self {
        Self { post: Some(Vec::new()), ..Self::link(text, href) }
    }

    /// What it is about.
    pub(crate) fn about(self, about: impl Into<Cow<'a, str>>) -> Self {
        Self { about: about.into(), ..self }
    }

    /// Stands out.
    pub(crate) fn main(self) -> Self {
        Self { class: "button-primary", ..self }
    }

    /// Takes something away.
    pub(crate) fn danger(self) -> Self {
        Self { class: "button-danger", ..self }
    }
}

/// A mark: its text and class.
pub(crate) type Tag<'a> = (Cow<'a, str>, &'static str);

/// One thing of several.
#[derive(Clone, Debug, Default)]
pub(crate) struct Card<'a> {
    /// The app it is.
    pub(crate) app: Option<App<'a>>,
    /// Its heading, when it is no app.
    pub(crate) title: Cow<'a, str>,
    /// Address of its own page.
    pub(crate) href: Option<Cow<'a, str>>,
    /// Marks.
    pub(crate) tags: Vec<Tag<'a>>,
    /// What is known of it.
    pub(crate) facts: Vec<Fact<'a>>,
    /// Sentences.
    pub(crate) text: Vec<Cow<'a, str>>,
    /// What can be done with it.
    pub(crate) actions: Vec<Action<'a>>,
}

/// A part of a page.
#[derive(Clone, Debug, Default)]
pub(crate) struct Section<'a> {
    /// Its heading; may be empty.
    pub(crate) heading: Cow<'a, str>,
    /// Sentences.
    pub(crate) text: Vec<Cow<'a, str>>,
    /// Text to copy, line by line.
    pub(crate) code: Option<Cow<'a, str>>,
    /// Facts.
    pub(crate) facts: Vec<Fact<'a>>,
    /// Things.
    pub(crate) cards: Vec<Card<'a>>,
    /// What is said when there is no thing.
    pub(crate) empty: Cow<'a, str>,
    /// What can be done.
    pub(crate) actions: Vec<Action<'a>>,
}

impl Section<'_> {
    /// The level of its cards' headings: below its own, when it has one.
    fn card_level(&self) -> u8 {
        if self.heading.is_empty() { 2 } else { 3 }
    }
}

/// The page.
#[derive(Clone, Debug, Template)]
#[template(path = "sheet.html")]
pub(crate) struct SheetPage<'a> {
    /// The frame around the page.
    pub(crate) frame: Frame<'a>,
    /// Heading and title.
    pub(crate) title: Cow<'a, str>,
    /// The app whose page it is.
    pub(crate) app: Option<App<'a>>,
    /// Marks beside the heading.
    pub(crate) tags: Vec<Tag<'a>>,
    /// The first sentence.
    pub(crate) lead: Cow<'a, str>,
    /// What has just happened.
    pub(crate) done: Option<Cow<'a, str>>,
    /// What needs attention.
    pub(crate) warning: Option<Cow<'a, str>>,
    /// The way up.
    pub(crate) up: Option<Link<'a>>,
    /// Pages beside this one; the `main` one is this.
    pub(crate) tabs: Vec<Link<'a>>,
    /// A field to search by: its label and what stands in it. It is sent as `name` to this page.
    pub(crate) search: Option<(&'static str, Cow<'a, str>)>,
    /// What can be done on the whole.
    pub(crate) actions: Vec<Action<'a>>,
    /// The parts.
    pub(crate) sections: Vec<Section<'a>>,
    /// Path of the next page of a list.
    pub(crate) next: Option<Cow<'a, str>>,
}

impl<'a> SheetPage<'a> {
    /// A page with nothing on it yet.
    pub(crate) fn new(frame: Frame<'a>, title: impl Into<Cow<'a, str>>, lead: impl Into<Cow<'a, str>>) -> Self {
        Self {
            frame,
            title: title.into(),
            app: None,
            tags: Vec::new(),
            lead: lead.into(),
            done: None,
            warning: None,
            up: None,
            tabs: Vec::new(),
            search: None,
            actions: Vec::new(),
            sections: Vec::new(),
            next: None,
        }
    }
}
