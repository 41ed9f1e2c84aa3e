//! The listing of apps. The `App` object is the truth about what decides; the listing follows it.

use edgegrant_core::app::{App, Details, Status, name_key};
use edgegrant_core::json;
use serde::Deserialize;
use worker::wasm_bindgen::JsValue;
use worker::{D1Database, D1PreparedStatement, Env};

use super::{database, number, optional, rows, statement, text};
use crate::fault::{Fault, OrFault as _};

/// A row of the listing.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Listed {
    /// The app's number.
    pub(crate) number: u32,
    /// Its client id.
    pub(crate) client_id: String,
    /// Its name.
    pub(crate) name: String,
    /// Who makes it.
    pub(crate) developer: String,
    /// SHA-256 of its logo.
    pub(crate) logo: Option<String>,
    /// pending, approved, rejected, suspended.
    pub(crate) status: String,
    /// Marked as for development.
    pub(crate) development: u32,
    /// When it was registered, in seconds.
    pub(crate) created_at: u64,
    /// The account whose developers manage it.
    pub(crate) account_id: Option<String>,
    /// confidential or public.
    pub(crate) client_type: String,
    details: String,
    revision: Option<String>,
    /// Waits for review since this second.
    pub(crate) submitted_at: Option<u64>,
    /// Why it was rejected or suspended.
    pub(crate) reason: String,
    /// The limit that its developer asks for.
    pub(crate) rate_wish: String,
    /// The contact's address, sealed.
    pub(crate) contact_sealed: Option<String>,
}

impl Listed {
    /// The version in use.
    pub(crate) fn details(&self) -> Result<Details, Fault> {
        json::read(self.details.as_bytes()).or_fault("app details")
    }

    /// The version that waits for review beside one in use.
    pub(crate) fn revision(&self) -> Result<Option<Details>, Fault> {
        self.revision.as_deref().map(|text| json::read(text.as_bytes()).or_fault("app revision")).transpose()
    }

    /// Path of its logo.
    pub(crate) fn logo_path(&self) -> Option<String> {
        self.logo.as_ref().map(|sha256| format!("/logo/{sha256}"))
    }

    /// What a decision of staff is about: changes when the developer changes what waits.
    pub(crate) fn version(&self) -> String {
        let about = format!("{}\n{}\n{}", self.details, self.revision.as_deref().unwrap_or_default(), self.client_type);
        edgegrant_core::encoding::hex(&edgegrant_core::encoding::sha256(about.as_bytes())).chars().take(16).collect()
    }
}

const COLUMNS: &str = "SELECT number, client_id, name, developer, logo, status, development, created_at, account_id, client_type, details,
    revision, submitted_at, reason, rate_wish, contact_sealed FROM apps";
/// Rows whose registration was not finished are nobody's.
const THERE: &str = "status NOT IN ('deleted', 'registering')";

/// An app that has its name and its place: a registration is finished within seconds or never.
const TAKEN: &str = "(status NOT IN ('deleted', 'registering') OR status = 'registering' AND created_at > ?4 - 60)";

/// Which apps are listed.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Which<'a> {
    /// Of an account, the newest first.
    Of(&'a str),
    /// Waiting for review, the longest first.
    Waiting,
    /// In use, in the order of their names.
    Approved,
    /// Every one whose name has this in it.
    All(&'a str),
}

/// One D1 read.
pub(crate) async fn list(env: &Env, which: Which<'_>, skip: u32, most: u32) -> Result<Vec<Listed>, Fault> {
    let (condition, value) = match which {
        Which::Of(account) => ("account_id = ?1 ORDER BY number DESC", text(account)),
        Which::Waiting => ("?1 = ?1 AND submitted_at IS NOT NULL ORDER BY submitted_at, number", number(0)),
        Which::Approved => ("?1 = ?1 AND status = 'approved' AND development = 0 ORDER BY name COLLATE NOCASE, number", number(0)),
        Which::All(word) => ("(?1 = '' OR instr(lower(name), lower(?1)) > 0 OR client_id = ?1) ORDER BY number DESC", text(word)),
    };
    let sql = format!("{COLUMNS} WHERE {THERE} AND {condition} LIMIT ?2 OFFSET ?3");
    rows(&database(env)?, &sql, &[value, number(u64::from(most)), number(u64::from(skip))]).await
}

/// What programs list.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Filter<'a> {
    /// Of this account only.
    pub(crate) account: Option<&'a str>,
    /// A status, `waiting`, or nothing.
    pub(crate) status: &'a str,
    /// Part of the name, or nothing.
    pub(crate) name: &'a str,
}

/// One D1 read: apps with lower numbers than `before`, the newest first; of those that wait for review,
/// the ones submitted later than `after` (second and number), the longest waiting first.
pub(crate) async fn page(env: &Env, filter: Filter<'_>, before: u64, after: (u64, u64), most: u32) -> Result<Vec<Listed>, Fault> {
    let (condition, at) = match filter.status {
        "waiting" => ("submitted_at IS NOT NULL AND (submitted_at, number) > (?4, ?5) AND '' = ?6 ORDER BY submitted_at, number", after),
        _ => ("number < ?4 AND ?5 = 0 AND ('' = ?6 OR status = ?6) ORDER BY number DESC", (before, 0)),
    };
    let status = if filter.status == "waiting" { "" } else { filter.status };
    let account = if filter.account.is_some() { "account_id = ?1" } else { "?1 IS NULL" };
    let sql = format!("{COLUMNS} WHERE {THERE} AND {account} AND ('' = ?2 OR instr(lower(name), lower(?2)) > 0) AND {condition} LIMIT ?3");
    let (first, second) = at;
    let values = [optional(filter.account), text(filter.name), number(u64::from(most)), number(first), number(second), text(status)];
    rows(&database(env)?, &sql, &values).await
}

/// One D1 read.
pub(crate) async fn find(env: &Env, client_id: &str) -> Result<Option<Listed>, Fault> {
    let found: Vec<Listed> = rows(&database(env)?, &format!("{COLUMNS} WHERE {THERE} AND client_id = ?1"), &[text(client_id)]).await?;
    Ok(found.into_iter().next())
}

/// One D1 read: an app whose record may be read after its end too.
pub(crate) async fn find_any(env: &Env, client_id: &str) -> Result<Option<Listed>, Fault> {
    let sql = format!("{COLUMNS} WHERE status <> 'registering' AND client_id = ?1");
    Ok(rows::<Listed>(&database(env)?, &sql, &[text(client_id)]).await?.into_iter().next())
}

/// What a registration begins with.
pub(crate) struct Begun<'a> {
    /// Stands for the client id until the number is known.
    pub(crate) place: &'a str,
    /// The account.
    pub(crate) account: Option<&'a str>,
    /// Who makes it.
    pub(crate) developer: &'a str,
    /// The person who registers it.
    pub(crate) owner: Option<&'a str>,
    /// Its details.
    pub(crate) details: &'a Details,
    /// confidential or public.
    pub(crate) client_type: &'a str,
    /// Apps that the account may have.
    pub(crate) most: u16,
}

#[derive(Deserialize)]
struct Numbered {
    number: u32,
}

/// One D1 statement: takes the next number, unless another app's name looks alike or the account has as
/// many as it may. A row that is not finished is in no list.
pub(crate) async fn begin(env: &Env, begun: &Begun<'_>, now_s: u64) -> Result<Option<u32>, Fault> {
    let sql = format!(
        "INSERT INTO apps (number, client_id, name, developer, description, website, status, created_at, owner_id, account_id, client_type, name_key)
        SELECT (SELECT coalesce(max(number), 0) + 1 FROM apps), ?1, ?2, ?3, '', '', 'registering', ?4, ?5, ?6, ?7, ?8
        WHERE NOT EXISTS (SELECT 1 FROM apps WHERE name_key = ?8 AND status <> 'rejected' AND {TAKEN})
          AND (?6 IS NULL OR (SELECT count(*) FROM apps WHERE account_id = ?6 AND {TAKEN}) < ?9)
        RETURNING number"
    );
    let values = [
        text(begun.place),
        text(&begun.details.name),
        text(begun.developer),
        number(now_s),
        optional(begun.owner),
        optional(begun.account),
        text(begun.client_type),
        text(&name_key(&begun.details.name)),
        number(u64::from(begun.most)),
    ];
    let found: Vec<Numbered> = rows(&database(env)?, &sql, &values).await?;
    Ok(found.first().map(|row| row.number))
}

/// One D1 read: whether another app's name looks alike.
pub(crate) async fn is_imitation(env: &Env, name: &str, than: u32, now_s: u64) -> Result<bool, Fault> {
    let sql = format!("SELECT number FROM apps WHERE name_key = ?1 AND number <> ?2 AND status <> ?3 AND {TAKEN} LIMIT 1");
    let values = [text(&name_key(name)), number(u64::from(than)), text("rejected"), number(now_s)];
    let found: Vec<Numbered> = rows(&database(env)?, &sql, &values).await?;
    Ok(!found.is_empty())
}

/// What the listing says of an app after a change.
pub(crate) struct Listing<'a> {
    /// The version in use.
    pub(crate) details: &'a Details,
    /// The version that waits.
    pub(crate) revision: Option<&'a Details>,
    /// Waits since.
    pub(crate) submitted_at: Option<u64>,
    /// Why it was rejected or suspended.
    pub(crate) reason: &'a str,
    /// The contact's address, sealed; `None` leaves it.
    pub(crate) contact_sealed: Option<&'a str>,
}

/// The statement that makes the listing say it.
pub(crate) fn relist(database: &D1Database, app: &App, listing: &Listing<'_>) -> Result<D1PreparedStatement, Fault> {
    let json = |details: &Details| serde_json::to_string(details).or_fault("app details");
    let details = listing.details;
    let sql =
        "UPDATE apps SET client_id = ?2, status = ?3, name = ?4, description = ?5, website = ?6, logo = ?7, details = ?8, name_key = ?9,
        revision = ?10, submitted_at = ?11, reason = ?12, contact_sealed = coalesce(?13, contact_sealed) WHERE number = ?1";
    let values = [
        number(u64::from(app.number)),
        text(&app.client_id),
        text(app.status.as_str()),
        text(&details.name),
        text(&details.description),
        text(&details.website),
        optional(details.logo.as_deref()),
        text(&json(details)?),
        text(&name_key(&details.name)),
        listing.revision.map(json).transpose()?.map_or(JsValue::NULL, |json| text(&json)),
        listing.submitted_at.map_or(JsValue::NULL, number),
        text(listing.reason),
        optional(listing.contact_sealed),
    ];
    statement(database, sql, &values)
}

/// The statements after a change of status: the listing says what the object says; a deleted app's
/// connections have ended.
pub(crate) fn restated(database: &D1Database, app: &App, reason: &str, now_s: u64) -> Result<Vec<D1PreparedStatement>, Fault> {
    let at = number(u64::from(app.number));
    let waits = if app.status == Status::Pending { number(now_s) } else { JsValue::NULL };
    let sql = "UPDATE apps SET status = ?2, reason = ?3,
        submitted_at = CASE WHEN ?2 = 'pending' THEN coalesce(submitted_at, ?4) WHEN revision IS NULL OR ?2 IN ('deleted', 'rejected') THEN NULL ELSE submitted_at END
        WHERE number = ?1";
    let mut batch = vec![statement(database, sql, &[at.clone(), text(app.status.as_str()), text(reason), waits])?];
    if app.status == Status::Deleted {
        let sql = "UPDATE installs SET status = 'ended', ended_at = ?2, ended_why = 'app deleted' WHERE app = ?1 AND status <> 'ended'";
        batch.push(statement(database, sql, &[at, number(now_s)])?);
    }
    Ok(batch)
}

#[derive(Deserialize)]
struct Count {
    live: u64,
}

/// One D1 read: connections of an app that live.
pub(crate) async fn connections(env: &Env, app: u32) -> Result<u64, Fault> {
    let sql = "SELECT count(*) AS live FROM installs WHERE app = ?1 AND status IN ('allowed', 'connected', 'ending')";
    let found: Vec<Count> = rows(&database(env)?, sql, &[number(u64::from(app))]).await?;
    Ok(found.first().map_or(0, |row| row.live))
}

/// One D1 statement.
pub(crate) async fn wish(env: &Env, app: u32, wish: &str) -> Result<(), Fault> {
    super::run(&database(env)?, "UPDATE apps SET rate_wish = ?2 WHERE number = ?1", &[number(u64::from(app)), text(wish)]).await
}

/// One D1 statement: keeps a logo under its hash.
pub(crate) async fn keep_logo(env: &Env, sha256: &str, media_type: &str, bytes: &[u8]) -> Result<(), Fault> {
    let blob: JsValue = worker::js_sys::Uint8Array::from(bytes).buffer().into();
    let sql = "INSERT OR IGNORE INTO logos (sha256, media_type, bytes) VALUES (?1, ?2, ?3)";
    super::run(&database(env)?, sql, &[text(sha256), text(media_type), blob]).await
}
