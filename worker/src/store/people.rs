//! People and their sessions. Names and addresses are sealed; an address is found by keyed hash.

use edgegrant_core::keys::{Keys, lookup_name};
use edgegrant_core::notice::Recipients;
use edgegrant_core::person::{SessionCookie, normal_email};
use edgegrant_core::seal::{Purpose, open, seal};
use serde::Deserialize;
use worker::{D1Database, D1PreparedStatement, Env};

use super::audit::{self, Entry};
use super::{database, number, rows, run, text};
use crate::config::Config;
use crate::fault::{Fault, OrFault as _};
use crate::platform::random;

/// Somebody who tries to sign in.
#[derive(Deserialize)]
pub(crate) struct Credentials {
    /// The person's id.
    pub(crate) id: String,
    /// argon2id, PHC string.
    pub(crate) password_hash: String,
    /// Sessions of older epochs are over.
    pub(crate) epoch: u32,
    /// 1 for platform staff.
    pub(crate) platform_admin: u32,
}

/// The names under which an address may be stored: one per hash key.
pub(crate) fn email_names(keys: &Keys, email: &str) -> Vec<String> {
    let email = normal_email(email);
    keys.hash.iter().map(|(_, key)| lookup_name(key, "email", &email)).collect()
}

/// A sealed column of a person's row.
pub(crate) fn open_column(keys: &Keys, user: &str, column: &str, sealed: &str) -> Option<String> {
    let bytes = open(&keys.data, Purpose::PersonalData, &format!("users/{user}/{column}"), sealed)?;
    String::from_utf8(bytes).ok()
}

/// Seals a column of a person's row.
pub(crate) fn seal_column(keys: &Keys, user: &str, column: &str, plain: &str) -> Result<String, Fault> {
    seal(&keys.data, Purpose::PersonalData, &format!("users/{user}/{column}"), plain.as_bytes(), random()?).or_fault("data key")
}

/// One D1 read.
pub(crate) async fn by_email(env: &Env, names: &[String]) -> Result<Option<Credentials>, Fault> {
    let marks: Vec<String> = (1..=names.len()).map(|at| format!("?{at}")).collect();
    let sql = format!("SELECT id, password_hash, epoch, platform_admin FROM users WHERE email_lookup IN ({})", marks.join(", "));
    let values: Vec<_> = names.iter().map(|name| text(name)).collect();
    Ok(rows::<Credentials>(&database(env)?, &sql, &values).await?.into_iter().next())
}

/// One D1 read.
pub(crate) async fn by_id(env: &Env, user: &str) -> Result<Option<Credentials>, Fault> {
    let sql = "SELECT id, password_hash, epoch, platform_admin FROM users WHERE id = ?1";
    Ok(rows::<Credentials>(&database(env)?, sql, &[text(user)]).await?.into_iter().next())
}

#[derive(Deserialize)]
struct Address {
    email_sealed: String,
}

/// One D1 read: a person's address.
pub(crate) async fn address(env: &Env, keys: &Keys, user: &str) -> Result<Option<String>, Fault> {
    let found: Vec<Address> = rows(&database(env)?, "SELECT email_sealed FROM users WHERE id = ?1", &[text(user)]).await?;
    let Some(row) = found.first() else { return Ok(None) };
    Ok(Some(open_column(keys, user, "email", &row.email_sealed).or_fault("user address")?))
}

/// The statements of a sign-in: the new session's row is there, the browser's old one is gone.
pub(crate) fn session_statements(
    database: &D1Database,
    new: &SessionCookie,
    expires_s: u64,
    old: Option<&str>,
) -> Result<Vec<D1PreparedStatement>, Fault> {
    let insert = "INSERT INTO sessions (id, user_id, epoch, created_at, expires_at) VALUES (?1, ?2, ?3, ?4, ?5)";
    let values = [text(&new.session), text(&new.user), number(u64::from(new.epoch)), number(new.created_s), number(expires_s)];
    let mut batch = vec![super::statement(database, insert, &values)?];
    if let Some(old) = old {
        batch.push(super::statement(database, "DELETE FROM sessions WHERE id = ?1", &[text(old)])?);
    }
    Ok(batch)
}

/// One D1 batch: a sign-in, and that it is recorded when it is to be.
pub(crate) async fn replace_session(
    env: &Env,
    config: &Config,
    new: &SessionCookie,
    expires_s: u64,
    old: Option<&str>,
    entry: Option<&Entry<'_>>,
) -> Result<(), Fault> {
    let database = database(env)?;
    let mut batch = session_statements(&database, new, expires_s, old)?;
    if let Some(entry) = entry {
        batch.push(audit::entry(&database, config, entry, new.created_s)?);
    }
    super::batch(&database, batch, "D1 session").await?;
    Ok(())
}

/// One D1 statement.
pub(crate) async fn end_session(env: &Env, session: &str) -> Result<(), Fault> {
    run(&database(env)?, "DELETE FROM sessions WHERE id = ?1", &[text(session)]).await
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

/// One D1 read: an account's name.
pub(crate) async fn account_name(env: &Env, account: &str) -> Result<Option<String>, Fault> {
    let found: Vec<Named> = rows(&database(env)?, "SELECT name FROM accounts WHERE id = ?1", &[text(account)]).await?;
    Ok(found.into_iter().next().map(|row| row.name))
}

/// The addresses of whom a notice is for, [`Recipients::MOST`] at most. One D1 read; none for a contact.
pub(crate) async fn addresses(env: &Env, keys: &Keys, to: &Recipients) -> Result<Vec<String>, Fault> {
    let (start, mut values, wanted) = match to {
        Recipients::Contact { sealed, context } => {
            let opened = open(&keys.data, Purpose::PersonalData, context, sealed);
            return Ok(vec![opened.and_then(|bytes| String::from_utf8(bytes).ok()).or_fault("contact address")?]);
        }
        Recipients::People(people) => ("SELECT u.id || ' ' || u.email_sealed AS name FROM users u WHERE u.id IN", vec![], people),
        Recipients::Roles { account, roles } => (
            "SELECT u.id || ' ' || u.email_sealed AS name FROM members m JOIN users u ON u.id = m.user_id WHERE m.account_id = ?1 AND m.role IN",
            vec![text(account)],
            roles,
        ),
    };
    let first = values.len() + 1;
    values.extend(wanted.iter().take(Recipients::MOST).map(|wanted| text(wanted)));
    let marks: Vec<String> = (first..=values.len()).map(|at| format!("?{at}")).collect();
    let sql = format!("{start} ({}) ORDER BY u.id LIMIT {}", marks.join(", "), Recipients::MOST);
    let found: Vec<Named> = rows(&database(env)?, &sql, &values).await?;
    let opened = |row: &Named| row.name.split_once(' ').and_then(|(id, sealed)| open_column(keys, id, "email", sealed));
    found.iter().map(|row| opened(row).or_fault("user address")).collect()
}

/// An account that the person belongs to.
#[derive(Clone, Debug)]
pub(crate) struct Membership {
    /// The account's id.
    pub(crate) account: String,
    /// The account's name.
    pub(crate) account_name: String,
    /// The person's role in it.
    pub(crate) role: String,
}

/// The listing of an app, as pages show it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Listing {
    /// Its name.
    pub(crate) name: String,
    /// Who makes it.
    pub(crate) developer: String,
    /// What it does.
    pub(crate) description: String,
    /// Its website's address.
    pub(crate) website: String,
    /// Path of its logo.
    pub(crate) logo: Option<String>,
    /// Marked as for development.
    pub(crate) development: bool,
}

/// Somebody who is signed in.
#[derive(Clone, Debug)]
pub(crate) struct Visitor {
    /// The session.
    pub(crate) cookie: SessionCookie,
    /// The address, for "signed in as".
    pub(crate) email: String,
    /// Platform staff.
    pub(crate) staff: bool,
    /// The accounts.
    pub(crate) memberships: Vec<Membership>,
    /// The listing of the app that was asked for with it.
    pub(crate) listing: Option<Listing>,
}

#[derive(Deserialize)]
struct VisitorRow {
    email_sealed: String,
    user_id: String,
    platform_admin: u32,
    account: Option<String>,
    account_name: Option<String>,
    role: Option<String>,
    app_name: Option<String>,
    developer: Option<String>,
    description: Option<String>,
    website: Option<String>,
    logo: Option<String>,
    development: Option<u32>,
}

/// One D1 read: the live session with the person, the memberships and, when asked for, an app's
/// listing. `None` when the session has ended.
pub(crate) async fn visitor(env: &Env, keys: &Keys, cookie: SessionCookie, app: Option<u32>, now_s: u64) -> Result<Option<Visitor>, Fault> {
    let sql = "SELECT u.id AS user_id, u.email_sealed, u.platform_admin, a.id AS account, a.name AS account_name, m.role,
                      p.name AS app_name, p.developer, p.description, p.website, p.logo, p.development
               FROM sessions s
               JOIN users u ON u.id = s.user_id AND u.epoch = s.epoch
               LEFT JOIN members m ON m.user_id = u.id
               LEFT JOIN accounts a ON a.id = m.account_id
               LEFT JOIN apps p ON p.number = ?5
               WHERE s.id = ?1 AND s.user_id = ?2 AND s.epoch = ?3 AND s.expires_at > ?4
               ORDER BY a.name, a.id";
    let app = app.map_or(worker::wasm_bindgen::JsValue::NULL, |app| number(u64::from(app)));
    let values = [text(&cookie.session), text(&cookie.user), number(u64::from(cookie.epoch)), number(now_s), app];
    let found: Vec<VisitorRow> = rows(&database(env)?, sql, &values).await?;
    let Some(first) = found.first() else { return Ok(None) };
    let email = open_column(keys, &first.user_id, "email", &first.email_sealed).or_fault("user address")?;
    let listing = first.app_name.clone().map(|name| Listing {
        name,
        developer: first.developer.clone().unwrap_or_default(),
        description: first.description.clone().unwrap_or_default(),
        website: first.website.clone().unwrap_or_default(),
        logo: first.logo.as_ref().map(|sha256| format!("/logo/{sha256}")),
        development: first.development == Some(1),
    });
    let memberships = found
        .iter()
        .filter_map(|row| {
            Some(Membership { account: row.account.clone()?, account_name: row.account_name.clone()?, role: row.role.clone()? })
        })
        .collect();
    Ok(Some(Visitor { cookie, email, staff: first.platform_admin == 1, memberships, listing }))
}
