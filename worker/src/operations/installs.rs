//! Disconnect: everything of an install is dead when it has answered, codes in flight included.
//!
//! Order (attack A18): the row takes the next consent number and says `ending`, the object ends
//! everything up to it, the row says `ended`. When the object does not answer the row stays listed as
//! not finished, and doing it again finishes it. Another account's install is not found.

use edgegrant_core::credential::GrantId;
use edgegrant_core::encoding::array_from_hex;
use edgegrant_core::grant::{Answer, Command};

use super::{Actor, Failure};
use crate::call::Call;
use crate::fault::{Fault, OrFault as _};
use crate::metrics::{self, Counter};
use crate::objects::grant::ask;
use crate::platform::now_s;
use crate::store::audit::Entry;
use crate::store::installs::{self, Install};

/// Ends an install that the actor may end.
pub(crate) async fn disconnect(call: &Call, actor: &Actor, install: &Install) -> Result<(), Failure> {
    call.app.set(Some(install.app));
    let now = now_s();
    let entry = Entry { account: Some(&install.account_id), app: Some(install.app), ..actor.did("disconnected") };
    let seq = installs::begin_end(&call.env, &call.config, install, &entry, now).await?;
    Ok(finish(call, &install.grant_id, seq).await?)
}

/// Ends everything up to a consent number of an install whose row says `ending`.
pub(super) async fn finish(call: &Call, grant_id: &str, seq: u64) -> Result<(), Fault> {
    let grant = GrantId(array_from_hex(grant_id).or_fault("grant id")?);
    call.grant.set(Some(grant));
    match ask(&call.env, &grant, &Command::End { seq }).await? {
        Answer::Ended => {
            metrics::count(Counter::Disconnected);
            installs::ended(&call.env, grant_id, seq, "disconnected", now_s()).await
        }
        _ => Err(Fault::at("end answer")),
    }
}
