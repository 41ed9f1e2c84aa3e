//! Management tokens. A row holds a keyed hash, never a token.

use serde::Deserialize;
use worker::{D1Database, D1PreparedStatement, Env};

use super::{Item, database, number, optional, rows, statement, text};
use crate::fault::Fault;

/// A token as it is asked about on each call.
#[derive(Deserialize)]
pub(crate) struct Held {
    /// Its id.
    pub(crate) id: String,
    /// Scopes, separated by spaces.
    pub(crate) scope: String,
    /// The account that it belongs to; `None`: the platform.
    pub(crate) account_id: Option<String>,
    /// Seconds; 0 is never.
    pub(crate) expires_at: u64,
}

/// One D1 read: the token with one of these hashes.
pub(crate) async fn find(env: &Env, hashes: &[String]) -> Result<Option<Held>, Fault> {
    let marks: Vec<String> = (1..=hashes.len()).map(|at| format!("?{at}")).collect();
    let sql = format!("SELECT id, scope, account_id, expires_at FROM management_tokens WHERE hash IN ({})", marks.join(", "));
    let values: Vec<_> = hashes.iter().map(|hash| text(hash)).collect();
    Ok(rows::<Held>(&database(env)?, &sql, &values).await?.into_iter().next())
}

/// One D1 read: tokens made before the one with this number, as JSON, the newest first.
pub(crate) async fn items(env: &Env, before: u64, most: u32) -> Result<Vec<Item>, Fault> {
    let sql = "SELECT CAST(rowid AS TEXT) AS key, json_object('id', id, 'label', label, 'account', account_id,
                 'scopes', json('[\"' || replace(scope, ' ', '\",\"') || '\"]'), 'created_at', created_at, 'expires_at', expires_at) AS json
               FROM management_tokens WHERE rowid < ?1 ORDER BY rowid DESC LIMIT ?2";
    rows(&database(env)?, sql, &[number(before), number(u64::from(most))]).await
}

/// A token that is made.
pub(crate) struct New<'a> {
    /// Its id.
    pub(crate) id: &'a str,
    /// Its keyed hash.
    pub(crate) hash: &'a str,
    /// What its makers call it.
    pub(crate) label: &'a str,
    /// Scopes, separated by spaces.
    pub(crate) scope: &'a str,
    /// The account that it belongs to.
    pub(crate) account: Option<&'a str>,
    /// Seconds; 0 is never.
    pub(crate) expires_at: u64,
}

/// The statement that keeps it.
pub(crate) fn insert(database: &D1Database, new: &New<'_>, now_s: u64) -> Result<D1PreparedStatement, Fault> {
    let sql =
        "INSERT INTO management_tokens (id, hash, label, scope, account_id, expires_at, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    let values =
        [text(new.id), text(new.hash), text(new.label), text(new.scope), optional(new.account), number(new.expires_at), number(now_s)];
    statement(database, sql, &values)
}

#[derive(Deserialize)]
struct There {
    #[serde(rename = "id")]
    _id: String,
}

/// One D1 read.
pub(crate) async fn is_there(env: &Env, id: &str) -> Result<bool, Fault> {
    Ok(!rows::<There>(&database(env)?, "SELECT id FROM management_tokens WHERE id = ?1", &[text(id)]).await?.is_empty())
}

/// The statement that forgets it.
pub(crate) fn delete(database: &D1Database, id: &str) -> Result<D1PreparedStatement, Fault> {
    statement(database, "DELETE FROM management_tokens WHERE id = ?1", &[text(id)])
}
