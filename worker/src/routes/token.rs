//! `POST /oauth/token` (RFC 6749 §3.2, §4.1.3, §6).
//!
//! The edge refuses what is not authentic, expired or another client's without any I/O; the `Grant`
//! object decides the rest in one request and writes before it answers.

use edgegrant_core::app::{App, Status};
use edgegrant_core::credential::{Code, Kind, Token};
use edgegrant_core::encoding::{array_from_base64url, sha256};
use edgegrant_core::grant::{Answer as GrantAnswer, Claim, Command, Issued, Refresh, Refused};
use edgegrant_core::oauth::error::{ErrorCode, Refusal};
use edgegrant_core::oauth::pkce;
use edgegrant_core::oauth::scope::ScopeSet;
use edgegrant_core::oauth::token::{TokenAnswer, TokenRequest};
use edgegrant_core::policy::{RedirectUriRule, Rotation};

use super::client;
use crate::answer::Answer;
use crate::call::Call;
use crate::fault::{Fault, OrFault as _};
use crate::objects::grant::ask;
use crate::platform::now_s;
use crate::store::codes::{self, CodeRecord};
use crate::{store, unproven};

/// Answers a token request.
pub(crate) async fn answer(call: &mut Call) -> Result<Answer, Fault> {
    let params = match client::form(call).await? {
        Ok(params) => params,
        Err(answer) => return Ok(client::readable(call, None, answer)),
    };
    let app = match client::proven(call, &params).await? {
        Ok(app) => app,
        Err(answer) => return Ok(client::readable(call, None, answer)),
    };
    let answer = match TokenRequest::parse(&params) {
        Err(refusal) => Answer::refusal(400, &refusal),
        Ok(_) if app.status != Status::Approved => not_in_use(),
        Ok(TokenRequest::Code { code, redirect_uri, verifier }) => {
            exchange(call, &app, &code, redirect_uri.as_deref(), verifier.as_deref()).await?
        }
        Ok(TokenRequest::Refresh { token, scope }) => refresh(call, &app, &token, scope.as_ref()).await?,
    };
    Ok(client::readable(call, Some(&app), answer))
}

/// Nothing is consumed: the app's grants come back with it (attack A22).
fn not_in_use() -> Answer {
    Answer::refusal(400, &Refusal::new(ErrorCode::UnauthorizedClient, "this app is not in use at the moment"))
}

fn invalid_grant(description: &str) -> Answer {
    Answer::refusal(400, &Refusal::new(ErrorCode::InvalidGrant, description))
}

/// Why a code does not prove what it should; nothing was consumed.
fn proves(record: &CodeRecord, redirect_uri: Option<&str>, verifier: Option<&str>, rule: RedirectUriRule) -> Result<(), &'static str> {
    match redirect_uri {
        Some(sent) if sent != record.redirect_uri => return Err("redirect_uri differs from the one of the authorization request"),
        None if rule == RedirectUriRule::Required => return Err("redirect_uri is missing: send the one of the authorization request"),
        _ => {}
    }
    let challenge = record.challenge.as_deref().and_then(array_from_base64url::<32>);
    match (pkce::verify(challenge.as_ref(), verifier), verifier) {
        (true, _) => Ok(()),
        (false, None) => Err("code_verifier is missing (RFC 7636 section 4.5)"),
        (false, Some(_)) => Err("code_verifier does not match the code_challenge (RFC 7636 section 4.6)"),
    }
}

async fn exchange(call: &Call, app: &App, text: &str, redirect_uri: Option<&str>, verifier: Option<&str>) -> Result<Answer, Fault> {
    let config = &call.config;
    let unknown = "the code is unknown, expired or was used";
    let decoded = Code::decode(text, &config.keys.edge, &config.issuer);
    let Some(code) = decoded.filter(|code| code.app == app.number && code.expires_s > now_s()) else {
        return Ok(unproven::failed(&call.env, config, &call.network(), invalid_grant(unknown)).await);
    };
    let code_hash = Code::hash(text);
    let record = codes::get(&call.env, &code_hash).await?;
    if let Some(record) = &record
        && let Err(why) = proves(record, redirect_uri, verifier, config.policy.token.redirect_uri)
    {
        return Ok(invalid_grant(why));
    }
    if !client::still_in_use(call, app).await? {
        return Ok(not_in_use());
    }
    let redirect = record.as_ref().map(|record| record.redirect_uri.as_str()).or(redirect_uri).unwrap_or_default();
    let claim = Claim {
        grant: code.grant,
        code_hash,
        code_expires_s: code.expires_s,
        challenge: verifier.and_then(pkce::transform),
        redirect: sha256(redirect.as_bytes()),
        app: app.number,
        held: record.map(|record| record.held),
        key_id: config.keys.edge.newest().or_fault("edge key")?.0,
        access_s: config.policy.access.life_s,
        absolute_s: config.policy.refresh.absolute_s,
        families_max: config.policy.refresh.families_max,
    };
    let asked_s = now_s();
    let answer = ask(&call.env, &code.grant, &Command::Claim(Box::new(claim))).await?;
    note(call, &code.grant.object_name(), &answer);
    Ok(match answer {
        GrantAnswer::Issued(issued) => issued_answer(call, &issued, asked_s)?,
        GrantAnswer::Refused(Refused::CodeReplayed { .. }) => {
            invalid_grant("the code was used before; the tokens from its first use are revoked").because("code replayed")
        }
        GrantAnswer::Refused(Refused::ConsentEnded) => invalid_grant("this consent has ended: the app was disconnected"),
        GrantAnswer::Refused(_) => invalid_grant(unknown),
        _ => return Err(Fault::at("claim answer")),
    })
}

/// Rotation for a client: a public one always rotates, whatever the policy says (RFC 9700 §4.14.2).
fn rotation(app: &App, policy: Rotation) -> Rotation {
    if app.is_public() && policy == Rotation::Static { Rotation::Rotate } else { policy }
}

async fn refresh(call: &Call, app: &App, text: &str, scope: Option<&ScopeSet>) -> Result<Answer, Fault> {
    let config = &call.config;
    let policy = &config.policy;
    let dead = "the refresh token is unknown, expired or revoked";
    let decoded = Token::decode(text, &config.keys.edge, &config.issuer, &policy.token.prefixes);
    let own = |token: &Token| token.payload.kind == Kind::Refresh && token.payload.app == app.number && !token.payload.expired(now_s());
    let Some(token) = decoded.filter(own) else {
        return Ok(unproven::failed(&call.env, config, &call.network(), invalid_grant(dead)).await);
    };
    let command = Command::Refresh(Box::new(Refresh {
        token,
        scope: scope.map(ToString::to_string),
        key_id: config.keys.edge.newest().or_fault("edge key")?.0,
        access_s: policy.access.life_s,
        idle_s: policy.refresh.idle_s,
        absolute_s: policy.refresh.absolute_s,
        rotation: rotation(app, policy.refresh.rotation),
        retry_ms: policy.refresh.retry_window_ms,
        rate: policy.refresh.rate,
    }));
    let asked_s = now_s();
    let answer = ask(&call.env, &token.payload.grant, &command).await?;
    note(call, &token.payload.grant.object_name(), &answer);
    Ok(match answer {
        GrantAnswer::Issued(issued) => issued_answer(call, &issued, asked_s)?,
        GrantAnswer::Limited(standing) => Answer::limited(&standing),
        GrantAnswer::Refused(Refused::Scope) => {
            Answer::refusal(400, &Refusal::new(ErrorCode::InvalidScope, "scope must be within what was granted"))
        }
        GrantAnswer::Refused(Refused::RefreshReplayed { .. }) => {
            invalid_grant("the refresh token was used before; its family is revoked").because("refresh token replayed")
        }
        GrantAnswer::Refused(Refused::Superseded) => invalid_grant("the refresh token was replaced: use the newest one"),
        GrantAnswer::Refused(_) => invalid_grant(dead),
        _ => return Err(Fault::at("refresh answer")),
    })
}

/// Signs what the object tagged (RFC 6749 §5.1). `expires_in` counts down from when the object was
/// asked, so that a first answer has the whole life; clocks that differ never make it longer.
fn issued_answer(call: &Call, issued: &Issued, asked_s: u64) -> Result<Answer, Fault> {
    let config = &call.config;
    let encode = |token: &Token| token.encode(&config.keys.edge, &config.issuer, &config.policy.token.prefixes).or_fault("edge key");
    Ok(Answer::json(
        200,
        &TokenAnswer {
            access_token: encode(&issued.access)?,
            token_type: &config.policy.token.token_type,
            expires_in: issued.access.payload.expires_s.saturating_sub(asked_s).min(u64::from(config.policy.access.life_s)),
            refresh_token: encode(&issued.refresh)?,
            scope: issued.scope.clone(),
        },
    ))
}

/// Tells D1, after the answer, what the object said: ended, or used today.
fn note(call: &Call, grant_id: &str, answer: &GrantAnswer) {
    let (env, grant_id, now) = (call.env.clone(), grant_id.to_owned(), now_s());
    match answer {
        GrantAnswer::Issued(issued) if issued.touch => call.context.wait_until(async move {
            if let Err(fault) = store::installs::touched(&env, &grant_id, now).await {
                crate::log::fault("install in use", &fault);
            }
        }),
        GrantAnswer::Refused(Refused::CodeReplayed { ended: Some(seq) }) => end_later(call, grant_id, *seq, "a code was used twice"),
        GrantAnswer::Refused(Refused::RefreshReplayed { ended: Some(seq) }) => end_later(call, grant_id, *seq, "a token was used twice"),
        _ => {}
    }
}

/// Writes the install's row after the answer; the object is the truth meanwhile.
pub(super) fn end_later(call: &Call, grant_id: String, seq: u64, why: &'static str) {
    let (env, now) = (call.env.clone(), now_s());
    call.context.wait_until(async move {
        if let Err(fault) = store::installs::ended(&env, &grant_id, seq, why, now).await {
            crate::log::fault("install ended", &fault);
        }
    });
}
