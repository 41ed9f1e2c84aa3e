//! Rows of API keys: the list. The account's own `Grant` object is the truth. A new key goes row
//! (`issuing`) → object → row (`live`), so that a row that was left over names what may have to be ended;
//! a revocation goes row (`ending`) → object → row (`ended`), so that a fault in between leaves it listed
//! as not finished. No row holds a key.

use edgegrant_core::keys::Keys;
use serde::Deserialize;
use serde::de::IgnoredAny;
use worker::wasm_bindgen::JsValue;
use worker::{D1Database, D1PreparedStatement, Env};

use super::audit::{self, Entry};
use super::{Item, database, number, rows, run, statement, text};
use crate::config::Config;
use crate::fault::{Fault, OrFault as _};

/// A key as it is listed.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct ApiKey {
    /// Its id.
    pub(crate) id: String,
    /// The account.
    pub(crate) account_id: String,
    /// The account's name.
    pub(crate) account_name: String,
    /// Its number in the object.
    pub(crate) family: u32,
    /// issuing, live, ending or ended.
    pub(crate) status: String,
    /// What its makers call it.
    pub(crate) label: String,
    /// Its last four characters.
    pub(crate) hint: String,
    /// What it may do.
    pub(crate) scope: String,
    /// User id, or `token:…`.
    pub(crate) created_by: String,
    /// Seconds.
    pub(crate) created_at: u64,
    /// When it was asked for, in milliseconds.
    pub(crate) asked_ms: u64,
    /// Its end in seconds; 0 is never.
    pub(crate) expires_at: u64,
    /// The last day of use, in seconds.
    pub(crate) used_at: Option<u64>,
    /// When it was revoked, in seconds.
    pub(crate) revoked_at: Option<u64>,
    email_sealed: Option<String>,
}

impl ApiKey {
    /// The address of who made it.
    pub(crate) fn made_by(&self, keys: &Keys) -> String {
        let sealed = self.email_sealed.as_ref();
        let opened = sealed.and_then(|sealed| super::people::open_column(keys, &self.created_by, "email", sealed));
        let program = self.created_by.starts_with("token:");
        opened.unwrap_or_else(|| if program { "a management token" } else { "a former member" }.to_owned())
    }

    /// Whether its time is over.
    pub(crate) const fn expired(&self, now_s: u64) -> bool {
        self.expires_at != 0 && self.expires_at <= now_s
    }
}

/// A key that is asked for.
pub(crate) struct NewRow<'a> {
    /// Its id; one that is there already is a retry.
    pub(crate) id: &'a str,
    /// The account.
    pub(crate) account: &'a str,
    /// A random number for the object.
    pub(crate) family: u32,
    /// What its makers call it.
    pub(crate) label: &'a str,
    /// What it may do.
    pub(crate) scope: &'a str,
    /// Who asks.
    pub(crate) by: &'a str,
    /// Now, in milliseconds.
    pub(crate) now_ms: u64,
    /// Its end in seconds; 0 is never.
    pub(crate) expires_at: u64,
}

const COLUMNS: &str = "SELECT k.*, a.name AS account_name, u.email_sealed
    FROM api_keys k JOIN accounts a ON a.id = k.account_id LEFT JOIN users u ON u.id = k.created_by";

/// One D1 batch: the row is there; the same id again finds the row of the first time. `None` when there
/// is no such account, or by a chance of one in 2^32 when the number is taken.
pub(crate) async fn begin(env: &Env, new: &NewRow<'_>) -> Result<Option<ApiKey>, Fault> {
    let database = database(env)?;
    let sql = "INSERT OR IGNORE INTO api_keys (id, account_id, family, status, label, scope, created_by, created_at, asked_ms, expires_at)
               SELECT ?1, id, ?3, 'issuing', ?4, ?5, ?6, ?7, ?8, ?9 FROM accounts WHERE id = ?2";
    let values = [
        text(new.id),
        text(new.account),
        number(u64::from(new.family)),
        text(new.label),
        text(new.scope),
        text(new.by),
        number(new.now_ms / 1000),
        number(new.now_ms),
        number(new.expires_at),
    ];
    let found = statement(&database, &format!("{COLUMNS} WHERE k.id = ?1"), &[text(new.id)])?;
    let results = super::batch(&database, vec![statement(&database, sql, &values)?, found], "D1 key").await?;
    Ok(super::rows_of::<ApiKey>(results.get(1).or_fault("D1 key")?, "D1 key")?.into_iter().next())
}

/// An entry about a key, recorded while its row has this status: in front of the statement that changes it.
fn recorded(
    database: &D1Database,
    config: &Config,
    entry: &Entry<'_>,
    key: &ApiKey,
    status: &str,
    now_s: u64,
) -> Result<D1PreparedStatement, Fault> {
    let sql = "INSERT INTO audit (at, actor, action, account_id, subject, detail, place_sealed)
               SELECT ?1, ?2, ?3, account_id, ?4, ?5, ?6 FROM api_keys WHERE id = ?7 AND status = ?8";
    let place = audit::place(config, entry.network)?;
    let (at, actor, action) = (number(now_s), text(entry.actor), text(entry.action));
    let values = [at, actor, action, text(entry.subject), text(entry.detail), place, text(&key.id), text(status)];
    statement(database, sql, &values)
}

/// One D1 batch: the key is listed, and that is recorded. `false` when another request was first, or the
/// row was given up meanwhile: then the key must not be shown.
pub(crate) async fn live(env: &Env, config: &Config, key: &ApiKey, hint: &str, entry: &Entry<'_>, now_s: u64) -> Result<bool, Fault> {
    let database = database(env)?;
    let record = recorded(&database, config, entry, key, "issuing", now_s)?;
    let sql = "UPDATE api_keys SET status = 'live', hint = ?2 WHERE id = ?1 AND status = 'issuing' RETURNING id";
    let results = super::batch(&database, vec![record, statement(&database, sql, &[text(&key.id), text(hint)])?], "D1 key").await?;
    Ok(!super::rows_of::<IgnoredAny>(results.get(1).or_fault("D1 key")?, "D1 key")?.is_empty())
}

/// One D1 statement: a key that was not made is forgotten.
pub(crate) async fn not_made(env: &Env, id: &str) -> Result<(), Fault> {
    run(&database(env)?, "DELETE FROM api_keys WHERE id = ?1 AND status = 'issuing'", &[text(id)]).await
}

/// One D1 read: keys of these accounts, those that work first, then the newest.
pub(crate) async fn list(env: &Env, accounts: &[&str], skip: u32, most: u32) -> Result<Vec<ApiKey>, Fault> {
    // D1 takes 100 values in a statement.
    let accounts = accounts.get(..90).unwrap_or(accounts);
    let marks: Vec<String> = (3..accounts.len() + 3).map(|at| format!("?{at}")).collect();
    let sql = format!(
        "{COLUMNS} WHERE k.hint <> '' AND k.account_id IN ({}) ORDER BY k.status = 'ended', k.created_at DESC, k.id LIMIT ?1 OFFSET ?2",
        marks.join(", ")
    );
    let mut values: Vec<JsValue> = vec![number(u64::from(most)), number(u64::from(skip))];
    values.extend(accounts.iter().map(|account| text(account)));
    rows(&database(env)?, &sql, &values).await
}

/// One D1 read: keys of an account made before the one with this number, as JSON, the newest first.
pub(crate) async fn items(env: &Env, account: &str, before: u64, most: u32) -> Result<Vec<Item>, Fault> {
    let sql = "SELECT CAST(rowid AS TEXT) AS key, json_object('id', id, 'label', label, 'scope', scope, 'hint', hint, 'status', status,
                 'created_by', created_by, 'created_at', created_at, 'expires_at', expires_at, 'used_at', used_at, 'revoked_at', revoked_at) AS json
               FROM api_keys WHERE account_id = ?1 AND hint <> '' AND rowid < ?2 ORDER BY rowid DESC LIMIT ?3";
    rows(&database(env)?, sql, &[text(account), number(before), number(u64::from(most))]).await
}

/// One D1 read: a key that was shown, of any account.
pub(crate) async fn find(env: &Env, id: &str) -> Result<Option<ApiKey>, Fault> {
    let sql = format!("{COLUMNS} WHERE k.id = ?1 AND k.hint <> ''");
    Ok(rows::<ApiKey>(&database(env)?, &sql, &[text(id)]).await?.into_iter().next())
}

/// One D1 batch: the key is being revoked, and that is recorded the first time.
pub(crate) async fn begin_end(env: &Env, config: &Config, key: &ApiKey, entry: &Entry<'_>, now_s: u64) -> Result<(), Fault> {
    let database = database(env)?;
    let record = recorded(&database, config, entry, key, "live", now_s)?;
    let sql = "UPDATE api_keys SET status = 'ending' WHERE id = ?1 AND status = 'live'";
    super::batch(&database, vec![record, statement(&database, sql, &[text(&key.id)])?], "D1 key").await?;
    Ok(())
}

/// One D1 statement: the key has ended.
pub(crate) async fn ended(env: &Env, id: &str, now_s: u64) -> Result<(), Fault> {
    let sql = "UPDATE api_keys SET status = 'ended', revoked_at = ?2 WHERE id = ?1 AND status = 'ending'";
    run(&database(env)?, sql, &[text(id), number(now_s)]).await
}

/// One D1 statement: the key is used, once a day; an object that was restarted tells it again.
pub(crate) async fn used(env: &Env, account: &str, family: u32, now_s: u64) -> Result<(), Fault> {
    let sql = "UPDATE api_keys SET used_at = ?3 WHERE account_id = ?1 AND family = ?2 AND (used_at IS NULL OR used_at < ?4)";
    let today = now_s - now_s % 86_400;
    run(&database(env)?, sql, &[text(account), number(u64::from(family)), number(now_s), number(today)]).await
}

/// One D1 batch: rows left over since `before` are given up, so that nothing shows their keys any more,
/// and rows of keys that ended before `long_ago` are forgotten. Seconds. Gives what was given up: its
/// keys were perhaps made, and never shown.
pub(crate) async fn give_up(env: &Env, before: u64, long_ago: u64) -> Result<Vec<ApiKey>, Fault> {
    let database = database(env)?;
    let statements = vec![
        statement(&database, "UPDATE api_keys SET status = 'ending' WHERE status = 'issuing' AND created_at < ?1", &[number(before)])?,
        statement(
            &database,
            "DELETE FROM api_keys WHERE status = 'ended' AND revoked_at < ?1 OR status = 'live' AND expires_at <> 0 AND expires_at < ?1",
            &[number(long_ago)],
        )?,
        statement(&database, &format!("{COLUMNS} WHERE k.status = 'ending' AND k.hint = '' LIMIT 50"), &[])?,
    ];
    let results = super::batch(&database, statements, "D1 keys").await?;
    super::rows_of(results.get(2).or_fault("D1 keys")?, "D1 keys")
}

/// One D1 statement: a row that was given up and whose key has ended is forgotten.
pub(crate) async fn forget(env: &Env, id: &str) -> Result<(), Fault> {
    run(&database(env)?, "DELETE FROM api_keys WHERE id = ?1 AND status = 'ending' AND hint = ''", &[text(id)]).await
}
