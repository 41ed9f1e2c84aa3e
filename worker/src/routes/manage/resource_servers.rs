//! Resource servers of the management API.
//!
//! | request | what |
//! |---|---|
//! | `GET`, `POST /resource-servers` | list, register with a first secret |
//! | `GET`, `DELETE /resource-servers/{client_id}` | one; gone for ever |
//! | `POST …/secrets`, `DELETE …/secrets/{hint}` | one more secret, shown once; one less |

use edgegrant_core::app::ResourceServer;
use serde::Deserialize;
use serde_json::{Value, json};
use worker::Method;

use super::create::{Create, create as make};
use super::page::Page;
use super::{Caller, Stop, apps, gate, nothing_here};
use crate::answer::Answer;
use crate::call::Call;
use crate::operations::{Actor, resource_servers, staff_only};
use crate::store::Item;
use crate::store::resource_servers::{Listed, list};

/// What registers one.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct New {
    resource: String,
    name: String,
    scopes: Vec<String>,
}

fn shown(server: &Listed) -> Value {
    json!({
        "client_id": server.client_id,
        "resource": server.resource,
        "name": server.name,
        "scopes": server.scope.split(' ').collect::<Vec<_>>(),
        "created_at": server.created_at,
    })
}

/// The members of both.
fn merged(mut value: Value, more: Value) -> Value {
    if let (Value::Object(members), Value::Object(more)) = (&mut value, more) {
        members.extend(more);
    }
    value
}

/// `/manage/v1/resource-servers` and below.
pub(super) async fn answer(call: &mut Call, caller: &Caller, method: &Method, rest: &[&str]) -> Result<Answer, Stop> {
    const READ: &str = "resource_servers:read";
    const WRITE: &str = "resource_servers:write";
    let served: &[(&str, &str)] = match rest {
        [] => &[("GET", READ), ("POST", WRITE)],
        [_] => &[("GET", READ), ("DELETE", WRITE)],
        [_, "secrets"] => &[("POST", WRITE)],
        [_, "secrets", _] => &[("DELETE", WRITE)],
        _ => return Err(nothing_here()),
    };
    gate(caller, method, served)?;
    let actor = &caller.actor;
    match (rest, method) {
        ([], Method::Post) => make(call, caller, Create::ResourceServer).await,
        ([client_id, "secrets"], _) => make(call, caller, Create::ServerSecret(client_id)).await,
        ([client_id, rest @ ..], _) => {
            let server = resource_servers::find(call, actor, client_id).await?;
            one(call, actor, method, &server, rest.last()).await
        }
        _ => {
            staff_only(actor)?;
            let page = Page::of(call)?;
            let found = list(&call.env, page.before()?, page.most()).await?;
            Ok(page.answer(found.iter().map(|server| Item { key: server.number.to_string(), json: shown(server).to_string() }).collect()))
        }
    }
}

async fn one(call: &Call, actor: &Actor, method: &Method, server: &Listed, hint: Option<&&str>) -> Result<Answer, Stop> {
    let client_id = &server.client_id;
    let body = match (hint, method) {
        (Some(hint), _) => {
            let record = resource_servers::remove_secret(call, actor, server, hint).await?;
            json!({ "client_id": client_id, "secret_hints": apps::hints(&record) })
        }
        (None, Method::Get) => {
            let record = resource_servers::record(call, server).await?;
            merged(shown(server), json!({ "secret_hints": apps::hints(&record) }))
        }
        (None, _) => {
            resource_servers::delete(call, actor, server).await?;
            json!({ "client_id": client_id, "status": "deleted" })
        }
    };
    Ok(Answer::json(200, &body))
}

/// Registers one.
pub(super) async fn create(call: &Call, actor: &Actor, new: New) -> Result<Value, Stop> {
    let New { resource, name, scopes } = new;
    let (record, secret) = resource_servers::register(call, actor, ResourceServer { resource, name, scopes }).await?;
    let server = resource_servers::find(call, actor, &record.client_id).await?;
    Ok(merged(shown(&server), apps::with_secret(&secret, &record)))
}

/// One more secret.
pub(super) async fn add_secret(call: &Call, actor: &Actor, client_id: &str) -> Result<Value, Stop> {
    let server = resource_servers::find(call, actor, client_id).await?;
    let (secret, record) = resource_servers::add_secret(call, actor, &server).await?;
    Ok(apps::with_secret(&secret, &record))
}
