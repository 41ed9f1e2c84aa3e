//! `/manage/v1/apps/{client_id}`: what the platform does with an app. Bearer management tokens, never
//! cookies, no CORS; errors in the form of RFC 9457.
//!
//! | request | what |
//! |---|---|
//! | `POST …/approve`, `…/reject`, `…/review` | the end of a review, or another one |
//! | `POST …/suspend`, `…/restore` | stops it for the time being |
//! | `DELETE …` | gone for ever, with every connection |
//! | `PUT …/policy` | the knobs that the policy lets staff set for one app |
//! | `POST …/secrets`, `DELETE …/secrets/{hint}` | one more secret, shown once; one less |
//!
//! The answer comes when the change holds everywhere: the `App` object was written and every lease
//! given before has run out (invariant 3). D1's listing follows; the object is the truth.

use edgegrant_core::app::{App, Change, NotChanged};
use edgegrant_core::encoding::base64url;
use edgegrant_core::keys::{SecretHash, lookup_name};
use edgegrant_core::oauth::bearer::{Bearer, bearer};
use edgegrant_core::policy::Overrides;
use serde::Deserialize;
use serde_json::json;
use worker::Method;

use super::client;
use crate::answer::Answer;
use crate::call::Call;
use crate::fault::{Fault, OrFault as _};
use crate::objects::app::{Answer as AppAnswer, Command, ask};
use crate::platform::{now_s, random};
use crate::store::{apps, database, rows, text};
use crate::unproven;

#[derive(Deserialize)]
struct Token {
    expires_at: u64,
}

/// An error in the form of RFC 9457.
pub(super) fn problem(status: u16, title: &str) -> Answer {
    Answer::json(status, &json!({ "type": "about:blank", "status": status, "title": title }))
        .with("content-type", "application/problem+json")
}

/// Answers a request about one app.
pub(crate) async fn answer(call: &mut Call, method: &Method) -> Result<Answer, Fault> {
    if !authorized(call).await? {
        return Ok(match unproven::failed(call).await {
            Some(standing) => problem(429, "Too many failed requests").with("retry-after", &standing.reset_s.to_string()),
            None => problem(401, "Send a management token: Authorization: Bearer").with("www-authenticate", "Bearer realm=\"manage\""),
        });
    }
    let path = call.path.strip_prefix("/manage/v1/apps/").unwrap_or_default().to_owned();
    // Without a slash it is the app itself; with one and nothing behind it, it is nothing.
    let (client_id, what) = path.split_once('/').map_or((path.as_str(), None), |(client_id, what)| (client_id, Some(what)));
    let Some(app) = client::app_of(&call.env, &call.config, client_id).await? else {
        return Ok(problem(404, "There is no app with this client id"));
    };
    let Some(what) = what else {
        return match method {
            Method::Delete => change(call, &app, Change::Delete).await,
            _ => Ok(not_served(None)),
        };
    };
    match (what, method) {
        ("approve", Method::Post) => change(call, &app, Change::Approve).await,
        ("reject", Method::Post) => change(call, &app, Change::Reject).await,
        ("review", Method::Post) => change(call, &app, Change::Review).await,
        ("suspend", Method::Post) => change(call, &app, Change::Suspend).await,
        ("restore", Method::Post) => change(call, &app, Change::Restore).await,
        ("policy", Method::Put) => set_policy(call, &app).await,
        ("secrets", Method::Post) => add_secret(call, &app).await,
        (what, Method::Delete) if what.starts_with("secrets/") => {
            let hint = what.strip_prefix("secrets/").unwrap_or_default().to_owned();
            change(call, &app, Change::RemoveSecret { hint }).await
        }
        (what, _) => Ok(not_served(Some(what))),
    }
}

fn not_served(what: Option<&str>) -> Answer {
    let allowed = match what {
        Some("approve" | "reject" | "review" | "suspend" | "restore" | "secrets") => "POST",
        Some("policy") => "PUT",
        Some(what) if what.starts_with("secrets/") => "DELETE",
        Some(_) => return problem(404, "There is nothing at this address"),
        None => "DELETE",
    };
    problem(405, "This method is not served here").with("allow", allowed)
}

fn refused(why: NotChanged) -> Answer {
    match why {
        NotChanged::Status(status) => problem(409, &format!("This cannot be done with an app that is {}", status.as_str())),
        NotChanged::PublicClient => problem(409, "A public client has no secret"),
        NotChanged::SecretsFull => problem(409, "The app has as many secrets as it may have: remove one first"),
        NotChanged::LastSecret => problem(409, "The last secret stays: add another one first"),
        NotChanged::SecretUnknown => problem(404, "The app has no secret that ends like this"),
    }
}

/// What a change is answered with: what it was about.
fn shown(app: &App, change: &Change) -> serde_json::Value {
    match change {
        Change::Override(_) => json!({ "client_id": app.client_id, "policy": set_knobs(&app.overrides) }),
        Change::AddSecret { .. } | Change::RemoveSecret { .. } => json!({ "client_id": app.client_id, "secret_hints": hints(app) }),
        _ => json!({ "client_id": app.client_id, "status": app.status.as_str() }),
    }
}

fn hints(app: &App) -> Vec<&str> {
    app.secrets.iter().map(|secret| secret.hint.as_str()).collect()
}

/// The knobs that are set, without the others.
fn set_knobs(overrides: &Overrides) -> serde_json::Value {
    let mut value = serde_json::to_value(overrides).unwrap_or_default();
    if let Some(knobs) = value.as_object_mut() {
        knobs.retain(|_, knob| !knob.is_null());
    }
    value
}

async fn change(call: &Call, app: &App, change: Change) -> Result<Answer, Fault> {
    changed(call, app, &change, |changed| Answer::json(200, &shown(changed, &change))).await
}

/// Asks the app's object for a change; the listing follows before the answer.
async fn changed(call: &Call, app: &App, change: &Change, answer: impl FnOnce(&App) -> Answer) -> Result<Answer, Fault> {
    match ask(&call.env, app.number, &Command::Change(Box::new(change.clone()))).await? {
        AppAnswer::App(changed) => {
            apps::listed(&call.env, &changed, now_s()).await?;
            Ok(answer(&changed))
        }
        AppAnswer::NotChanged(why) => Ok(refused(why)),
        AppAnswer::Missing => Ok(problem(404, "There is no app with this client id")),
    }
}

async fn set_policy(call: &mut Call, app: &App) -> Result<Answer, Fault> {
    let Some(body) = call.bytes(4096).await? else { return Ok(problem(413, "The body is too large")) };
    // A list would pass for an object with its members in their order.
    let object = body.trim_ascii_start().starts_with(b"{");
    let overrides: Overrides = match serde_json::from_slice(&body) {
        Ok(overrides) if object => overrides,
        Ok(_) => return Ok(problem(400, "Send a JSON object of knobs")),
        Err(error) => return Ok(problem(400, &format!("Send a JSON object of knobs: {error}"))),
    };
    match overrides.check(&call.config.policy, app) {
        Err(why) => Ok(problem(400, &why)),
        Ok(()) => change(call, app, Change::Override(Box::new(overrides))).await,
    }
}

/// The secret is shown here and never again; what is kept is its keyed hash and its last characters.
async fn add_secret(call: &Call, app: &App) -> Result<Answer, Fault> {
    let text = base64url(&random::<32>()?);
    let secret = SecretHash::of(&text, &call.config.keys.hash).or_fault("hash key")?;
    let change = Change::AddSecret { secret, most: call.config.policy.apps.secrets_max };
    let body = |changed: &App| json!({ "client_id": changed.client_id, "client_secret": text, "secret_hints": hints(changed) });
    changed(call, app, &change, |changed| Answer::json(201, &body(changed))).await
}

/// One D1 read. A management token is found by its keyed hash.
async fn authorized(call: &Call) -> Result<bool, Fault> {
    let header = call.header("authorization");
    let Bearer::Token(token) = bearer(header.as_deref(), false) else { return Ok(false) };
    let database = database(&call.env)?;
    for (_, key) in call.config.keys.hash.iter() {
        let name = lookup_name(key, "management token", token);
        let found: Vec<Token> = rows(&database, "SELECT expires_at FROM management_tokens WHERE hash = ?1", &[text(&name)]).await?;
        if found.first().is_some_and(|row| row.expires_at == 0 || row.expires_at > now_s()) {
            return Ok(true);
        }
    }
    Ok(false)
}
