//! Who did what to which app, account or grant, when, from where. An entry holds ids and fixed words;
//! the caller's address is sealed, so that nothing personal is readable and a deleted person's entries
//! stay as what an id did.

use edgegrant_core::seal::{Purpose, open, seal};
use serde::Deserialize;
use worker::wasm_bindgen::JsValue;
use worker::{D1Database, D1PreparedStatement, Env};

use super::{database, number, optional, rows, statement, text};
use crate::config::Config;
use crate::fault::{Fault, OrFault as _};
use crate::platform::random;

/// What is recorded.
#[derive(Clone, Debug, Default)]
pub(crate) struct Entry<'a> {
    /// User id, client id, `token:…` or "platform".
    pub(crate) actor: &'a str,
    /// A fixed word.
    pub(crate) action: &'static str,
    /// The account it concerns.
    pub(crate) account: Option<&'a str>,
    /// The app it concerns.
    pub(crate) app: Option<u32>,
    /// A hint or id of what it was about.
    pub(crate) subject: &'a str,
    /// In words.
    pub(crate) detail: &'a str,
    /// The caller's address.
    pub(crate) network: &'a str,
}

const CONTEXT: &str = "audit/place";

/// The caller's address as it is stored.
pub(crate) fn place(config: &Config, network: &str) -> Result<JsValue, Fault> {
    if network.is_empty() {
        return Ok(JsValue::NULL);
    }
    let sealed = seal(&config.keys.data, Purpose::PersonalData, CONTEXT, network.as_bytes(), random()?).or_fault("data key")?;
    Ok(text(&sealed))
}

/// The statement that records an entry, for the batch of what it records.
pub(crate) fn entry(database: &D1Database, config: &Config, entry: &Entry<'_>, now_s: u64) -> Result<D1PreparedStatement, Fault> {
    let sql =
        "INSERT INTO audit (at, actor, action, account_id, app, subject, detail, place_sealed) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    let values = [
        number(now_s),
        text(entry.actor),
        text(entry.action),
        optional(entry.account),
        entry.app.map_or(JsValue::NULL, |app| number(u64::from(app))),
        text(entry.subject),
        text(entry.detail),
        place(config, entry.network)?,
    ];
    statement(database, sql, &values)
}

/// Whose part of the record is read.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Part<'a> {
    /// All of it: staff.
    All,
    /// What happened to an account.
    Account(&'a str),
    /// What happened to an app, without what its customers did with it.
    App(u32),
    /// What happened to an app, its customers' part included; of one account only, when it is given.
    Whole(u32, Option<&'a str>),
    /// What a person did.
    Actor(&'a str),
}

/// An entry as it was read.
#[derive(Deserialize)]
pub(crate) struct Read {
    /// Grows with time: where a list goes on.
    pub(crate) id: u64,
    /// Seconds.
    pub(crate) at: u64,
    /// Who.
    pub(crate) actor: String,
    /// What.
    pub(crate) action: String,
    /// The account.
    pub(crate) account_id: Option<String>,
    /// Its name.
    pub(crate) account_name: Option<String>,
    /// The app's client id.
    pub(crate) client_id: Option<String>,
    /// Its name.
    pub(crate) app_name: Option<String>,
    /// A hint or id.
    pub(crate) subject: String,
    /// In words.
    pub(crate) detail: String,
    place_sealed: Option<String>,
    email_sealed: Option<String>,
}

impl Read {
    /// From where, when it is known.
    pub(crate) fn place(&self, config: &Config) -> Option<String> {
        let bytes = open(&config.keys.data, Purpose::PersonalData, CONTEXT, self.place_sealed.as_ref()?)?;
        String::from_utf8(bytes).ok()
    }

    /// Who, as people know them: the address of somebody who is still there, else what kind of actor.
    pub(crate) fn who(&self, config: &Config) -> String {
        let sealed = self.email_sealed.as_ref();
        let opened = sealed.and_then(|sealed| super::people::open_column(&config.keys, &self.actor, "email", sealed));
        opened.unwrap_or_else(|| match self.actor.as_str() {
            "platform" => "the platform".to_owned(),
            actor if actor.starts_with("token:") => "a management token".to_owned(),
            actor if Some(actor) == self.client_id.as_deref() => "the app".to_owned(),
            _ => "a former member".to_owned(),
        })
    }
}

/// One D1 read: entries older than `before`, the newest first.
pub(crate) async fn list(env: &Env, part: Part<'_>, before: Option<u64>, most: u32) -> Result<Vec<Read>, Fault> {
    let (condition, value) = match part {
        Part::All => ("?1 = ?1".to_owned(), number(0)),
        Part::Account(account) => ("e.account_id = ?1".to_owned(), text(account)),
        // What owners do with an app is theirs: its developer sees what was done to the app itself.
        Part::App(app) => ("e.app = ?1 AND e.account_id IS NULL".to_owned(), number(u64::from(app))),
        Part::Whole(app, None) => ("e.app = ?1".to_owned(), number(u64::from(app))),
        Part::Whole(app, Some(account)) => (format!("e.account_id = ?1 AND e.app = {app}"), text(account)),
        Part::Actor(actor) => ("e.actor = ?1".to_owned(), text(actor)),
    };
    let sql = format!(
        "SELECT e.id, e.at, e.actor, e.action, e.account_id, a.name AS account_name, p.client_id, p.name AS app_name, e.subject, e.detail,
           e.place_sealed, u.email_sealed
         FROM audit e LEFT JOIN accounts a ON a.id = e.account_id LEFT JOIN apps p ON p.number = e.app LEFT JOIN users u ON u.id = e.actor
         WHERE {condition} AND e.id < ?2 ORDER BY e.id DESC LIMIT ?3"
    );
    let before = before.unwrap_or(1 << 52);
    rows(&database(env)?, &sql, &[value, number(before), number(u64::from(most))]).await
}
