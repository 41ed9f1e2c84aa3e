//! Rows of resource servers: the list. What decides about a request is in the object of each. Registering
//! goes row (`registering`) → object → row (`live`); numbers are never used again, so rows stay.

use edgegrant_core::app::App;
use edgegrant_core::credential::RESOURCE_SERVERS;
use serde::Deserialize;
use worker::{D1Database, D1PreparedStatement, Env};

use super::{Pair, database, number, rows, statement, text};
use crate::fault::Fault;

/// A resource server as it is listed.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Listed {
    /// Its number.
    pub(crate) number: u32,
    /// Its client id.
    pub(crate) client_id: String,
    /// Its identifier.
    pub(crate) resource: String,
    /// Its name.
    pub(crate) name: String,
    /// The scopes that it serves, separated by spaces.
    pub(crate) scope: String,
    /// When it was registered, in seconds.
    pub(crate) created_at: u64,
}

const COLUMNS: &str = "number, client_id, resource, name, scope, created_at";

/// One D1 statement: takes the next number. `None`: the identifier is another one's.
pub(crate) async fn begin(env: &Env, place: &str, server: &Wanted<'_>, now_s: u64) -> Result<Option<u32>, Fault> {
    let sql = "INSERT INTO resource_servers (number, client_id, resource, name, scope, status, created_at)
               SELECT (SELECT coalesce(max(number), ?1) + 1 FROM resource_servers), ?2, ?3, ?4, ?5, 'registering', ?6
               WHERE NOT EXISTS (SELECT 1 FROM resource_servers WHERE resource = ?3 AND status = 'live')
               RETURNING number, resource AS text";
    let first = u64::from(RESOURCE_SERVERS);
    let values = [number(first), text(place), text(server.resource), text(server.name), text(server.scope), number(now_s)];
    let found: Vec<Pair> = rows(&database(env)?, sql, &values).await?;
    Ok(found.first().map(|row| row.number))
}

/// What is registered.
pub(crate) struct Wanted<'a> {
    /// Its identifier.
    pub(crate) resource: &'a str,
    /// Its name.
    pub(crate) name: &'a str,
    /// The scopes that it serves, separated by spaces.
    pub(crate) scope: &'a str,
}

/// The statement that lists what was registered.
pub(crate) fn live(database: &D1Database, server: &App) -> Result<D1PreparedStatement, Fault> {
    let sql = "UPDATE resource_servers SET client_id = ?2, status = 'live' WHERE number = ?1";
    statement(database, sql, &[number(u64::from(server.number)), text(&server.client_id)])
}

/// The statement that takes one from the list.
pub(crate) fn delete(database: &D1Database, server: &Listed) -> Result<D1PreparedStatement, Fault> {
    statement(database, "UPDATE resource_servers SET status = 'deleted' WHERE number = ?1", &[number(u64::from(server.number))])
}

/// One D1 read: those registered before the one with this number, the newest first.
pub(crate) async fn list(env: &Env, before: u64, most: u32) -> Result<Vec<Listed>, Fault> {
    let sql = format!("SELECT {COLUMNS} FROM resource_servers WHERE number < ?1 AND status = 'live' ORDER BY number DESC LIMIT ?2");
    rows(&database(env)?, &sql, &[number(before), number(u64::from(most))]).await
}

/// One D1 read.
pub(crate) async fn find(env: &Env, client_id: &str) -> Result<Option<Listed>, Fault> {
    let sql = format!("SELECT {COLUMNS} FROM resource_servers WHERE client_id = ?1 AND status = 'live'");
    Ok(rows(&database(env)?, &sql, &[text(client_id)]).await?.into_iter().next())
}
