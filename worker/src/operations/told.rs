//! Notices about an app, and whom they are for.
//!
//! What staff decides goes to the app's contact. That address was never proven to be its reader's, so
//! what a developer does alone is told to the person who registered the app: nobody can have messages
//! sent to addresses of strangers.

use edgegrant_core::app::App;
use edgegrant_core::notice::{Notice, Recipients};

use super::register::contact_context;
use crate::call::Call;
use crate::mail;
use crate::store::apps::Listed;

/// The person who registered it, else the developers of its account.
fn developers(call: &Call, account: Option<&str>, app: &App) -> Recipients {
    match account {
        Some(account) if app.owner.is_empty() => {
            Recipients::Roles { account: account.to_owned(), roles: call.config.policy.apps.creator_roles.clone() }
        }
        _ => Recipients::People(vec![app.owner.clone()]),
    }
}

/// Tells of something that its developer did.
pub(super) fn done(call: &Call, account: Option<&str>, app: &App, notice: Notice) {
    mail::send(call, developers(call, account, app), notice);
}

/// Tells of something that staff decided.
pub(super) fn decided(call: &Call, listed: &Listed, app: &App, notice: Notice) {
    let to = match &listed.contact_sealed {
        Some(sealed) => Recipients::Contact { sealed: sealed.clone(), context: contact_context(app.number) },
        None => developers(call, listed.account_id.as_deref(), app),
    };
    mail::send(call, to, notice);
}
