//! Messages of a development build: kept in D1 and shown at `/__dev/mail`, newest first.
//!
//! | address | what |
//! |---|---|
//! | `/__dev/mail` | the list |
//! | `/__dev/mail/{id}`, `….txt`, `….html` | one message, and each of its parts |
//! | `/__dev/mail.json?to=…` | everything, for tests |
//!
//! They are sealed like all personal data. The HTML part is a page of its own: it comes with styles that
//! our pages forbid, and with a policy under which it can do nothing else.

use edgegrant_core::notice::Letter;
use edgegrant_core::seal::{Purpose, open_value, seal_value};
use serde::{Deserialize, Serialize};
use serde_json::json;
use worker::Env;

use crate::answer::Answer;
use crate::call::Call;
use crate::config::Config;
use crate::fault::{Fault, OrFault as _};
use crate::pages::{Action, Card, Fact, Frame, Link, Section, SheetPage};
use crate::platform::{now_s, random};
use crate::store::{database, number, rows, text};

const CONTEXT: &str = "mail";
const HERE: &str = "/__dev/mail";
const HTML_POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox allow-popups";

/// A message that was not sent.
#[derive(Serialize, Deserialize)]
struct Kept {
    to: String,
    kind: String,
    subject: String,
    text: String,
    html: String,
}

#[derive(Deserialize)]
struct Row {
    id: u32,
    at: u64,
    sealed: String,
}

/// Keeps a message, and says on the console where it is. One D1 statement.
pub(crate) async fn keep(env: &Env, config: &Config, to: &str, letter: &Letter) -> Result<(), Fault> {
    let Letter { kind, subject, text: plain, html } = letter.clone();
    let kept = Kept { to: to.to_owned(), kind: kind.as_str().to_owned(), subject, text: plain, html };
    let sealed = seal_value(&config.keys.data, Purpose::PersonalData, CONTEXT, &kept, random()?).or_fault("data key")?;
    let sql = "INSERT INTO mail (at, sealed) VALUES (?1, ?2) RETURNING id, at, sealed";
    let made: Vec<Row> = rows(&database(env)?, sql, &[number(now_s()), text(&sealed)]).await?;
    let id = made.first().or_fault("D1 mail")?.id;
    worker::console_log!("e-mail \"{}\": {}{HERE}/{id}", kept.subject, config.issuer);
    Ok(())
}

/// Answers `GET /__dev/mail…`.
pub(crate) async fn answer(call: &Call, rest: &str) -> Result<Option<Answer>, Fault> {
    match rest {
        "" => return Ok(Some(list(call, &kept(call, None).await?))),
        ".json" => {
            let params = call.query_params();
            let to = params.field("to");
            let all = kept(call, None).await?;
            let wanted = all.iter().filter(|(_, kept)| to.is_empty() || kept.to == to);
            let shown: Vec<_> = wanted
                .map(|(row, kept)| {
                    json!({ "id": row.id, "at": row.at, "to": kept.to, "kind": kept.kind,
                "subject": kept.subject, "text": kept.text, "html": kept.html })
                })
                .collect();
            return Ok(Some(Answer::json(200, &shown)));
        }
        _ => {}
    }
    let Some((id, part)) = rest.strip_prefix('/').map(|name| name.split_once('.').unwrap_or((name, ""))) else { return Ok(None) };
    let Ok(id) = id.parse() else { return Ok(None) };
    let found = kept(call, Some(id)).await?;
    let Some((row, kept)) = found.into_iter().next() else { return Ok(None) };
    Ok(match part {
        "" => Some(message(call, &row, &kept)),
        "txt" => Some(Answer::bytes("text/plain; charset=utf-8", kept.text.into_bytes())),
        "html" => Some(Answer::bytes("text/html; charset=utf-8", kept.html.into_bytes()).with("content-security-policy", HTML_POLICY)),
        _ => None,
    })
}

/// The newest messages, or the one with an id. One D1 read.
async fn kept(call: &Call, id: Option<u32>) -> Result<Vec<(Row, Kept)>, Fault> {
    let database = database(&call.env)?;
    let found: Vec<Row> = match id {
        Some(id) => rows(&database, "SELECT id, at, sealed FROM mail WHERE id = ?1", &[number(u64::from(id))]).await?,
        None => rows(&database, "SELECT id, at, sealed FROM mail ORDER BY id DESC LIMIT 200", &[]).await?,
    };
    let keys = &call.config.keys.data;
    let open = |row: Row| Some((open_value(keys, Purpose::PersonalData, CONTEXT, &row.sealed).or_fault("mail"), row));
    found.into_iter().filter_map(open).map(|(kept, row)| kept.map(|kept| (row, kept))).collect()
}

fn facts(row: &Row, kept: &Kept) -> Vec<Fact<'static>> {
    vec![Fact::text("To", kept.to.clone()), Fact::text("Kind", kept.kind.clone()), Fact::time("When", row.at)]
}

fn list(call: &Call, kept: &[(Row, Kept)]) -> Answer {
    let card = |(row, kept): &(Row, Kept)| Card {
        title: kept.subject.clone().into(),
        href: Some(format!("{HERE}/{}", row.id).into()),
        facts: facts(row, kept),
        ..Card::default()
    };
    let cards = kept.iter().map(card).collect();
    let section = Section { cards, empty: "No message yet.".into(), ..Section::default() };
    let frame = Frame::of(&call.config.policy.platform);
    let lead = "What this server tells people by e-mail, newest first. Nothing leaves your computer.";
    Answer::page(200, &SheetPage { sections: vec![section], ..SheetPage::new(frame, "E-mail", lead) })
}

fn message(call: &Call, row: &Row, kept: &Kept) -> Answer {
    let part = |words: &'static str, end: &str| Action::link(words, format!("{HERE}/{}.{end}", row.id));
    let section = Section {
        facts: facts(row, kept),
        code: Some(kept.text.as_str().into()),
        actions: vec![part("HTML part", "html").main(), part("Text part", "txt")],
        ..Section::default()
    };
    let frame = Frame::of(&call.config.policy.platform);
    let page =
        SheetPage { up: Some(Link::other(HERE, "E-mail")), sections: vec![section], ..SheetPage::new(frame, kept.subject.as_str(), "") };
    Answer::page(200, &page)
}
