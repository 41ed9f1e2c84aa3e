//! `/manage/v1/…`: the operations of the pages as JSON, described by `/openapi.json`. Bearer management
//! tokens, never cookies, no CORS; errors in the form of RFC 9457.
//!
//! A token belongs to the platform or to one account and carries scopes: what it may do is what an
//! [`Actor`] of that reach may do, and no more than its scopes say. It is read from D1 on each call, so
//! that one that was revoked is dead at once (attack A39).

mod accounts;
mod apps;
mod create;
mod keys;
mod page;
mod resource_servers;
mod tokens;

use edgegrant_core::credential::is_management_token;
use edgegrant_core::oauth::bearer::{Bearer, bearer};
use serde_json::{Value, json};
use worker::Method;

use crate::answer::Answer;
use crate::call::Call;
use crate::fault::Fault;
use crate::operations::{self, Actor, Failure, Refused};
use crate::platform::now_s;
use crate::store;
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

/// Why a request goes no further.
enum Stop {
    /// With this answer.
    Answer(Answer),
    /// Its operation was not done.
    Failure(Failure),
}

impl<T: Into<Failure>> From<T> for Stop {
    fn from(failure: T) -> Self {
        Self::Failure(failure.into())
    }
}

impl Stop {
    fn answer(self) -> Result<Answer, Fault> {
        Ok(match self {
            Self::Answer(answer) => answer,
            Self::Failure(Failure::Fault(fault)) => return Err(fault),
            Self::Failure(Failure::Refused(refused)) => match refused {
                Refused::NotFound => problem(404, "There is no such thing, or none that this token may know of"),
                Refused::NotAllowed(who) => problem(403, who),
                Refused::Invalid(problems) => problem_with(400, "What was sent is wrong", &problems),
                Refused::Conflict(why) => problem(409, &why),
            },
        })
    }
}

/// Answers a request. `method` is one of ours; a foreign one is served nowhere.
pub(crate) async fn answer(call: &mut Call, method: Method) -> Result<Answer, Fault> {
    let Some(caller) = caller(call).await? else {
        return Ok(match unproven::failed(call).await {
            Some(standing) => problem(429, "Too many failed requests").with("retry-after", &standing.reset_s.to_string()),
            None => problem(401, "Send a management token: Authorization: Bearer").with("www-authenticate", "Bearer realm=\"manage\""),
        });
    };
    let path = call.path.clone();
    let parts: Vec<&str> = path.strip_prefix("/manage/v1/").unwrap_or_default().split('/').collect();
    let outcome = match parts.as_slice() {
        ["apps"] => apps::collection(call, &caller, &method).await,
        ["apps", client_id, rest @ ..] => apps::one(call, &caller, &method, client_id, rest).await,
        ["accounts", rest @ ..] => accounts::answer(call, &caller, &method, rest).await,
        ["people", rest @ ..] => accounts::people(call, &caller, &method, rest).await,
        ["resource-servers", rest @ ..] => resource_servers::answer(call, &caller, &method, rest).await,
        ["tokens", rest @ ..] => tokens::answer(call, &caller, &method, rest).await,
        ["audit"] => tokens::record(call, &caller, &method).await,
        _ => Err(nothing_here()),
    };
    outcome.or_else(Stop::answer)
}

/// There is no such address.
fn nothing_here() -> Stop {
    Stop::Answer(problem(404, "There is nothing at this address"))
}

/// Lets a method pass that is served here, for a token with the scope that it asks for (RFC 6750 §3.1).
fn gate(caller: &Caller, method: &Method, served: &[(&str, &str)]) -> Result<(), Stop> {
    let Some((_, scope)) = served.iter().find(|(known, _)| *known == method.as_ref()) else {
        let names: Vec<&str> = served.iter().map(|(known, _)| if *known == "GET" { "GET, HEAD" } else { *known }).collect();
        return Err(Stop::Answer(problem(405, "This method is not served here").with("allow", &names.join(", "))));
    };
    if caller.may(scope) {
        return Ok(());
    }
    let challenge = format!("Bearer realm=\"manage\", error=\"insufficient_scope\", scope=\"{scope}\"");
    Err(Stop::Answer(problem(403, &format!("The token lacks the scope {scope}")).with("www-authenticate", &challenge)))
}

/// The body, of at most so many bytes.
async fn body(call: &mut Call, most: usize) -> Result<Vec<u8>, Stop> {
    call.bytes(most).await?.ok_or_else(|| Stop::Answer(problem(413, "The body is too large")))
}

/// A body as a JSON object of this type.
fn parsed<T: serde::de::DeserializeOwned>(body: &[u8]) -> Result<T, Stop> {
    // A list would pass for an object with its members in their order.
    if !body.trim_ascii_start().starts_with(b"{") {
        return Err(Stop::Answer(problem(400, "Send a JSON object")));
    }
    edgegrant_core::json::read(body).map_err(|error| {
        let told: String = error.to_string().chars().take(200).collect();
        Stop::Answer(problem(400, &format!("Send a JSON object of what is documented: {told}")))
    })
}

/// Whether a text may be a management token: whatever cannot be one costs no read.
fn may_be_token(call: &Call, token: &str) -> bool {
    #[cfg(feature = "development")]
    if token == crate::development::seed::MANAGEMENT_TOKEN {
        return true;
    }
    is_management_token(&call.config.keys.grant_id, token)
}

/// One D1 read. A management token is found by its keyed hash.
async fn caller(call: &Call) -> Result<Option<Caller>, Fault> {
    let header = call.header("authorization");
    let Bearer::Token(token) = bearer(header.as_deref(), false) else { return Ok(None) };
    if !may_be_token(call, token) {
        return Ok(None);
    }
    let found = store::tokens::find(&call.env, &operations::tokens::hashes(call, token)).await?;
    Ok(found.filter(|held| held.expires_at == 0 || held.expires_at > now_s()).map(|held| {
        let actor = Actor {
            id: format!("token:{}", held.id),
            network: call.network(),
            staff: held.account_id.is_none(),
            account: held.account_id,
            ..Actor::default()
        };
        Caller { actor, scope: held.scope }
    }))
}
