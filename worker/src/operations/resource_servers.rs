//! Resource servers: register, secrets, delete. Only for the platform.
//!
//! A resource server is a record in an object like an app's. The object is asked first and answers when
//! the change holds everywhere; the listing and the audit entry follow in one batch.

use edgegrant_core::app::{App, Change, ResourceServer, SECRETS_MAX};
use edgegrant_core::credential::client_id;
use edgegrant_core::encoding::base64url;
use edgegrant_core::keys::SecretHash;

use super::apps::{change, recorded};
use super::{Actor, Failure, Refused, line, staff_only};
use crate::call::Call;
use crate::fault::{Fault, OrFault as _};
use crate::objects::app::{Command, ask};
use crate::platform::{now_s, random, random_id};
use crate::store::resource_servers::{self as store, Listed, Wanted};
use crate::store::{audit, database};

/// A secret's text, and what is kept of it.
fn new_secret(call: &Call) -> Result<(String, SecretHash), Fault> {
    let text = base64url(&random::<32>()?);
    let hash = SecretHash::of(&text, &call.config.keys.hash).or_fault("hash key")?;
    Ok((text, hash))
}

fn entry<'a>(actor: &'a Actor, action: &'static str, name: &'a str, subject: &'a str) -> audit::Entry<'a> {
    audit::Entry { detail: name, subject, ..actor.did(action) }
}

/// Registers a resource server: its record, and its first secret, which is shown once.
pub(crate) async fn register(call: &Call, actor: &Actor, mut wanted: ResourceServer) -> Result<(App, String), Failure> {
    staff_only(actor)?;
    wanted.resource = wanted.resource.trim().to_owned();
    let mut problems = wanted.problems(&call.config.policy.scopes);
    wanted.name = line("name", &wanted.name, 1, 60, &mut problems);
    if !problems.is_empty() {
        return Err(Refused::Invalid(problems).into());
    }
    let (id, (text, secret)) = (random_id()?, new_secret(call)?);
    let row = Wanted { resource: &wanted.resource, name: &wanted.name, scope: &wanted.scopes.join(" ") };
    let Some(number) = store::begin(&call.env, &format!("registering {id}"), &row, now_s()).await? else {
        return Err(Refused::Conflict("Another resource server has this identifier".into()).into());
    };
    let record = wanted.record(number, id, client_id(&call.config.keys.grant_id, number), secret);
    ask(&call.env, number, &Command::Write(Box::new(record.clone()))).await?;
    let statement = store::live(&database(&call.env)?, &record)?;
    recorded(call, vec![statement], entry(actor, "resource server registered", &record.name, "")).await?;
    Ok((record, text))
}

/// One that is listed.
pub(crate) async fn find(call: &Call, actor: &Actor, client_id: &str) -> Result<Listed, Failure> {
    staff_only(actor)?;
    store::find(&call.env, client_id).await?.ok_or(Refused::NotFound.into())
}

/// Its record as it is now, without a lease.
pub(crate) async fn record(call: &Call, server: &Listed) -> Result<App, Failure> {
    Ok(*ask(&call.env, server.number, &Command::Read(Vec::new())).await?.app().or_fault("resource server object")?)
}

/// One more secret: shown by the caller once and never again.
pub(crate) async fn add_secret(call: &Call, actor: &Actor, server: &Listed) -> Result<(String, App), Failure> {
    let (text, secret) = new_secret(call)?;
    let hint = secret.hint.clone();
    let record = change(call, server.number, Change::AddSecret { secret, most: SECRETS_MAX }).await?;
    recorded(call, Vec::new(), entry(actor, "resource server secret added", &server.name, &hint)).await?;
    Ok((text, record))
}

/// Takes a secret back; when this answers it works nowhere.
pub(crate) async fn remove_secret(call: &Call, actor: &Actor, server: &Listed, hint: &str) -> Result<App, Failure> {
    let record = change(call, server.number, Change::RemoveSecret { hint: hint.to_owned() }).await?;
    recorded(call, Vec::new(), entry(actor, "resource server secret revoked", &server.name, hint)).await?;
    Ok(record)
}

/// Gone for ever; when this answers, nothing of it works.
pub(crate) async fn delete(call: &Call, actor: &Actor, server: &Listed) -> Result<(), Failure> {
    change(call, server.number, Change::Delete).await?;
    let statement = store::delete(&database(&call.env)?, server)?;
    recorded(call, vec![statement], entry(actor, "resource server deleted", &server.name, "")).await
}
