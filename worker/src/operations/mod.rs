//! What people and programs do with apps, accounts and keys: one function per operation, called by the
//! pages and by the management API alike, so that both allow, check, record and refuse the same.
//!
//! An operation asks first whether the actor may, then what is wrong, then changes the object that is
//! the truth, then the listing with the audit entry in one batch.

pub(crate) mod accounts;
pub(crate) mod apps;
pub(crate) mod installs;
pub(crate) mod keys;
pub(crate) mod logo;
pub(crate) mod people;
pub(crate) mod profile;
pub(crate) mod register;
pub(crate) mod resource_servers;
pub(crate) mod review;
pub(crate) mod tokens;
mod told;

use edgegrant_core::app::{NotChanged, Problem, clean_line};

use crate::call::Call;
use crate::fault::Fault;
use crate::store::audit::Entry;
use crate::store::people::Membership;

/// Who does something.
#[derive(Clone, Debug, Default)]
pub(crate) struct Actor {
    /// For the audit: a user's id or `token:` and a management token's id.
    pub(crate) id: String,
    /// The person, when it is one.
    pub(crate) user: Option<String>,
    /// The caller's address.
    pub(crate) network: String,
    /// Platform staff, or a management token of the platform.
    pub(crate) staff: bool,
    /// The person's accounts and roles.
    pub(crate) memberships: Vec<Membership>,
    /// The account that a management token belongs to.
    pub(crate) account: Option<String>,
}

impl Actor {
    /// Whether the actor has one of these roles in the account. A token of the account has them all.
    pub(crate) fn has_role(&self, account: &str, roles: &[String]) -> bool {
        self.account.as_deref() == Some(account)
            || self.memberships.iter().any(|membership| membership.account == account && roles.contains(&membership.role))
    }

    /// Whether the actor belongs to the account at all.
    pub(crate) fn belongs_to(&self, account: &str) -> bool {
        self.account.as_deref() == Some(account) || self.memberships.iter().any(|membership| membership.account == account)
    }

    /// The accounts in which the actor has one of these roles.
    pub(crate) fn accounts_with<'a>(&'a self, roles: &'a [String]) -> impl Iterator<Item = &'a Membership> {
        self.memberships.iter().filter(|membership| roles.contains(&membership.role))
    }

    /// Whether the actor manages the apps of an account; apps of no account are the staff's.
    pub(crate) fn may_develop(&self, call: &Call, account: Option<&str>) -> bool {
        self.staff || account.is_some_and(|account| self.has_role(account, &call.config.policy.apps.creator_roles))
    }

    /// An audit entry of this actor.
    pub(crate) fn did(&self, action: &'static str) -> Entry<'_> {
        Entry { actor: &self.id, action, network: &self.network, ..Entry::default() }
    }
}

/// Why an operation was not done. Nothing changed.
#[derive(Clone, Debug)]
pub(crate) enum Refused {
    /// There is no such thing, or none that this actor may know of.
    NotFound,
    /// The actor's role does not allow it; who may.
    NotAllowed(&'static str),
    /// What was sent is wrong.
    Invalid(Vec<Problem>),
    /// It does not fit how things stand.
    Conflict(String),
}

/// An operation that was not done.
#[derive(Debug)]
pub(crate) enum Failure {
    /// For a reason that the actor can do something about.
    Refused(Refused),
    /// For a fault of ours.
    Fault(Fault),
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<Refused> for Failure {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

impl From<NotChanged> for Refused {
    fn from(why: NotChanged) -> Self {
        match why {
            NotChanged::Status(status) => Self::Conflict(format!("This cannot be done with an app that is {}", status.as_str())),
            NotChanged::PublicClient => Self::Conflict("A public client has no secret".into()),
            NotChanged::SecretsFull => Self::Conflict("It has as many secrets as it may have: remove one first".into()),
            NotChanged::LastSecret => Self::Conflict("The last secret stays: add another one first".into()),
            NotChanged::SecretUnknown => Self::NotFound,
            NotChanged::Outdated => Self::Conflict("The app was changed, or decided about, a moment ago: look at it again".into()),
        }
    }
}

/// Records a security event after the answer; a fault is logged. `actor` is somebody who may not be the
/// caller: the person whose name was tried.
pub(crate) fn noticed(call: &Call, actor: &str, action: &'static str) {
    let (env, config, network, actor) = (call.env.clone(), call.config.clone(), call.network(), actor.to_owned());
    call.context.wait_until(async move {
        let entry = Entry { actor: &actor, action, network: &network, ..Entry::default() };
        if let Err(fault) = crate::store::audit::record(&env, &config, &entry, crate::platform::now_s()).await {
            crate::log::fault("audit", &fault);
        }
    });
}

/// A field that is wrong.
pub(crate) fn invalid(field: &'static str, problem: impl Into<String>) -> Failure {
    Refused::Invalid(vec![(field, problem.into())]).into()
}

/// A text on one line, trimmed; what is wrong with it is noted.
pub(crate) fn line(field: &'static str, sent: &str, least: usize, most: usize, problems: &mut Vec<Problem>) -> String {
    let text = sent.trim();
    if !(least..=most).contains(&text.chars().count()) || text.contains(['\n', '\r']) {
        problems.push((field, format!("write {least} to {most} characters on one line")));
    } else if let Err(problem) = clean_line(text) {
        problems.push((field, problem.to_owned()));
    }
    text.to_owned()
}

/// Whether the actor acts for the platform.
pub(crate) fn staff_only(actor: &Actor) -> Result<(), Failure> {
    if actor.staff { Ok(()) } else { Err(Refused::NotAllowed("This is for the platform: a token of an account cannot do it").into()) }
}
