//! Install rows: the list of what is connected. The `Grant` object is the truth; it tells the row
//! what ended, and an owner's end goes row (`ending`) → object → row (`ended`), so that a fault in
//! between leaves it listed as not finished.

use edgegrant_core::keys::Keys;
use serde::Deserialize;
use worker::Env;

use super::audit::{self, Entry};
use super::{Item, database, number, rows, rows_of, run, text};
use crate::config::Config;
use crate::fault::{Fault, OrFault as _};

/// An install with what its page shows.
#[derive(Deserialize)]
pub(crate) struct Install {
    /// The account.
    pub(crate) account_id: String,
    /// The app's number.
    pub(crate) app: u32,
    /// Name of the object.
    pub(crate) grant_id: String,
    /// allowed, connected, ending or ended.
    pub(crate) status: String,
    /// What was allowed.
    pub(crate) scope: String,
    /// When, in seconds.
    pub(crate) allowed_at: u64,
    /// The last day of use, in seconds.
    pub(crate) used_at: Option<u64>,
    /// When it ended, in seconds.
    pub(crate) ended_at: Option<u64>,
    /// The account's name.
    pub(crate) account_name: String,
    /// The visitor's role in the account.
    pub(crate) role: String,
    /// The app's name.
    pub(crate) app_name: String,
    /// Who makes it.
    pub(crate) developer: String,
    /// SHA-256 of its logo.
    pub(crate) logo: Option<String>,
    /// Marked as for development.
    pub(crate) development: u32,
    /// How the app stands: approved, suspended.
    pub(crate) app_status: String,
    user_id: String,
    email_sealed: Option<String>,
}

impl Install {
    /// How the install is named in links and forms.
    pub(crate) fn id(&self) -> String {
        format!("{}.{}", self.account_id, self.app)
    }

    /// The address of who allowed it.
    pub(crate) fn allowed_by(&self, keys: &Keys) -> String {
        let opened = self.email_sealed.as_ref().and_then(|sealed| super::people::open_column(keys, &self.user_id, "email", sealed));
        opened.unwrap_or_else(|| "a former member".to_owned())
    }
}

const COLUMNS: &str = "SELECT i.account_id, i.app, i.grant_id, i.status, i.scope, i.allowed_at, i.used_at, i.ended_at, i.user_id,
      a.name AS account_name, coalesce(m.role, '') AS role, p.name AS app_name, p.developer, p.logo, p.development, p.status AS app_status,
      u.email_sealed
    FROM installs i
    LEFT JOIN members m ON m.account_id = i.account_id AND m.user_id = ?1
    JOIN accounts a ON a.id = i.account_id
    JOIN apps p ON p.number = i.app
    LEFT JOIN users u ON u.id = i.user_id";
/// Of accounts that the person belongs to.
const OWN: &str = "m.user_id IS NOT NULL";

/// One D1 read: the installs of every account the person belongs to, the newest first.
pub(crate) async fn of_user(env: &Env, user: &str, skip: u32, most: u32) -> Result<Vec<Install>, Fault> {
    let sql = format!("{COLUMNS} WHERE {OWN} ORDER BY i.status = 'ended', i.allowed_at DESC, i.account_id, i.app LIMIT ?2 OFFSET ?3");
    rows(&database(env)?, &sql, &[text(user), number(u64::from(most)), number(u64::from(skip))]).await
}

/// One D1 read: an install of an account the person belongs to.
pub(crate) async fn find(env: &Env, user: &str, id: &str) -> Result<Option<Install>, Fault> {
    let Some((account, app)) = id.split_once('.').and_then(|(account, app)| Some((account, app.parse::<u32>().ok()?))) else {
        return Ok(None);
    };
    let sql = format!("{COLUMNS} WHERE {OWN} AND i.account_id = ?2 AND i.app = ?3");
    let found: Vec<Install> = rows(&database(env)?, &sql, &[text(user), text(account), number(u64::from(app))]).await?;
    Ok(found.into_iter().next())
}

/// One D1 read: the install of an app in an account, whoever asks.
pub(crate) async fn of_account(env: &Env, account: &str, client_id: &str) -> Result<Option<Install>, Fault> {
    let sql = format!("{COLUMNS} WHERE i.account_id = ?2 AND p.client_id = ?3");
    Ok(rows::<Install>(&database(env)?, &sql, &[text(""), text(account), text(client_id)]).await?.into_iter().next())
}

/// One D1 read: the installs of an account as JSON, apps with lower numbers than `before`, the newest app first.
pub(crate) async fn items(env: &Env, account: &str, before: u64, most: u32) -> Result<Vec<Item>, Fault> {
    let sql = "SELECT CAST(i.app AS TEXT) AS key, json_object('client_id', p.client_id, 'name', p.name, 'developer', p.developer,
                 'status', i.status, 'scope', i.scope, 'allowed_by', i.user_id, 'allowed_at', i.allowed_at, 'used_at', i.used_at,
                 'ended_at', i.ended_at, 'ended_why', i.ended_why) AS json
               FROM installs i JOIN apps p ON p.number = i.app
               WHERE i.account_id = ?1 AND i.app < ?2 ORDER BY i.app DESC LIMIT ?3";
    rows(&database(env)?, sql, &[text(account), number(before), number(u64::from(most))]).await
}

#[derive(Deserialize)]
struct AppNumber {
    app: u32,
}

/// One D1 read: the apps that are connected to an account of this person.
pub(crate) async fn connected_apps(env: &Env, user: &str) -> Result<Vec<u32>, Fault> {
    let sql = "SELECT DISTINCT i.app FROM installs i JOIN members m ON m.account_id = i.account_id AND m.user_id = ?1 WHERE i.status IN ('allowed', 'connected')";
    let found: Vec<AppNumber> = rows(&database(env)?, sql, &[text(user)]).await?;
    Ok(found.into_iter().map(|row| row.app).collect())
}

#[derive(Deserialize)]
struct Scope {
    scope: String,
}

/// One D1 read: what this person has allowed the app for the account, when that still holds.
pub(crate) async fn allowed(env: &Env, account: &str, app: u32, user: &str) -> Result<Option<String>, Fault> {
    let sql = "SELECT scope FROM installs WHERE account_id = ?1 AND app = ?2 AND user_id = ?3 AND status IN ('allowed', 'connected')";
    let found: Vec<Scope> = rows(&database(env)?, sql, &[text(account), number(u64::from(app)), text(user)]).await?;
    Ok(found.into_iter().next().map(|row| row.scope))
}

#[derive(Deserialize)]
struct Seq {
    seq: u64,
}

/// One D1 batch: takes the next consent number for an end, records who ends it, and marks the row as ending.
pub(crate) async fn begin_end(env: &Env, config: &Config, install: &Install, entry: &Entry<'_>, now_s: u64) -> Result<u64, Fault> {
    let database = database(env)?;
    let app = number(u64::from(install.app));
    let begin = super::statement(
        &database,
        "UPDATE installs SET seq = seq + 1, status = 'ending' WHERE account_id = ?1 AND app = ?2 RETURNING seq",
        &[text(&install.account_id), app],
    )?;
    let audit = audit::entry(&database, config, entry, now_s)?;
    let results = super::batch(&database, vec![begin, audit], "D1 disconnect").await?;
    let seq = rows_of::<Seq>(results.first().or_fault("D1 disconnect")?, "D1 disconnect")?;
    Ok(seq.first().or_fault("D1 disconnect")?.seq)
}

const ENDED: &str =
    "UPDATE installs SET status = 'ended', ended_at = ?3, ended_why = ?4 WHERE grant_id = ?1 AND seq <= ?2 AND status <> 'ended'";

/// One D1 statement: everything up to a consent number has ended; a later consent is left alone.
pub(crate) async fn ended(env: &Env, grant_id: &str, seq: u64, why: &str, now_s: u64) -> Result<(), Fault> {
    run(&database(env)?, ENDED, &[text(grant_id), number(seq), number(now_s), text(why)]).await
}

/// A code or refresh token that was used a second time.
pub(crate) struct Replay<'a> {
    /// Name of the object.
    pub(crate) grant_id: &'a str,
    /// The consent number, when nothing of the connection is left.
    pub(crate) ended: Option<u64>,
    /// What was used twice.
    pub(crate) why: &'static str,
    /// From where.
    pub(crate) network: &'a str,
}

/// One D1 batch: a replay that ended something is recorded for the account and the app; when nothing is
/// left, the row says so.
pub(crate) async fn replayed(env: &Env, config: &Config, replay: &Replay<'_>, now_s: u64) -> Result<(), Fault> {
    let database = database(env)?;
    let sql = "INSERT INTO audit (at, actor, action, account_id, app, detail, place_sealed)
               SELECT ?2, p.client_id, 'replay detected', i.account_id, i.app, ?3, ?4
               FROM installs i JOIN apps p ON p.number = i.app WHERE i.grant_id = ?1";
    let values = [text(replay.grant_id), number(now_s), text(replay.why), audit::place(config, replay.network)?];
    let mut batch = vec![super::statement(&database, sql, &values)?];
    if let Some(seq) = replay.ended {
        batch.push(super::statement(&database, ENDED, &[text(replay.grant_id), number(seq), number(now_s), text(replay.why)])?);
    }
    super::batch(&database, batch, "D1 replay").await?;
    Ok(())
}

/// One D1 statement: the app uses its access, from its claim on once a day.
///
/// That is newer than what the app or a replay ended: a code kept back until then still made a family,
/// and behind a row that says "ended" its owner could neither see nor cut it. After a disconnect there
/// is no such family, and nothing of before it may be heard.
pub(crate) async fn touched(env: &Env, grant_id: &str, now_s: u64) -> Result<(), Fault> {
    let sql = "UPDATE installs SET used_at = ?2, ended_at = NULL, ended_why = NULL,
                 status = CASE status WHEN 'ending' THEN 'ending' ELSE 'connected' END
               WHERE grant_id = ?1 AND ended_why IS NOT 'disconnected'";
    run(&database(env)?, sql, &[text(grant_id), number(now_s)]).await
}
