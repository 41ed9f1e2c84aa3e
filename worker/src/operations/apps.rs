//! What is done with an app that is there: edit, secrets, limits, logo, deletion.
//!
//! The `App` object is asked first and answers when the change holds everywhere; the listing and the
//! audit entry follow in one batch. When that batch fails the change holds, and doing it again finishes
//! the listing.

use edgegrant_core::app::{App, Change, ClientType, Details, Revision, Status};
use edgegrant_core::encoding::base64url;
use edgegrant_core::keys::SecretHash;
use edgegrant_core::notice::Notice;
use edgegrant_core::policy::{Overrides, Review};

use super::register::{check, seal_contact};
use super::{Actor, Failure, Refused, invalid, told};
use crate::call::Call;
use crate::fault::OrFault as _;
use crate::objects::app::{Answer, Command, ask};
use crate::platform::{now_s, random};
use crate::store::apps::{self, Listed, Listing};
use crate::store::{audit, database};

/// An app that the actor manages: of an account in which the actor's role allows it, or any for staff.
pub(crate) async fn managed(call: &Call, actor: &Actor, client_id: &str) -> Result<Listed, Failure> {
    let found = apps::find(&call.env, client_id).await?;
    found.filter(|app| actor.may_develop(call, app.account_id.as_deref())).ok_or(Refused::NotFound.into())
}

/// The record of an app as it is now, without a lease.
pub(crate) async fn record(call: &Call, app: &Listed) -> Result<App, Failure> {
    Ok(*ask(&call.env, app.number, &Command::Read(Vec::new())).await?.app().or_fault("app object")?)
}

/// Asks the object with this number for a change.
pub(super) async fn change(call: &Call, number: u32, change: Change) -> Result<App, Failure> {
    match ask(&call.env, number, &Command::Change(Box::new(change))).await? {
        Answer::App(app) => Ok(*app),
        Answer::NotChanged(why) => Err(Refused::from(why).into()),
        Answer::Missing | Answer::Log(_) => Err(Refused::NotFound.into()),
    }
}

/// The app's last requests that failed, the newest first.
pub(crate) async fn failures(call: &Call, app: &Listed) -> Result<Vec<edgegrant_core::app::Failure>, Failure> {
    let new = crate::protocol::failures(call, app.number)?;
    match ask(&call.env, app.number, &Command::Log(new)).await? {
        Answer::Log(log) => Ok(log),
        _ => Err(Refused::NotFound.into()),
    }
}

/// Records what was done with an app, together with other statements.
pub(super) async fn recorded(call: &Call, batch: Vec<worker::D1PreparedStatement>, entry: audit::Entry<'_>) -> Result<(), Failure> {
    let database = database(&call.env)?;
    let mut batch = batch;
    batch.push(audit::entry(&database, &call.config, &entry, now_s())?);
    crate::store::batch(&database, batch, "D1 app").await?;
    Ok(())
}

/// What became of an edit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Edited {
    /// It holds.
    Now,
    /// A part waits for review; the approved version keeps working.
    Review,
}

/// Makes a version the one in use, when the app still has the status that it had when that was found right.
pub(super) async fn put_in_use(call: &Call, app: &Listed, current: App, details: &Details) -> Result<App, Failure> {
    let about = details.fingerprint();
    if current.about == about {
        return Ok(current);
    }
    let Details { name, redirect_uris, .. } = details.clone();
    let revision = Revision { name, redirect_uris, scopes: details.scope_names(), about, of: current.status };
    change(call, app.number, Change::Revise(Box::new(revision))).await
}

/// Changes an app's details. What people trust it by is reviewed first when a version is in use.
pub(crate) async fn edit(call: &Call, actor: &Actor, app: &Listed, wanted: Details, contact: Option<&str>) -> Result<Edited, Failure> {
    let client_type = if app.client_type == "public" { ClientType::Public } else { ClientType::Confidential };
    let wanted = wanted.tidied();
    let mut problems = check(call, &wanted, client_type, contact);
    if problems.is_empty() && apps::is_imitation(&call.env, &wanted.name, app.number, now_s()).await? {
        problems.push(("name", "another app's name looks like this one: choose a name of your own".into()));
    }
    if !problems.is_empty() {
        return Err(Refused::Invalid(problems).into());
    }
    let current = app.details()?;
    // The object knows of an approval seconds before the listing does.
    let seen = record(call, app).await?;
    let in_use = matches!(seen.status, Status::Approved | Status::Suspended);
    let trust = current.trust_changes(&wanted);
    let waits = in_use && call.config.policy.apps.review != Review::None && !trust.is_empty();
    let now_in_use = if waits { current.without_trust_changes(&wanted) } else { wanted.clone() };
    let mut record = put_in_use(call, app, seen, &now_in_use).await?;
    // A rejected app that was mended asks again.
    let mended = record.status == Status::Rejected;
    if mended {
        record = change(call, app.number, Change::Review).await?;
    }
    let sealed = contact.map(|contact| seal_contact(call, app.number, contact)).transpose()?;
    let listing = Listing {
        details: &now_in_use,
        revision: waits.then_some(&wanted),
        submitted_at: (waits || record.status == Status::Pending).then(|| app.submitted_at.filter(|_| !in_use).unwrap_or_else(now_s)),
        reason: if record.status == Status::Suspended { &app.reason } else { "" },
        contact_sealed: sealed.as_deref(),
    };
    let statement = apps::relist(&database(&call.env)?, &record, &listing)?;
    let detail = trust.join(", ");
    let entry =
        audit::Entry { app: Some(app.number), detail: &detail, ..actor.did(if waits { "app change submitted" } else { "app changed" }) };
    recorded(call, vec![statement], entry).await?;
    // What waits already was told when it began to.
    if mended || waits && app.submitted_at.is_none() {
        told::done(call, app.account_id.as_deref(), &record, Notice::AppSubmitted((&record).into()));
    }
    Ok(if waits { Edited::Review } else { Edited::Now })
}

/// One more secret: shown by the caller once and never again. What is kept is its keyed hash and hint.
pub(crate) async fn add_secret(call: &Call, actor: &Actor, app: &Listed) -> Result<(String, App), Failure> {
    let text = base64url(&random::<32>()?);
    let secret = SecretHash::of(&text, &call.config.keys.hash).or_fault("hash key")?;
    let hint = secret.hint.clone();
    let record = change(call, app.number, Change::AddSecret { secret, most: call.config.policy.apps.secrets_max }).await?;
    let entry = audit::Entry { app: Some(app.number), subject: &hint, ..actor.did("secret added") };
    recorded(call, Vec::new(), entry).await?;
    told::done(call, app.account_id.as_deref(), &record, Notice::SecretAdded((&record).into()));
    Ok((text, record))
}

/// Takes a secret back; when this answers it works nowhere.
pub(crate) async fn remove_secret(call: &Call, actor: &Actor, app: &Listed, hint: &str) -> Result<App, Failure> {
    let record = change(call, app.number, Change::RemoveSecret { hint: hint.to_owned() }).await?;
    let entry = audit::Entry { app: Some(app.number), subject: hint, ..actor.did("secret revoked") };
    recorded(call, Vec::new(), entry).await?;
    Ok(record)
}

/// Gone for ever, with every connection. When this answers nothing of it works.
pub(crate) async fn delete(call: &Call, actor: &Actor, app: &Listed) -> Result<App, Failure> {
    let record = change(call, app.number, Change::Delete).await?;
    let batch = apps::restated(&database(&call.env)?, &record, "", now_s())?;
    recorded(call, batch, audit::Entry { app: Some(app.number), ..actor.did("app deleted") }).await?;
    Ok(record)
}

/// What staff sets for this app alone.
pub(crate) async fn set_policy(call: &Call, actor: &Actor, app: &Listed, overrides: Overrides) -> Result<App, Failure> {
    if !actor.staff {
        return Err(Refused::NotAllowed("Platform staff sets the limits of an app").into());
    }
    let current = record(call, app).await?;
    overrides.check(&call.config.policy, &current).map_err(|problem| invalid("policy", problem))?;
    let detail = serde_json::to_string(&overrides).unwrap_or_default();
    let record = change(call, app.number, Change::Override(Box::new(overrides))).await?;
    apps::wish(&call.env, app.number, "").await?;
    let entry = audit::Entry { app: Some(app.number), detail: &detail, ..actor.did("app limits set") };
    recorded(call, Vec::new(), entry).await?;
    Ok(record)
}

/// The developer asks for another limit.
pub(crate) async fn ask_for_rate(call: &Call, actor: &Actor, app: &Listed, wish: &str) -> Result<(), Failure> {
    let wish = wish.trim();
    let length = wish.chars().count();
    if !(10..=500).contains(&length) {
        return Err(invalid("wish", "say in 10 to 500 characters how many calls the app needs, and what for"));
    }
    edgegrant_core::app::clean_line(wish).map_err(|problem| invalid("wish", problem))?;
    apps::wish(&call.env, app.number, wish).await?;
    recorded(call, Vec::new(), audit::Entry { app: Some(app.number), ..actor.did("higher limit asked for") }).await
}
