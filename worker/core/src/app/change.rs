//! Changes of an app's record, decided in its object: which status may follow which, how many secrets
//! there may be.

use serde::{Deserialize, Serialize};

use super::{App, Status};
use crate::keys::SecretHash;
use crate::policy::Overrides;

/// What staff or the developer does with an app.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Change {
    /// Review ends well for the details with this fingerprint.
    Approve(String),
    /// Review ends badly.
    Reject,
    /// Back to review.
    Review,
    /// Stopped for the time being.
    Suspend,
    /// Goes on after a suspension.
    Restore,
    /// Gone for ever.
    Delete,
    /// What its developer changed, reviewed where it must be.
    Revise(Box<Revision>),
    /// What staff sets for this app.
    Override(Box<Overrides>),
    /// One more secret; where there may be only one, it takes the place of the old.
    AddSecret {
        /// Its hash.
        secret: SecretHash,
        /// How many there may be.
        most: u8,
    },
    /// Takes a secret back, by its hint.
    RemoveSecret {
        /// The last characters of the secret.
        hint: String,
    },
}

/// What a record holds of an app's details.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revision {
    /// Its name.
    pub name: String,
    /// Redirect URIs.
    pub redirect_uris: Vec<String>,
    /// Scopes.
    pub scopes: Vec<String>,
    /// The fingerprint of the details.
    pub about: String,
    /// The status for which this was found to be what may be changed: a review may have ended meanwhile.
    pub of: Status,
}

/// Why a change was not made. Nothing changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum NotChanged {
    /// The app's status does not allow it.
    Status(Status),
    /// A public client has no secret.
    PublicClient,
    /// As many secrets as there may be.
    SecretsFull,
    /// The last secret stays: without it the app could not authenticate.
    LastSecret,
    /// No secret has this hint.
    SecretUnknown,
    /// The app is no longer what was looked at.
    Outdated,
}

impl App {
    /// The record after a change.
    ///
    /// # Errors
    /// Why not.
    pub fn changed(&self, change: &Change) -> Result<Self, NotChanged> {
        use Status::{Approved, Deleted, Pending, Rejected, Suspended};
        let mut app = self.clone();
        let mut move_to = |to: Status, from: &[Status]| {
            app.status = to;
            if self.status == to || from.contains(&self.status) { Ok(()) } else { Err(NotChanged::Status(self.status)) }
        };
        match change {
            Change::Approve(about) => {
                move_to(Approved, &[Pending, Rejected])?;
                if !self.about.is_empty() && self.about != *about {
                    return Err(NotChanged::Outdated);
                }
            }
            Change::Reject => move_to(Rejected, &[Pending, Approved])?,
            Change::Review => move_to(Pending, &[Approved, Rejected])?,
            // Where a platform lets apps work before their review, staff must be able to stop them too.
            Change::Suspend => move_to(Suspended, &[Approved, Pending])?,
            Change::Restore => move_to(self.suspended_from.unwrap_or(Approved), &[Suspended])?,
            Change::Delete => move_to(Deleted, &[Pending, Approved, Rejected, Suspended])?,
            _ if self.status == Deleted => return Err(NotChanged::Status(Deleted)),
            Change::Revise(revision) => {
                let Revision { name, redirect_uris, scopes, about, of } = (**revision).clone();
                if self.status != of {
                    return Err(NotChanged::Outdated);
                }
                (app.name, app.redirect_uris, app.scopes, app.about) = (name, redirect_uris, scopes, about);
            }
            Change::Override(overrides) => app.overrides = (**overrides).clone(),
            Change::AddSecret { secret, most } => {
                if self.is_public() {
                    return Err(NotChanged::PublicClient);
                }
                match *most {
                    1 => app.secrets = vec![secret.clone()],
                    most if self.secrets.len() >= usize::from(most) => return Err(NotChanged::SecretsFull),
                    _ => app.secrets.push(secret.clone()),
                }
            }
            Change::RemoveSecret { hint } => {
                let at = self.secrets.iter().position(|secret| secret.hint == *hint).ok_or(NotChanged::SecretUnknown)?;
                if self.secrets.len() == 1 {
                    return Err(NotChanged::LastSecret);
                }
                app.secrets.remove(at);
            }
        }
        app.suspended_from = match (app.status, self.status) {
            (Suspended, Suspended) => self.suspended_from,
            (Suspended, before) => Some(before),
            _ => None,
        };
        Ok(app)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{app, ring};
    use super::*;
    use crate::app::ClientType;

    #[test]
    fn a_status_follows_only_where_it_may() {
        use Status::{Approved, Deleted, Pending, Rejected, Suspended};
        for (change, from, to) in [
            (Change::Approve(String::new()), vec![Pending, Rejected, Approved], Approved),
            (Change::Reject, vec![Pending, Approved, Rejected], Rejected),
            (Change::Review, vec![Approved, Rejected, Pending], Pending),
            (Change::Suspend, vec![Approved, Pending, Suspended], Suspended),
            (Change::Restore, vec![Suspended, Approved], Approved),
            (Change::Delete, vec![Pending, Approved, Rejected, Suspended, Deleted], Deleted),
        ] {
            for status in [Pending, Approved, Rejected, Suspended, Deleted] {
                let changed = App { status, ..app(ClientType::Public) }.changed(&change).map(|app| app.status);
                let expected = if from.contains(&status) { Ok(to) } else { Err(NotChanged::Status(status)) };
                assert_eq!(changed, expected, "{change:?} from {status:?}");
            }
        }
    }

    #[test]
    fn neither_an_edit_nor_an_approval_gets_past_the_other() {
        let pending = App { status: Status::Pending, about: "one".into(), ..app(ClientType::Public) };
        let revision = |about: &str, of| {
            let about = about.to_owned();
            Change::Revise(Box::new(Revision { name: "B".into(), redirect_uris: vec![], scopes: vec![], about, of }))
        };
        let revised = pending.changed(&revision("two", Status::Pending)).unwrap();
        assert_eq!((revised.name.as_str(), revised.about.as_str()), ("B", "two"));
        assert_eq!(revised.changed(&Change::Approve("one".into())), Err(NotChanged::Outdated));
        assert_eq!(revised.changed(&Change::Approve("two".into())).unwrap().status, Status::Approved);
        let approved = pending.changed(&Change::Approve("one".into())).unwrap();
        assert_eq!(approved.changed(&revision("two", Status::Pending)), Err(NotChanged::Outdated));
        let old = App { about: String::new(), ..pending };
        assert!(old.changed(&Change::Approve("any".into())).is_ok(), "records from before");
    }

    #[test]
    fn an_app_that_was_suspended_in_review_is_in_review_again_when_it_goes_on() {
        let pending = App { status: Status::Pending, ..app(ClientType::Public) };
        let suspended = pending.changed(&Change::Suspend).unwrap().changed(&Change::Suspend).unwrap();
        assert_eq!(suspended.changed(&Change::Restore).unwrap(), pending);
        assert_eq!(pending.changed(&Change::Restore), Err(NotChanged::Status(Status::Pending)));
        let named = suspended.changed(&Change::Override(Box::default())).unwrap();
        assert_eq!(named.changed(&Change::Restore).unwrap().status, Status::Pending, "other changes do not forget it");
    }

    #[test]
    fn secrets_come_and_go_within_their_number_and_the_last_one_stays() {
        let confidential = app(ClientType::Confidential);
        let add = |text: &str, most| Change::AddSecret { secret: SecretHash::of(text, &ring()).unwrap(), most };
        let remove = |hint: &str| Change::RemoveSecret { hint: hint.into() };
        assert_eq!(confidential.secrets.len(), 2);
        assert_eq!(confidential.changed(&add("three", 2)), Err(NotChanged::SecretsFull));
        let only = confidential.changed(&add("three", 1)).unwrap().secrets;
        assert!(only.len() == 1 && only[0].verify("three", &ring()), "the old ones have ended");
        assert_eq!(app(ClientType::Public).changed(&add("three", 9)), Err(NotChanged::PublicClient));
        assert_eq!(confidential.changed(&remove("none")), Err(NotChanged::SecretUnknown));
        let three = confidential.changed(&add("three", 3)).unwrap();
        let one = three.changed(&remove("hree")).unwrap().changed(&remove("one")).unwrap();
        assert_eq!(one.changed(&remove("two")), Err(NotChanged::LastSecret));
        let deleted = confidential.changed(&Change::Delete).unwrap();
        assert_eq!(deleted.changed(&add("three", 9)), Err(NotChanged::Status(Status::Deleted)));
    }
}
