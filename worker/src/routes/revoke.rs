//! `POST /oauth/revoke` (RFC 7009). Expired and rotated tokens still end what they stand for: what is
//! asked is whether a token is authentic, not whether it lives (attack A4).

use edgegrant_core::app::App;
use edgegrant_core::credential::{Kind, Token};
use edgegrant_core::grant::{Answer as GrantAnswer, Command, Revoke};
use edgegrant_core::oauth::error::{ErrorCode, Refusal};
use edgegrant_core::policy::{Policy, Reach};

use super::client;
use crate::answer::Answer;
use crate::call::Call;
use crate::fault::Fault;
use crate::objects::grant::ask;
use crate::unproven;

/// Answers a revocation request. `token_type_hint` is not needed and any value is ignored (§2.2).
pub(crate) async fn answer(call: &mut Call) -> Result<Answer, Fault> {
    let params = match client::form(call).await? {
        Ok(params) => params,
        Err(answer) => return Ok(client::readable(call, None, answer)),
    };
    let app = match client::proven(call, &params).await? {
        Ok(app) => app,
        Err(answer) => return Ok(client::readable(call, None, answer)),
    };
    let answer = match params.get("token").map_err(Refusal::from).and_then(|token| {
        params.get("token_type_hint")?;
        token.ok_or_else(|| Refusal::new(ErrorCode::InvalidRequest, "token is missing"))
    }) {
        Ok(token) => revoke(call, &app, token).await?,
        Err(refusal) => Answer::refusal(400, &refusal),
    };
    Ok(client::readable(call, Some(&app), answer))
}

/// How far it reaches; for a public client an access token ends only itself (attack A21).
fn reach(policy: &Policy, app: &App, kind: Kind) -> Reach {
    match kind {
        Kind::Access | Kind::Key if app.is_public() => Reach::Token,
        Kind::Access | Kind::Key => policy.revoke.access_ends,
        Kind::Refresh => policy.revoke.refresh_ends,
    }
}

async fn revoke(call: &Call, app: &App, text: &str) -> Result<Answer, Fault> {
    let config = &call.config;
    // `{}` and not an empty body: clients parse it (RFC 7009 §2.2 ignores the body).
    let done = || Answer::json(200, &serde_json::json!({}));
    let Some(token) = Token::decode(text, &config.keys.edge, &config.issuer, &config.policy.token.prefixes) else {
        return Ok(unproven::failed(&call.env, config, &call.network(), done().because("token unknown")).await);
    };
    if token.payload.app != app.number {
        // RFC 7009 §2.1: refused, and nothing happens to the other client's token.
        let refusal = Refusal::new(ErrorCode::InvalidGrant, "the token was issued to another client");
        return Ok(unproven::failed(&call.env, config, &call.network(), Answer::refusal(400, &refusal)).await);
    }
    let reach = reach(&config.policy, app, token.payload.kind);
    match ask(&call.env, &token.payload.grant, &Command::Revoke(Revoke { token, reach })).await? {
        GrantAnswer::Revoked { ended: Some(seq) } => {
            super::token::end_later(call, token.payload.grant.object_name(), seq, "revoked by the app");
            Ok(done())
        }
        GrantAnswer::Revoked { ended: None } | GrantAnswer::Refused(_) => Ok(done()),
        _ => Err(Fault::at("revoke answer")),
    }
}
