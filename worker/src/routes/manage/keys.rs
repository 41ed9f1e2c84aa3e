//! API keys of an account in the management API: list, make (shown once), revoke. A platform whose policy
//! has no API keys has none here.

use serde::Deserialize;
use serde_json::{Value, json};
use worker::Method;

use super::create::{Create, create as make};
use super::page::Page;
use super::{Caller, Stop, gate, nothing_here};
use crate::answer::Answer;
use crate::call::Call;
use crate::operations::accounts::known;
use crate::operations::keys::{self, NewKey};
use crate::operations::{Actor, Failure, Refused};
use crate::platform::random_id;
use crate::store;

/// `/manage/v1/accounts/{account}/keys` and below.
pub(super) async fn answer(call: &mut Call, caller: &Caller, method: &Method, account: &str, rest: &[&str]) -> Result<Answer, Stop> {
    let actor = &caller.actor;
    match rest {
        [] => {
            gate(caller, method, &[("GET", "keys:read"), ("POST", "keys:write")])?;
            if *method == Method::Post {
                return make(call, caller, Create::Key(account)).await;
            }
            known(call, actor, account).await?;
            keys::allowed(call, actor, account)?;
            let page = Page::of(call)?;
            Ok(page.answer(store::keys::items(&call.env, account, page.before()?, page.most()).await?))
        }
        [id] => {
            gate(caller, method, &[("DELETE", "keys:write")])?;
            let key = keys::find(call, actor, id).await?;
            if key.account_id != account {
                return Err(Refused::NotFound.into());
            }
            keys::revoke(call, actor, &key).await?;
            Ok(Answer::json(200, &json!({ "id": id, "status": "ended" })))
        }
        _ => Err(nothing_here()),
    }
}

/// What makes a key.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct New {
    label: String,
    scopes: Vec<String>,
    life_s: u64,
}

pub(super) async fn create(call: &Call, actor: &Actor, account: &str, new: New) -> Result<Value, Stop> {
    known(call, actor, account).await?;
    let scopes: Vec<&str> = new.scopes.iter().map(String::as_str).collect();
    let wanted = NewKey { id: &random_id()?, account, label: &new.label, scopes: &scopes, life_s: new.life_s };
    let made = keys::issue(call, actor, &wanted).await.map_err(in_our_words)?;
    let key = made.key;
    Ok(json!({
        "id": key.id, "label": key.label, "scope": key.scope, "hint": key.hint,
        "created_at": key.created_at, "expires_at": key.expires_at, "key": made.text,
    }))
}

/// The members are named in another way than the fields of the page.
fn in_our_words(failure: Failure) -> Failure {
    let Failure::Refused(Refused::Invalid(problems)) = failure else { return failure };
    let named = |(field, problem): (&'static str, String)| match field {
        "scope" => ("scopes", "Name at least one of the platform's scopes".to_owned()),
        "life" => ("life_s", "Seconds, as many as the policy allows; 0, where it allows that, is until it is revoked".to_owned()),
        field => (field, problem),
    };
    Refused::Invalid(problems.into_iter().map(named).collect()).into()
}
