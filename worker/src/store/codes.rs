//! Records of authorization codes: KV `code:{sha256}` expiring by itself, and the copy that the
//! approving batch left in D1, read only when KV does not have it (attack A8). Neither holds the code.

use edgegrant_core::encoding::base64url;
use edgegrant_core::grant::Held;
use edgegrant_core::json;
use serde::{Deserialize, Serialize};
use worker::Env;

use super::{database, number, rows, text};
use crate::fault::{Fault, OrFault as _};
use crate::metrics::{self, Counter, Part};
use crate::platform::{ask_binding, object};

/// What a consent said, kept until its code is redeemed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CodeRecord {
    /// Consent number, account, person, scope.
    pub(crate) held: Held,
    /// The redirect URI of the authorization request.
    pub(crate) redirect_uri: String,
    /// base64url of the S256 challenge.
    pub(crate) challenge: Option<String>,
    /// Whether the scope granted is not the one that the app asked for (RFC 6749 §5.1).
    #[serde(default)]
    pub(crate) scope_differs: bool,
}

/// KV refuses to expire anything sooner, in seconds.
const KV_TTL_MIN_S: u64 = 60;

fn key(hash: &[u8; 32]) -> String {
    format!("code:{}", base64url(hash))
}

/// One KV put. `life_s` is the code's life; the record outlives it a little, the code's own end
/// decides.
pub(crate) async fn put(env: &Env, hash: &[u8; 32], record: &str, life_s: u64) -> Result<(), Fault> {
    let ttl = object("expirationTtl", &number(life_s + KV_TTL_MIN_S)).or_fault("KV put")?;
    let asked = metrics::ask(Part::Kv);
    ask_binding(env, "CODES", "put", &[text(&key(hash)), text(record), ttl]).await.or_fault("KV put")?;
    asked.answered();
    Ok(())
}

/// One KV get; when KV lacks it or fails, one D1 read. `None` only when both say so.
pub(crate) async fn get(env: &Env, hash: &[u8; 32]) -> Result<Option<CodeRecord>, Fault> {
    match from_kv(env, hash).await {
        Ok(Some(record)) => return Ok(Some(record)),
        Ok(None) => {
            metrics::count(Counter::KvMissed);
            crate::log::event("code not found in KV");
        }
        Err(fault) => crate::log::fault("code", &fault),
    }
    from_d1(env, hash).await
}

/// One KV get.
async fn read(env: &Env, key: &str) -> Result<Option<String>, Fault> {
    let asked = metrics::ask(Part::Kv);
    let value = ask_binding(env, "CODES", "get", &[text(key)]).await.or_fault("KV get")?;
    asked.answered();
    Ok(value.as_string())
}

/// One KV get: that KV answers. Nothing is ever stored under this name.
pub(crate) async fn probe(env: &Env) -> Result<(), Fault> {
    read(env, "health").await.map(|_| ())
}

async fn from_kv(env: &Env, hash: &[u8; 32]) -> Result<Option<CodeRecord>, Fault> {
    let value = read(env, &key(hash)).await?;
    value.map(|value| json::read(value.as_bytes()).or_fault("code record")).transpose()
}

#[derive(Deserialize)]
struct Row {
    record: String,
}

async fn from_d1(env: &Env, hash: &[u8; 32]) -> Result<Option<CodeRecord>, Fault> {
    let found: Vec<Row> = rows(&database(env)?, "SELECT record FROM codes WHERE hash = ?1", &[text(&base64url(hash))]).await?;
    found.first().map(|row| json::read(row.record.as_bytes()).or_fault("code record")).transpose()
}
