//! What people change about themselves. Nobody else's id is taken: it is the actor's own.
//!
//! The password that a form asks for again is guarded as at sign-in, by counters of its own: whoever
//! guesses in a session that is not theirs keeps nobody from signing in.

use edgegrant_core::app::clean_line;
use edgegrant_core::notice::{Notice, Recipients};
use edgegrant_core::person::{SessionCookie, hash_password, verify_password};
use edgegrant_core::policy::PasswordChangeEnds;
use edgegrant_core::rate::Standing;

use super::{Actor, Failure, Refused, installs, invalid, noticed};
use crate::call::Call;
use crate::fault::{Fault, OrFault as _};
use crate::mail;
use crate::objects::limiter::{self, Answer, Command};
use crate::platform::{now_s, random, random_id};
use crate::store::people::{self, Credentials};
use crate::store::profile::{self, NewPassword};

/// Somebody who has just shown that they know their password.
pub(crate) struct Proven(Credentials);

/// Why they have not.
pub(crate) enum NotProven {
    /// It is not the password.
    Wrong,
    /// It was wrong too often: the next try is then.
    TooMany(Standing),
}

/// The counter in the person's limiter.
const COUNTER: &str = "password";

/// Whether this is the person's password.
pub(crate) async fn prove(call: &Call, user: &str, password: &str) -> Result<Result<Proven, NotProven>, Fault> {
    let object = format!("user:{user}");
    let counters = vec![(COUNTER.to_owned(), call.config.policy.login.per_known_browser)];
    let is_last = match limiter::ask(&call.env, &object, &Command::Take(counters)).await? {
        Answer::Granted { last } => last,
        Answer::Refused(standing) => return Ok(Err(NotProven::TooMany(standing))),
        Answer::Block(_) => return Err(Fault::at("limiter answer")),
    };
    let person = people::by_id(&call.env, user).await?;
    let right = verify_password(password, person.as_ref().map(|person| person.password_hash.as_str()));
    let Some(person) = person.filter(|_| right) else {
        if is_last {
            noticed(call, user, "password locked");
        }
        return Ok(Err(NotProven::Wrong));
    };
    // A right password is no guess.
    let env = call.env.clone();
    call.context.wait_until(async move {
        if let Err(fault) = limiter::ask(&env, &object, &Command::GiveBack(vec![COUNTER.to_owned()])).await {
            crate::log::fault("limiter", &fault);
        }
    });
    Ok(Ok(Proven(person)))
}

/// Another name. What a provider says of its people is changed there.
pub(crate) async fn rename(call: &Call, actor: &Actor, user: &str, name: &str) -> Result<(), Failure> {
    let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
    if !(1..=100).contains(&name.chars().count()) {
        return Err(invalid("name", "write 1 to 100 characters"));
    }
    clean_line(&name).map_err(|problem| invalid("name", problem))?;
    profile::rename(&call.env, &call.config, user, &name, &actor.did("name changed"), now_s()).await?;
    Ok(())
}

/// Every session but this one ends.
pub(crate) async fn end_other_sessions(call: &Call, actor: &Actor, cookie: &SessionCookie) -> Result<(), Failure> {
    profile::end_others(&call.env, &call.config, cookie, &actor.did("other sessions ended"), now_s()).await?;
    Ok(())
}

/// What a password change has done.
pub(crate) struct Changed {
    /// This browser's new session.
    pub(crate) cookie: SessionCookie,
    /// Connections whose end is not finished; they are listed as such.
    pub(crate) unfinished: usize,
}

/// Connections that one request ends; the rest stays listed as not finished. Each is two requests to
/// storage, and a request may make 1000.
const ENDS_MAX: usize = 300;

/// A new password, found fit before. Every other session has ended when this answers, and so has, where
/// the policy says so, what the person has allowed.
pub(crate) async fn change_password(
    call: &Call,
    actor: &Actor,
    old: &SessionCookie,
    Proven(person): &Proven,
    new: &str,
) -> Result<Changed, Failure> {
    let policy = &call.config.policy;
    let now = now_s();
    let epoch = person.epoch.saturating_add(1);
    let mut cookie = old.clone();
    (cookie.session, cookie.epoch, cookie.created_s, cookie.seen_s) = (random_id()?, epoch, now, now);
    let new_hash = hash_password(new, &random()?).or_fault("password")?;
    let change = NewPassword {
        old_hash: &person.password_hash,
        new_hash: &new_hash,
        cookie: &cookie,
        expires_s: now + u64::from(policy.session.absolute_s),
        and_grants: policy.login.password_change_ends == PasswordChangeEnds::SessionsAndGrants,
    };
    let changed = profile::change_password(&call.env, &call.config, &change, &actor.did("password changed")).await?;
    let Some(endings) = changed else {
        return Err(Refused::Conflict("Your password was changed at the same time somewhere else".into()).into());
    };
    mail::send(call, Recipients::People(vec![person.id.clone()]), Notice::PasswordChanged);
    let mut unfinished = endings.len();
    for ending in endings.iter().take(ENDS_MAX) {
        match installs::finish(call, &ending.grant_id, ending.seq).await {
            Ok(()) => unfinished -= 1,
            Err(fault) => crate::log::fault("disconnect", &fault),
        }
    }
    Ok(Changed { cookie, unfinished })
}
