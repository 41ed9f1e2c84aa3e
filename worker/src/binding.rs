//! The check over a service binding, for an API that is a Worker itself: what `me` asks, as a call from
//! code (RFC 6750; the entrypoint `Access` of `worker/access.mjs`).
//!
//! Only Workers that their operator has bound to this one can call it, so nothing is counted by address
//! here. A refusal comes with the whole answer for the API's own caller, in the policy's words; a fault
//! of ours rejects the call, so that nobody takes it for a refusal.

use std::rc::Rc;

use edgegrant_core::credential::NO_APP;
use edgegrant_core::oauth::bearer::{Bearer, bearer_or_key};
use edgegrant_core::oauth::resource_error::ResourceError;
use edgegrant_core::rate::Standing;
use serde::Serialize;
use worker::js_sys::Error;
use worker::wasm_bindgen::JsValue;
use worker::wasm_bindgen::prelude::wasm_bindgen;
use worker::{Context, Env, worker_sys};

use crate::access::{self, Access, Presented, Verdict};
use crate::answer::Plain;
use crate::config::{Config, config};
use crate::fault::{Fault, OrFault as _};
use crate::{failures, log, refusal};

/// It may be used. The members are those of `worker/access.d.ts`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Allowed<'a> {
    allowed: bool,
    account: Account<'a>,
    user: &'a str,
    client_id: Option<&'a str>,
    scopes: Vec<&'a str>,
    expires_at: Option<u64>,
    rate_limit: RateLimit,
}

#[derive(Serialize)]
struct Account<'a> {
    id: &'a str,
    name: &'a str,
}

#[derive(Serialize)]
struct RateLimit {
    limit: u32,
    remaining: u32,
    reset: u32,
}

impl From<Standing> for RateLimit {
    fn from(Standing { limit, remaining, reset_s }: Standing) -> Self {
        Self { limit, remaining, reset: reset_s }
    }
}

/// It may not.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Refused<'a> {
    allowed: bool,
    /// The cause, as the policy's `api.errors.says` names it.
    reason: ResourceError,
    #[serde(skip_serializing_if = "Option::is_none")]
    missing_scope: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rate_limit: Option<RateLimit>,
    /// What the API answers its caller.
    response: Plain<'a>,
}

/// Checks the credential of an `Authorization` header for the scopes that an API needs, separated by
/// spaces, and counts the use where that is asked. JSON as in `worker/access.d.ts`.
///
/// # Errors
/// When a part of the server did not answer: nothing is known of the credential then.
#[wasm_bindgen(wasm_bindgen = worker::wasm_bindgen, wasm_bindgen_futures = worker::wasm_bindgen_futures, js_sys = worker::js_sys)]
pub async fn check(
    authorization: Option<String>,
    scope: String,
    count: bool,
    env: Env,
    context: worker_sys::Context,
) -> Result<String, JsValue> {
    let asked = Asked { authorization: authorization.as_deref(), scope: &scope, count };
    asked.answer(&env, &Rc::new(Context::new(context))).await.map_err(|fault| {
        log::fault("service binding", &fault);
        Error::new("Edgegrant did not answer: say 503 with Retry-After").into()
    })
}

/// A question over the binding.
struct Asked<'a> {
    authorization: Option<&'a str>,
    scope: &'a str,
    count: bool,
}

impl Asked<'_> {
    async fn answer(&self, env: &Env, context: &Rc<Context>) -> Result<String, Fault> {
        let config = config(env).or_fault("configuration")?;
        let refused = |app, why, scope, standing| refused(&config, app, why, scope, standing);
        let (presented, only_key) = bearer_or_key(self.authorization, false, config.policy.api.key_scheme.as_deref());
        let text = match presented {
            Bearer::Missing => return Ok(refused(None, ResourceError::TokenMissing, "", None)),
            Bearer::Malformed => return Ok(refused(None, ResourceError::TokenMalformed, "", None)),
            Bearer::Token(text) => text,
        };
        let judged = access::judge(env, context, &config, &Presented { text, only_key, counted: self.count }).await?;
        let app = judged.payload.map(|payload| payload.app).filter(|app| *app != NO_APP);
        Ok(match judged.verdict {
            Verdict::Allowed(access) => match self.missing(&config, &access) {
                None => allowed(&access),
                Some(scope) => refused(app, ResourceError::ScopeMissing, scope, None),
            },
            Verdict::Limited(standing) => refused(app, ResourceError::TooFast, "", Some(standing)),
            Verdict::Unproven(why) | Verdict::Refused(why) => refused(app, why, "", None),
        })
    }

    /// The first scope of those that are needed that the credential does not have.
    fn missing(&self, config: &Config, access: &Access) -> Option<&str> {
        self.scope.split(' ').find(|needed| !needed.is_empty() && !config.policy.scopes.covers(&access.checked.scope, needed))
    }
}

fn allowed(Access { checked, client_id, expires_s }: &Access) -> String {
    to_json(&Allowed {
        allowed: true,
        account: Account { id: &checked.account, name: &checked.account_name },
        user: &checked.user,
        client_id: client_id.as_deref(),
        scopes: checked.scope.split(' ').filter(|scope| !scope.is_empty()).collect(),
        expires_at: Some(*expires_s).filter(|end| *end != 0),
        rate_limit: checked.standing.into(),
    })
}

/// A refusal, which the app's developer finds in the log of failed requests.
fn refused(config: &Config, app: Option<u32>, reason: ResourceError, scope: &str, standing: Option<Standing>) -> String {
    let answer = match &standing {
        Some(standing) => refusal::resource_limited_at(config, "", standing),
        None => refusal::resource_at(config, "", reason, scope),
    };
    failures::keep(app, || "check over a service binding".to_owned(), &answer);
    to_json(&Refused {
        allowed: false,
        reason,
        missing_scope: Some(scope).filter(|scope| !scope.is_empty()),
        rate_limit: standing.map(RateLimit::from),
        response: answer.plain(),
    })
}

fn to_json<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
