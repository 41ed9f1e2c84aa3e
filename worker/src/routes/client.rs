//! The client of a token or revocation request: named, looked up under its lease, proven.

use std::rc::Rc;

use edgegrant_core::app::{App, Proof, Status};
use edgegrant_core::credential::parse_client_id;
use edgegrant_core::oauth::client_auth::{AuthError, presented};
use edgegrant_core::oauth::error::{ErrorCode, Refusal};
use edgegrant_core::oauth::params::Params;
use worker::Env;

use crate::answer::Answer;
use crate::call::{BadBody, Call};
use crate::config::Config;
use crate::fault::Fault;
use crate::{lease, unproven};

/// The app's number behind a client id of ours; anything else costs no look-up.
pub(crate) fn number_of(config: &Config, client_id: &str) -> Option<u32> {
    #[cfg(feature = "development")]
    if let Some(number) = crate::development::seed::number_of(client_id) {
        return Some(number);
    }
    parse_client_id(&config.keys.grant_id, client_id)
}

/// The app behind a client id.
pub(crate) async fn app_of(env: &Env, config: &Config, client_id: &str) -> Result<Option<Rc<App>>, Fault> {
    let Some(number) = number_of(config, client_id) else { return Ok(None) };
    Ok(lease::app(env, number).await?.filter(|app| app.client_id == client_id))
}

/// An app's form body, or the answer that refuses it.
pub(crate) async fn form(call: &mut Call) -> Result<Result<Params, Answer>, Fault> {
    let most = call.config.policy.token.body_max;
    form_within(call, most).await
}

/// A form body of at most so many bytes, or the answer that refuses it.
pub(crate) async fn form_within(call: &mut Call, most: u32) -> Result<Result<Params, Answer>, Fault> {
    Ok(call.form(most).await?.map_err(|bad| {
        let (status, text) = match bad {
            BadBody::MediaType => (415, "send the parameters as application/x-www-form-urlencoded in the body"),
            BadBody::TooLarge => (413, "the body is too large"),
        };
        Answer::refusal(status, &Refusal::new(ErrorCode::InvalidRequest, text))
    }))
}

/// A proven client, or the answer to it. Nothing was claimed, rotated or revoked before this.
pub(crate) async fn proven(call: &Call, params: &Params) -> Result<Result<Rc<App>, Answer>, Fault> {
    let config = &call.config;
    let header = call.header("authorization");
    let client = match presented(header.as_deref(), params, &config.policy.token.auth_methods) {
        Ok(client) => client,
        Err(AuthError::Request(refusal)) => return Ok(Err(Answer::refusal(400, &refusal))),
        Err(AuthError::Client(refusal)) => return Ok(Err(refused(call, &refusal).await)),
    };
    let unknown = || Refusal::new(ErrorCode::InvalidClient, "the client is unknown or its secret is not right");
    let Some(mut app) = app_of(&call.env, config, &client.client_id).await? else {
        return Ok(Err(refused(call, &unknown()).await));
    };
    let mut proof = app.authenticate(&client, &config.keys.hash);
    if proof == Proof::SecretWrong {
        // The copy may be older than a new secret: look once more before saying so.
        if let Some(newer) = lease::app_again(&call.env, app.number).await? {
            proof = newer.authenticate(&client, &config.keys.hash);
            app = newer;
        }
    }
    let refusal = match proof {
        Proof::Ok if app.status == Status::Deleted => unknown(),
        Proof::Ok => return Ok(origin_allowed(call, &app).map(|()| app)),
        Proof::SecretWrong => unknown(),
        Proof::SecretMissing => Refusal::new(ErrorCode::InvalidClient, "this client is confidential: send its secret"),
        Proof::SecretUnexpected => Refusal::new(ErrorCode::InvalidClient, "this client is public: send no secret"),
    };
    Ok(Err(refused(call, &refusal).await))
}

/// 401 with a Basic challenge (RFC 6749 §5.2), or 429 for who fails too often.
async fn refused(call: &Call, refusal: &Refusal) -> Answer {
    let answer = Answer::refusal(401, refusal).with("www-authenticate", "Basic realm=\"oauth\", charset=\"UTF-8\"");
    unproven::failed(&call.env, &call.config, &call.network(), answer).await
}

/// Whether the app is still in use. Asked again after anything that may have taken longer than a
/// lease, so that nothing is claimed for an app whose suspension has answered meanwhile.
pub(crate) async fn still_in_use(call: &Call, app: &App) -> Result<bool, Fault> {
    Ok(lease::app(&call.env, app.number).await?.is_some_and(|app| app.status == Status::Approved))
}

/// A script of a foreign origin is refused before anything is claimed (attack A23).
fn origin_allowed(call: &Call, app: &App) -> Result<(), Answer> {
    match call.header("origin") {
        Some(origin) if origin != call.config.issuer && !app.knows_origin(&origin) => {
            let text = "this origin is not one of the app's: register a redirect URI on it";
            Err(Answer::refusal(403, &Refusal::new(ErrorCode::UnauthorizedClient, text)))
        }
        _ => Ok(()),
    }
}

/// Lets the app's own pages read an answer; confidential clients are no pages.
pub(crate) fn readable(call: &Call, app: Option<&App>, answer: Answer) -> Answer {
    match (call.header("origin"), app) {
        // Without a proven client there is nothing in it that a script should not see.
        (Some(_), None) => answer.readable_anywhere(),
        (Some(origin), Some(app)) if app.is_public() && (app.knows_origin(&origin) || origin == call.config.issuer) => {
            answer.readable_from(&origin)
        }
        _ => answer,
    }
}
