//! The deletion of a person: one D1 batch, so that all of it happens or none.
//!
//! Its first statement marks the person's row, on condition that nothing keeps them; every other one is
//! conditional on the mark, and the last takes the row away. So a connection that is allowed meanwhile is
//! never left to an account of nobody.

use serde::Deserialize;
use serde_json::json;
use worker::{D1PreparedStatement, Env};

use super::audit::{self, Entry};
use super::{database, number, rows, statement, text};
use crate::config::Config;
use crate::fault::{Fault, OrFault as _};

/// Something that would be left to nobody.
#[derive(Deserialize)]
pub(crate) struct Held {
    /// connection, key, app, or admin: the person is the last one.
    pub(crate) kind: String,
    /// The account's name.
    pub(crate) account: String,
    /// The app's name, or the key's.
    pub(crate) name: String,
}

/// What keeps person `?1` at the second `?2`: what lives in accounts where nobody else is.
const HOLDS: &str = "SELECT h.kind, a.name AS account, h.name FROM (
      SELECT i.account_id, 'connection' AS kind, p.name FROM installs i JOIN apps p ON p.number = i.app
        WHERE i.status IN ('allowed', 'connected', 'ending') AND p.status <> 'deleted'
      UNION ALL SELECT account_id, 'key', label FROM api_keys
        WHERE status IN ('live', 'ending') AND hint <> '' AND (expires_at = 0 OR expires_at > ?2)
      UNION ALL SELECT account_id, 'app', name FROM apps WHERE status NOT IN ('deleted', 'registering')
    ) h JOIN members m ON m.account_id = h.account_id AND m.user_id = ?1 JOIN accounts a ON a.id = h.account_id
    WHERE NOT EXISTS (SELECT 1 FROM members o WHERE o.account_id = m.account_id AND o.user_id <> ?1)";
const LAST_ADMIN: &str = "EXISTS (SELECT 1 FROM users WHERE id = ?1 AND platform_admin = 1)
    AND NOT EXISTS (SELECT 1 FROM users WHERE id <> ?1 AND platform_admin = 1)";

/// One D1 read: what keeps a person, at most 50 things.
pub(crate) async fn holds(env: &Env, user: &str, now_s: u64) -> Result<Vec<Held>, Fault> {
    let sql = format!("SELECT 'admin' AS kind, '' AS account, '' AS name WHERE {LAST_ADMIN} UNION ALL {HOLDS} LIMIT 50");
    rows(&database(env)?, &sql, &[text(user), number(now_s)]).await
}

/// An app's contact.
#[derive(Deserialize)]
pub(crate) struct Contact {
    /// The app's number.
    pub(crate) number: u32,
    /// Its client id.
    pub(crate) client_id: String,
    /// The address, sealed.
    pub(crate) sealed: String,
}

/// One D1 read: contacts that may be the person's address.
pub(crate) async fn contacts(env: &Env, user: &str) -> Result<Vec<Contact>, Fault> {
    let sql = "SELECT number, client_id, contact_sealed AS sealed FROM apps WHERE contact_sealed IS NOT NULL
               AND (owner_id = ?1 OR account_id IN (SELECT account_id FROM members WHERE user_id = ?1))";
    rows(&database(env)?, sql, &[text(user)]).await
}

#[derive(Deserialize)]
struct Gone {
    #[serde(rename = "id")]
    _id: String,
}

/// That the row is marked: it is only within the batch.
const LEAVING: &str = "EXISTS (SELECT 1 FROM users WHERE id = ?1 AND email_lookup = 'deleted ' || ?1)";

/// What goes with the person, in the order that references allow. The account's history keeps the person's
/// id and loses where they were; an account that nobody is in any more loses its name, for it may be theirs.
const STATEMENTS: [&str; 7] = [
    "DELETE FROM sessions WHERE user_id = ?1",
    "DELETE FROM identities WHERE user_id = ?1",
    "UPDATE apps SET owner_id = NULL WHERE owner_id = ?1",
    "UPDATE audit SET place_sealed = NULL WHERE actor = ?1",
    "UPDATE accounts SET name = 'Closed account' WHERE id IN (SELECT m.account_id FROM members m WHERE m.user_id = ?1
       AND NOT EXISTS (SELECT 1 FROM members o WHERE o.account_id = m.account_id AND o.user_id <> ?1))",
    "DELETE FROM members WHERE user_id = ?1",
    "DELETE FROM users WHERE id = ?1",
];

/// One D1 batch: the person is gone, with the contacts of these apps. `false` when something keeps them, or
/// there is no such person: then nothing has changed.
pub(crate) async fn delete(env: &Env, config: &Config, user: &str, contacts: &[u32], entry: &Entry<'_>, now_s: u64) -> Result<bool, Fault> {
    let database = database(env)?;
    let mark = format!(
        "UPDATE users SET email_lookup = 'deleted ' || id WHERE id = ?1 AND NOT EXISTS ({HOLDS}) AND NOT ({LAST_ADMIN}) RETURNING id"
    );
    let record = format!(
        "INSERT INTO audit (at, actor, action, account_id, subject, place_sealed)
         SELECT ?2, ?3, ?4, m.account_id, ?1, ?5 FROM users u LEFT JOIN members m ON m.user_id = u.id WHERE u.id = ?1 AND {LEAVING}"
    );
    let place = audit::place(config, entry.network)?;
    let unlist = format!("UPDATE apps SET contact_sealed = NULL WHERE number IN (SELECT value FROM json_each(?2)) AND {LEAVING}");
    let mut batch = vec![
        statement(&database, &mark, &[text(user), number(now_s)])?,
        statement(&database, &record, &[text(user), number(now_s), text(entry.actor), text(entry.action), place])?,
        statement(&database, &unlist, &[text(user), text(&json!(contacts).to_string())])?,
    ];
    for sql in STATEMENTS {
        batch.push(leaving(&database, sql, user)?);
    }
    let results = super::batch(&database, batch, "D1 deletion").await?;
    let gone = super::rows_of::<Gone>(results.first().or_fault("D1 deletion")?, "D1 deletion")?;
    Ok(!gone.is_empty())
}

fn leaving(database: &worker::D1Database, sql: &str, user: &str) -> Result<D1PreparedStatement, Fault> {
    statement(database, &format!("{sql} AND {LEAVING}"), &[text(user)])
}
