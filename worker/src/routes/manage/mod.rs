//! `/manage/v1/…`: the operations of the pages as JSON, described by `/openapi.json`. Bearer management
//! tokens, never cookies, no CORS; errors in the form of RFC 9457.
//!
//! A token belongs to the platform or to one account and carries scopes: what it may do is what an
//! [`Actor`] of that reach may do, and no more than its scopes say. It is read from D1 on each call, so
//! that one that was revoked is dead at once (attack A39).

mod apps;

use edgegrant_core::keys::lookup_name;
use edgegrant_core::oauth::bearer::{Bearer, bearer};
use serde::Deserialize;
use serde_json::{Value, json};
use worker::Method;

use crate::answer::Answer;
use crate::call::Call;
use crate::fault::Fault;
use crate::operations::{Actor, Failure, Refused};
use crate::platform::now_s;
use crate::store::{database, rows, text};
use crate::unproven;

/// An error in the form of RFC 9457.
pub(super) fn problem(status: u16, title: &str) -> Answer {
    problem_with(status, title, &[])
}

/// The same with what is wrong, field by field.
fn problem_with(status: u16, title: &str, problems: &[edgegrant_core::app::Problem]) -> Answer {
    let mut body = json!({ "type": "about:blank", "status": status, "title": title });
    if !problems.is_empty() {
        let errors: Vec<Value> = problems.iter().map(|(field, problem)| json!({ "field": field, "problem": problem })).collect();
        body = json!({ "type": "about:blank", "status": status, "title": title, "errors": errors });
    }
    Answer::json(status, &body).with("content-type", "application/problem+json")
}

/// Who calls, with what the token allows.
struct Caller {
    actor: Actor,
    scope: String,
}

impl Caller {
    /// Whether the token has a scope.
    fn may(&self, scope: &str) -> bool {
        self.scope.split(' ').any(|known| known == "*" || known == scope)
    }
}

/// Answers a request.
pub(crate) async fn answer(call: &mut Call, method: Method) -> Result<Answer, Fault> {
    let Some(caller) = caller(call).await? else {
        return Ok(match unproven::failed(call).await {
            Some(standing) => problem(429, "Too many failed requests").with("retry-after", &standing.reset_s.to_string()),
            None => problem(401, "Send a management token: Authorization: Bearer").with("www-authenticate", "Bearer realm=\"manage\""),
        });
    };
    let path = call.path.clone();
    let outcome = match path.strip_prefix("/manage/v1/").unwrap_or_default().split_once('/') {
        None if path == "/manage/v1/apps" => apps::collection(call, &caller, &method).await,
        Some(("apps", rest)) => apps::one(call, &caller, &method, rest).await,
        _ => Ok(problem(404, "There is nothing at this address")),
    };
    outcome.or_else(failed)
}

/// An operation that was not done.
fn failed(failure: Failure) -> Result<Answer, Fault> {
    Ok(match failure {
        Failure::Fault(fault) => return Err(fault),
        Failure::Refused(Refused::NotFound) => problem(404, "There is no such thing, or none that this token may know of"),
        Failure::Refused(Refused::NotAllowed(who)) => problem(403, who),
        Failure::Refused(Refused::Invalid(problems)) => problem_with(400, "What was sent is wrong", &problems),
        Failure::Refused(Refused::Conflict(why)) => problem(409, &why),
    })
}

/// The token's scopes do not reach that far (RFC 6750 §3.1).
fn scope_missing(scope: &str) -> Answer {
    let challenge = format!("Bearer realm=\"manage\", error=\"insufficient_scope\", scope=\"{scope}\"");
    problem(403, &format!("The token lacks the scope {scope}")).with("www-authenticate", &challenge)
}

/// 405 with what is served.
fn not_served(allowed: &str) -> Answer {
    problem(405, "This method is not served here").with("allow", allowed)
}

/// The body as a JSON object of this type, of at most so many bytes.
async fn body<T: serde::de::DeserializeOwned>(call: &mut Call, most: usize) -> Result<Result<T, Answer>, Fault> {
    let Some(body) = call.bytes(most).await? else { return Ok(Err(problem(413, "The body is too large"))) };
    // A list would pass for an object with its members in their order.
    if !body.trim_ascii_start().starts_with(b"{") {
        return Ok(Err(problem(400, "Send a JSON object")));
    }
    Ok(edgegrant_core::json::read(&body).map_err(|error| problem(400, &format!("Send a JSON object of what is documented: {error}"))))
}

/// Where a list begins and how much of it is asked for.
struct Page {
    skip: u32,
    most: u32,
}

impl Page {
    /// From `cursor` and `limit`; what is no number of ours is refused.
    fn of(call: &Call) -> Result<Self, Answer> {
        let query = call.query_params();
        let number = |name: &str, default: u32| match query.field(name) {
            "" => Ok(default),
            text => text.parse::<u32>().map_err(|_| problem(400, &format!("{name}: not one that a list gave"))),
        };
        let (skip, most) = (number("cursor", 0)?, number("limit", 50)?);
        if !(1..=200).contains(&most) {
            return Err(problem(400, "limit: 1 to 200"));
        }
        Ok(Self { skip, most })
    }

    /// A list's answer: what was read with one more than was asked for.
    fn answer(&self, mut items: Vec<Value>) -> Answer {
        let more = items.len() > self.most as usize;
        items.truncate(self.most as usize);
        let next = more.then(|| self.skip.saturating_add(self.most).to_string());
        Answer::json(200, &json!({ "items": items, "next_cursor": next }))
    }
}

#[derive(Deserialize)]
struct Token {
    id: String,
    scope: String,
    account_id: Option<String>,
    expires_at: u64,
}

/// One D1 read. A management token is found by its keyed hash.
async fn caller(call: &Call) -> Result<Option<Caller>, Fault> {
    let header = call.header("authorization");
    let Bearer::Token(token) = bearer(header.as_deref(), false) else { return Ok(None) };
    let database = database(&call.env)?;
    for (_, key) in call.config.keys.hash.iter() {
        let name = lookup_name(key, "management token", token);
        let sql = "SELECT id, scope, account_id, expires_at FROM management_tokens WHERE hash = ?1";
        let found: Vec<Token> = rows(&database, sql, &[text(&name)]).await?;
        if let Some(row) = found.into_iter().find(|row| row.expires_at == 0 || row.expires_at > now_s()) {
            let actor = Actor {
                id: format!("token:{}", row.id),
                network: call.network(),
                staff: row.account_id.is_none(),
                account: row.account_id,
                ..Actor::default()
            };
            return Ok(Some(Caller { actor, scope: row.scope }));
        }
    }
    Ok(None)
}
