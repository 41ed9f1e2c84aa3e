//! Apps of the management API.
//!
//! | request | what |
//! |---|---|
//! | `GET /apps`, `POST /apps` | list, register |
//! | `GET`, `PUT`, `DELETE /apps/{client_id}` | one; its new details; gone for ever |
//! | `POST …/approve`, `…/reject`, `…/review`, `…/suspend`, `…/restore` | what staff decides |
//! | `PUT …/logo` | an image: PNG, JPEG or WebP, told by its own bytes |
//! | `PUT …/policy` | the knobs that the policy lets staff set for one app |
//! | `POST …/secrets`, `DELETE …/secrets/{hint}` | one more secret, shown once; one less |

use edgegrant_core::app::{App, ClientType, Details, LOGO_MAX};
use edgegrant_core::policy::Overrides;
use serde::Deserialize;
use serde_json::{Value, json};
use worker::Method;

use super::create::{BODY_MAX, Create, create as make};
use super::page::Page;
use super::{Caller, Stop, body, gate, nothing_here, parsed, problem};
use crate::answer::Answer;
use crate::call::Call;
use crate::operations::accounts::known;
use crate::operations::register::Registration;
use crate::operations::review::{Decision, decide};
use crate::operations::{Failure, apps, logo, register};
use crate::store::Item;
use crate::store::apps::{Filter, Listed, page as listed};

/// An app as JSON.
fn shown(app: &Listed) -> Result<Value, Failure> {
    Ok(json!({
        "client_id": app.client_id,
        "client_type": app.client_type,
        "status": app.status,
        "developer": app.developer,
        "account": app.account_id,
        "reason": app.reason,
        "created_at": app.created_at,
        "submitted_at": app.submitted_at,
        "details": app.details()?,
        "revision": app.revision()?,
        "version": app.version(),
    }))
}

/// What a registration sends.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct New {
    #[serde(default)]
    account: Option<String>,
    #[serde(default)]
    developer: Option<String>,
    client_type: ClientType,
    contact: String,
    details: Details,
}

/// What an edit sends.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Edit {
    #[serde(default)]
    contact: Option<String>,
    details: Details,
}

/// What a decision may send.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Decided {
    #[serde(default)]
    reason: String,
    #[serde(default)]
    version: Option<String>,
}

/// `/manage/v1/apps`.
pub(super) async fn collection(call: &mut Call, caller: &Caller, method: &Method) -> Result<Answer, Stop> {
    gate(caller, method, &[("GET", "apps:read"), ("POST", "apps:write")])?;
    if *method == Method::Post {
        return make(call, caller, Create::App).await;
    }
    let page = Page::of(call)?;
    let query = call.query_params();
    let status = query.field("status");
    if !["", "waiting", "pending", "approved", "rejected", "suspended"].contains(&status) {
        return Err(Stop::Answer(problem(400, "status: waiting, pending, approved, rejected or suspended")));
    }
    let filter = Filter { account: caller.actor.account.as_deref(), status, name: query.field("name") };
    let in_time = status == "waiting";
    let (before, after) = if in_time { (0, page.since()?) } else { (page.before()?, (0, 0)) };
    let found = listed(&call.env, filter, before, after, page.most()).await?;
    let item = |app: &Listed| -> Result<Item, Failure> {
        let submitted = app.submitted_at.unwrap_or_default();
        let key = if in_time { format!("{submitted}.{}", app.number) } else { app.number.to_string() };
        Ok(Item { key, json: shown(app)?.to_string() })
    };
    Ok(page.answer(found.iter().map(item).collect::<Result<_, _>>()?))
}

/// Registers an app.
pub(super) async fn create(call: &Call, caller: &Caller, new: New) -> Result<Value, Stop> {
    let account = new.account.or_else(|| caller.actor.account.clone());
    let name = match &account {
        None => None,
        Some(account) => Some(known(call, &caller.actor, account).await?),
    };
    let developer = name.or(new.developer).unwrap_or_else(|| call.config.policy.platform.name.clone());
    let registration = Registration { account, developer, details: new.details, client_type: Some(new.client_type), contact: new.contact };
    let app = register::register(call, &caller.actor, registration).await?;
    Ok(shown(&apps::managed(call, &caller.actor, &app.client_id).await?)?)
}

/// `/manage/v1/apps/{client_id}` and below.
pub(super) async fn one(call: &mut Call, caller: &Caller, method: &Method, client_id: &str, rest: &[&str]) -> Result<Answer, Stop> {
    let served: &[(&str, &str)] = match rest {
        [] => &[("GET", "apps:read"), ("PUT", "apps:write"), ("DELETE", "apps:write")],
        ["approve" | "reject" | "review" | "suspend" | "restore"] => &[("POST", "review")],
        ["policy"] => &[("PUT", "review")],
        ["logo"] => &[("PUT", "apps:write")],
        ["secrets"] => &[("POST", "apps:write")],
        ["secrets", _] => &[("DELETE", "apps:write")],
        _ => return Err(nothing_here()),
    };
    gate(caller, method, served)?;
    if rest == ["secrets"] {
        return make(call, caller, Create::Secret(client_id)).await;
    }
    let actor = &caller.actor;
    let app = apps::managed(call, actor, client_id).await?;
    match (rest, method) {
        ([], Method::Get) => Ok(Answer::json(200, &shown(&app)?)),
        ([], Method::Delete) => Ok(state(&apps::delete(call, actor, &app).await?)),
        ([], _) => edit(call, caller, &app).await,
        (["logo"], _) => {
            let image = body(call, LOGO_MAX).await?;
            logo::set(call, actor, &app, &image).await?;
            Ok(Answer::json(200, &shown(&apps::managed(call, actor, client_id).await?)?))
        }
        (["secrets", hint], _) => {
            let record = apps::remove_secret(call, actor, &app, hint).await?;
            Ok(Answer::json(200, &json!({ "client_id": record.client_id, "secret_hints": hints(&record) })))
        }
        ([what, ..], _) => match Decision::named(what) {
            Some(decision) => decided(call, caller, &app, decision).await,
            None => set_policy(call, caller, &app).await,
        },
    }
}

fn state(app: &App) -> Answer {
    Answer::json(200, &json!({ "client_id": app.client_id, "status": app.status.as_str() }))
}

/// The hints of its secrets.
pub(super) fn hints(app: &App) -> Vec<&str> {
    app.secrets.iter().map(|secret| secret.hint.as_str()).collect()
}

/// A secret that was added; it is shown now or never.
pub(super) fn with_secret(text: &str, record: &App) -> Value {
    json!({ "client_id": record.client_id, "client_secret": text, "client_secret_expires_at": 0, "secret_hints": hints(record) })
}

async fn edit(call: &mut Call, caller: &Caller, app: &Listed) -> Result<Answer, Stop> {
    let edit: Edit = parsed(&body(call, BODY_MAX).await?)?;
    // A logo comes by its own way, checked.
    let logo = app.revision()?.unwrap_or(app.details()?).logo;
    let details = Details { logo, ..edit.details };
    apps::edit(call, &caller.actor, app, details, edit.contact.as_deref()).await?;
    let found = apps::managed(call, &caller.actor, &app.client_id).await?;
    Ok(Answer::json(200, &shown(&found)?))
}

async fn decided(call: &mut Call, caller: &Caller, app: &Listed, decision: Decision) -> Result<Answer, Stop> {
    let sent = body(call, 4096).await?;
    let decided: Decided = if sent.is_empty() { Decided::default() } else { parsed(&sent)? };
    let record = decide(call, &caller.actor, app, decision, &decided.reason, decided.version.as_deref()).await?;
    Ok(state(&record))
}

async fn set_policy(call: &mut Call, caller: &Caller, app: &Listed) -> Result<Answer, Stop> {
    let overrides: Overrides = parsed(&body(call, 4096).await?)?;
    let record = apps::set_policy(call, &caller.actor, app, overrides).await?;
    let mut knobs = edgegrant_core::json::to_value(&record.overrides);
    if let Some(knobs) = knobs.as_object_mut() {
        knobs.retain(|_, knob| !knob.is_null());
    }
    Ok(Answer::json(200, &json!({ "client_id": record.client_id, "policy": knobs })))
}
