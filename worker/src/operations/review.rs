//! What staff decides: approve, reject with a reason, suspend and restore.
//!
//! A decision names the version that was looked at, so that nothing is approved that its developer has
//! changed meanwhile. Suspension and restoration are one write in the app's object, however many grants
//! the app has, and hold everywhere when they have answered.

use edgegrant_core::app::{App, Change, Details, Status, clean_line};
use edgegrant_core::notice::Notice;

use super::apps::{change, put_in_use, record, recorded};
use super::{Actor, Failure, Refused, invalid, told};
use crate::call::Call;
use crate::fault::OrFault as _;
use crate::platform::now_s;
use crate::store::apps::{self, Listed, Listing};
use crate::store::{audit, database};

/// A decision about an app.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    /// It, or its new version, may be used.
    Approve,
    /// It, or its new version, may not.
    Reject,
    /// Back to review.
    Review,
    /// Stopped for the time being.
    Suspend,
    /// Goes on.
    Restore,
}

impl Decision {
    /// The decision that an address names.
    pub(crate) fn named(word: &str) -> Option<Self> {
        Some(match word {
            "approve" => Self::Approve,
            "reject" => Self::Reject,
            "review" => Self::Review,
            "suspend" => Self::Suspend,
            "restore" => Self::Restore,
            _ => return None,
        })
    }

    fn change(self, looked_at: &Details) -> Change {
        match self {
            Self::Approve => Change::Approve(looked_at.fingerprint()),
            Self::Reject => Change::Reject,
            Self::Review => Change::Review,
            Self::Suspend => Change::Suspend,
            Self::Restore => Change::Restore,
        }
    }

    const fn action(self) -> &'static str {
        match self {
            Self::Approve => "app approved",
            Self::Reject => "app rejected",
            Self::Review => "app sent to review",
            Self::Suspend => "app suspended",
            Self::Restore => "app restored",
        }
    }
}

/// Decides. `version` is what was looked at, when it was named; a reason is for its developer.
pub(crate) async fn decide(
    call: &Call,
    actor: &Actor,
    app: &Listed,
    decision: Decision,
    reason: &str,
    version: Option<&str>,
) -> Result<App, Failure> {
    if !actor.staff {
        return Err(Refused::NotAllowed("Platform staff reviews apps").into());
    }
    let reason = checked_reason(reason)?;
    if version.is_some_and(|version| version != app.version()) {
        return Err(Refused::Conflict("The developer has changed the app since you looked at it: look at it again".into()).into());
    }
    let (details, revision) = (app.details()?, app.revision()?);
    let entry = audit::Entry { app: Some(app.number), detail: reason, ..actor.did(decision.action()) };
    if let Some(revision) = revision
        && matches!(app.status.as_str(), "approved" | "suspended")
        && matches!(decision, Decision::Approve | Decision::Reject)
    {
        return revised(call, app, decision, &revision, reason, entry).await;
    }
    if decision == Decision::Approve {
        check_name(call, app, &details.name).await?;
    }
    let record = change(call, app.number, decision.change(&details)).await?;
    let kept = if matches!(decision, Decision::Reject | Decision::Suspend) { reason } else { "" };
    let batch = apps::restated(&database(&call.env)?, &record, kept, now_s())?;
    recorded(call, batch, entry).await?;
    if let Some(notice) = Notice::of_status(&app.status, &record, reason) {
        told::decided(call, app, &record, notice);
    }
    Ok(record)
}

/// The new version of an app in use takes the place of the old one, or is dropped.
async fn revised(
    call: &Call,
    app: &Listed,
    decision: Decision,
    revision: &Details,
    reason: &str,
    entry: audit::Entry<'_>,
) -> Result<App, Failure> {
    let approved = decision == Decision::Approve;
    let current = app.details()?;
    let mut record = record(call, app).await?;
    if approved {
        check_name(call, app, &revision.name).await?;
        record = put_in_use(call, app, record, revision).await?;
    }
    let kept = match (approved, record.status) {
        (_, Status::Suspended) => app.reason.as_str(),
        (true, _) => "",
        (false, _) => reason,
    };
    let details = if approved { revision } else { &current };
    let listing = Listing { details, revision: None, submitted_at: None, reason: kept, contact_sealed: None };
    let statement = apps::relist(&database(&call.env)?, &record, &listing).or_fault("app listing")?;
    recorded(call, vec![statement], entry).await?;
    let about = (&record).into();
    let notice = if approved { Notice::ChangeApproved(about) } else { Notice::ChangeRejected { app: about, reason: reason.to_owned() } };
    told::decided(call, app, &record, notice);
    Ok(record)
}

/// A name that waited may have been taken by another app meanwhile.
async fn check_name(call: &Call, app: &Listed, name: &str) -> Result<(), Failure> {
    if apps::is_imitation(&call.env, name, app.number, now_s()).await? {
        return Err(Refused::Conflict("Another app's name looks like this one: its developer must choose another".into()).into());
    }
    Ok(())
}

fn checked_reason(reason: &str) -> Result<&str, Failure> {
    let reason = reason.trim();
    if reason.chars().count() > 500 {
        return Err(invalid("reason", "write at most 500 characters"));
    }
    clean_line(reason).map_err(|problem| invalid("reason", problem))?;
    Ok(reason)
}
