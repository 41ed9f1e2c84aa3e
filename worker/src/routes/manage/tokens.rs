//! Management tokens and the audit record of the management API.
//!
//! | request | what |
//! |---|---|
//! | `GET`, `POST /tokens`; `DELETE /tokens/{id}` | list, make (shown once), revoke |
//! | `GET /audit` | who did what, the newest first; `account` and `client_id` narrow it |

use serde::Deserialize;
use serde_json::{Value, json};
use worker::Method;

use super::create::{Create, create as make};
use super::page::Page;
use super::{Caller, Stop, gate, nothing_here};
use crate::answer::Answer;
use crate::call::Call;
use crate::operations::accounts::known;
use crate::operations::{Refused, staff_only, tokens};
use crate::store::audit::{self, Filter, Part};
use crate::store::{self, Item};

/// `/manage/v1/tokens` and below.
pub(super) async fn answer(call: &mut Call, caller: &Caller, method: &Method, rest: &[&str]) -> Result<Answer, Stop> {
    match rest {
        [] => {
            gate(caller, method, &[("GET", "tokens"), ("POST", "tokens")])?;
            if *method == Method::Post {
                return make(call, caller, Create::Token).await;
            }
            staff_only(&caller.actor)?;
            let page = Page::of(call)?;
            Ok(page.answer(store::tokens::items(&call.env, page.before()?, page.most()).await?))
        }
        [id] => {
            gate(caller, method, &[("DELETE", "tokens")])?;
            tokens::revoke(call, &caller.actor, id).await?;
            Ok(Answer::json(200, &json!({ "id": id, "status": "revoked" })))
        }
        _ => Err(nothing_here()),
    }
}

/// What makes a token.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct New {
    label: String,
    scopes: Vec<String>,
    #[serde(default)]
    account: Option<String>,
    expires_at: u64,
}

pub(super) async fn create(call: &Call, caller: &Caller, new: New) -> Result<Value, Stop> {
    let New { label, scopes, account, expires_at } = new;
    let wanted = tokens::Wanted { label, scopes, account, expires_at };
    Ok(tokens::issue(call, &caller.actor, |scope| caller.may(scope), wanted).await?)
}

/// `/manage/v1/audit`.
pub(super) async fn record(call: &Call, caller: &Caller, method: &Method) -> Result<Answer, Stop> {
    gate(caller, method, &[("GET", "audit:read")])?;
    let page = Page::of(call)?;
    let (query, actor) = (call.query_params(), &caller.actor);
    let account = Some(query.field("account")).filter(|account| !account.is_empty());
    if let Some(account) = account {
        known(call, actor, account).await?;
    }
    let app = match query.field("client_id") {
        "" => None,
        client_id => Some(store::apps::find_any(&call.env, client_id).await?.ok_or(Refused::NotFound)?),
    };
    // A token of an account sees its part; what is done to its own app is on no account's record.
    let account = account.or(actor.account.as_deref());
    let part = match (query.field("account"), &actor.account, &app) {
        ("", Some(own), Some(app)) if app.account_id.as_ref() == Some(own) => Part::App(app.number),
        _ => Part::All(Filter { account: account.unwrap_or_default(), app: query.field("client_id"), actor: "" }),
    };
    let found = audit::list(&call.env, part, Some(page.before()?), page.most()).await?;
    let item = |read: &audit::Read| Item {
        key: read.id.to_string(),
        json: json!({
            "id": read.id, "at": read.at, "actor": read.actor, "action": read.action, "account": read.account_id,
            "client_id": read.client_id, "subject": read.subject, "detail": read.detail, "place": read.place(&call.config),
        })
        .to_string(),
    };
    Ok(page.answer(found.iter().map(item).collect()))
}
