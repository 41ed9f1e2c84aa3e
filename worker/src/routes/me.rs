//! `me`: whose token is it (RFC 6750)? Its address, methods, status, scope and shape are the policy's.
//!
//! One object request; garbage, expired tokens and tokens of suspended apps cost none.

use edgegrant_core::calendar;
use edgegrant_core::credential::{Kind, Token};
use edgegrant_core::grant::{Answer as GrantAnswer, Check, Checked, Command, Refused};
use edgegrant_core::oauth::bearer::{Bearer, bearer};
use edgegrant_core::oauth::resource_error::ResourceError;
use edgegrant_core::policy::Use;
use serde_json::Value;
use worker::Method;

use crate::answer::Answer;
use crate::call::Call;
use crate::fault::Fault;
use crate::objects::grant::ask;
use crate::platform::{now_ms, now_s};
use crate::{lease, refusal};

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
    let answer = match bearer(header.as_deref(), elsewhere) {
        Bearer::Missing => refusal::resource_unproven(call, ResourceError::TokenMissing).await,
        Bearer::Malformed => refusal::resource_unproven(call, ResourceError::TokenMalformed).await,
        Bearer::Token(text) => checked(call, text).await?,
    };
    Ok(call.readable_anywhere(answer))
}

async fn checked(call: &Call, text: &str) -> Result<Answer, Fault> {
    let config = &call.config;
    let policy = &config.policy;
    let decoded = Token::decode(text, &config.keys.edge, &config.issuer, &policy.token.prefixes);
    let token = match decoded.filter(|token| token.payload.kind == Kind::Access) {
        None => return Ok(refusal::resource_unproven(call, ResourceError::TokenUnknown).await),
        Some(token) if token.payload.expired(now_s()) => {
            return Ok(refusal::resource_unproven(call, ResourceError::TokenExpired).await);
        }
        Some(token) => token,
    };
    call.app.set(Some(token.payload.app));
    let stopped = || refusal::resource(call, ResourceError::AppStopped, "");
    let Some(app) = lease::app(&call.env, token.payload.app).await? else { return Ok(stopped()) };
    let of = policy.of(&app);
    if let Use::Nobody(_) = of.usable() {
        return Ok(stopped());
    }
    let check = Check { token, rates: of.rates(), per: policy.api.per, only_user: of.only_user() };
    match ask(&call.env, &token.payload.grant, &Command::Check(check)).await? {
        GrantAnswer::Checked(checked) => Ok(me(call, &checked, &app.client_id, token.payload.expires_s)),
        GrantAnswer::Limited(standing) => Ok(refusal::resource_limited(call, &standing)),
        GrantAnswer::Refused(Refused::NotForThem) => Ok(stopped()),
        GrantAnswer::Refused(_) => Ok(refusal::resource(call, ResourceError::TokenRevoked, "")),
        _ => Err(Fault::at("check answer")),
    }
}

fn me(call: &Call, checked: &Checked, client_id: &str, expires_at: u64) -> Answer {
    let policy = &call.config.policy;
    let me = &policy.me;
    if !me.scope.is_empty() && !policy.scopes.covers(&checked.scope, &me.scope) {
        return refusal::resource(call, ResourceError::ScopeMissing, &me.scope);
    }
    let body = me.body.fill(&|name| match name {
        "account.id" => checked.account.as_str().into(),
        "account.name" => checked.account_name.as_str().into(),
        "app.client_id" => client_id.into(),
        "user.id" => checked.user.as_str().into(),
        "scope" => checked.scope.as_str().into(),
        "scopes" => checked.scope.split(' ').filter(|scope| !scope.is_empty()).collect(),
        "expires_at" => expires_at.into(),
        "now_ms" => now_ms().into(),
        "timestamp" => calendar::iso(now_ms()).into(),
        "path" => call.path.as_str().into(),
        _ => Value::Null,
    });
    Answer::json(me.status, &body).with_standing(&policy.api.headers, &checked.standing)
}
