//! The decision of a consent page: one D1 batch, so that all of it happens or none (attack A19).
//!
//! Its first statement inserts the form's number under a unique key, on condition that session, role
//! and app are still what the page showed; every other statement is conditional on that very insert.
//! Two submissions of one form, or a role lost in between, change nothing.

use edgegrant_core::encoding::{base64url, hex};
use edgegrant_core::person::SessionCookie;
use edgegrant_core::policy::Review;
use serde::Deserialize;
use worker::wasm_bindgen::JsValue;
use worker::{D1Database, D1PreparedStatement, Env};

use super::codes::CodeRecord;
use super::{database, number, rows, rows_of, statement, text};
use crate::fault::{Fault, OrFault as _};
use crate::platform::random_id;

/// Who decides, on which form.
pub(crate) struct Decider<'a> {
    /// The session that the page was shown to.
    pub(crate) cookie: &'a SessionCookie,
    /// The form's number.
    pub(crate) number: &'a [u8; 16],
    /// When the number may be forgotten, in seconds.
    pub(crate) expires_s: u64,
    /// The app's number.
    pub(crate) app: u32,
    /// Now, in seconds.
    pub(crate) now_s: u64,
    /// From where, sealed: see [`super::audit::place`].
    pub(crate) place: JsValue,
}

/// What an Allow grants.
pub(crate) struct Allowed<'a> {
    /// Roles that may decide.
    pub(crate) roles: &'a [String],
    /// What an app in review may do.
    pub(crate) review: Review,
    /// Name of the grant's object.
    pub(crate) grant_id: &'a str,
    /// SHA-256 of the code.
    pub(crate) code_hash: &'a [u8; 32],
    /// The code's record, still without consent number and account name: the batch knows them.
    pub(crate) record: &'a CodeRecord,
    /// What the list says is allowed.
    pub(crate) scope: &'a str,
    /// The code's end, in seconds.
    pub(crate) code_expires_s: u64,
}

/// What became of a decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Recorded; what it recorded of an Allow, nothing of a Deny.
    Recorded(Recorded),
    /// The form was decided before.
    AlreadyDecided,
    /// Session, role or app are no longer what the page showed.
    NoLongerAllowed,
}

/// What an Allow has recorded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Recorded {
    /// The code's whole record.
    pub(crate) record: String,
    /// What the connection was allowed before, while it lasts; nothing for a new one.
    pub(crate) allowed_before: String,
}

#[derive(Deserialize)]
struct Record {
    record: String,
}

#[derive(Deserialize)]
struct Batch {
    batch: String,
}

const LIVE_SESSION: &str = "EXISTS (SELECT 1 FROM sessions s JOIN users u ON u.id = s.user_id AND u.epoch = s.epoch
    WHERE s.id = ?4 AND s.user_id = ?5 AND s.epoch = ?6 AND s.expires_at > ?7)";
const OURS: &str = "EXISTS (SELECT 1 FROM decisions WHERE number = ?1 AND batch = ?2)";

/// The condition that this person may connect the app.
const fn usable_app(review: Review) -> &'static str {
    match review {
        Review::Manual => " AND EXISTS (SELECT 1 FROM apps WHERE number = ?9 AND status = 'approved')",
        Review::OwnerOnly => {
            " AND EXISTS (SELECT 1 FROM apps WHERE number = ?9 AND (status = 'approved' OR status = 'pending' AND owner_id = ?5))"
        }
        Review::Warn | Review::None => " AND EXISTS (SELECT 1 FROM apps WHERE number = ?9 AND status IN ('approved', 'pending'))",
    }
}

fn insert_number(
    database: &D1Database,
    decider: &Decider<'_>,
    batch: &str,
    allowed: Option<(&Allowed<'_>, &str)>,
) -> Result<D1PreparedStatement, Fault> {
    let cookie = decider.cookie;
    let mut values = vec![
        text(&hex(decider.number)),
        text(batch),
        number(decider.expires_s),
        text(&cookie.session),
        text(&cookie.user),
        number(u64::from(cookie.epoch)),
        number(decider.now_s),
    ];
    let mut sql = format!("INSERT OR IGNORE INTO decisions (number, batch, expires_at) SELECT ?1, ?2, ?3 WHERE {LIVE_SESSION}");
    if let Some((allowed, account)) = allowed {
        values.push(text(account));
        values.push(number(u64::from(decider.app)));
        let first_role = values.len() + 1;
        let marks: Vec<String> = (first_role..first_role + allowed.roles.len()).map(|at| format!("?{at}")).collect();
        sql.push_str(usable_app(allowed.review));
        sql.push_str(&format!(
            " AND EXISTS (SELECT 1 FROM members WHERE user_id = ?5 AND account_id = ?8 AND role IN ({}))",
            marks.join(", ")
        ));
        values.extend(allowed.roles.iter().map(|role| text(role)));
    }
    statement(database, &sql, &values)
}

fn audit(
    database: &D1Database,
    decider: &Decider<'_>,
    batch: &str,
    action: &str,
    account: Option<&str>,
) -> Result<D1PreparedStatement, Fault> {
    let sql = format!("INSERT INTO audit (at, actor, action, account_id, app, place_sealed) SELECT ?3, ?4, ?5, ?6, ?7, ?8 WHERE {OURS}");
    let account = account.map_or(JsValue::NULL, text);
    let values = [
        text(&hex(decider.number)),
        text(batch),
        number(decider.now_s),
        text(&decider.cookie.user),
        text(action),
        account,
        number(u64::from(decider.app)),
        decider.place.clone(),
    ];
    statement(database, &sql, &values)
}

/// Records an Allow: number, install with the next consent number, the code's second copy, audit.
pub(crate) async fn allow(env: &Env, decider: &Decider<'_>, allowed: &Allowed<'_>) -> Result<Outcome, Fault> {
    let database = database(env)?;
    let batch = random_id()?;
    let held = &allowed.record.held;
    let form = hex(decider.number);
    let install = format!(
        "INSERT INTO installs (account_id, app, grant_id, seq, status, scope, user_id, allowed_at)
         SELECT ?3, ?4, ?5, 1, 'allowed', ?6, ?7, ?8 WHERE {OURS}
         ON CONFLICT (account_id, app) DO UPDATE SET seq = seq + 1, scope = excluded.scope, user_id = excluded.user_id,
           allowed_at = excluded.allowed_at, ended_at = NULL, ended_why = NULL,
           -- What an earlier consent allowed goes on: the row stays in use when it was, and a
           -- disconnect that was not finished stays to be finished.
           used_at = CASE status WHEN 'connected' THEN used_at END,
           status = CASE WHEN status IN ('connected', 'ending') THEN status ELSE 'allowed' END"
    );
    let install_values = [
        text(&form),
        text(&batch),
        text(&held.account),
        number(u64::from(decider.app)),
        text(allowed.grant_id),
        text(allowed.scope),
        text(&held.user),
        number(decider.now_s),
    ];
    let code = format!(
        "INSERT INTO codes (hash, record, expires_at)
         SELECT ?3, json_set(?4, '$.held.seq', i.seq, '$.held.account_name', a.name), ?7
         FROM installs i JOIN accounts a ON a.id = i.account_id WHERE i.account_id = ?5 AND i.app = ?6 AND {OURS}
         RETURNING record"
    );
    let code_values = [
        text(&form),
        text(&batch),
        text(&base64url(allowed.code_hash)),
        text(&serde_json::to_string(allowed.record).or_fault("code record")?),
        text(&held.account),
        number(u64::from(decider.app)),
        number(allowed.code_expires_s),
    ];
    let before = "SELECT scope AS record FROM installs WHERE account_id = ?1 AND app = ?2 AND status IN ('allowed', 'connected')";
    let statements = vec![
        insert_number(&database, decider, &batch, Some((allowed, &held.account)))?,
        statement(&database, before, &[text(&held.account), number(u64::from(decider.app))])?,
        statement(&database, &install, &install_values)?,
        statement(&database, &code, &code_values)?,
        audit(&database, decider, &batch, "allowed", Some(&held.account))?,
    ];
    let results = super::batch(&database, statements, "D1 consent").await?;
    let before = rows_of::<Record>(results.get(1).or_fault("D1 consent")?, "D1 consent")?;
    let recorded = rows_of::<Record>(results.get(3).or_fault("D1 consent")?, "D1 consent")?;
    match recorded.into_iter().next() {
        Some(row) => {
            let allowed_before = before.into_iter().next().map(|row| row.record).unwrap_or_default();
            Ok(Outcome::Recorded(Recorded { record: row.record, allowed_before }))
        }
        None => why_not(&database, decider).await,
    }
}

/// Records a Deny: number and audit.
pub(crate) async fn deny(env: &Env, decider: &Decider<'_>) -> Result<Outcome, Fault> {
    let database = database(env)?;
    let batch = random_id()?;
    let mine =
        statement(&database, "SELECT batch FROM decisions WHERE number = ?1 AND batch = ?2", &[text(&hex(decider.number)), text(&batch)])?;
    let statements = vec![insert_number(&database, decider, &batch, None)?, audit(&database, decider, &batch, "denied", None)?, mine];
    let results = super::batch(&database, statements, "D1 consent").await?;
    let recorded = rows_of::<Batch>(results.get(2).or_fault("D1 consent")?, "D1 consent")?;
    if recorded.iter().any(|row| row.batch == batch) {
        Ok(Outcome::Recorded(Recorded::default()))
    } else {
        why_not(&database, decider).await
    }
}

/// One D1 read, only when a decision changed nothing.
async fn why_not(database: &D1Database, decider: &Decider<'_>) -> Result<Outcome, Fault> {
    let found: Vec<Batch> = rows(database, "SELECT batch FROM decisions WHERE number = ?1", &[text(&hex(decider.number))]).await?;
    Ok(if found.is_empty() { Outcome::NoLongerAllowed } else { Outcome::AlreadyDecided })
}
