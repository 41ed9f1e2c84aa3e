//! Accounts, members and connections, and people, of the management API.
//!
//! | request | what |
//! |---|---|
//! | `GET`, `POST /accounts`; `GET /accounts/{account}` | list, create; one |
//! | `GET`, `POST …/members`; `DELETE …/members/{person}` | who belongs to it, and their roles |
//! | `GET …/installs`; `DELETE …/installs/{client_id}` | what is connected; disconnect |
//! | `GET`, `POST …/keys`; `DELETE …/keys/{id}` | API keys, see [`super::keys`] |
//! | `GET`, `POST /people`; `GET`, `DELETE /people/{person}` | list, create; everything stored about one, and their end |

use serde::Deserialize;
use serde_json::{Value, json};
use worker::Method;

use super::create::{Create, create as make};
use super::page::Page;
use super::{Caller, Stop, gate, keys, nothing_here};
use crate::answer::Answer;
use crate::call::Call;
use crate::operations::accounts::{self, known};
use crate::operations::{Actor, Refused, installs, people, staff_only};
use crate::store::{self, Item};

/// `/manage/v1/accounts` and below.
pub(super) async fn answer(call: &mut Call, caller: &Caller, method: &Method, rest: &[&str]) -> Result<Answer, Stop> {
    let actor = &caller.actor;
    match rest {
        [] => {
            gate(caller, method, &[("GET", "accounts:read"), ("POST", "accounts:write")])?;
            if *method == Method::Post {
                return make(call, caller, Create::Account).await;
            }
            let page = Page::of(call)?;
            Ok(page.answer(store::accounts::items(&call.env, actor.account.as_deref(), page.after(), page.most()).await?))
        }
        [account] => {
            gate(caller, method, &[("GET", "accounts:read")])?;
            known(call, actor, account).await?;
            let found = store::accounts::items(&call.env, Some(account), "", 1).await?;
            Ok(Answer::json_text(200, found.into_iter().next().ok_or(Refused::NotFound)?.json))
        }
        [account, "members"] => {
            gate(caller, method, &[("GET", "accounts:read"), ("POST", "accounts:write")])?;
            if *method == Method::Post {
                return make(call, caller, Create::Member(account)).await;
            }
            known(call, actor, account).await?;
            listed(call, Some(account)).await
        }
        [account, "members", person] => {
            gate(caller, method, &[("DELETE", "accounts:write")])?;
            Ok(Answer::json(200, &accounts::remove_member(call, actor, account, person).await?))
        }
        [account, "installs"] => {
            gate(caller, method, &[("GET", "installs:read")])?;
            known(call, actor, account).await?;
            let page = Page::of(call)?;
            Ok(page.answer(store::installs::items(&call.env, account, page.before()?, page.most()).await?))
        }
        [account, "installs", client_id] => {
            gate(caller, method, &[("DELETE", "installs:write")])?;
            known(call, actor, account).await?;
            let install = store::installs::of_account(&call.env, account, client_id).await?.ok_or(Refused::NotFound)?;
            installs::disconnect(call, actor, &install).await?;
            Ok(Answer::json(200, &json!({ "account": account, "client_id": client_id, "status": "ended" })))
        }
        [account, "keys", rest @ ..] => keys::answer(call, caller, method, account, rest).await,
        _ => Err(nothing_here()),
    }
}

/// `/manage/v1/people` and below.
pub(super) async fn people(call: &mut Call, caller: &Caller, method: &Method, rest: &[&str]) -> Result<Answer, Stop> {
    let actor = &caller.actor;
    match rest {
        [] => {
            gate(caller, method, &[("GET", "people:read"), ("POST", "people:write")])?;
            if *method == Method::Post {
                return make(call, caller, Create::Person).await;
            }
            staff_only(actor)?;
            listed(call, None).await
        }
        [person] => {
            gate(caller, method, &[("GET", "people:read"), ("DELETE", "people:write")])?;
            staff_only(actor)?;
            if *method == Method::Get {
                return Ok(Answer::json(200, &people::export(call, actor, person).await?));
            }
            people::delete(call, actor, person).await?;
            Ok(Answer::json(200, &json!({ "id": person, "status": "deleted" })))
        }
        _ => Err(nothing_here()),
    }
}

/// A page of people, or of an account's members.
async fn listed(call: &Call, account: Option<&str>) -> Result<Answer, Stop> {
    let page = Page::of(call)?;
    let found = store::accounts::people(&call.env, account, page.after(), page.most()).await?;
    let item = |person: &store::accounts::Person| Item { key: person.id.clone(), json: person.json(&call.config.keys).to_string() };
    Ok(page.answer(found.iter().map(item).collect()))
}

/// What makes an account.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct New {
    name: String,
}

pub(super) async fn create(call: &Call, actor: &Actor, new: New) -> Result<Value, Stop> {
    Ok(accounts::create(call, actor, &new.name).await?)
}

/// What makes a member.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewMember {
    person: String,
    role: String,
}

pub(super) async fn put_member(call: &Call, actor: &Actor, account: &str, new: NewMember) -> Result<Value, Stop> {
    Ok(accounts::put_member(call, actor, account, &new.person, &new.role).await?)
}

/// What makes a person.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewPerson {
    email: String,
    name: String,
    #[serde(default)]
    password: Option<String>,
    #[serde(default)]
    staff: bool,
}

pub(super) async fn create_person(call: &Call, caller: &Caller, new: NewPerson) -> Result<Value, Stop> {
    // Staff may do everything: only a token that may do so itself makes one.
    if new.staff && !caller.may("*") {
        return Err(Refused::NotAllowed("Only a token with the scope * makes platform staff").into());
    }
    let NewPerson { email, name, password, staff } = new;
    Ok(accounts::create_person(call, &caller.actor, accounts::Person { email, name, password, staff }).await?)
}
