//! The listing of apps. The `App` object is the truth; the listing follows it.

use edgegrant_core::app::{App, Status};
use worker::Env;

use super::{database, number, statement, text};
use crate::fault::{Fault, OrFault as _};

/// One D1 batch: the listing says what the object says; a deleted app's connections have ended.
pub(crate) async fn listed(env: &Env, app: &App, now_s: u64) -> Result<(), Fault> {
    let database = database(env)?;
    let values = [number(u64::from(app.number)), text(app.status.as_str())];
    let mut batch = vec![statement(&database, "UPDATE apps SET status = ?2 WHERE number = ?1", &values)?];
    if app.status == Status::Deleted {
        let sql = "UPDATE installs SET status = 'ended', ended_at = ?2, ended_why = 'app deleted' WHERE app = ?1 AND status <> 'ended'";
        batch.push(statement(&database, sql, &[number(u64::from(app.number)), number(now_s)])?);
    }
    database.batch(batch).await.or_fault("D1 app")?;
    Ok(())
}
