//! The first administrator: statements that hold only while there is none, so that two of them at once,
//! or a token that somebody finds later, make nobody.

use edgegrant_core::person::normal_email;
use edgegrant_core::seal::{Purpose, seal};
use worker::wasm_bindgen::JsValue;
use worker::{D1Database, D1PreparedStatement, Env};

use super::{Pair, audit, database, number, people, rows, statement, text};
use crate::config::Config;
use crate::fault::{Fault, OrFault as _};
use crate::platform::random;

/// What is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Nobody has an account.
    Nobody,
    /// There are people, none of them an administrator.
    People,
    /// There is an administrator.
    Admin,
}

/// One D1 read.
pub(crate) async fn standing(env: &Env) -> Result<Standing, Fault> {
    let sql = "SELECT '' AS text, EXISTS (SELECT 1 FROM users) + EXISTS (SELECT 1 FROM users WHERE platform_admin = 1) AS number";
    let found = rows::<Pair>(&database(env)?, sql, &[]).await?;
    Ok(match found.first().or_fault("D1 set-up")?.number {
        0 => Standing::Nobody,
        1 => Standing::People,
        _ => Standing::Admin,
    })
}

const NO_ADMIN: &str = "NOT EXISTS (SELECT 1 FROM users WHERE platform_admin = 1)";
const NOBODY: &str = "NOT EXISTS (SELECT 1 FROM users)";

/// The audit entry, on the same condition as the change that follows it in the batch.
fn entry(
    database: &D1Database,
    config: &Config,
    user: &str,
    network: &str,
    now_s: u64,
    condition: &str,
) -> Result<D1PreparedStatement, Fault> {
    let sql = format!("INSERT INTO audit (at, actor, action, place_sealed) SELECT ?1, ?2, 'first_admin', ?3 WHERE {condition}");
    statement(database, &sql, &[number(now_s), text(user), audit::place(config, network)?])
}

/// Whether the second of two statements has changed a row.
async fn changed(database: &D1Database, batch: Vec<D1PreparedStatement>) -> Result<bool, Fault> {
    let results = super::batch(database, batch, "D1 set-up").await?;
    Ok(!super::rows_of::<Pair>(results.get(1).or_fault("D1 set-up")?, "D1 set-up")?.is_empty())
}

/// One D1 batch: somebody becomes the administrator; false when there is one already.
pub(crate) async fn become_admin(env: &Env, config: &Config, user: &str, network: &str, now_s: u64) -> Result<bool, Fault> {
    let database = database(env)?;
    let update = format!("UPDATE users SET platform_admin = 1 WHERE id = ?1 AND {NO_ADMIN} RETURNING id AS text, 1 AS number");
    let batch = vec![entry(&database, config, user, network, now_s, NO_ADMIN)?, statement(&database, &update, &[text(user)])?];
    changed(&database, batch).await
}

/// Somebody to be made.
pub(crate) struct First<'a> {
    /// A new id.
    pub(crate) user: &'a str,
    /// The e-mail address.
    pub(crate) email: &'a str,
    /// argon2id, PHC string.
    pub(crate) password_hash: &'a str,
}

/// One D1 batch: the first person, who is the administrator; false when somebody is there already.
pub(crate) async fn first_person(env: &Env, config: &Config, first: &First<'_>, network: &str, now_s: u64) -> Result<bool, Fault> {
    let database = database(env)?;
    let sealed = |column: &str, value: &str| -> Result<JsValue, Fault> {
        let context = format!("users/{}/{column}", first.user);
        Ok(text(&seal(&config.keys.data, Purpose::PersonalData, &context, value.as_bytes(), random()?).or_fault("data key")?))
    };
    let names = people::email_names(&config.keys, first.email);
    let insert = format!(
        "INSERT INTO users (id, email_lookup, email_sealed, name_sealed, password_hash, platform_admin, created_at)
         SELECT ?1, ?2, ?3, ?4, ?5, 1, ?6 WHERE {NOBODY} RETURNING id AS text, 1 AS number"
    );
    let values = [
        text(first.user),
        text(names.first().or_fault("hash key")?),
        sealed("email", &normal_email(first.email))?,
        sealed("name", "")?,
        text(first.password_hash),
        number(now_s),
    ];
    let batch = vec![entry(&database, config, first.user, network, now_s, NOBODY)?, statement(&database, &insert, &values)?];
    changed(&database, batch).await
}
