//! `POST /oauth/introspect` (RFC 7662): may this token be used, and what for? For the platform's own APIs.
//!
//! Whoever asks is a registered resource server with its own secret; an app is refused (§2.1). It learns
//! only of tokens that carry one of the scopes that it serves, and of their scopes only those (§2.2, §4).
//! Everything else is `{"active":false}`, whatever the reason. The answer comes from the one check that
//! `me` asks too, so a token that was revoked is inactive once the revocation has answered, and a part
//! that does not answer is 503, never an inactive token.
//!
//! With `count=true` the call counts against the token's limit, as one of `me` does. A limit is told
//! beside an active token: who calls too fast has a good token (an extension, §2.1 and §2.2).
//!
//! Nothing is readable by scripts of other origins. Errors are in the RFC's words under every policy: no
//! app that was written for another platform reads them.

use std::rc::Rc;

use edgegrant_core::app::App;
use edgegrant_core::credential::parse_resource_server_id;
use edgegrant_core::oauth::client_auth::presented;
use edgegrant_core::oauth::params::Params;
use edgegrant_core::oauth::token_error::{TokenError, TokenRefusal};
use edgegrant_core::policy::Encoding;
use edgegrant_core::rate::Standing;
use serde_json::{Value, json};

use super::client;
use crate::access::{self, Access, Judged, Presented, Verdict};
use crate::answer::Answer;
use crate::call::Call;
use crate::config::Config;
use crate::fault::Fault;
use crate::{lease, refusal, unproven};

/// Answers an introspection request.
pub(crate) async fn answer(call: &mut Call) -> Result<Answer, Fault> {
    let params = match call.form(call.config.policy.token.body_max).await? {
        Ok(params) => params,
        Err(bad) => return Ok(refusal::introspection(client::not_readable(bad, &[Encoding::Form]))),
    };
    let server = match proven(call, &params).await? {
        Ok(server) => server,
        Err(refused) if refused.error.about_client() => return Ok(refusal::introspection_unproven(call, refused).await),
        Err(refused) => return Ok(refusal::introspection(refused)),
    };
    match question(&params) {
        Ok((token, counted)) => about(call, &server, token, counted).await,
        Err(refused) => Ok(refusal::introspection(refused)),
    }
}

/// The number of the resource server behind a client id; anything else costs no look-up.
fn number_of(config: &Config, client_id: &str) -> Option<u32> {
    #[cfg(feature = "development")]
    if let Some(number) = crate::development::seed::resource_server_number_of(client_id) {
        return Some(number);
    }
    parse_resource_server_id(&config.keys.grant_id, client_id)
}

/// The resource server that asks, proven.
async fn proven(call: &Call, params: &Params) -> Result<Result<Rc<App>, TokenRefusal>, Fault> {
    let client = match presented(call.header("authorization").as_deref(), params) {
        Ok(client) => client,
        Err(refused) => return Ok(Err(refused)),
    };
    let Some(number) = number_of(&call.config, &client.client_id) else { return Ok(Err(TokenError::ClientUnknown.into())) };
    let found = lease::app(&call.env, number).await?.filter(|server| server.client_id == client.client_id);
    let Some(server) = found else { return Ok(Err(TokenError::ClientUnknown.into())) };
    Ok(client::authenticated(call, server, &client).await?.map_err(TokenRefusal::from))
}

/// The token, and whether the call counts. `token_type_hint` is not needed and any value is ignored (§2.1).
fn question(params: &Params) -> Result<(&str, bool), TokenRefusal> {
    params.get("token_type_hint")?;
    let counted = match params.get("count")? {
        None | Some("false") => false,
        Some("true") => true,
        Some(_) => return Err(TokenError::CountMalformed.into()),
    };
    Ok((params.get("token")?.ok_or(TokenError::TokenMissing)?, counted))
}

async fn about(call: &Call, server: &App, token: &str, counted: bool) -> Result<Answer, Fault> {
    let judged = judge(call, server, token, counted).await?;
    call.grant.set(judged.payload.map(|payload| payload.grant));
    Ok(match judged.verdict {
        Verdict::Allowed(access) => active(call, server, &access, counted.then_some((true, access.checked.standing))),
        Verdict::Limited(standing) => match judge(call, server, token, false).await?.verdict {
            Verdict::Allowed(access) => active(call, server, &access, Some((false, standing))),
            Verdict::Limited(_) => return Err(Fault::at("introspection at a limit")),
            Verdict::Unproven(_) | Verdict::Refused(_) => inactive(),
        },
        // Garbage is counted by who asks: a resource server that is made to try out tokens slows down no other (§4).
        Verdict::Unproven(_) if judged.payload.is_none() => match unproven::failed_of(call, server.number).await {
            Some(standing) => refusal::introspection_limited(call, &standing).because("too many unknown tokens"),
            None => inactive(),
        },
        Verdict::Unproven(_) | Verdict::Refused(_) => inactive(),
    })
}

async fn judge(call: &Call, server: &App, text: &str, counted: bool) -> Result<Judged, Fault> {
    let audience = call.config.policy.scopes.reaching(&server.scopes);
    let presented = Presented { text, only_key: false, counted, network: None, audience: &audience };
    access::judge(&call.env, &call.context, &call.config, &presented).await
}

/// Nothing but that: not why (§2.2).
fn inactive() -> Answer {
    Answer::json(200, &json!({ "active": false }))
}

fn active(call: &Call, server: &App, access: &Access, limit: Option<(bool, Standing)>) -> Answer {
    let Access { checked, client_id, expires_s } = access;
    let text = |text: &str| if text.is_empty() { Value::Null } else { text.into() };
    let second = |second: u64| if second == 0 { Value::Null } else { second.into() };
    let limit = limit.map(|(allowed, standing)| {
        json!({ "allowed": allowed, "limit": standing.limit, "remaining": standing.remaining, "reset": standing.reset_s })
    });
    let mut body = json!({
        "active": true,
        "scope": call.config.policy.scopes.within(&checked.scope, &server.scopes),
        "client_id": client_id.as_deref(),
        "sub": text(&checked.user),
        "account_id": text(&checked.account),
        "account_name": text(&checked.account_name),
        "aud": server.resource,
        "iss": call.config.issuer,
        "exp": second(*expires_s),
        "iat": second(checked.issued_s),
        "token_type": "Bearer",
        "rate_limit": limit,
    });
    // What there is nothing to say of is left out: a key has no app, and may have no end.
    if let Some(members) = body.as_object_mut() {
        members.retain(|_, value| !value.is_null());
    }
    Answer::json(200, &body)
}
