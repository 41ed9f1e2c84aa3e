//! `me`: whose token is it (RFC 6750)? Its address, methods, status, scope and shape are the policy's.
//!
//! Access tokens of apps, and API keys of the account itself, which name no app. One object request;
//! garbage, expired tokens and tokens of suspended apps cost none.

use edgegrant_core::calendar;
use edgegrant_core::oauth::bearer::{Bearer, bearer_or_key};
use edgegrant_core::oauth::resource_error::ResourceError;
use serde_json::Value;
use worker::Method;

use crate::access::{self, Access, Presented, Verdict};
use crate::answer::Answer;
use crate::call::Call;
use crate::fault::Fault;
use crate::platform::now_ms;
use crate::refusal;

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

/// Checks a credential, and answers with what it stands for.
async fn checked(call: &Call, text: &str, only_key: bool) -> Result<Answer, Fault> {
    let presented = Presented { text, only_key, counted: true, network: call.counted_network(), audience: &[] };
    let judged = access::judge(&call.env, &call.context, &call.config, &presented).await?;
    call.is_of(judged.payload.as_ref());
    Ok(match judged.verdict {
        Verdict::Allowed(access) => me(call, &access),
        Verdict::Limited(standing) => refusal::resource_limited(call, &standing),
        Verdict::Unproven(why) => refusal::resource_unproven(call, why).await,
        Verdict::Refused(why) => refusal::resource(call, why, ""),
    })
}

fn me(call: &Call, access: &Access) -> Answer {
    let Access { checked, client_id, expires_s } = access;
    let policy = &call.config.policy;
    let me = &policy.me;
    if !me.scope.is_empty() && !policy.scopes.covers(&checked.scope, &me.scope) {
        return refusal::resource(call, ResourceError::ScopeMissing, &me.scope);
    }
    let body = me.body.fill(&|name| match name {
        "account.id" => checked.account.as_str().into(),
        "account.name" => checked.account_name.as_str().into(),
        // A key has no app, and may have no end: nothing to say, which is null or left out.
        "app.client_id" => client_id.as_deref().into(),
        "user.id" => checked.user.as_str().into(),
        "scope" => checked.scope.as_str().into(),
        "scopes" => checked.scope.split(' ').filter(|scope| !scope.is_empty()).collect(),
        "expires_at" if *expires_s != 0 => (*expires_s).into(),
        "now_ms" => now_ms().into(),
        "timestamp" => calendar::iso(now_ms()).into(),
        "path" => call.path.as_str().into(),
        _ => Value::Null,
    });
    Answer::json(me.status, &body).with_standing(&policy.api.headers, &checked.standing)
}
