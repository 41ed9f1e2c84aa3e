//! The client of a token or revocation request: named, looked up under its lease, proven.

use std::rc::Rc;

use crate::answer::Answer;
use crate::call::{BadBody, Call};
use crate::config::Config;
use crate::fault::Fault;
use crate::{lease, refusal};
use edgegrant_core::app::{App, Proof, Status};
use edgegrant_core::credential::{is_resource_server, parse_client_id};
use edgegrant_core::oauth::client_auth::{INTROSPECTION_AUTH, Presented, presented};
use edgegrant_core::oauth::params::Params;
use edgegrant_core::oauth::token_error::{TokenError, TokenRefusal};
use edgegrant_core::policy::{Encoding, Use};

/// The app's number behind a client id of ours; anything else costs no look-up.
pub(crate) fn number_of(config: &Config, client_id: &str) -> Option<u32> {
    #[cfg(feature = "development")]
    if let Some(number) = crate::development::seed::number_of(client_id) {
        return Some(number);
    }
    parse_client_id(&config.keys.grant_id, client_id)
}

/// The app behind a client id. The call is this app's from here on.
pub(crate) async fn app_of(call: &Call, client_id: &str) -> Result<Option<Rc<App>>, Fault> {
    let Some(number) = number_of(&call.config, client_id) else { return Ok(None) };
    let found = lease::app(&call.env, number).await?.filter(|app| app.client_id == client_id);
    call.app.set(found.as_ref().map(|app| app.number));
    Ok(found)
}

/// The parameters of an app's request, or the answer that refuses its body.
pub(crate) async fn params(call: &mut Call) -> Result<Result<Params, Answer>, Fault> {
    let config = call.config.clone();
    let token = &config.policy.token;
    let read = call.body(token.body_max, &token.encodings).await?;
    Ok(read.map_err(|bad| refusal::token(call, not_readable(bad, &token.encodings))))
}

/// Why a body in none of these encodings, or too large a one, is refused.
pub(super) fn not_readable(bad: BadBody, encodings: &[Encoding]) -> TokenRefusal {
    match bad {
        BadBody::MediaType => {
            let types: Vec<&str> = encodings.iter().map(|encoding| encoding.media_type()).collect();
            TokenRefusal { error: TokenError::BodyType, sent: types.join(" or ") }
        }
        BadBody::TooLarge => TokenError::BodyTooLarge.into(),
        BadBody::Malformed => TokenError::BodyMalformed.into(),
    }
}

/// A proven client, or the answer to it. Nothing was claimed, rotated or revoked before this.
/// `authorization` is the header, unless it carries something else than client credentials.
pub(crate) async fn proven(call: &Call, params: &Params, authorization: Option<&str>) -> Result<Result<Rc<App>, Answer>, Fault> {
    let client = match presented(authorization, params) {
        Ok(client) => client,
        Err(refusal) if refusal.error.about_client() => return Ok(Err(refusal::token_unproven(call, refusal).await)),
        Err(refusal) => return Ok(Err(refusal::token(call, refusal))),
    };
    let Some(app) = app_of(call, &client.client_id).await? else {
        return Ok(Err(refusal::token_unproven(call, TokenError::ClientUnknown).await));
    };
    Ok(match authenticated(call, app, &client).await? {
        Ok(app) => origin_allowed(call, &app).map(|()| app),
        Err(error) => Err(refusal::token_unproven(call, error).await),
    })
}

/// The record of an app or resource server that has proven itself, or why it has not.
pub(super) async fn authenticated(call: &Call, mut app: Rc<App>, client: &Presented) -> Result<Result<Rc<App>, TokenError>, Fault> {
    let config = &call.config;
    let authenticate = |app: &App| {
        let of = config.policy.of(app);
        let served = if is_resource_server(app.number) { INTROSPECTION_AUTH } else { of.auth_methods() };
        app.authenticate(client, served, &config.keys.hash)
    };
    let mut proof = authenticate(&app);
    if proof == Proof::SecretWrong {
        // The copy may be older than a new secret: look once more before saying so.
        if let Some(newer) = lease::app_again(&call.env, app.number).await? {
            proof = authenticate(&newer);
            app = newer;
        }
    }
    Ok(Err(match proof {
        Proof::Ok if app.status == Status::Deleted => TokenError::ClientUnknown,
        Proof::Ok => return Ok(Ok(app)),
        Proof::SecretWrong => TokenError::SecretWrong,
        Proof::SecretMissing => TokenError::SecretMissing,
        Proof::SecretUnexpected => TokenError::SecretUnexpected,
        Proof::MethodNotServed => TokenError::AuthMethod,
    }))
}

/// Why an app may not use its grants, when nobody may use it.
pub(crate) fn stopped(config: &Config, app: &App) -> Option<TokenError> {
    match config.policy.of(app).usable() {
        Use::Nobody(Status::Pending) => Some(TokenError::AppPending),
        Use::Nobody(Status::Rejected) => Some(TokenError::AppRejected),
        Use::Nobody(_) => Some(TokenError::AppSuspended),
        Use::Everybody { .. } | Use::OwnerOnly => None,
    }
}

/// The app as it is now. Asked again after anything that may have taken longer than a lease, so that
/// nothing is claimed for an app whose suspension has answered meanwhile.
pub(crate) async fn now(call: &Call, app: &App) -> Result<Result<Rc<App>, TokenError>, Fault> {
    let Some(app) = lease::app(&call.env, app.number).await? else { return Ok(Err(TokenError::AppSuspended)) };
    Ok(stopped(&call.config, &app).map_or(Ok(app), Err))
}

/// A script of a foreign origin is refused before anything is claimed (attack A23).
fn origin_allowed(call: &Call, app: &App) -> Result<(), Answer> {
    match call.header("origin") {
        Some(origin) if origin != call.config.issuer && !app.knows_origin(&origin) => Err(refusal::token(call, TokenError::OriginForeign)),
        _ => Ok(()),
    }
}

/// Lets the app's own pages read an answer; confidential clients are no pages.
pub(crate) fn readable(call: &Call, app: Option<&App>, answer: Answer) -> Answer {
    match (call.header("origin"), app) {
        // Without a proven client there is nothing in it that a script should not see.
        (Some(_), None) => call.readable_anywhere(answer),
        (Some(origin), Some(app)) if app.is_public() && (app.knows_origin(&origin) || origin == call.config.issuer) => {
            answer.readable_from(&origin, &call.config.exposed)
        }
        _ => answer,
    }
}
