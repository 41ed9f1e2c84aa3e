//! A notice as the two parts of a message: plain text and HTML (multipart/alternative, RFC 2046
//! §5.1.4). The mail service makes headers and encodings; a subject is one line of Unicode here.

use askama::Template;

use super::words::{Draft, Part, opening, subject};
use super::{Kind, Notice};
use crate::foreign::one_line;
use crate::policy::{Mail, Platform};

/// The pages' own colour, for platforms without one.
const COLOUR: &str = "#1d5bb8";
/// Subjects longer than this are cut.
const SUBJECT_MAX: usize = 150;
const NEVER: &str = "No password, secret or code is ever sent by e-mail. Do not send one either.";

/// A message, complete but for sender and recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// The kind of notice it was made of.
    pub kind: Kind,
    /// One line, Unicode.
    pub subject: String,
    /// The part for programs that show text.
    pub text: String,
    /// The part for programs that show HTML: one document, no script, no picture, nothing foreign loaded.
    pub html: String,
}

#[derive(Template)]
#[template(path = "notice.html")]
struct HtmlPart<'a> {
    subject: &'a str,
    platform: &'a str,
    colour: &'a str,
    opening: &'a [Part],
    draft: &'a Draft,
    link: &'a str,
    never: &'a str,
}

fn joined(parts: &[Part]) -> String {
    parts.iter().map(|part| part.text.as_str()).collect()
}

impl Letter {
    /// The notice in the platform's words. `issuer` is the origin of the links.
    ///
    /// # Errors
    /// None of its input makes it fail; the template's writer says it could.
    pub fn of(notice: &Notice, mail: &Mail, platform: &Platform, issuer: &str) -> Result<Self, askama::Error> {
        let kind = notice.kind();
        let draft = Draft::of(notice, platform);
        let subject = draft.filled(mail.words(kind, "subject").unwrap_or_else(|| subject(kind)));
        let subject = one_line(&joined(&subject), SUBJECT_MAX);
        let opening = draft.filled(mail.words(kind, "opening").unwrap_or_else(|| opening(kind)));
        let link = format!("{issuer}{}", draft.path);
        let part = HtmlPart {
            subject: &subject,
            platform: draft.platform(),
            colour: if platform.colour.is_empty() { COLOUR } else { &platform.colour },
            opening: &opening,
            draft: &draft,
            link: &link,
            never: NEVER,
        };
        let (text, html) = (text(&part), part.render()?);
        Ok(Self { kind, subject, text, html })
    }
}

/// The plain part: paragraphs with an empty line between them.
fn text(part: &HtmlPart<'_>) -> String {
    let draft = part.draft;
    let mut blocks = vec![joined(part.opening)];
    if !draft.facts.is_empty() {
        let lines: Vec<String> = draft.facts.iter().map(|(name, value)| format!("{name}: {value}")).collect();
        blocks.push(lines.join("\n"));
    }
    if !draft.may.is_empty() {
        let lines: Vec<String> = draft.may.iter().map(|item| format!("- {item}")).collect();
        blocks.push(format!("It may:\n{}", lines.join("\n")));
    }
    blocks.push(draft.more.to_owned());
    blocks.push(format!("{}:\n{}", draft.label, part.link));
    // RFC 3676 §4.3: what follows is no part of what is said.
    blocks.push(format!("-- \n{}\n{}\n{}", part.platform, draft.why, part.never));
    blocks.join("\n\n") + "\n"
}
