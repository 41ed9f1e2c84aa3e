//! What is stored about a person, for the person: one D1 batch of reads, and what they did.

use serde_json::{Map, Value};
use worker::Env;

use super::{database, number, statement, text};
use crate::fault::Fault;

/// Where it is, under which name, and how it reads. Times are in the form of RFC 3339.
const PARTS: [(&str, &str); 7] = [
    (
        "profile",
        "SELECT id, email_sealed AS email, name_sealed AS name, platform_admin = 1 AS platform_staff, password_hash <> '' AS has_password,
           strftime('%Y-%m-%dT%H:%M:%SZ', created_at, 'unixepoch') AS created_at FROM users WHERE id = ?1",
    ),
    (
        "sign_in_providers",
        "SELECT issuer, strftime('%Y-%m-%dT%H:%M:%SZ', created_at, 'unixepoch') AS since FROM identities WHERE user_id = ?1",
    ),
    (
        "memberships",
        "SELECT a.id AS account_id, a.name AS account, m.role FROM members m JOIN accounts a ON a.id = m.account_id WHERE m.user_id = ?1 ORDER BY a.name",
    ),
    (
        "sessions",
        "SELECT strftime('%Y-%m-%dT%H:%M:%SZ', created_at, 'unixepoch') AS signed_in_at, strftime('%Y-%m-%dT%H:%M:%SZ', expires_at, 'unixepoch') AS ends_at
           FROM sessions WHERE user_id = ?1 AND expires_at > ?2 ORDER BY created_at",
    ),
    (
        "consents",
        "SELECT a.name AS account, p.name AS app, p.client_id, i.scope, i.status, strftime('%Y-%m-%dT%H:%M:%SZ', i.allowed_at, 'unixepoch') AS allowed_at,
           strftime('%Y-%m-%dT%H:%M:%SZ', i.used_at, 'unixepoch') AS last_used_at, strftime('%Y-%m-%dT%H:%M:%SZ', i.ended_at, 'unixepoch') AS ended_at, i.ended_why
           FROM installs i JOIN accounts a ON a.id = i.account_id JOIN apps p ON p.number = i.app WHERE i.user_id = ?1 ORDER BY i.allowed_at",
    ),
    (
        "apps_registered",
        "SELECT name, client_id, status, strftime('%Y-%m-%dT%H:%M:%SZ', created_at, 'unixepoch') AS registered_at FROM apps WHERE owner_id = ?1 ORDER BY number",
    ),
    (
        "keys_created",
        "SELECT a.name AS account, k.label, k.hint, k.scope, k.status, strftime('%Y-%m-%dT%H:%M:%SZ', k.created_at, 'unixepoch') AS created_at
           FROM api_keys k JOIN accounts a ON a.id = k.account_id WHERE k.created_by = ?1 ORDER BY k.created_at",
    ),
];

/// One D1 batch. Sealed values are still sealed.
pub(crate) async fn read(env: &Env, user: &str, now_s: u64) -> Result<Map<String, Value>, Fault> {
    let database = database(env)?;
    let mut batch = Vec::new();
    for (_, sql) in PARTS {
        let values = [text(user), number(now_s)];
        let used = if sql.contains("?2") { &values[..] } else { values.split_at(1).0 };
        batch.push(statement(&database, sql, used)?);
    }
    let results = super::batch(&database, batch, "D1 export").await?;
    let mut parts = Map::new();
    for ((name, _), result) in PARTS.iter().zip(&results) {
        parts.insert((*name).to_owned(), Value::Array(super::rows_of::<Value>(result, "D1 export")?));
    }
    Ok(parts)
}
