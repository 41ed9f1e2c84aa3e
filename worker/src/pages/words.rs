//! Words for numbers, and the filters that make foreign strings fit to be shown.

use std::fmt;

use askama::filters::{Escaper as _, Html, HtmlSafe};
use askama::{FastWritable, Values};
use edgegrant_core::calendar::civil;
use edgegrant_core::foreign::{is_stacked, is_unseen, one_line};

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// A length of time in words, in one or two units: "1 hour 30 minutes", "180 days".
pub(crate) fn duration_words(seconds: u64) -> String {
    let (large, small) = match seconds {
        DAY.. => ((DAY, "day"), (HOUR, "hour")),
        HOUR.. => ((HOUR, "hour"), (MINUTE, "minute")),
        MINUTE.. => ((MINUTE, "minute"), (1, "second")),
        _ => ((1, "second"), (1, "second")),
    };
    let count = |(unit, name): (u64, &str), seconds: u64| match seconds / unit {
        1 => format!("1 {name}"),
        n => format!("{n} {name}s"),
    };
    let rest = seconds % large.0;
    if rest < small.0 { count(large, seconds) } else { format!("{} {}", count(large, seconds), count(small, rest)) }
}

/// How long to wait, in words: whole minutes once it is more than one, and never too few.
pub(crate) fn wait_words(seconds: u64) -> String {
    duration_words(if seconds > MINUTE { seconds.div_ceil(MINUTE) * MINUTE } else { seconds.max(1) })
}

/// Roles with their article: "an owner", "a manager or owner".
pub(crate) fn one_of(roles: &[String]) -> String {
    with_article(&roles.join(" or "))
}

/// "a salon", "an account".
pub(crate) fn with_article(words: &str) -> String {
    let vowel = words.starts_with(['a', 'e', 'i', 'o', 'u', 'A', 'E', 'I', 'O', 'U']);
    format!("{} {words}", if vowel { "an" } else { "a" })
}

/// How long an app's access lasts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lasting {
    /// Ends after so many seconds without use.
    pub(crate) idle: Option<u64>,
    /// Ends so many seconds after the consent, whatever happens.
    pub(crate) absolute: Option<u64>,
}

impl Lasting {
    /// The sentence for the consent page.
    pub(crate) fn words(self) -> String {
        let mut text = String::from("Until you disconnect it");
        if let Some(absolute) = self.absolute {
            text.push_str(", at most ");
            text.push_str(&duration_words(absolute));
        }
        text.push('.');
        if let Some(idle) = self.idle {
            text.push_str(" It ends by itself after ");
            text.push_str(&duration_words(idle));
            text.push_str(" without use.");
        }
        text
    }
}

/// A point in time, as `<time>` needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Moment {
    /// For machines: `2026-11-22T13:52:41Z`.
    pub(crate) datetime: String,
    /// For people: `22 November 2026, 13:52 UTC`.
    pub(crate) text: String,
}

impl Moment {
    /// From seconds since 1970.
    pub(crate) fn from_unix(seconds: u64) -> Self {
        // Beyond the year 9999 there is nothing to show; it also keeps the arithmetic small.
        let seconds = seconds.min(253_402_300_799);
        let (year, month, day) = civil(seconds / DAY);
        let (hour, minute, second) = (seconds % DAY / HOUR, seconds % HOUR / MINUTE, seconds % MINUTE);
        let name = month_name(month);
        Self {
            datetime: format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z"),
            text: format!("{day} {name} {year}, {hour:02}:{minute:02} UTC"),
        }
    }

    /// The day alone, for machines: `2026-11-22`.
    pub(super) fn day(&self) -> &str {
        self.datetime.split('T').next().unwrap_or_default()
    }

    /// The day alone, for people: `22 November 2026`.
    pub(crate) fn day_text(&self) -> &str {
        self.text.split(',').next().unwrap_or_default()
    }
}

/// The English name of a month.
fn month_name(month: u64) -> &'static str {
    match month {
        1 => "January",
        2 => "February",
        3 => "March",
        4 => "April",
        5 => "May",
        6 => "June",
        7 => "July",
        8 => "August",
        9 => "September",
        10 => "October",
        11 => "November",
        _ => "December",
    }
}

/// What is done to a text before it is shown.
#[derive(Clone, Copy, Debug)]
pub(super) enum Care {
    /// A foreign name or other short text.
    Shown,
    /// A foreign text of some sentences.
    Described,
    /// A value as it came: unseen characters in their escaped form, shortened.
    Received,
}

impl Care {
    fn apply(self, text: &str) -> String {
        match self {
            Self::Shown => Some(one_line(text, 100)).filter(|line| !line.is_empty()).unwrap_or_else(|| "(no name)".to_owned()),
            Self::Described => one_line(text, 500),
            Self::Received => received(text),
        }
    }
}

fn received(text: &str) -> String {
    const LIMIT: usize = 200;
    let mut out = String::new();
    for c in text.chars().take(LIMIT) {
        if c.is_control() || is_unseen(c) || is_stacked(c) {
            out.extend(c.escape_unicode());
        } else {
            out.push(c);
        }
    }
    let length = text.chars().count();
    if length > LIMIT {
        out.push_str(&format!("… ({length} characters)"));
    }
    out
}

/// Writes a text with care, escaped. One function for every place in every template.
#[inline(never)]
fn write_with_care(out: &mut dyn fmt::Write, text: &str, care: Care) -> fmt::Result {
    Html.write_escaped_str(out, &care.apply(text))
}

/// A text that is written with care, and escaped by itself.
#[derive(Debug)]
pub(super) struct Careful<T>(T, Care);

impl<T: AsRef<str>> FastWritable for Careful<T> {
    fn write_into(&self, out: &mut dyn fmt::Write, _: &dyn Values) -> askama::Result<()> {
        Ok(write_with_care(out, self.0.as_ref(), self.1)?)
    }
}

impl<T: AsRef<str>> fmt::Display for Careful<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_with_care(f, self.0.as_ref(), self.1)
    }
}

impl<T: AsRef<str>> HtmlSafe for Careful<T> {}

/// Template filters. What they return is escaped.
#[allow(unreachable_pub, reason = "the filter macro makes public functions")]
pub(super) mod filters {
    use super::{Care, Careful};
    use askama::{Result, Values};

    /// See [`Care::Shown`].
    #[askama::filter_fn]
    pub(crate) fn shown<T: AsRef<str>>(text: T, _: &dyn Values) -> Result<Careful<T>> {
        Ok(Careful(text, Care::Shown))
    }

    /// See [`Care::Described`].
    #[askama::filter_fn]
    pub(crate) fn described<T: AsRef<str>>(text: T, _: &dyn Values) -> Result<Careful<T>> {
        Ok(Careful(text, Care::Described))
    }

    /// See [`Care::Received`].
    #[askama::filter_fn]
    pub(crate) fn received<T: AsRef<str>>(text: T, _: &dyn Values) -> Result<Careful<T>> {
        Ok(Careful(text, Care::Received))
    }
}
