//! What a person changes about themselves: name, password, sessions.

use edgegrant_core::person::SessionCookie;
use serde::Deserialize;
use worker::wasm_bindgen::JsValue;
use worker::{D1Database, D1PreparedStatement, Env};

use super::audit::{self, Entry};
use super::{database, number, rows, statement, text};
use crate::config::Config;
use crate::fault::{Fault, OrFault as _};

/// A session as its person sees it.
pub(crate) struct Session {
    /// Its id; never shown.
    pub(crate) id: String,
    /// When it began, in seconds.
    pub(crate) since: u64,
}

/// A person's own page.
pub(crate) struct Profile {
    /// The name.
    pub(crate) name: String,
    /// People of identity providers have no password here.
    pub(crate) has_password: bool,
    /// When the person came, in seconds.
    pub(crate) since: u64,
    /// The sessions, the newest first.
    pub(crate) sessions: Vec<Session>,
}

#[derive(Deserialize)]
struct Row {
    name_sealed: String,
    has_password: u32,
    since: u64,
    session: Option<String>,
    session_since: Option<u64>,
}

/// One D1 read. `None` when there is no such person.
pub(crate) async fn read(env: &Env, config: &Config, user: &str, now_s: u64) -> Result<Option<Profile>, Fault> {
    let sql =
        "SELECT u.name_sealed, u.password_hash <> '' AS has_password, u.created_at AS since, s.id AS session, s.created_at AS session_since
               FROM users u LEFT JOIN sessions s ON s.user_id = u.id AND s.epoch = u.epoch AND s.expires_at > ?2
               WHERE u.id = ?1 ORDER BY s.created_at DESC, s.id LIMIT 100";
    let found: Vec<Row> = rows(&database(env)?, sql, &[text(user), number(now_s)]).await?;
    let Some(first) = found.first() else { return Ok(None) };
    let name = super::people::open_column(&config.keys, user, "name", &first.name_sealed).or_fault("user name")?;
    let (has_password, since) = (first.has_password == 1, first.since);
    let sessions = found.into_iter().filter_map(|row| Some(Session { id: row.session?, since: row.session_since? })).collect();
    Ok(Some(Profile { name, has_password, since, sessions }))
}

/// One D1 batch: another name.
pub(crate) async fn rename(env: &Env, config: &Config, user: &str, name: &str, entry: &Entry<'_>, now_s: u64) -> Result<(), Fault> {
    let database = database(env)?;
    let sealed = super::people::seal_column(&config.keys, user, "name", name)?;
    let rename = statement(&database, "UPDATE users SET name_sealed = ?2 WHERE id = ?1", &[text(user), text(&sealed)])?;
    super::batch(&database, vec![rename, audit::entry(&database, config, entry, now_s)?], "D1 name").await?;
    Ok(())
}

/// One D1 batch: every session of the person but this one has ended.
pub(crate) async fn end_others(env: &Env, config: &Config, cookie: &SessionCookie, entry: &Entry<'_>, now_s: u64) -> Result<(), Fault> {
    let database = database(env)?;
    let end = statement(&database, "DELETE FROM sessions WHERE user_id = ?1 AND id <> ?2", &[text(&cookie.user), text(&cookie.session)])?;
    super::batch(&database, vec![end, audit::entry(&database, config, entry, now_s)?], "D1 sessions").await?;
    Ok(())
}

/// A password that takes the place of another.
pub(crate) struct NewPassword<'a> {
    /// What is stored until now.
    pub(crate) old_hash: &'a str,
    /// What is stored from now on; its salt makes it this change's own.
    pub(crate) new_hash: &'a str,
    /// This browser's new session, already of the next epoch.
    pub(crate) cookie: &'a SessionCookie,
    /// When its row may go, in seconds.
    pub(crate) expires_s: u64,
    /// Whether what the person has allowed ends too.
    pub(crate) and_grants: bool,
}

/// A connection that is being ended.
#[derive(Deserialize)]
pub(crate) struct Ending {
    /// Name of the object.
    pub(crate) grant_id: String,
    /// Up to which consent it ends.
    pub(crate) seq: u64,
}

#[derive(Deserialize)]
struct Epoch {
    #[serde(rename = "epoch")]
    _epoch: u32,
}

/// That this very change was made; values are the person and the new hash.
const CHANGED: &str = "EXISTS (SELECT 1 FROM users WHERE id = ?1 AND password_hash = ?2)";

/// One D1 batch: the password, the epoch that ends every other session, this browser's new one, what is
/// recorded, and where the policy says so the connections as ending. `None` when the password is not the
/// old one any more: then nothing has changed.
pub(crate) async fn change_password(
    env: &Env,
    config: &Config,
    new: &NewPassword<'_>,
    entry: &Entry<'_>,
) -> Result<Option<Vec<Ending>>, Fault> {
    let database = database(env)?;
    let (cookie, now) = (new.cookie, new.cookie.created_s);
    let (user, hash, epoch) = (text(&cookie.user), text(new.new_hash), number(u64::from(cookie.epoch)));
    let change = "UPDATE users SET password_hash = ?2, epoch = ?3 WHERE id = ?1 AND password_hash = ?4 AND epoch = ?3 - 1 RETURNING epoch";
    let session = format!("INSERT INTO sessions (id, user_id, epoch, created_at, expires_at) SELECT ?3, ?1, ?4, ?5, ?6 WHERE {CHANGED}");
    let others = format!("DELETE FROM sessions WHERE user_id = ?1 AND id <> ?3 AND {CHANGED}");
    let recorded = ("EXISTS (SELECT 1 FROM users WHERE id = ?9 AND password_hash = ?10)", [user.clone(), hash.clone()]);
    let mut batch = vec![
        statement(&database, change, &[user.clone(), hash.clone(), epoch.clone(), text(new.old_hash)])?,
        statement(&database, &session, &[user.clone(), hash.clone(), text(&cookie.session), epoch, number(now), number(new.expires_s)])?,
        statement(&database, &others, &[user.clone(), hash.clone(), text(&cookie.session)])?,
        audit::entry_if(&database, config, entry, now, (recorded.0, &recorded.1))?,
    ];
    if new.and_grants {
        batch.extend(endings(&database, user, hash, audit::place(config, entry.network)?, now)?);
    }
    let results = super::batch(&database, batch, "D1 password").await?;
    let changed = super::rows_of::<Epoch>(results.first().or_fault("D1 password")?, "D1 password")?;
    if changed.is_empty() {
        return Ok(None);
    }
    match results.get(6) {
        Some(result) => Ok(Some(super::rows_of(result, "D1 password")?)),
        None => Ok(Some(Vec::new())),
    }
}

/// The statements that mark what the person has allowed as ending, and find it.
fn endings(database: &D1Database, user: JsValue, hash: JsValue, place: JsValue, now_s: u64) -> Result<Vec<D1PreparedStatement>, Fault> {
    let record = format!(
        "INSERT INTO audit (at, actor, action, account_id, app, detail, place_sealed)
         SELECT ?3, ?1, 'disconnected', account_id, app, 'password changed', ?4 FROM installs WHERE user_id = ?1 AND status <> 'ended' AND {CHANGED}"
    );
    let begin = format!("UPDATE installs SET seq = seq + 1, status = 'ending' WHERE user_id = ?1 AND status <> 'ended' AND {CHANGED}");
    let found = "SELECT grant_id, seq FROM installs WHERE user_id = ?1 AND status = 'ending'";
    Ok(vec![
        statement(database, &record, &[user.clone(), hash.clone(), number(now_s), place])?,
        statement(database, &begin, &[user.clone(), hash])?,
        statement(database, found, &[user])?,
    ])
}
