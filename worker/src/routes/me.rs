//! `GET, POST /api/v1/me`: the account and scopes behind a bearer token (RFC 6750).
//!
//! One object request; garbage, expired tokens and tokens of suspended apps cost none.

use edgegrant_core::app::Status;
use edgegrant_core::credential::{Kind, Token};
use edgegrant_core::grant::{Answer as GrantAnswer, Check, Checked, Command};
use edgegrant_core::oauth::bearer::{Bearer, bearer, challenge};
use edgegrant_core::oauth::error::{ErrorCode, Refusal};
use serde::Serialize;
use worker::Method;

use crate::answer::Answer;
use crate::call::Call;
use crate::fault::Fault;
use crate::objects::grant::ask;
use crate::platform::now_s;
use crate::{lease, unproven};

const REALM: &str = "api";

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
        Bearer::Missing => {
            let answer = Answer::refusal(401, &Refusal::new(ErrorCode::InvalidToken, "send an access token: Authorization: Bearer"));
            unproven::failed(&call.env, &call.config, &call.network(), answer.with("www-authenticate", &challenge(REALM, None))).await
        }
        Bearer::Malformed => refused(400, ErrorCode::InvalidRequest, "send one access token, in the Authorization header only"),
        Bearer::Token(text) => checked(call, text).await?,
    };
    Ok(answer.readable_anywhere())
}

fn refused(status: u16, error: ErrorCode, description: &str) -> Answer {
    Answer::refusal(status, &Refusal::new(error, description)).with("www-authenticate", &challenge(REALM, Some((error, description))))
}

/// What the API tells of a token.
#[derive(Serialize)]
struct Me<'a> {
    account: Account<'a>,
    app: Client<'a>,
    scope: &'a str,
    scopes: Vec<&'a str>,
    expires_at: u64,
}

#[derive(Serialize)]
struct Account<'a> {
    id: &'a str,
    name: &'a str,
}

#[derive(Serialize)]
struct Client<'a> {
    client_id: &'a str,
}

async fn checked(call: &Call, text: &str) -> Result<Answer, Fault> {
    let config = &call.config;
    let invalid = || refused(401, ErrorCode::InvalidToken, "the access token is expired, revoked or unknown");
    let decoded = Token::decode(text, &config.keys.edge, &config.issuer, &config.policy.token.prefixes);
    let live = |token: &Token| token.payload.kind == Kind::Access && !token.payload.expired(now_s());
    let Some(token) = decoded.filter(live) else {
        return Ok(unproven::failed(&call.env, config, &call.network(), invalid()).await);
    };
    let app = lease::app(&call.env, token.payload.app).await?;
    let Some(app) = app.filter(|app| app.status == Status::Approved) else { return Ok(invalid()) };
    let check = Check { token, rate: config.policy.api.rate, per: config.policy.api.per };
    match ask(&call.env, &token.payload.grant, &Command::Check(check)).await? {
        GrantAnswer::Checked(checked) => Ok(me(&checked, &app.client_id, token.payload.expires_s)),
        GrantAnswer::Limited(standing) => Ok(Answer::limited(&standing)),
        GrantAnswer::Refused(_) => Ok(invalid()),
        _ => Err(Fault::at("check answer")),
    }
}

fn me(checked: &Checked, client_id: &str, expires_at: u64) -> Answer {
    let me = Me {
        account: Account { id: &checked.account, name: &checked.account_name },
        app: Client { client_id },
        scope: &checked.scope,
        scopes: checked.scope.split(' ').collect(),
        expires_at,
    };
    Answer::json(200, &me).with_standing(&checked.standing)
}
