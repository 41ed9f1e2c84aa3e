//! What a repeated create of the management API is told: the answer to the first one, without its secret.
//!
//! The row comes first, under a unique name, so that of two requests at once one runs and the other is
//! told to wait. While it runs the row is a lease: one whose Worker died ends by itself.

use serde::Deserialize;
use worker::Env;

use super::{database, number, run, statement, text};
use crate::fault::{Fault, OrFault as _};

/// Longer than any request takes.
const LEASE_S: u64 = 120;
/// How long an answer is kept.
const KEPT_S: u64 = 86_400;

/// What is known of a name.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Known {
    /// SHA-256 of the first request's body.
    pub(crate) request: String,
    /// The answer's status; 0 while it runs.
    pub(crate) status: u16,
    /// The answer's body.
    pub(crate) body: String,
    expires_at: u64,
}

/// A request that runs under a name.
pub(crate) struct Lease {
    name: String,
    expires_at: u64,
}

#[derive(Deserialize)]
struct Mine {
    #[serde(rename = "name")]
    _name: String,
}

/// One D1 batch: the lease, or what is known of a request that had the name before.
pub(crate) async fn begin(env: &Env, name: String, request: &str, now_s: u64) -> Result<Result<Lease, Known>, Fault> {
    let database = database(env)?;
    let expires_at = now_s + LEASE_S;
    let take = "INSERT INTO idempotency (name, request, status, body, expires_at) VALUES (?1, ?2, 0, '', ?3)
                ON CONFLICT (name) DO UPDATE SET request = ?2, status = 0, body = '', expires_at = ?3 WHERE expires_at <= ?4
                RETURNING name";
    let read = "SELECT request, status, body, expires_at FROM idempotency WHERE name = ?1";
    let batch = vec![
        statement(&database, take, &[text(&name), text(request), number(expires_at), number(now_s)])?,
        statement(&database, read, &[text(&name)])?,
    ];
    let results = super::batch(&database, batch, "D1 idempotency").await?;
    let mine = super::rows_of::<Mine>(results.first().or_fault("D1 idempotency")?, "D1 idempotency")?;
    if !mine.is_empty() {
        return Ok(Ok(Lease { name, expires_at }));
    }
    let known = super::rows_of::<Known>(results.get(1).or_fault("D1 idempotency")?, "D1 idempotency")?;
    Ok(Err(known.into_iter().next().or_fault("D1 idempotency")?))
}

impl Known {
    /// Seconds after which a request that still runs is given up.
    pub(crate) fn wait_s(&self, now_s: u64) -> u64 {
        // Most take less than a second; asking again costs one read.
        self.expires_at.saturating_sub(now_s).clamp(1, 2)
    }
}

impl Lease {
    /// One D1 statement: what the next one with this name is told.
    pub(crate) async fn done(&self, env: &Env, status: u16, body: &str, now_s: u64) -> Result<(), Fault> {
        let sql = "UPDATE idempotency SET status = ?3, body = ?4, expires_at = ?5 WHERE name = ?1 AND status = 0 AND expires_at = ?2";
        let values = [text(&self.name), number(self.expires_at), number(u64::from(status)), text(body), number(now_s + KEPT_S)];
        run(&database(env)?, sql, &values).await
    }

    /// One D1 statement: nothing was made; the next one with this name runs.
    pub(crate) async fn free(&self, env: &Env) -> Result<(), Fault> {
        let sql = "DELETE FROM idempotency WHERE name = ?1 AND status = 0 AND expires_at = ?2";
        run(&database(env)?, sql, &[text(&self.name), number(self.expires_at)]).await
    }
}
