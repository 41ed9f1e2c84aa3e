//! May this access token or API key be used now? The one check behind `me`, the gateway, introspection
//! and calls over a service binding (RFC 6750 §3.1, RFC 7662 §4).
//!
//! What is garbage, expired or of a suspended app costs no storage operation. Anything else is one
//! request to the grant's object, which decides and counts in one turn: what revocation, disconnect or
//! suspension has ended is refused by whichever way is asked. Limits wider than a grant, and refusals
//! that the isolate remembers, come before it: see [`crate::allowance`].

use std::rc::Rc;

use edgegrant_core::credential::{Kind, NO_APP, Payload, Token, is_resource_server};
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
    /// Scopes of which a token must have one to be meant for the resource that asks; of others it learns
    /// nothing, and they are not counted. Without any, every token is.
    pub(crate) audience: &'a [String],
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
        Kind::Access => !only_key && token.payload.app != NO_APP && !is_resource_server(token.payload.app),
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
    let payload = token.payload;
    let verdict = match payload.kind {
        _ if payload.expired(now_s()) => Verdict::Unproven(ResourceError::TokenExpired),
        Kind::Key => asked(env, context, config, presented, key(config, token)).await?,
        _ => match access_token(env, config, token).await? {
            Some(question) => asked(env, context, config, presented, question).await?,
            None => Verdict::Refused(ResourceError::AppStopped),
        },
    };
    Ok(Judged { payload: Some(payload), verdict })
}

/// What the grant's object is asked, and of which app.
struct Question {
    check: Check,
    client_id: Option<String>,
}

/// About an access token; nothing when its app may not be used.
async fn access_token(env: &Env, config: &Config, token: Token) -> Result<Option<Question>, Fault> {
    let Some(app) = lease::app(env, token.payload.app).await? else { return Ok(None) };
    let of = config.policy.of(&app);
    if let Use::Nobody(_) = of.usable() {
        return Ok(None);
    }
    let (rates, per, only_user) = (of.rates(), config.policy.api.per, of.only_user());
    let check = Check { token, rates, per, only_user, counted: true, audience: Vec::new() };
    Ok(Some(Question { check, client_id: Some(app.client_id.clone()) }))
}

/// About an API key.
fn key(config: &Config, token: Token) -> Question {
    let rates = config.policy.api.key_rates();
    let check = Check { token, rates, per: Per::Family, only_user: None, counted: true, audience: Vec::new() };
    Question { check, client_id: None }
}

/// Asks, within all limits.
async fn asked(env: &Env, context: &Rc<Context>, config: &Config, presented: &Presented<'_>, question: Question) -> Result<Verdict, Fault> {
    let Question { check, client_id } = question;
    let payload = check.token.payload;
    let check = Check { counted: presented.counted, audience: presented.audience.to_vec(), ..check };
    let whose = Whose { app: Some(payload.app).filter(|app| *app != NO_APP), network: presented.network.as_deref() };
    let checked = match allowance::check(env, context, config, check, &whose).await? {
        Answer::Checked(checked) => checked,
        Answer::CheckedFirst(checked) => {
            used_later(env, context, checked.account.clone(), payload.family);
            checked
        }
        Answer::Limited(standing) => return Ok(Verdict::Limited(standing)),
        Answer::Refused(Refused::NotForThem) => return Ok(Verdict::Refused(ResourceError::AppStopped)),
        Answer::Refused(_) => return Ok(Verdict::Refused(ResourceError::TokenRevoked)),
        _ => return Err(Fault::at("check answer")),
    };
    Ok(Verdict::Allowed(Access { checked, client_id, expires_s: payload.expires_s }))
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
