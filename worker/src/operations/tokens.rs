//! Management tokens: issue and revoke. Only a token of the platform makes others, none that may do more
//! than itself. The token is shown once; a keyed hash is kept, and asked for on each call, so that one
//! that was revoked is dead when the revocation has answered.

use edgegrant_core::credential::management_token;
use edgegrant_core::keys::lookup_name;
use serde_json::{Value, json};

use super::{Actor, Failure, Refused, line, staff_only};
use crate::call::Call;
use crate::fault::OrFault as _;
use crate::platform::{now_s, random, random_id};
use crate::store::tokens::{self, New};
use crate::store::{audit, database, people};

/// What a token may do; `*` is everything.
pub(crate) const SCOPES: [&str; 16] = [
    "*",
    "accounts:read",
    "accounts:write",
    "apps:read",
    "apps:write",
    "audit:read",
    "installs:read",
    "installs:write",
    "keys:read",
    "keys:write",
    "people:read",
    "people:write",
    "resource_servers:read",
    "resource_servers:write",
    "review",
    "tokens",
];

/// The year 9999 ends.
const EXPIRES_MAX: u64 = 253_402_300_799;

/// The names under which a token may be kept: one per hash key.
pub(crate) fn hashes(call: &Call, token: &str) -> Vec<String> {
    call.config.keys.hash.iter().map(|(_, key)| lookup_name(key, "management token", token)).collect()
}

/// What a token's maker says.
pub(crate) struct Wanted {
    /// What they call it.
    pub(crate) label: String,
    /// What it may do.
    pub(crate) scopes: Vec<String>,
    /// The account that it belongs to; `None`: the platform.
    pub(crate) account: Option<String>,
    /// Its end in seconds; 0 is never.
    pub(crate) expires_at: u64,
}

/// Makes a token; `own` says whether the caller's token has a scope. The token itself is in the answer.
pub(crate) async fn issue(call: &Call, actor: &Actor, own: impl Fn(&str) -> bool, wanted: Wanted) -> Result<Value, Failure> {
    staff_only(actor)?;
    let now = now_s();
    let mut problems = Vec::new();
    let label = line("label", &wanted.label, 1, 60, &mut problems);
    let once =
        |(at, scope): (usize, &String)| SCOPES.contains(&scope.as_str()) && wanted.scopes.iter().skip(at + 1).all(|other| other != scope);
    if wanted.scopes.is_empty() || !wanted.scopes.iter().enumerate().all(once) {
        problems.push(("scopes", format!("name at least one, each once: {}", SCOPES.join(", "))));
    }
    if wanted.expires_at != 0 && !(now + 1..=EXPIRES_MAX).contains(&wanted.expires_at) {
        problems.push(("expires_at", "a second in the future, or 0 for never".into()));
    }
    if let Some(account) = &wanted.account
        && people::account_name(&call.env, account).await?.is_none()
    {
        problems.push(("account", "there is no such account".into()));
    }
    if !problems.is_empty() {
        return Err(Refused::Invalid(problems).into());
    }
    if !wanted.scopes.iter().all(|scope| own(scope)) {
        return Err(Refused::NotAllowed("A token makes none that may do more than itself").into());
    }
    let (id, token) = (random_id()?, management_token(&call.config.keys.grant_id, random()?));
    let hash = hashes(call, &token).into_iter().next().or_fault("hash key")?;
    let scope = wanted.scopes.join(" ");
    let new = New { id: &id, hash: &hash, label: &label, scope: &scope, account: wanted.account.as_deref(), expires_at: wanted.expires_at };
    let entry = audit::Entry { subject: &id, detail: &label, ..actor.did("token issued") };
    let database = database(&call.env)?;
    let batch = vec![tokens::insert(&database, &new, now)?, audit::entry(&database, &call.config, &entry, now)?];
    crate::store::batch(&database, batch, "D1 token").await?;
    Ok(json!({
        "id": id, "label": label, "scopes": wanted.scopes, "account": wanted.account,
        "created_at": now, "expires_at": wanted.expires_at, "token": token,
    }))
}

/// Revokes a token: it is dead when this has answered.
pub(crate) async fn revoke(call: &Call, actor: &Actor, id: &str) -> Result<(), Failure> {
    staff_only(actor)?;
    if !tokens::is_there(&call.env, id).await? {
        return Err(Refused::NotFound.into());
    }
    let entry = audit::Entry { subject: id, ..actor.did("token revoked") };
    let database = database(&call.env)?;
    let batch = vec![tokens::delete(&database, id)?, audit::entry(&database, &call.config, &entry, now_s())?];
    crate::store::batch(&database, batch, "D1 token").await?;
    Ok(())
}
