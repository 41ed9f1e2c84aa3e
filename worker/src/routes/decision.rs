//! `POST /oauth/authorize/decision`: Allow or Deny, once (RFC 6749 §10.12; attack A19).
//!
//! The form is sealed and bound to the session that saw it; one D1 batch decides. On Allow the code's
//! record goes to D1 in that batch and then to KV: when the put fails the batch's copy serves.

use edgegrant_core::app::{App, Status};
use edgegrant_core::credential::{Code, GrantId};
use edgegrant_core::encoding::{array_from_hex, base64url};
use edgegrant_core::grant::Held;
use edgegrant_core::oauth::authorize;
use edgegrant_core::oauth::error::{ErrorCode, Refusal};
use edgegrant_core::oauth::params::Params;
use edgegrant_core::person::{ConsentForm, SessionCookie};
use edgegrant_core::seal::{Purpose, open_value};

use super::{frame, page_form, sign_in, unreadable};
use crate::answer::Answer;
use crate::call::Call;
use crate::fault::{Fault, OrFault as _};
use crate::lease;
use crate::pages::NoticePage;
use crate::platform::{now_s, random};
use crate::store::codes::{self, CodeRecord};
use crate::store::consent::{self, Allowed, Decider, Outcome};

/// Answers a decision.
pub(crate) async fn answer(call: &mut Call) -> Result<Answer, Fault> {
    let params = match page_form(call).await? {
        Ok(params) => params,
        Err(refused) => return Ok(unreadable(call, &refused)),
    };
    let config = &call.config;
    let form: Option<ConsentForm> = open_value(&config.keys.seal, Purpose::Consent, &config.issuer, params.field("consent"));
    let cookie = sign_in::session_cookie(call);
    let Some(form) = form else { return Ok(foreign(call, "/account/apps")) };
    let cookie = cookie.filter(|cookie| call.is_from_own_page() && form.session == cookie.session && form.user == cookie.user);
    let Some(cookie) = cookie else { return Ok(foreign(call, &restart(call, &form).await?)) };
    if form.expires_s <= now_s() {
        return Ok(Answer::page(403, &NoticePage::decision_expired(frame(call), &restart(call, &form).await?)).because("decision expired"));
    }
    match params.field("decision") {
        "deny" => deny(call, &form, &cookie).await,
        "allow" => allow(call, &form, &cookie, &params).await,
        _ => Ok(Answer::page(400, &NoticePage::bad_request(frame(call)))),
    }
}

fn foreign(call: &Call, again_href: &str) -> Answer {
    Answer::page(403, &NoticePage::form_refused(frame(call), again_href)).because("form refused")
}

/// The address that asks the same question again.
async fn restart(call: &Call, form: &ConsentForm) -> Result<String, Fault> {
    let client_id = lease::app(&call.env, form.app).await?.map(|app| app.client_id.clone()).unwrap_or_default();
    Ok(super::authorize::address(&client_id, &form.request))
}

/// Allow was pressed without an account being chosen: the page again, with a fresh form.
async fn choose_account(call: &Call, app: &App, form: &ConsentForm) -> Result<Answer, Fault> {
    let Some(visitor) = sign_in::visitor(call, Some(app.number)).await? else { return Ok(foreign(call, &restart(call, form).await?)) };
    super::authorize::consent(call, app, &form.request, &visitor, Some("Choose a business account first."))
}

fn decider<'a>(form: &'a ConsentForm, cookie: &'a SessionCookie, now_s: u64) -> Decider<'a> {
    Decider { cookie, number: &form.number, expires_s: form.expires_s, app: form.app, now_s }
}

async fn deny(call: &Call, form: &ConsentForm, cookie: &SessionCookie) -> Result<Answer, Fault> {
    let config = &call.config;
    match consent::deny(&call.env, &decider(form, cookie, now_s())).await? {
        Outcome::Recorded(_) => {
            let refusal = Refusal::new(ErrorCode::AccessDenied, config.policy.authorize.deny_description.clone());
            Ok(Answer::see_other(&authorize::failure(&form.request.target, &config.issuer, &refusal)).because("denied"))
        }
        other => not_recorded(call, form, &other).await,
    }
}

async fn not_recorded(call: &Call, form: &ConsentForm, outcome: &Outcome) -> Result<Answer, Fault> {
    Ok(match outcome {
        Outcome::AlreadyDecided => {
            Answer::page(403, &NoticePage::already_decided(frame(call), &restart(call, form).await?)).because("already decided")
        }
        _ => foreign(call, &restart(call, form).await?),
    })
}

async fn allow(call: &Call, form: &ConsentForm, cookie: &SessionCookie, params: &Params) -> Result<Answer, Fault> {
    let config = &call.config;
    let Some(app) = lease::app(&call.env, form.app).await? else { return Ok(foreign(call, "/account/apps")) };
    if app.status != Status::Approved {
        return Ok(super::authorize::stopped(call, app.status, &app.name));
    }
    let account = params.field("account");
    if account.is_empty() {
        return choose_account(call, &app, form).await;
    }
    if array_from_hex::<16>(account).is_none() {
        return Ok(foreign(call, &restart(call, form).await?));
    }
    let grant = GrantId::derive(&config.keys.grant_id, account, &app.id);
    let (key_id, _) = config.keys.edge.newest().or_fault("edge key")?;
    let now = now_s();
    let life_s = u64::from(config.policy.code.life_s);
    let code = Code { key_id, app: app.number, grant, expires_s: now + life_s, random: random()? };
    let text = code.encode(&config.keys.edge, &config.issuer).or_fault("edge key")?;
    let code_hash = Code::hash(&text);
    let request = &form.request;
    // The batch fills in the consent number and the account's name.
    let held =
        Held { seq: 0, account: account.to_owned(), account_name: String::new(), user: cookie.user.clone(), scope: request.scope.clone() };
    let record =
        CodeRecord { held, redirect_uri: request.target.redirect_uri.clone(), challenge: request.challenge.map(|c| base64url(&c)) };
    let allowed = Allowed {
        roles: &config.policy.authorize.consent_roles,
        grant_id: &grant.object_name(),
        code_hash: &code_hash,
        record: &record,
        code_expires_s: code.expires_s,
    };
    let record = match consent::allow(&call.env, &decider(form, cookie, now), &allowed).await? {
        Outcome::Recorded(record) => record,
        other => return not_recorded(call, form, &other).await,
    };
    if let Err(fault) = codes::put(&call.env, &code_hash, &record, life_s).await {
        crate::log::fault("code", &fault);
    }
    Ok(Answer::see_other(&authorize::success(&request.target, &config.issuer, &text)).because("allowed"))
}
