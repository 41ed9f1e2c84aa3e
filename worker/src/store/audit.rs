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
    entry_if(database, config, entry, now_s, ("true", &[]))
}

/// The same on a condition in SQL, whose values begin at `?9`.
pub(crate) fn entry_if(
    database: &D1Database,
    config: &Config,
    entry: &Entry<'_>,
    now_s: u64,
    (condition, more): (&str, &[JsValue]),
) -> Result<D1PreparedStatement, Fault> {
    let sql = format!(
        "INSERT INTO audit (at, actor, action, account_id, app, subject, detail, place_sealed)
         SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8 WHERE {condition}"
    );
    let mut values = vec![
        number(now_s),
        text(entry.actor),
        text(entry.action),
        optional(entry.account),
        entry.app.map_or(JsValue::NULL, |app| number(u64::from(app))),
        text(entry.subject),
        text(entry.detail),
        place(config, entry.network)?,
    ];
    values.extend_from_slice(more);
    statement(database, &sql, &values)
}

/// One D1 statement: records something that changed nothing else here.
pub(crate) async fn record(env: &Env, config: &Config, happened: &Entry<'_>, now_s: u64) -> Result<(), Fault> {
    entry(&database(env)?, config, happened, now_s)?.run().await.or_fault("D1 audit")?;
    Ok(())
}

/// Whose part of the record is read.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Part<'a> {
    /// All of it, or what these say: staff. Empty texts say nothing.
    All(Filter<'a>),
    /// What happened to an account.
    Account(&'a str),
    /// What happened to an app, without what its customers did with it.
    App(u32),
    /// What a person did.
    Actor(&'a str),
}

/// What staff looks for.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Filter<'a> {
    /// An account's id.
    pub(crate) account: &'a str,
    /// An app's client id.
    pub(crate) app: &'a str,
    /// Who did it.
    pub(crate) actor: &'a str,
}

impl Part<'_> {
    /// As a condition, its values after the first two.
    fn condition(&self) -> (String, Vec<JsValue>) {
        let one = |condition: &str, value: JsValue| (condition.to_owned(), vec![value]);
        match self {
            Self::Account(account) => one("e.account_id = ?3", text(account)),
            Self::Actor(actor) => one("e.actor = ?3", text(actor)),
            // What owners do with an app is theirs: its developer sees what was done to the app itself.
            Self::App(app) => one("e.app = ?3 AND e.account_id IS NULL AND e.action <> 'denied'", number(u64::from(*app))),
            Self::All(Filter { account, app, actor }) => {
                let wanted =
                    [("e.account_id =", account), ("e.app = (SELECT number FROM apps WHERE client_id =", app), ("e.actor =", actor)];
                let mut condition = String::from("true");
                let mut values = Vec::new();
                for (column, value) in wanted.into_iter().filter(|(_, value)| !value.is_empty()) {
                    values.push(text(value));
                    let close = if column.contains('(') { ")" } else { "" };
                    condition.push_str(&format!(" AND {column} ?{}{close}", values.len() + 2));
                }
                (condition, values)
            }
        }
    }
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
    name_sealed: Option<String>,
    platform_admin: Option<u32>,
    insider: u32,
}

/// Who did something, as somebody may know them.
pub(crate) struct Who {
    /// A person's name, else what kind of actor.
    pub(crate) name: String,
    /// A person's address.
    pub(crate) email: String,
    /// From where; empty when it is not known, or not theirs to know.
    pub(crate) place: String,
}

impl Read {
    /// From where, when it is known.
    pub(crate) fn place(&self, config: &Config) -> Option<String> {
        let bytes = open(&config.keys.data, Purpose::PersonalData, CONTEXT, self.place_sealed.as_ref()?)?;
        String::from_utf8(bytes).ok()
    }

    /// Who, to staff or to people of the account and the app's developers. To these, staff is the
    /// platform, and where staff and management tokens call from stays with the platform.
    pub(crate) fn who(&self, config: &Config, to_staff: bool) -> Who {
        let opened = |column: &str, sealed: &Option<String>| {
            let sealed = sealed.as_ref()?;
            super::people::open_column(&config.keys, &self.actor, column, sealed)
        };
        let is_token = self.actor.starts_with("token:");
        let hidden = !to_staff && (is_token || self.platform_admin == Some(1) && self.insider == 0);
        let place = if hidden { String::new() } else { self.place(config).unwrap_or_default() };
        let kind = |name: &str| Who { name: name.to_owned(), email: String::new(), place: place.clone() };
        match opened("email", &self.email_sealed) {
            Some(_) if hidden => kind("The platform"),
            Some(email) => {
                let name = opened("name", &self.name_sealed).filter(|name| !name.is_empty());
                Who { name: name.unwrap_or_else(|| email.clone()), email, place }
            }
            None if self.actor == "platform" => kind("The platform"),
            None if self.actor == UNKNOWN => kind("Somebody"),
            None if is_token => kind("A management token"),
            None if Some(&self.actor) == self.client_id.as_ref() => kind("The app"),
            None => kind("A former member"),
        }
    }
}

/// The actor of what nobody known has done.
pub(crate) const UNKNOWN: &str = "unknown";

/// One D1 read: entries older than `before`, the newest first.
pub(crate) async fn list(env: &Env, part: Part<'_>, before: Option<u64>, most: u32) -> Result<Vec<Read>, Fault> {
    let (condition, more) = part.condition();
    let sql = format!(
        "SELECT e.id, e.at, e.actor, e.action, e.account_id, a.name AS account_name, p.client_id, p.name AS app_name, e.subject, e.detail,
           e.place_sealed, u.email_sealed, u.name_sealed, u.platform_admin,
           EXISTS (SELECT 1 FROM members m WHERE m.user_id = e.actor AND m.account_id = coalesce(e.account_id, p.account_id)) AS insider
         FROM audit e LEFT JOIN accounts a ON a.id = e.account_id LEFT JOIN apps p ON p.number = e.app LEFT JOIN users u ON u.id = e.actor
         WHERE e.id < ?1 AND {condition} ORDER BY e.id DESC LIMIT ?2"
    );
    let mut values = vec![number(before.unwrap_or(1 << 52)), number(u64::from(most))];
    values.extend(more);
    rows(&database(env)?, &sql, &values).await
}
