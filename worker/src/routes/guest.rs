//! Somebody who is signed in, on a page of ours: who they are, the frame around their pages, the token
//! of their forms, and what an operation that was not done looks like to them.

use edgegrant_core::oauth::params::Params;
use edgegrant_core::person::{form_token, form_token_ok};

use super::sign_in::{self, to_login};
use super::{frame, page_form};
use crate::answer::Answer;
use crate::call::Call;
use crate::fault::{Fault, OrFault as _};
use crate::operations::{Actor, Failure, Refused};
use crate::pages::{Frame, Nav, NoticePage, Page};
use crate::store::people::Visitor;

/// Somebody who is signed in.
pub(super) struct Guest {
    /// Who.
    pub(super) visitor: Visitor,
    csrf: String,
}

impl Guest {
    /// Who is signed in, or the way to the sign-in page and back. One D1 read.
    pub(super) async fn enter(call: &Call) -> Result<Result<Self, Answer>, Fault> {
        let Some(visitor) = sign_in::visitor(call, None).await? else { return Ok(Err(to_login(&call.path_and_query()))) };
        Self::new(call, visitor).map(Ok)
    }

    /// The same for staff; to others the page is not there.
    pub(super) async fn enter_staff(call: &Call) -> Result<Result<Self, Answer>, Fault> {
        Ok(match Self::enter(call).await? {
            Ok(guest) if !guest.visitor.staff => Err(guest.not_found(call)),
            entered => entered,
        })
    }

    fn new(call: &Call, visitor: Visitor) -> Result<Self, Fault> {
        let csrf = form_token(&call.config.keys.seal, &visitor.cookie.session).or_fault("seal key")?;
        Ok(Self { visitor, csrf })
    }

    /// A form of one of our pages, sent by who is signed in. `back` is where the form was.
    pub(super) async fn posted(call: &mut Call, back: &str) -> Result<Result<(Self, Params), Answer>, Fault> {
        let params = match page_form(call).await? {
            Ok(params) => params,
            Err(refused) => return Ok(Err(refused)),
        };
        Ok(Self::sent(call, back, params.field("csrf")).await?.map(|guest| (guest, params)))
    }

    /// Who has sent a form with this token.
    pub(super) async fn sent(call: &Call, back: &str, csrf: &str) -> Result<Result<Self, Answer>, Fault> {
        let Some(visitor) = sign_in::visitor(call, None).await? else { return Ok(Err(to_login(back))) };
        if !call.is_from_own_page() || !form_token_ok(&call.config.keys.seal, &visitor.cookie.session, csrf) {
            return Ok(Err(Answer::page(403, &NoticePage::form_refused(frame(call), back)).because("form refused")));
        }
        Self::new(call, visitor).map(Ok)
    }

    /// The frame around their pages.
    pub(super) fn frame<'a>(&'a self, call: &'a Call) -> Frame<'a> {
        let creators = &call.config.policy.apps.creator_roles;
        let develops = self.visitor.staff || self.visitor.memberships.iter().any(|membership| creators.contains(&membership.role));
        let nav = Nav { develops, keys: call.config.policy.keys.on(), staff: self.visitor.staff };
        Frame { person: Some(&self.visitor.email), csrf: Some(&self.csrf), nav, ..frame(call) }
    }

    /// Who they are to an operation.
    pub(super) fn actor(&self, call: &Call) -> Actor {
        Actor {
            id: self.visitor.cookie.user.clone(),
            user: Some(self.visitor.cookie.user.clone()),
            network: call.network(),
            staff: self.visitor.staff,
            memberships: self.visitor.memberships.clone(),
            account: None,
        }
    }

    /// A page for them; their cookie is renewed with it.
    pub(super) fn page<P: Page>(&self, call: &Call, status: u16, page: &P) -> Result<Answer, Fault> {
        sign_in::renewed(call, &self.visitor, Answer::page(status, page))
    }

    /// There is no such page for them.
    pub(super) fn not_found(&self, call: &Call) -> Answer {
        Answer::page(404, &NoticePage::not_found(self.frame(call)))
    }

    /// An operation that was not done, as a page; a form shows what is wrong itself.
    pub(super) fn failed(&self, call: &Call, failure: Failure, back: &str) -> Result<Answer, Fault> {
        let (status, problem) = match failure {
            Failure::Fault(fault) => return Err(fault),
            Failure::Refused(Refused::NotFound) => return Ok(self.not_found(call)),
            Failure::Refused(Refused::NotAllowed(who)) => (403, who.to_owned()),
            Failure::Refused(Refused::Conflict(why)) => (409, why),
            Failure::Refused(Refused::Invalid(problems)) => {
                (400, problems.into_iter().map(|(_, problem)| problem).collect::<Vec<_>>().join("; "))
            }
        };
        Ok(Answer::page(status, &NoticePage::not_done(self.frame(call), problem, back)).because("not done"))
    }
}

/// What is wrong with a form's fields, or the failure that a form cannot show.
pub(super) fn problems(failure: Failure) -> Result<(u16, Vec<edgegrant_core::app::Problem>), Failure> {
    match failure {
        Failure::Refused(Refused::Invalid(problems)) => Ok((400, problems)),
        Failure::Refused(Refused::Conflict(why)) => Ok((409, vec![("", why)])),
        other => Err(other),
    }
}
