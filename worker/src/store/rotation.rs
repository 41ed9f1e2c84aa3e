//! Rotation of the keys of personal data: what an older key has sealed is sealed anew under the newest
//! one, and addresses get their look-up name under the newest hash key, so that an old key can be dropped.
//!
//! Every value is replaced only while it is what was read, so that a change at the same time is never
//! undone. Values that no key opens stay as they are. Deployments with one key read nothing.

use edgegrant_core::keys::{Keyring, lookup_name};
use edgegrant_core::person::normal_email;
use edgegrant_core::seal::{Purpose, glob_of, open, seal};
use serde::Deserialize;
use serde_json::json;
use worker::{D1Database, Env};

use super::{database, number, rows, run, text};
use crate::config::Config;
use crate::fault::{Fault, OrFault as _};
use crate::platform::random;

/// Values of one round, and rounds of one column in a day.
const ROUND: u64 = 1000;
const ROUNDS: u32 = 50;

/// Where sealed values are.
struct Column {
    table: &'static str,
    /// What tells the row in the context.
    id: &'static str,
    name: &'static str,
    context: fn(&str) -> String,
}

const COLUMNS: [Column; 4] = [
    Column { table: "users", id: "id", name: "email_sealed", context: |id| format!("users/{id}/email") },
    Column { table: "users", id: "id", name: "name_sealed", context: |id| format!("users/{id}/name") },
    Column { table: "apps", id: "number", name: "contact_sealed", context: |id| format!("apps/{id}/contact") },
    Column { table: "audit", id: "id", name: "place_sealed", context: |_| "audit/place".to_owned() },
];

#[derive(Deserialize)]
struct Row {
    at: u64,
    id: String,
    sealed: String,
}

/// Moves what is under older keys, as much as a day does, and logs whether that was all.
pub(crate) async fn renew(env: &Env, config: &Config) -> Result<(), Fault> {
    let (data, hash) = (&config.keys.data, &config.keys.hash);
    if data.iter().nth(1).is_some() {
        let mut all = true;
        for column in &COLUMNS {
            all &= reseal(&database(env)?, data, column).await?;
        }
        crate::log::event(if all { "personal data is under the newest data key" } else { "personal data is left under an older data key" });
    }
    if hash.iter().nth(1).is_some() {
        let all = rename(&database(env)?, data, hash).await?;
        crate::log::event(if all { "addresses are under the newest hash key" } else { "addresses are left under an older hash key" });
    }
    Ok(())
}

/// One D1 read and one D1 statement a round. Whether nothing is left.
async fn reseal(database: &D1Database, data: &Keyring, column: &Column) -> Result<bool, Fault> {
    let Column { table, id, name, context } = column;
    let (newest, _) = data.newest().or_fault("data key")?;
    let (glob, mut after, mut unopened) = (glob_of(newest), 0, false);
    let select = format!(
        "SELECT rowid AS at, CAST({id} AS TEXT) AS id, {name} AS sealed FROM {table}
         WHERE {name} NOT GLOB ?1 AND rowid > ?2 ORDER BY rowid LIMIT {ROUND}"
    );
    let update = format!(
        "UPDATE {table} SET {name} = j.new
         FROM (SELECT value ->> 0 AS at, value ->> 1 AS old, value ->> 2 AS new FROM json_each(?1)) j
         WHERE {table}.rowid = j.at AND {table}.{name} = j.old"
    );
    for _ in 0..ROUNDS {
        let found: Vec<Row> = rows(database, &select, &[text(&glob), number(after)]).await?;
        let mut changes = Vec::new();
        for row in &found {
            let context = context(&row.id);
            let Some(plain) = open(data, Purpose::PersonalData, &context, &row.sealed) else {
                unopened = true;
                continue;
            };
            let sealed = seal(data, Purpose::PersonalData, &context, &plain, random()?).or_fault("data key")?;
            changes.push(json!([row.at, row.sealed, sealed]));
        }
        if !changes.is_empty() {
            run(database, &update, &[text(&json!(changes).to_string())]).await?;
        }
        match found.last() {
            Some(last) if found.len() as u64 == ROUND => after = last.at,
            _ => return Ok(!unopened),
        }
    }
    Ok(false)
}

/// The same for look-up names. People of identity providers have none that is made of their address.
async fn rename(database: &D1Database, data: &Keyring, hash: &Keyring) -> Result<bool, Fault> {
    let (newest, key) = hash.newest().or_fault("hash key")?;
    let (newest, mut after, mut unopened) = (number(u64::from(newest)), 0, false);
    let select = format!(
        "SELECT rowid AS at, id, email_sealed AS sealed FROM users
         WHERE lookup_key <> ?1 AND rowid > ?2 AND NOT EXISTS (SELECT 1 FROM identities WHERE user_id = users.id) ORDER BY rowid LIMIT {ROUND}"
    );
    let update = "UPDATE OR IGNORE users SET email_lookup = j.new, lookup_key = ?2
         FROM (SELECT value ->> 0 AS at, value ->> 1 AS old, value ->> 2 AS new FROM json_each(?1)) j
         WHERE users.rowid = j.at AND users.email_sealed = j.old";
    for _ in 0..ROUNDS {
        let found: Vec<Row> = rows(database, &select, &[newest.clone(), number(after)]).await?;
        let mut changes = Vec::new();
        for row in &found {
            let plain = open(data, Purpose::PersonalData, &format!("users/{}/email", row.id), &row.sealed);
            match plain.and_then(|bytes| String::from_utf8(bytes).ok()) {
                Some(email) => changes.push(json!([row.at, row.sealed, lookup_name(key, "email", &normal_email(&email))])),
                None => unopened = true,
            }
        }
        if !changes.is_empty() {
            run(database, update, &[text(&json!(changes).to_string()), newest.clone()]).await?;
        }
        match found.last() {
            Some(last) if found.len() as u64 == ROUND => after = last.at,
            _ => return Ok(!unopened),
        }
    }
    Ok(false)
}
