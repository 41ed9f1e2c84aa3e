//! API keys of an account: make, list, revoke.
//!
//! The account's own object is the truth. A key is made row (`issuing`) → object → row (`live`), and shown
//! by the one request that made the row live: a form sent twice makes one key and shows it once, and one
//! whose answer was a fault of ours can be sent again. A row that is left over is never shown as a key; the
//! daily sweep ends what it may have made. A revocation goes row (`ending`) → object → row (`ended`): when
//! the object does not answer it stays listed as not finished, and revoking again finishes it. Another
//! account's key is not found.

use edgegrant_core::app::Problem;
use edgegrant_core::credential::{GrantId, Token};
use edgegrant_core::encoding::array_from_hex;
use edgegrant_core::grant::{Answer, Command, IssueKey, Refused as Why};
use edgegrant_core::notice::{Notice, Recipients};
use edgegrant_core::oauth::scope::ScopeSet;

use super::{Actor, Failure, Refused};
use crate::call::Call;
use crate::config::Config;
use crate::fault::{Fault, OrFault as _};
use crate::mail;
use crate::objects::grant::ask;
use crate::platform::{now_ms, now_s, random};
use crate::store::audit::Entry;
use crate::store::keys::{self, ApiKey, NewRow};
use worker::Env;

/// Longest label, in characters.
const LABEL_MAX: usize = 60;
/// Rows left over are given up after a day; keys that are over are listed for another 30 days.
const GIVE_UP_S: u64 = 86_400;
const LISTED_S: u64 = 30 * 86_400;

/// A key that is asked for.
#[derive(Clone, Debug)]
pub(crate) struct NewKey<'a> {
    /// 32 hexadecimal digits, random: the same again is a retry.
    pub(crate) id: &'a str,
    /// The account.
    pub(crate) account: &'a str,
    /// What its makers call it.
    pub(crate) label: &'a str,
    /// What it may do.
    pub(crate) scopes: &'a [&'a str],
    /// How long it lives, in seconds; 0 is until it is revoked.
    pub(crate) life_s: u64,
}

/// A key that was made. It is shown now or never.
pub(crate) struct Made {
    /// Its row.
    pub(crate) key: ApiKey,
    /// The key itself.
    pub(crate) text: String,
}

/// Whether the actor may make, see and revoke keys of the account. Without API keys there is nothing to
/// find, nor is there for those who do not belong to the account; a token of the platform may.
pub(crate) fn allowed(call: &Call, actor: &Actor, account: &str) -> Result<(), Refused> {
    let policy = &call.config.policy.keys;
    match () {
        () if policy.on() && actor.staff && actor.user.is_none() => Ok(()),
        () if !policy.on() || !actor.belongs_to(account) => Err(Refused::NotFound),
        () if !actor.has_role(account, &policy.roles) => {
            Err(Refused::NotAllowed("Your role in this account does not include its API keys"))
        }
        () => Ok(()),
    }
}

/// Everything that is wrong with a key that somebody wants.
pub(crate) fn problems(call: &Call, new: &NewKey<'_>) -> Vec<Problem> {
    let policy = &call.config.policy;
    let label = new.label.trim();
    let fits = !label.is_empty() && label.chars().count() <= LABEL_MAX && !label.chars().any(char::is_control);
    let known = !new.scopes.is_empty() && new.scopes.iter().all(|scope| policy.scopes.find(scope).is_some());
    let found = [
        (fits, "label", "Give it a name of 1 to 60 characters, on one line"),
        (known, "scope", "Choose at least one of these"),
        (policy.keys.allows_life(new.life_s), "life", "Choose one of these"),
        (array_from_hex::<16>(new.id).is_some(), "id", "Open this form again"),
    ];
    found.into_iter().filter(|(fine, ..)| !fine).map(|(_, field, problem)| (field, problem.to_owned())).collect()
}

/// Makes a key.
pub(crate) async fn issue(call: &Call, actor: &Actor, new: &NewKey<'_>) -> Result<Made, Failure> {
    allowed(call, actor, new.account)?;
    let problems = problems(call, new);
    if !problems.is_empty() {
        return Err(Refused::Invalid(problems).into());
    }
    let (now_ms, scope) = (now_ms(), ScopeSet::stored(&new.scopes.join(" ")).to_string());
    let row = NewRow {
        id: new.id,
        account: new.account,
        family: u32::from_be_bytes(random()?),
        label: new.label.trim(),
        scope: &scope,
        by: &actor.id,
        now_ms,
        expires_at: if new.life_s == 0 { 0 } else { (now_ms / 1000).saturating_add(new.life_s) },
    };
    let mut key = keys::begin(&call.env, &row).await?.or_fault("key row")?;
    // What was asked for the first time counts: the object is asked for the same key again.
    if key.status != "issuing" || key.account_id != new.account || key.created_by != actor.id {
        return Err(shown_already());
    }
    let token = made(call, actor, &key).await?;
    let config = &call.config;
    let text = token.encode(&config.keys.edge, &config.issuer, &config.policy.token.prefixes).or_fault("edge key")?;
    let hint = text.get(text.len().saturating_sub(4)..).unwrap_or_default();
    let entry = Entry { subject: hint, detail: &key.label, ..actor.did("key issued") };
    if !keys::live(&call.env, config, &key, hint, &entry, now_s()).await? {
        return Err(shown_already());
    }
    key.hint = hint.to_owned();
    let to = Recipients::Roles { account: key.account_id.clone(), roles: config.policy.keys.roles.clone() };
    mail::send(call, to, Notice::KeyIssued { name: key.label.clone(), account: key.account_name.clone() });
    Ok(Made { key, text })
}

fn shown_already() -> Failure {
    let why = "This key was made already, and a key is shown only once. If it was not noted down, revoke it and make another one";
    Refused::Conflict(why.into()).into()
}

/// The key from the object. A row whose key the object does not make is forgotten.
async fn made(call: &Call, actor: &Actor, key: &ApiKey) -> Result<Token, Failure> {
    let config = &call.config;
    let grant = GrantId::of_account(&config.keys.grant_id, &key.account_id);
    let max = config.policy.keys.max;
    let command = IssueKey {
        grant,
        id: array_from_hex(&key.id).or_fault("key id")?,
        family: key.family,
        seq: key.asked_ms,
        account: key.account_id.clone(),
        account_name: key.account_name.clone(),
        user: actor.user.clone().unwrap_or_default(),
        scope: key.scope.clone(),
        key_id: config.keys.edge.newest().or_fault("edge key")?.0,
        expires_s: key.expires_at,
        max,
    };
    let why = match ask(&call.env, &grant, &Command::IssueKey(Box::new(command))).await? {
        Answer::KeyIssued(token) => return Ok(token),
        Answer::Refused(why) => why,
        _ => return Err(Fault::at("key answer").into()),
    };
    keys::not_made(&call.env, &key.id).await?;
    Err(match why {
        Why::KeysFull => {
            Refused::Conflict(format!("The account has {max} live API keys, as many as it may have: revoke one that is not used")).into()
        }
        // Its number belongs to another key: the next try draws another one.
        Why::Full => Fault::at("key number").into(),
        // What was asked for has been ended since.
        _ => Refused::NotFound.into(),
    })
}

/// Keys of an account, or of every account in which the actor's role allows it: those that work first,
/// then the newest.
pub(crate) async fn list(call: &Call, actor: &Actor, account: Option<&str>, skip: u32, most: u32) -> Result<Vec<ApiKey>, Failure> {
    let mut accounts: Vec<&str> = actor.accounts_with(&call.config.policy.keys.roles).map(|membership| &*membership.account).collect();
    if let Some(account) = account {
        allowed(call, actor, account)?;
        accounts = vec![account];
    }
    Ok(keys::list(&call.env, &accounts, skip, most).await?)
}

/// A key that the actor may revoke.
pub(crate) async fn find(call: &Call, actor: &Actor, id: &str) -> Result<ApiKey, Failure> {
    let key = keys::find(&call.env, id).await?.ok_or(Refused::NotFound)?;
    allowed(call, actor, &key.account_id)?;
    Ok(key)
}

/// Revokes a key: when this has answered, nothing works with it any more. Again is fine.
pub(crate) async fn revoke(call: &Call, actor: &Actor, key: &ApiKey) -> Result<(), Failure> {
    allowed(call, actor, &key.account_id)?;
    if key.status == "ended" {
        return Ok(());
    }
    let now = now_s();
    let entry = Entry { subject: &key.hint, detail: &key.label, ..actor.did("key revoked") };
    keys::begin_end(&call.env, &call.config, key, &entry, now).await?;
    end(&call.env, &call.config, &key.account_id, key.family).await?;
    keys::ended(&call.env, &key.id, now).await?;
    Ok(())
}

async fn end(env: &Env, config: &Config, account: &str, family: u32) -> Result<(), Fault> {
    let grant = GrantId::of_account(&config.keys.grant_id, account);
    match ask(env, &grant, &Command::EndKey { family }).await? {
        Answer::Ended => Ok(()),
        _ => Err(Fault::at("key end answer")),
    }
}

/// The daily sweep: what left-over rows may have made has ended, and what is over for long is forgotten.
pub(crate) async fn sweep(env: &Env, config: &Config, now_s: u64) -> Result<(), Fault> {
    for left in keys::give_up(env, now_s.saturating_sub(GIVE_UP_S), now_s.saturating_sub(LISTED_S)).await? {
        // One that does not answer is for the next day, and keeps none of the others waiting.
        match end(env, config, &left.account_id, left.family).await {
            Ok(()) => keys::forget(env, &left.id).await?,
            Err(fault) => crate::log::fault("left-over key", &fault),
        }
    }
    Ok(())
}
