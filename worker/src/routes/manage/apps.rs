//! Apps of the management API.
//!
//! | request | what |
//! |---|---|
//! | `GET /apps`, `POST /apps` | list, register |
//! | `GET`, `PUT`, `DELETE /apps/{client_id}` | one; its new details; gone for ever |
//! | `POST …/approve`, `…/reject`, `…/review`, `…/suspend`, `…/restore` | what staff decides |
//! | `PUT …/policy` | the knobs that the policy lets staff set for one app |
//! | `POST …/secrets`, `DELETE …/secrets/{hint}` | one more secret, shown once; one less |

use edgegrant_core::app::{App, ClientType, Details};
use edgegrant_core::policy::Overrides;
use serde::Deserialize;
use serde_json::{Value, json};
use worker::Method;

use super::{Caller, Page, body, not_served, problem, scope_missing};
use crate::answer::Answer;
use crate::call::Call;
use crate::operations::register::Registration;
use crate::operations::review::{Decision, decide};
use crate::operations::{Failure, apps, register};
use crate::store::apps::{Listed, Which, list};

const BODY_MAX: usize = 32_768;

/// An app as JSON.
fn shown(app: &Listed) -> Result<Value, Failure> {
    let mut value = edgegrant_core::json::to_value(&app.details()?);
    let more = json!({
        "client_id": app.client_id,
        "client_type": app.client_type,
        "status": app.status,
        "developer": app.developer,
        "account": app.account_id,
        "reason": app.reason,
        "created_at": app.created_at,
        "submitted_at": app.submitted_at,
        "revision": app.revision()?,
        "version": app.version(),
    });
    if let (Some(value), Value::Object(more)) = (value.as_object_mut(), more) {
        value.extend(more);
    }
    Ok(value)
}

/// What a registration sends.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct New {
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
pub(super) async fn collection(call: &mut Call, caller: &Caller, method: &Method) -> Result<Answer, Failure> {
    match method {
        Method::Get if !caller.may("apps:read") => Ok(scope_missing("apps:read")),
        Method::Get => {
            let page = match Page::of(call) {
                Ok(page) => page,
                Err(refused) => return Ok(refused),
            };
            let query = call.query_params();
            let which = match (&caller.actor.account, query.field("status")) {
                (Some(account), _) => Which::Of(account),
                (None, "waiting") => Which::Waiting,
                (None, _) => Which::All(query.field("name")),
            };
            let found = list(&call.env, which, page.skip, page.most + 1).await?;
            Ok(page.answer(found.iter().map(shown).collect::<Result<_, _>>()?))
        }
        Method::Post if !caller.may("apps:write") => Ok(scope_missing("apps:write")),
        Method::Post => create(call, caller).await,
        _ => Ok(not_served("GET, POST")),
    }
}

async fn create(call: &mut Call, caller: &Caller) -> Result<Answer, Failure> {
    let new: New = match body(call, BODY_MAX).await? {
        Ok(new) => new,
        Err(refused) => return Ok(refused),
    };
    let account = new.account.or_else(|| caller.actor.account.clone());
    let name = match &account {
        None => None,
        Some(account) => Some(crate::store::people::account_name(&call.env, account).await?.ok_or(crate::operations::Refused::NotFound)?),
    };
    let developer = name.or(new.developer).unwrap_or_else(|| call.config.policy.platform.name.clone());
    let registration = Registration { account, developer, details: new.details, client_type: Some(new.client_type), contact: new.contact };
    let app = register::register(call, &caller.actor, registration).await?;
    let found = apps::managed(call, &caller.actor, &app.client_id).await?;
    Ok(Answer::json(201, &shown(&found)?).with("location", &format!("/manage/v1/apps/{}", app.client_id)))
}

/// `/manage/v1/apps/{client_id}` and below.
pub(super) async fn one(call: &mut Call, caller: &Caller, method: &Method, rest: &str) -> Result<Answer, Failure> {
    // Without a slash it is the app itself; with one and nothing behind it, it is nothing.
    let (client_id, what) = rest.split_once('/').map_or((rest, None), |(client_id, what)| (client_id, Some(what)));
    let (allowed, scope) = match what {
        None => ("GET, PUT, DELETE", if *method == Method::Get { "apps:read" } else { "apps:write" }),
        Some("approve" | "reject" | "review" | "suspend" | "restore") => ("POST", "review"),
        Some("policy") => ("PUT", "review"),
        Some("secrets") => ("POST", "apps:write"),
        Some(what) if what.starts_with("secrets/") => ("DELETE", "apps:write"),
        Some(_) => return Ok(problem(404, "There is nothing at this address")),
    };
    if !allowed.split(", ").any(|known| known == method.as_ref()) {
        return Ok(not_served(allowed));
    }
    if !caller.may(scope) {
        return Ok(scope_missing(scope));
    }
    let app = apps::managed(call, &caller.actor, client_id).await?;
    let actor = &caller.actor;
    match (what, method) {
        (None, Method::Get) => Ok(Answer::json(200, &shown(&app)?)),
        (None, Method::Delete) => Ok(state(&apps::delete(call, actor, &app).await?)),
        (None, _) => edit(call, caller, &app).await,
        (Some("policy"), _) => set_policy(call, caller, &app).await,
        (Some("secrets"), _) => {
            let (text, record) = apps::add_secret(call, actor, &app).await?;
            let body = json!({ "client_id": record.client_id, "client_secret": text, "client_secret_expires_at": 0, "secret_hints": hints(&record) });
            Ok(Answer::json(201, &body))
        }
        (Some(what), _) => match (what.strip_prefix("secrets/"), Decision::named(what)) {
            (Some(hint), _) => {
                let record = apps::remove_secret(call, actor, &app, hint).await?;
                Ok(Answer::json(200, &json!({ "client_id": record.client_id, "secret_hints": hints(&record) })))
            }
            (None, Some(decision)) => decided(call, caller, &app, decision).await,
            (None, None) => Ok(problem(404, "There is nothing at this address")),
        },
    }
}

fn state(app: &App) -> Answer {
    Answer::json(200, &json!({ "client_id": app.client_id, "status": app.status.as_str() }))
}

fn hints(app: &App) -> Vec<&str> {
    app.secrets.iter().map(|secret| secret.hint.as_str()).collect()
}

async fn edit(call: &mut Call, caller: &Caller, app: &Listed) -> Result<Answer, Failure> {
    let edit: Edit = match body(call, BODY_MAX).await? {
        Ok(edit) => edit,
        Err(refused) => return Ok(refused),
    };
    // A logo comes by its own way, checked.
    let logo = app.revision()?.unwrap_or(app.details()?).logo;
    let details = Details { logo, ..edit.details };
    apps::edit(call, &caller.actor, app, details, edit.contact.as_deref()).await?;
    let found = apps::managed(call, &caller.actor, &app.client_id).await?;
    Ok(Answer::json(200, &shown(&found)?))
}

async fn decided(call: &mut Call, caller: &Caller, app: &Listed, decision: Decision) -> Result<Answer, Failure> {
    let sent = call.bytes(4096).await?;
    let decided: Decided = match sent.as_deref() {
        Some([]) => Decided::default(),
        Some(body) if body.trim_ascii_start().starts_with(b"{") => match edgegrant_core::json::read(body) {
            Ok(decided) => decided,
            Err(error) => return Ok(problem(400, &format!("Send a JSON object with reason and version, or nothing: {error}"))),
        },
        Some(_) => return Ok(problem(400, "Send a JSON object with reason and version, or nothing")),
        None => return Ok(problem(413, "The body is too large")),
    };
    let record = decide(call, &caller.actor, app, decision, &decided.reason, decided.version.as_deref()).await?;
    Ok(state(&record))
}

async fn set_policy(call: &mut Call, caller: &Caller, app: &Listed) -> Result<Answer, Failure> {
    let overrides: Overrides = match body(call, 4096).await? {
        Ok(overrides) => overrides,
        Err(refused) => return Ok(refused),
    };
    let record = apps::set_policy(call, &caller.actor, app, overrides).await?;
    let mut knobs = edgegrant_core::json::to_value(&record.overrides);
    if let Some(knobs) = knobs.as_object_mut() {
        knobs.retain(|_, knob| !knob.is_null());
    }
    Ok(Answer::json(200, &json!({ "client_id": record.client_id, "policy": knobs })))
}
