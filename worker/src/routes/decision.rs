//! The consent form's target: Allow or Deny, once (RFC 6749 §10.12; attack A19).
//!
//! The form is sealed and bound to the session that saw it; one D1 batch decides. On Allow the code's
//! record goes to D1 in that batch and then to KV: when the put fails the batch's copy serves. Items
//! that were left out are taken from earlier consents before the app hears of this one (attack A33).

use edgegrant_core::app::App;
use edgegrant_core::credential::{Code, GrantId};
use edgegrant_core::encoding::{array_from_hex, base64url};
use edgegrant_core::grant::{Answer as GrantAnswer, Command, Held};
use edgegrant_core::notice::{Notice, Recipients};
use edgegrant_core::oauth::authorize;
use edgegrant_core::oauth::consent::{Granted, Question};
use edgegrant_core::oauth::error::{ErrorCode, Refusal};
use edgegrant_core::oauth::params::Params;
use edgegrant_core::oauth::scope::ScopeSet;
use edgegrant_core::person::{ConsentForm, SessionCookie};
use edgegrant_core::policy::Use;
use edgegrant_core::seal::{Purpose, open_value};

use super::authorize::Again;
use super::{frame, page_form, sign_in};
use crate::answer::Answer;
use crate::call::Call;
use crate::fault::{Fault, OrFault as _};
use crate::lease;
use crate::mail;
use crate::objects::grant::ask;
use crate::pages::{NoticePage, with_article};
use crate::platform::{now_s, random};
use crate::store::audit;
use crate::store::codes::{self, CodeRecord};
use crate::store::consent::{self, Allowed, Decider, Outcome, Recorded};
use crate::store::installs;
use crate::store::people::Visitor;

/// Answers a decision.
pub(crate) async fn answer(call: &mut Call) -> Result<Answer, Fault> {
    match page_form(call).await? {
        Ok(params) => decide(call, &params).await,
        Err(refused) => Ok(refused),
    }
}

/// The decision that a form holds.
pub(super) async fn decide(call: &Call, params: &Params) -> Result<Answer, Fault> {
    let config = &call.config;
    let form: Option<ConsentForm> = open_value(&config.keys.seal, Purpose::Consent, &config.issuer, params.field("consent"));
    let cookie = sign_in::session_cookie(call);
    let Some(form) = form else { return Ok(foreign(call, "/account/apps")) };
    let cookie = cookie.filter(|cookie| call.is_from_own_page() && form.session == cookie.session && form.user == cookie.user);
    let Some(cookie) = cookie else { return Ok(foreign(call, &restart(call, &form).await?)) };
    call.app.set(Some(form.app));
    if form.expires_s <= now_s() {
        return Ok(Answer::page(403, &NoticePage::decision_expired(frame(call), &restart(call, &form).await?)).because("decision expired"));
    }
    match params.field("decision") {
        "deny" => deny(call, &form, &cookie).await,
        "allow" => allow(call, &form, &cookie, params).await,
        _ => Ok(Answer::page(400, &NoticePage::bad_request(frame(call)))),
    }
}

fn foreign(call: &Call, again_href: &str) -> Answer {
    Answer::page(403, &NoticePage::form_refused(frame(call), again_href)).because("form refused")
}

/// The address that asks the same question again.
async fn restart(call: &Call, form: &ConsentForm) -> Result<String, Fault> {
    let client_id = lease::app(&call.env, form.app).await?.map(|app| app.client_id.clone()).unwrap_or_default();
    Ok(super::authorize::address(&call.config.policy, &client_id, &form.request))
}

/// Something is missing in an Allow: the page again, with a fresh form.
async fn ask_again(call: &Call, app: &App, form: &ConsentForm, again: Again<'_>) -> Result<Answer, Fault> {
    let Some(visitor) = sign_in::visitor(call, Some(app.number)).await? else { return Ok(foreign(call, &restart(call, form).await?)) };
    super::authorize::consent(call, app, &form.request, &visitor, again)
}

fn decider<'a>(call: &Call, form: &'a ConsentForm, cookie: &'a SessionCookie, now_s: u64) -> Result<Decider<'a>, Fault> {
    let place = audit::place(&call.config, &call.network())?;
    Ok(Decider { cookie, number: &form.number, expires_s: form.expires_s, app: form.app, now_s, place })
}

async fn deny(call: &Call, form: &ConsentForm, cookie: &SessionCookie) -> Result<Answer, Fault> {
    let config = &call.config;
    match consent::deny(&call.env, &decider(call, form, cookie, now_s())?).await? {
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
    let policy = &call.config.policy;
    let Some(app) = lease::app(&call.env, form.app).await? else { return Ok(foreign(call, "/account/apps")) };
    if !policy.of(&app).usable_by(&cookie.user) {
        return Ok(super::authorize::stopped(call, app.status, &app.name));
    }
    let account = params.field("account");
    let ticked: Vec<&str> = params.all("item").collect();
    let requested = ScopeSet::stored(&form.request.scope);
    let granted = Question::of(&policy.scopes, &requested, &app.scopes).granted(&ticked);
    let missing = match (account.is_empty(), granted.scope.is_empty()) {
        (true, _) => Some(format!("Choose {} first.", with_article(&policy.platform.account))),
        (_, true) => Some("Tick what the app may have, or press Deny.".to_owned()),
        _ => None,
    };
    if let Some(error) = missing {
        return ask_again(call, &app, form, Again { error: Some(&error), account, ticked: &ticked }).await;
    }
    if array_from_hex::<16>(account).is_none() {
        return Ok(foreign(call, &restart(call, form).await?));
    }
    let listed = granted.scope.to_string();
    recorded(call, form, cookie, &Consent { app: &app, account, granted: &granted, listed: &listed }).await
}

/// What a person has allowed.
struct Consent<'a> {
    app: &'a App,
    account: &'a str,
    granted: &'a Granted,
    /// What the list of connections says is allowed.
    listed: &'a str,
}

/// Records an Allow and sends the person back with a code.
async fn recorded(call: &Call, form: &ConsentForm, cookie: &SessionCookie, consent: &Consent<'_>) -> Result<Answer, Fault> {
    let config = &call.config;
    let (request, account, app) = (&form.request, consent.account, consent.app);
    let grant = GrantId::derive(&config.keys.grant_id, account, &app.id);
    call.grant.set(Some(grant));
    let (key_id, _) = config.keys.edge.newest().or_fault("edge key")?;
    let now = now_s();
    let life_s = u64::from(config.policy.code.life_s);
    let code = Code { key_id, app: app.number, grant, expires_s: now + life_s, random: random()? };
    let text = code.encode(&config.keys.edge, &config.issuer).or_fault("edge key")?;
    let code_hash = Code::hash(&text);
    let scope = &consent.granted.scope;
    // The batch fills in the consent number and the account's name.
    let held =
        Held { seq: 0, account: account.to_owned(), account_name: String::new(), user: cookie.user.clone(), scope: scope.to_string() };
    let record = CodeRecord {
        held,
        redirect_uri: request.target.redirect_uri.clone(),
        challenge: request.challenge.map(|c| base64url(&c)),
        scope_differs: request.added || !same_scopes(scope, &ScopeSet::stored(&request.scope)),
    };
    let allowed = Allowed {
        roles: &config.policy.authorize.consent_roles,
        review: config.policy.apps.review,
        grant_id: &grant.object_name(),
        code_hash: &code_hash,
        record: &record,
        scope: consent.listed,
        code_expires_s: code.expires_s,
    };
    let Recorded { record, allowed_before } = match consent::allow(&call.env, &decider(call, form, cookie, now)?, &allowed).await? {
        Outcome::Recorded(recorded) => recorded,
        other => return not_recorded(call, form, &other).await,
    };
    let record_of: CodeRecord = edgegrant_core::json::read(record.as_bytes()).or_fault("code record")?;
    tell(call, consent, &record_of.held.account_name, &ScopeSet::stored(&allowed_before));
    withdraw(call, &grant, record_of.held.seq, &consent.granted.withheld).await?;
    if let Err(fault) = codes::put(&call.env, &code_hash, &record, life_s).await {
        crate::log::fault("code", &fault);
    }
    Ok(Answer::see_other(&authorize::success(&request.target, &config.issuer, &text)).because("allowed"))
}

/// The answer to a request that asks for no more than this person has allowed it for the account, where
/// the policy lets a confidential client skip the page (AZ-40: public clients never do). The consent is
/// recorded as if it had been given again. Who has several accounts is asked which one.
pub(super) async fn remembered(
    call: &Call,
    app: &App,
    request: &authorize::Request,
    visitor: &Visitor,
    params: &Params,
) -> Result<Option<Answer>, Fault> {
    let policy = &call.config.policy;
    let reviewed = policy.of(app).usable() == Use::Everybody { unreviewed: false };
    let asks = params.field("prompt").split(' ').any(|prompt| prompt == "consent" || prompt == "select_account");
    if !policy.authorize.remember || app.is_public() || !reviewed || asks {
        return Ok(None);
    }
    let accounts = super::authorize::consentable(visitor, policy);
    let [only] = accounts.as_slice() else { return Ok(None) };
    let Some(listed) = installs::allowed(&call.env, &only.account, app.number, &visitor.cookie.user).await? else { return Ok(None) };
    let (before, requested) = (ScopeSet::stored(&listed), ScopeSet::stored(&request.scope));
    if !requested.within(&before) {
        return Ok(None);
    }
    let ticked: Vec<&str> = before.iter().collect();
    let granted = Question::of(&policy.scopes, &requested, &app.scopes).granted(&ticked);
    // Nothing was put to the person, so nothing was left out either.
    let granted = Granted { withheld: Vec::new(), ..granted };
    let form = ConsentForm {
        app: app.number,
        request: request.clone(),
        session: visitor.cookie.session.clone(),
        user: visitor.cookie.user.clone(),
        number: random()?,
        expires_s: now_s() + u64::from(policy.authorize.decision_s),
    };
    // Asking for less takes nothing back of what was allowed.
    recorded(call, &form, &visitor.cookie, &Consent { app, account: &only.account, granted: &granted, listed: &listed }).await.map(Some)
}

/// Tells the account's people of a connection that is new, or may do more than before; a browser app that
/// asks again at each sign-in is no news.
fn tell(call: &Call, consent: &Consent<'_>, account_name: &str, before: &ScopeSet) {
    let scope = &consent.granted.scope;
    if scope.within(before) {
        return;
    }
    let policy = &call.config.policy;
    let words = |name: &str| policy.scopes.find(name).map_or_else(|| name.to_owned(), |entry| entry.words.clone());
    let may = scope.iter().map(words).collect();
    let to = Recipients::Roles { account: consent.account.to_owned(), roles: policy.authorize.consent_roles.clone() };
    mail::send(call, to, Notice::AppConnected { app: consent.app.name.clone(), account: account_name.to_owned(), may });
}

fn same_scopes(a: &ScopeSet, b: &ScopeSet) -> bool {
    a.within(b) && b.within(a)
}

/// Takes items that were left out from what this connection was allowed before. A fault is told to the
/// person, who answers again: nothing was handed out yet.
async fn withdraw(call: &Call, grant: &GrantId, seq: u64, withheld: &[String]) -> Result<(), Fault> {
    // The first consent of a connection has nothing to take back.
    if withheld.is_empty() || seq <= 1 {
        return Ok(());
    }
    let command = Command::Withdraw { scopes: withheld.to_vec(), seq };
    match ask(&call.env, grant, &command).await? {
        GrantAnswer::Withdrawn => Ok(()),
        _ => Err(Fault::at("withdraw answer")),
    }
}
