//! `POST /oauth/token` (RFC 6749 §3.2, §4.1.3, §6).
//!
//! The edge refuses what is not authentic, expired or another client's without any I/O; the `Grant`
//! object decides the rest in one request and writes before it answers.

use edgegrant_core::app::App;
use edgegrant_core::credential::{Code, Kind, Token};
use edgegrant_core::encoding::{array_from_base64url, sha256};
use edgegrant_core::grant::{Answer as GrantAnswer, Claim, Command, Issued, Refresh, Refused};
use edgegrant_core::oauth::bearer::{Bearer, bearer};
use edgegrant_core::oauth::pkce;
use edgegrant_core::oauth::scope::ScopeSet;
use edgegrant_core::oauth::token::{TokenAnswer, TokenRequest, Tokens, Transport};
use edgegrant_core::oauth::token_error::TokenError;
use edgegrant_core::policy::{Endpoint, RedirectUriRule};

use super::client;
use crate::answer::Answer;
use crate::call::Call;
use crate::fault::{Fault, OrFault as _};
use crate::metrics::{self, Counter};
use crate::objects::grant::ask;
use crate::platform::now_s;
use crate::store::codes::{self, CodeRecord};
use crate::{refusal, store};

/// Answers a token request, or a refresh at an address for refreshes.
pub(crate) async fn answer(call: &mut Call, endpoint: Endpoint) -> Result<Answer, Fault> {
    let params = match client::params(call).await? {
        Ok(params) => params,
        Err(answer) => return Ok(client::readable(call, None, answer)),
    };
    let authorization = call.header("authorization");
    let at_refresh = endpoint == Endpoint::Refresh;
    // A bearer header is no client authentication; where the policy says so it is the refresh token.
    let header = match bearer(authorization.as_deref(), false) {
        Bearer::Token(text) if at_refresh && call.config.policy.token.refresh_header => Some(text),
        _ => None,
    };
    let credentials = authorization.as_deref().filter(|_| header.is_none());
    let app = match client::proven(call, &params, credentials).await? {
        Ok(app) => app,
        Err(answer) => return Ok(client::readable(call, None, answer)),
    };
    let answer = match TokenRequest::parse(&params, &call.config.policy, Transport { at_refresh, header }) {
        Err(refused) => refusal::token(call, refused),
        Ok(_) if header.is_some() && !call.config.policy.of(&app).refresh_header() => {
            refusal::token(call, TokenError::RefreshTokenInHeader)
        }
        Ok(request) => match client::stopped(&call.config, &app) {
            // Nothing is consumed: the app's grants come back with it (attack A22).
            Some(error) => refusal::token(call, error),
            None => granted(call, &app, &request).await?,
        },
    };
    Ok(client::readable(call, Some(&app), answer))
}

async fn granted(call: &Call, app: &App, request: &TokenRequest) -> Result<Answer, Fault> {
    match request {
        TokenRequest::Code { code, redirect_uri, verifier } => {
            exchange(call, app, code, redirect_uri.as_deref(), verifier.as_deref()).await
        }
        TokenRequest::Refresh { token, scope } => refresh(call, app, token, scope.as_ref()).await,
    }
}

/// Why a code does not prove what it should; nothing was consumed.
fn proves(record: &CodeRecord, redirect_uri: Option<&str>, verifier: Option<&str>, rule: RedirectUriRule) -> Result<(), TokenError> {
    match redirect_uri {
        Some(sent) if sent != record.redirect_uri => return Err(TokenError::RedirectUriMismatch),
        None if rule == RedirectUriRule::Required => return Err(TokenError::RedirectUriMissing),
        _ => {}
    }
    let challenge = record.challenge.as_deref().and_then(array_from_base64url::<32>);
    pkce::verify(challenge.as_ref(), verifier)
}

async fn exchange(call: &Call, app: &App, text: &str, redirect_uri: Option<&str>, verifier: Option<&str>) -> Result<Answer, Fault> {
    let config = &call.config;
    let decoded = Code::decode(text, &config.keys.edge, &config.issuer);
    let Some(code) = decoded.filter(|code| code.app == app.number && code.expires_s > now_s()) else {
        return Ok(refusal::token_unproven(call, TokenError::CodeInvalid).await);
    };
    call.grant.set(Some(code.grant));
    let code_hash = Code::hash(text);
    let record = codes::get(&call.env, &code_hash).await?;
    if let Some(record) = &record
        && let Err(error) = proves(record, redirect_uri, verifier, config.policy.token.redirect_uri)
    {
        return Ok(refusal::token(call, error));
    }
    let app = match client::now(call, app).await? {
        Ok(app) => app,
        Err(error) => return Ok(refusal::token(call, error)),
    };
    if record.as_ref().is_some_and(|record| !config.policy.of(&app).usable_by(&record.held.user)) {
        return Ok(refusal::token(call, TokenError::AppPending));
    }
    let redirect = record.as_ref().map(|record| record.redirect_uri.as_str()).or(redirect_uri).unwrap_or_default();
    let scope_differs = record.as_ref().is_some_and(|record| record.scope_differs);
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
        GrantAnswer::Issued(issued) => {
            metrics::count(Counter::CodeExchanged);
            issued_answer(call, &app, &issued, asked_s, Issue { is_refresh: false, scope_differs })?
        }
        GrantAnswer::Refused(Refused::CodeReplayed { .. }) => {
            metrics::count(Counter::CodeReplayed);
            refusal::token(call, TokenError::CodeReplayed).because("code replayed")
        }
        GrantAnswer::Refused(Refused::ConsentEnded) => refusal::token(call, TokenError::ConsentEnded),
        GrantAnswer::Refused(_) => refusal::token(call, TokenError::CodeInvalid),
        _ => return Err(Fault::at("claim answer")),
    })
}

async fn refresh(call: &Call, app: &App, text: &str, scope: Option<&ScopeSet>) -> Result<Answer, Fault> {
    let config = &call.config;
    let policy = &config.policy;
    let decoded = Token::decode(text, &config.keys.edge, &config.issuer, &policy.token.prefixes);
    let token = match decoded.filter(|token| token.payload.kind == Kind::Refresh) {
        None => return Ok(refusal::token_unproven(call, TokenError::RefreshTokenInvalid).await),
        Some(token) if token.payload.app != app.number => {
            return Ok(refusal::token_unproven(call, TokenError::RefreshTokenForeign).await);
        }
        Some(token) if token.payload.expired(now_s()) => {
            return Ok(refusal::token_unproven(call, TokenError::RefreshTokenEnded).await);
        }
        Some(token) => token,
    };
    call.is_of(Some(&token.payload));
    let of = policy.of(app);
    let command = Command::Refresh(Box::new(Refresh {
        token,
        scope: scope.map(ToString::to_string),
        key_id: config.keys.edge.newest().or_fault("edge key")?.0,
        access_s: policy.access.life_s,
        idle_s: policy.refresh.idle_s,
        absolute_s: policy.refresh.absolute_s,
        rotation: of.rotation(),
        retry_ms: of.retry_window_ms(),
        rate: policy.refresh.rate,
        only_user: of.only_user(),
    }));
    let asked_s = now_s();
    let answer = ask(&call.env, &token.payload.grant, &command).await?;
    note(call, &token.payload.grant.object_name(), &answer);
    let error = match answer {
        GrantAnswer::Issued(issued) => {
            metrics::count(if issued.retry { Counter::RefreshRetried } else { Counter::Refreshed });
            let issue = Issue { is_refresh: true, scope_differs: issued.narrowed };
            return issued_answer(call, app, &issued, asked_s, issue);
        }
        GrantAnswer::Limited(standing) => return Ok(refusal::token_limited(call, &standing)),
        GrantAnswer::Refused(Refused::RefreshReplayed { .. }) => {
            metrics::count(Counter::RefreshReplayed);
            return Ok(refusal::token(call, TokenError::RefreshTokenReplayed).because("refresh token replayed"));
        }
        GrantAnswer::Refused(Refused::Scope) => TokenError::ScopeTooWide,
        GrantAnswer::Refused(Refused::Superseded) => TokenError::RefreshTokenSuperseded,
        GrantAnswer::Refused(Refused::NotForThem) => TokenError::AppPending,
        GrantAnswer::Refused(_) => TokenError::RefreshTokenEnded,
        _ => return Err(Fault::at("refresh answer")),
    };
    Ok(refusal::token(call, error))
}

/// What an answer with tokens is for.
#[derive(Clone, Copy)]
struct Issue {
    is_refresh: bool,
    scope_differs: bool,
}

/// Signs what the object tagged (RFC 6749 §5.1). `expires_in` counts down from when the object was
/// asked, so that a first answer has the whole life; clocks that differ never make it longer.
fn issued_answer(call: &Call, app: &App, issued: &Issued, asked_s: u64, issue: Issue) -> Result<Answer, Fault> {
    let config = &call.config;
    let token = &config.policy.token;
    let encode = |one: &Token| one.encode(&config.keys.edge, &config.issuer, &token.prefixes).or_fault("edge key");
    let tokens = Tokens {
        access: encode(&issued.access)?,
        refresh: encode(&issued.refresh)?,
        expires_in: issued.access.payload.expires_s.saturating_sub(asked_s).min(u64::from(config.policy.access.life_s)),
        scope: &issued.scope,
        scope_differs: issue.scope_differs,
    };
    Ok(Answer::json(200, &TokenAnswer::new(tokens, config.policy.of(app).answer(issue.is_refresh), &token.token_type)))
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
        GrantAnswer::Refused(Refused::CodeReplayed { ended: ended @ Some(_) }) => {
            replay_later(call, grant_id, *ended, "a code was used twice")
        }
        // The object says so once for each family: of one that has ended it knows no replay.
        GrantAnswer::Refused(Refused::RefreshReplayed { ended }) => replay_later(call, grant_id, *ended, "a token was used twice"),
        _ => {}
    }
}

/// Records, after the answer, that a replay has ended something.
fn replay_later(call: &Call, grant_id: String, ended: Option<u64>, why: &'static str) {
    let (env, config, network, now) = (call.env.clone(), call.config.clone(), call.network(), now_s());
    call.context.wait_until(async move {
        let replay = store::installs::Replay { grant_id: &grant_id, ended, why, network: &network };
        if let Err(fault) = store::installs::replayed(&env, &config, &replay, now).await {
            crate::log::fault("replay", &fault);
        }
    });
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
