//! `me`: whose token is it (RFC 6750)? Its address, methods, status, scope and shape are the policy's.
//!
//! Access tokens of apps, and API keys of the account itself, which name no app. One object request;
//! garbage, expired tokens and tokens of suspended apps cost none.

use edgegrant_core::calendar;
use edgegrant_core::credential::{Kind, NO_APP, Token};
use edgegrant_core::grant::{Answer as GrantAnswer, Check, Checked, Command, Refused};
use edgegrant_core::oauth::bearer::{Bearer, bearer_or_key};
use edgegrant_core::oauth::resource_error::ResourceError;
use edgegrant_core::policy::{Per, Use};
use serde_json::Value;
use worker::Method;

use crate::answer::Answer;
use crate::call::Call;
use crate::fault::Fault;
use crate::objects::grant::ask;
use crate::platform::{now_ms, now_s};
use crate::{lease, refusal, store};

/// Answers with what the token stands for.
pub(crate) async fn answer(call: &mut Call) -> Result<Answer, Fault> {
    let header = call.header("authorization");
    let mut elsewhere = !call.query_params().field("access_token").is_empty();
    if call.method() == Method::Post
        && header.is_some()
        && let Ok(body) = call.form(call.config.policy.token.body_max).await?
    {
        elsewhere |= !body.field("access_token").is_empty();
    }
    let (presented, only_key) = bearer_or_key(header.as_deref(), elsewhere, call.config.policy.api.key_scheme.as_deref());
    let answer = match presented {
        Bearer::Missing => refusal::resource_unproven(call, ResourceError::TokenMissing).await,
        Bearer::Malformed => refusal::resource_unproven(call, ResourceError::TokenMalformed).await,
        Bearer::Token(text) => checked(call, text, only_key).await?,
    };
    Ok(call.readable_anywhere(answer))
}

/// Whether a credential may be used here at all. A key names no app, and nothing else may do that.
fn is_taken(call: &Call, token: &Token, only_key: bool) -> bool {
    match token.payload.kind {
        Kind::Access => !only_key && token.payload.app != NO_APP,
        Kind::Key => token.payload.app == NO_APP && call.config.policy.keys.on(),
        Kind::Refresh => false,
    }
}

async fn checked(call: &Call, text: &str, only_key: bool) -> Result<Answer, Fault> {
    let config = &call.config;
    let policy = &config.policy;
    let decoded = Token::decode(text, &config.keys.edge, &config.issuer, &policy.token.prefixes);
    let token = match decoded.filter(|token| is_taken(call, token, only_key)) {
        None => return Ok(refusal::resource_unproven(call, ResourceError::TokenUnknown).await),
        Some(token) if token.payload.expired(now_s()) => {
            return Ok(refusal::resource_unproven(call, ResourceError::TokenExpired).await);
        }
        Some(token) => token,
    };
    if token.payload.kind == Kind::Key {
        let check = Check { token, rates: policy.api.key_rates(), per: Per::Family, only_user: None };
        return asked(call, check, None).await;
    }
    call.app.set(Some(token.payload.app));
    let stopped = || refusal::resource(call, ResourceError::AppStopped, "");
    let Some(app) = lease::app(&call.env, token.payload.app).await? else { return Ok(stopped()) };
    let of = policy.of(&app);
    if let Use::Nobody(_) = of.usable() {
        return Ok(stopped());
    }
    let check = Check { token, rates: of.rates(), per: policy.api.per, only_user: of.only_user() };
    asked(call, check, Some(&app.client_id)).await
}

/// Asks the object, and answers with what it says.
async fn asked(call: &Call, check: Check, client_id: Option<&str>) -> Result<Answer, Fault> {
    let payload = check.token.payload;
    match ask(&call.env, &payload.grant, &Command::Check(check)).await? {
        GrantAnswer::Checked(checked) => Ok(me(call, &checked, client_id, payload.expires_s)),
        GrantAnswer::CheckedFirst(checked) => {
            used_later(call, checked.account.clone(), payload.family);
            Ok(me(call, &checked, client_id, payload.expires_s))
        }
        GrantAnswer::Limited(standing) => Ok(refusal::resource_limited(call, &standing)),
        GrantAnswer::Refused(Refused::NotForThem) => Ok(refusal::resource(call, ResourceError::AppStopped, "")),
        GrantAnswer::Refused(_) => Ok(refusal::resource(call, ResourceError::TokenRevoked, "")),
        _ => Err(Fault::at("check answer")),
    }
}

/// Tells the key's row after the answer that the key is used.
fn used_later(call: &Call, account: String, family: u32) {
    let env = call.env.clone();
    call.context.wait_until(async move {
        if let Err(fault) = store::keys::used(&env, &account, family, now_s()).await {
            crate::log::fault("key in use", &fault);
        }
    });
}

fn me(call: &Call, checked: &Checked, client_id: Option<&str>, expires_at: u64) -> Answer {
    let policy = &call.config.policy;
    let me = &policy.me;
    if !me.scope.is_empty() && !policy.scopes.covers(&checked.scope, &me.scope) {
        return refusal::resource(call, ResourceError::ScopeMissing, &me.scope);
    }
    let body = me.body.fill(&|name| match name {
        "account.id" => checked.account.as_str().into(),
        "account.name" => checked.account_name.as_str().into(),
        // A key has no app, and may have no end: nothing to say, which is null or left out.
        "app.client_id" => client_id.into(),
        "user.id" => checked.user.as_str().into(),
        "scope" => checked.scope.as_str().into(),
        "scopes" => checked.scope.split(' ').filter(|scope| !scope.is_empty()).collect(),
        "expires_at" if expires_at != 0 => expires_at.into(),
        "now_ms" => now_ms().into(),
        "timestamp" => calendar::iso(now_ms()).into(),
        "path" => call.path.as_str().into(),
        _ => Value::Null,
    });
    Answer::json(me.status, &body).with_standing(&policy.api.headers, &checked.standing)
}
