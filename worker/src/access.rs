//! May this access token or API key be used now? The one check behind `me`, the gateway, introspection
//! and calls over a service binding (RFC 6750 §3.1, RFC 7662 §4).
//!
//! What is garbage, expired or of a suspended app costs no storage operation. Anything else is one
//! request to the grant's object, which decides and counts in one turn: what revocation, disconnect or
//! suspension has ended is refused by whichever way is asked. Limits wider than a grant, and refusals
//! that the isolate remembers, come before it: see [`crate::allowance`].

use std::rc::Rc;

use edgegrant_core::credential::{Kind, NO_APP, Payload, Token};
use edgegrant_core::grant::{Answer, Check, Checked, Refused};
use edgegrant_core::oauth::resource_error::ResourceError;
use edgegrant_core::policy::{Per, Use};
use edgegrant_core::rate::Standing;
use worker::{Context, Env};

use crate::allowance::{self, Whose};
use crate::config::Config;
use crate::fault::Fault;
use crate::platform::now_s;
use crate::{lease, store};

/// A credential as it was presented.
pub(crate) struct Presented<'a> {
    /// Its text.
    pub(crate) text: &'a str,
    /// It came by a scheme that carries API keys and nothing else.
    pub(crate) only_key: bool,
    /// Whether this use counts against its limits.
    pub(crate) counted: bool,
    /// The network that it came from, where uses are counted by address: see [`crate::call::Call::counted_network`].
    pub(crate) network: Option<String>,
}

/// What is behind a credential that may be used.
pub(crate) struct Access {
    /// Account, person, scope and limit.
    pub(crate) checked: Box<Checked>,
    /// The app; an API key has none.
    pub(crate) client_id: Option<String>,
    /// Its end in seconds; 0 is never.
    pub(crate) expires_s: u64,
}

/// The answer to the question.
pub(crate) enum Verdict {
    /// Yes.
    Allowed(Access),
    /// Not now.
    Limited(Standing),
    /// No, to a caller who has proven nothing: garbage, or a token whose time is over.
    Unproven(ResourceError),
    /// No, to somebody who holds a token of ours.
    Refused(ResourceError),
}

/// A verdict, and what it is about where the credential is ours.
pub(crate) struct Judged {
    /// What the token says.
    pub(crate) payload: Option<Payload>,
    /// The verdict.
    pub(crate) verdict: Verdict,
}

/// Whether a credential may be used at a resource at all. A key names no app, and nothing else may do that.
fn is_taken(config: &Config, token: &Token, only_key: bool) -> bool {
    match token.payload.kind {
        Kind::Access => !only_key && token.payload.app != NO_APP,
        Kind::Key => token.payload.app == NO_APP && config.policy.keys.on(),
        Kind::Refresh => false,
    }
}

/// Checks a credential, and counts its use where that is asked.
pub(crate) async fn judge(env: &Env, context: &Rc<Context>, config: &Config, presented: &Presented<'_>) -> Result<Judged, Fault> {
    let decoded = Token::decode(presented.text, &config.keys.edge, &config.issuer, &config.policy.token.prefixes);
    let Some(token) = decoded.filter(|token| is_taken(config, token, presented.only_key)) else {
        return Ok(Judged { payload: None, verdict: Verdict::Unproven(ResourceError::TokenUnknown) });
    };
    let verdict = match token.payload {
        payload if payload.expired(now_s()) => Verdict::Unproven(ResourceError::TokenExpired),
        payload if payload.kind == Kind::Key => key(env, context, config, token, presented).await?,
        _ => access_token(env, context, config, token, presented).await?,
    };
    Ok(Judged { payload: Some(token.payload), verdict })
}

async fn access_token(
    env: &Env,
    context: &Rc<Context>,
    config: &Config,
    token: Token,
    presented: &Presented<'_>,
) -> Result<Verdict, Fault> {
    let stopped = Verdict::Refused(ResourceError::AppStopped);
    let Some(app) = lease::app(env, token.payload.app).await? else { return Ok(stopped) };
    let of = config.policy.of(&app);
    if let Use::Nobody(_) = of.usable() {
        return Ok(stopped);
    }
    let check = Check { token, rates: of.rates(), per: config.policy.api.per, only_user: of.only_user(), counted: presented.counted };
    let payload = token.payload;
    let whose = Whose { app: Some(payload.app), network: presented.network.as_deref() };
    Ok(match allowance::check(env, context, config, check, &whose).await? {
        Answer::Checked(checked) => {
            Verdict::Allowed(Access { checked, client_id: Some(app.client_id.clone()), expires_s: payload.expires_s })
        }
        answer => refused(answer)?,
    })
}

async fn key(env: &Env, context: &Rc<Context>, config: &Config, token: Token, presented: &Presented<'_>) -> Result<Verdict, Fault> {
    let check = Check { token, rates: config.policy.api.key_rates(), per: Per::Family, only_user: None, counted: presented.counted };
    let payload = token.payload;
    let whose = Whose { app: None, network: presented.network.as_deref() };
    let allowed = |checked| Verdict::Allowed(Access { checked, client_id: None, expires_s: payload.expires_s });
    Ok(match allowance::check(env, context, config, check, &whose).await? {
        Answer::Checked(checked) => allowed(checked),
        Answer::CheckedFirst(checked) => {
            used_later(env, context, checked.account.clone(), payload.family);
            allowed(checked)
        }
        answer => refused(answer)?,
    })
}

/// The object says no.
fn refused(answer: Answer) -> Result<Verdict, Fault> {
    match answer {
        Answer::Limited(standing) => Ok(Verdict::Limited(standing)),
        Answer::Refused(Refused::NotForThem) => Ok(Verdict::Refused(ResourceError::AppStopped)),
        Answer::Refused(_) => Ok(Verdict::Refused(ResourceError::TokenRevoked)),
        _ => Err(Fault::at("check answer")),
    }
}

/// Tells the key's row after the answer that the key is used.
fn used_later(env: &Env, context: &Rc<Context>, account: String, family: u32) {
    let env = env.clone();
    context.wait_until(async move {
        if let Err(fault) = store::keys::used(&env, &account, family, now_s()).await {
            crate::log::fault("key in use", &fault);
        }
    });
}
