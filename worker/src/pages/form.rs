//! A page with one form: registration, edits, confirmations, passwords. What it asks is data, so that
//! every form of the portal looks, explains itself and fails alike.

use super::words::filters;
use super::{App, Frame};
use askama::Template;
use std::borrow::Cow;

/// One answer among several.
#[derive(Clone, Debug)]
pub(crate) struct Choice<'a> {
    /// The value that is sent.
    pub(crate) value: Cow<'a, str>,
    /// In words.
    pub(crate) label: Cow<'a, str>,
    /// More about it; may be empty.
    pub(crate) hint: Cow<'a, str>,
    /// Chosen when the page opens.
    pub(crate) checked: bool,
    /// A text field that belongs to it: name and value.
    pub(crate) detail: Option<(Cow<'a, str>, Cow<'a, str>)>,
}

impl<'a> Choice<'a> {
    /// A choice without more.
    pub(crate) fn new(value: impl Into<Cow<'a, str>>, label: impl Into<Cow<'a, str>>, checked: bool) -> Self {
        Self { value: value.into(), label: label.into(), hint: "".into(), checked, detail: None }
    }
}

/// How a field is filled in.
#[derive(Clone, Debug)]
pub(crate) enum Control<'a> {
    /// One line: the input's type and autocomplete token.
    Line(&'static str, &'static str),
    /// Several lines.
    Lines,
    /// One of them.
    OneOf(Vec<Choice<'a>>),
    /// Any of them.
    AnyOf(Vec<Choice<'a>>),
    /// A file of these media types.
    File(&'static str),
}

/// One question.
#[derive(Clone, Debug)]
pub(crate) struct Field<'a> {
    /// Name of the form field.
    pub(crate) name: &'static str,
    /// The question.
    pub(crate) label: Cow<'a, str>,
    /// What fits, in a sentence; may be empty.
    pub(crate) hint: Cow<'a, str>,
    /// What stands in it when the page opens.
    pub(crate) value: Cow<'a, str>,
    /// How it is filled in.
    pub(crate) control: Control<'a>,
    /// What is wrong with the last answer.
    pub(crate) error: Option<Cow<'a, str>>,
}

impl<'a> Field<'a> {
    /// A line of text.
    pub(crate) fn line(name: &'static str, label: &'static str, hint: impl Into<Cow<'a, str>>, value: impl Into<Cow<'a, str>>) -> Self {
        let control = Control::Line("text", "off");
        Self { name, label: label.into(), hint: hint.into(), value: value.into(), control, error: None }
    }

    /// Another control.
    pub(crate) fn with(self, control: Control<'a>) -> Self {
        Self { control, ..self }
    }

    /// The attribute that names what describes it. The name is one of ours.
    pub(super) fn described(&self) -> String {
        let parts = [(!self.hint.is_empty(), "hint"), (self.error.is_some(), "error")];
        let ids: Vec<String> = parts.iter().filter(|(there, _)| *there).map(|(_, part)| format!("{}-{part}", self.name)).collect();
        if ids.is_empty() { String::new() } else { format!(" aria-describedby=\"{}\"", ids.join(" ")) }
    }

    /// The same, and whether it is wrong.
    fn attributes(&self) -> String {
        let invalid = if self.error.is_some() { " aria-invalid=\"true\"" } else { "" };
        format!("{invalid}{}", self.described())
    }
}

/// A page with one form. The token of the session goes along by itself. What is wrong we tell ourselves, all of it at
/// once: browsers would stop at the first field.
#[derive(Clone, Debug, Template)]
#[template(path = "form.html")]
pub(crate) struct FormPage<'a> {
    /// The frame around the page.
    pub(crate) frame: Frame<'a>,
    /// Heading and title.
    pub(crate) title: Cow<'a, str>,
    /// Sentences above the form.
    pub(crate) lead: Vec<Cow<'a, str>>,
    /// The app it is about.
    pub(crate) app: Option<App<'a>>,
    /// What is wrong with the whole; what is wrong with a field stands there.
    pub(crate) error: Option<Cow<'a, str>>,
    /// Texts to read or copy, line by line, each with a heading.
    pub(crate) blocks: Vec<(&'static str, String)>,
    /// A way out before the form: address and text.
    pub(crate) way: Option<(String, &'static str)>,
    /// The questions.
    pub(crate) fields: Vec<Field<'a>>,
    /// Fields that are not seen.
    pub(crate) hidden: Vec<(&'static str, Cow<'a, str>)>,
    /// Where it is sent.
    pub(crate) action: Cow<'a, str>,
    /// Text of the button.
    pub(crate) submit: &'static str,
    /// The button takes something away.
    pub(crate) danger: bool,
    /// Path of the page to go back to.
    pub(crate) cancel: Cow<'a, str>,
}

impl<'a> FormPage<'a> {
    /// A form without anything in it.
    pub(crate) fn new(frame: Frame<'a>, title: impl Into<Cow<'a, str>>, action: impl Into<Cow<'a, str>>, submit: &'static str) -> Self {
        Self {
            frame,
            title: title.into(),
            lead: Vec::new(),
            app: None,
            error: None,
            blocks: Vec::new(),
            way: None,
            fields: Vec::new(),
            hidden: Vec::new(),
            action: action.into(),
            submit,
            danger: false,
            cancel: "/".into(),
        }
    }

    /// Puts what is wrong beside the fields it is about; what is about no field stands on top.
    pub(crate) fn with_problems(mut self, problems: &'a [(&'static str, String)]) -> Self {
        for (name, problem) in problems {
            match self.fields.iter_mut().find(|field| field.name == *name) {
                Some(field) => field.error = Some(problem.as_str().into()),
                None => self.error = Some(problem.as_str().into()),
            }
        }
        self
    }

    fn is_wrong(&self) -> bool {
        self.error.is_some() || self.fields.iter().any(|field| field.error.is_some())
    }

    fn has_file(&self) -> bool {
        self.fields.iter().any(|field| matches!(field.control, Control::File(_)))
    }
}
