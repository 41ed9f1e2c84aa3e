//! `POST /manage/v1/apps/{client_id}/suspend` and `/restore`: the platform stops an app and lets it
//! go on. Bearer management tokens, never cookies, no CORS.
//!
//! The answer comes when the change holds everywhere: the `App` object was written and every lease
//! given before has run out (invariant 3). D1's listing follows; the object is the truth.

use edgegrant_core::app::Status;
use edgegrant_core::keys::lookup_name;
use edgegrant_core::oauth::bearer::{Bearer, bearer};
use serde::Deserialize;

use super::client;
use crate::answer::Answer;
use crate::call::Call;
use crate::fault::Fault;
use crate::objects::app::{Command, ask};
use crate::platform::now_s;
use crate::store::{database, number, rows, run, text};
use crate::unproven;

#[derive(Deserialize)]
struct Token {
    expires_at: u64,
}

/// An error in the form of RFC 9457.
fn problem(status: u16, title: &str) -> Answer {
    Answer::json(status, &serde_json::json!({ "type": "about:blank", "status": status, "title": title }))
        .with("content-type", "application/problem+json")
}

/// Answers a change of status.
pub(crate) async fn answer(call: &Call) -> Result<Answer, Fault> {
    if !authorized(call).await? {
        let answer = problem(401, "Send a management token: Authorization: Bearer").with("www-authenticate", "Bearer realm=\"manage\"");
        return Ok(unproven::failed(&call.env, &call.config, &call.network(), answer).await);
    }
    let path = call.path.strip_prefix("/manage/v1/apps/").unwrap_or_default();
    let (client_id, status) = match path.rsplit_once('/') {
        Some((client_id, "suspend")) => (client_id, Status::Suspended),
        Some((client_id, "restore")) => (client_id, Status::Approved),
        _ => return Ok(problem(404, "There is nothing at this address")),
    };
    let missing = || problem(404, "There is no app with this client id");
    let Some(app) = client::app_of(&call.env, &call.config, client_id).await? else { return Ok(missing()) };
    let movable = matches!(app.status, Status::Approved | Status::Suspended);
    if !movable {
        return Ok(problem(409, "Only an approved app can be suspended, and only a suspended one restored"));
    }
    let Some(changed) = ask(&call.env, app.number, &Command::SetStatus(status)).await? else { return Ok(missing()) };
    let values = [number(u64::from(app.number)), text(changed.status.as_str())];
    run(&database(&call.env)?, "UPDATE apps SET status = ?2 WHERE number = ?1", &values).await?;
    Ok(Answer::json(200, &serde_json::json!({ "client_id": changed.client_id, "status": changed.status.as_str() })))
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
