//! Accounts, who belongs to them, and the rows of people, for programs.

use edgegrant_core::keys::Keys;
use serde::Deserialize;
use serde_json::{Value, json};
use worker::{D1Database, D1PreparedStatement, Env};

use super::people::open_column;
use super::{Item, database, number, optional, rows, statement, text};
use crate::fault::Fault;

/// One D1 read: accounts behind the one with this id as JSON; of them only `own`, when it is given.
pub(crate) async fn items(env: &Env, own: Option<&str>, after: &str, most: u32) -> Result<Vec<Item>, Fault> {
    let sql = "SELECT id AS key, json_object('id', id, 'name', name, 'created_at', created_at) AS json
               FROM accounts WHERE id > ?1 AND (?2 IS NULL OR id = ?2) ORDER BY id LIMIT ?3";
    rows(&database(env)?, sql, &[text(after), optional(own), number(u64::from(most))]).await
}

/// The statement that makes an account.
pub(crate) fn insert(database: &D1Database, id: &str, name: &str, now_s: u64) -> Result<D1PreparedStatement, Fault> {
    statement(database, "INSERT INTO accounts (id, name, created_at) VALUES (?1, ?2, ?3)", &[text(id), text(name), number(now_s)])
}

/// A person, or a member of an account.
#[derive(Deserialize)]
pub(crate) struct Person {
    /// Their id.
    pub(crate) id: String,
    email_sealed: String,
    name_sealed: String,
    staff: u32,
    created_at: u64,
    role: Option<String>,
}

impl Person {
    /// As JSON.
    pub(crate) fn json(&self, keys: &Keys) -> Value {
        let open = |column: &str, sealed: &str| open_column(keys, &self.id, column, sealed);
        let (email, name) = (open("email", &self.email_sealed), open("name", &self.name_sealed));
        match &self.role {
            Some(role) => json!({ "person": self.id, "role": role, "email": email, "name": name }),
            None => json!({ "id": self.id, "email": email, "name": name, "staff": self.staff == 1, "created_at": self.created_at }),
        }
    }
}

/// One D1 read: people behind the one with this id; of an account, when it is given.
pub(crate) async fn people(env: &Env, account: Option<&str>, after: &str, most: u32) -> Result<Vec<Person>, Fault> {
    let (role, from) = match account {
        Some(_) => ("m.role", "members m JOIN users u ON u.id = m.user_id WHERE m.account_id = ?3 AND"),
        None => ("NULL AS role", "users u WHERE ?3 IS NULL AND"),
    };
    let sql = format!(
        "SELECT u.id, u.email_sealed, u.name_sealed, u.platform_admin AS staff, u.created_at, {role} FROM {from} u.id > ?1 ORDER BY u.id LIMIT ?2"
    );
    rows(&database(env)?, &sql, &[text(after), number(u64::from(most)), optional(account)]).await
}

#[derive(Deserialize)]
struct Role {
    role: Option<String>,
}

/// What a person is in an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// There is no such person.
    Nobody,
    /// Somebody who does not belong to it.
    Stranger,
    /// A member.
    Member,
}

/// One D1 read.
pub(crate) async fn standing(env: &Env, account: &str, user: &str) -> Result<Standing, Fault> {
    let sql = "SELECT m.role FROM users u LEFT JOIN members m ON m.user_id = u.id AND m.account_id = ?1 WHERE u.id = ?2";
    let found: Vec<Role> = rows(&database(env)?, sql, &[text(account), text(user)]).await?;
    Ok(match found.first() {
        None => Standing::Nobody,
        Some(Role { role: None }) => Standing::Stranger,
        Some(_) => Standing::Member,
    })
}

/// The statement that makes somebody a member, or gives a member another role.
pub(crate) fn put_member(database: &D1Database, account: &str, user: &str, role: &str) -> Result<D1PreparedStatement, Fault> {
    let sql = "INSERT INTO members (account_id, user_id, role) VALUES (?1, ?2, ?3)
               ON CONFLICT (user_id, account_id) DO UPDATE SET role = ?3";
    statement(database, sql, &[text(account), text(user), text(role)])
}

/// The statement after which somebody is no member any more.
pub(crate) fn remove_member(database: &D1Database, account: &str, user: &str) -> Result<D1PreparedStatement, Fault> {
    statement(database, "DELETE FROM members WHERE account_id = ?1 AND user_id = ?2", &[text(account), text(user)])
}

/// A person who is made; everything sealed or hashed.
pub(crate) struct NewPerson<'a> {
    /// Their id.
    pub(crate) id: &'a str,
    /// Keyed hash of the address.
    pub(crate) email_lookup: &'a str,
    /// The address.
    pub(crate) email_sealed: &'a str,
    /// The name.
    pub(crate) name_sealed: &'a str,
    /// argon2id, PHC string; empty: no password signs them in.
    pub(crate) password_hash: &'a str,
    /// Platform staff.
    pub(crate) staff: bool,
}

/// The statement that makes a person. An address that is taken fails the batch.
pub(crate) fn insert_person(database: &D1Database, new: &NewPerson<'_>, now_s: u64) -> Result<D1PreparedStatement, Fault> {
    let sql = "INSERT INTO users (id, email_lookup, email_sealed, name_sealed, password_hash, platform_admin, created_at)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    let values = [
        text(new.id),
        text(new.email_lookup),
        text(new.email_sealed),
        text(new.name_sealed),
        text(new.password_hash),
        number(u64::from(new.staff)),
        number(now_s),
    ];
    statement(database, sql, &values)
}
