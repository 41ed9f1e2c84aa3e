//! `POST /oauth/revoke` (RFC 7009). Expired and rotated tokens still end what they stand for: what is
//! asked is whether a token is authentic, not whether it lives (attack A4).

use edgegrant_core::app::App;
use edgegrant_core::credential::Token;
use edgegrant_core::grant::{Answer as GrantAnswer, Command, Revoke};
use edgegrant_core::oauth::params::Params;
use edgegrant_core::oauth::token_error::{TokenError, TokenRefusal};
use edgegrant_core::policy::{Foreign, RevokeAnswer};

use super::client;
use crate::answer::Answer;
use crate::call::Call;
use crate::fault::Fault;
use crate::metrics::{self, Counter};
use crate::objects::grant::ask;
use crate::refusal;

/// Answers a revocation request.
pub(crate) async fn answer(call: &mut Call) -> Result<Answer, Fault> {
    let params = match client::params(call).await? {
        Ok(params) => params,
        Err(answer) => return Ok(client::readable(call, None, answer)),
    };
    let authorization = call.header("authorization");
    let app = match client::proven(call, &params, authorization.as_deref()).await? {
        Ok(app) => app,
        Err(answer) => return Ok(client::readable(call, None, answer)),
    };
    let answer = match token(&params) {
        Ok(token) => revoke(call, &app, token).await?,
        Err(refused) => refusal::token(call, refused),
    };
    Ok(client::readable(call, Some(&app), answer))
}

/// The token. `token_type_hint` is not needed and any value is ignored (§2.2).
fn token(params: &Params) -> Result<&str, TokenRefusal> {
    params.get("token_type_hint")?;
    Ok(params.get("token")?.ok_or(TokenError::TokenMissing)?)
}

/// Clients that parse the body find an object there, when the policy says so (§2.2 ignores it).
fn done(call: &Call) -> Answer {
    let answer = Answer::json(200, &serde_json::json!({}));
    match call.config.policy.revoke.answer {
        RevokeAnswer::Object => answer,
        RevokeAnswer::Empty => answer.without_body(),
    }
}

/// A token that is nobody's, or another client's where the policy does not say so: counted, for it
/// proves nothing, and answered as if it had been revoked.
async fn nothing(call: &Call) -> Answer {
    match crate::unproven::failed(call).await {
        Some(standing) => refusal::token_limited(call, &standing).because("too many failed requests"),
        None => done(call).because("token unknown"),
    }
}

async fn revoke(call: &Call, app: &App, text: &str) -> Result<Answer, Fault> {
    let config = &call.config;
    let Some(token) = Token::decode(text, &config.keys.edge, &config.issuer, &config.policy.token.prefixes) else {
        return Ok(nothing(call).await);
    };
    if token.payload.app != app.number {
        // RFC 7009 §2.1: nothing happens to the other client's token.
        return Ok(match config.policy.revoke.foreign {
            Foreign::Refused => refusal::token_unproven(call, TokenError::TokenForeign).await,
            Foreign::Ignored => nothing(call).await,
        });
    }
    call.is_of(Some(&token.payload));
    let reach = config.policy.of(app).reach(token.payload.kind);
    let answer = ask(&call.env, &token.payload.grant, &Command::Revoke(Revoke { token, reach })).await?;
    if matches!(answer, GrantAnswer::Revoked { .. }) {
        metrics::count(Counter::Revoked);
    }
    match answer {
        GrantAnswer::Revoked { ended: Some(seq) } => {
            super::token::end_later(call, token.payload.grant.object_name(), seq, "revoked by the app");
            Ok(done(call))
        }
        GrantAnswer::Revoked { ended: None } | GrantAnswer::Refused(_) => Ok(done(call)),
        _ => Err(Fault::at("revoke answer")),
    }
}
