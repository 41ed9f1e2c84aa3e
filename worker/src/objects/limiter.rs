//! The `RateLimiter` object: exact counters behind the sign-in form, asked before anything is hashed
//! (attack A20). Named by a keyed hash of the name that is tried; it forgets itself by alarm.

use std::time::Duration;

use edgegrant_core::rate::{Limit, Standing, Window};
use serde::{Deserialize, Serialize};
use worker::{DurableObject, Env, Request, Response, SqlStorage, SqlStorageValue, State, durable_object};

use crate::fault::{Fault, OrFault as _};
use crate::platform::now_ms;

/// A question to a limiter: counters, each with its limit.
#[derive(Serialize, Deserialize)]
pub(crate) enum Command {
    /// One use of each counter; when one refuses, none is used.
    Take(Vec<(String, Limit)>),
    /// The use turned out not to count.
    GiveBack(Vec<String>),
}

/// Its answer.
#[derive(Serialize, Deserialize)]
pub(crate) enum Answer {
    /// Granted; whether a counter has none left after it.
    Granted {
        /// The next one will be refused.
        last: bool,
    },
    /// Not granted.
    Refused(Standing),
}

/// The counters of one name.
#[cfg_attr(feature = "protocol", durable_object(alarm))]
pub struct RateLimiter {
    state: State,
}

/// Asks the limiter of a name.
pub(crate) async fn ask(env: &Env, name: &str, command: &Command) -> Result<Answer, Fault> {
    super::ask(env, "RATE_LIMITER", name, command).await
}

#[cfg(feature = "protocol")]
impl DurableObject for RateLimiter {
    fn new(state: State, _: Env) -> Self {
        Self { state }
    }

    async fn fetch(&self, request: Request) -> worker::Result<Response> {
        Ok(super::answer(self.handle(&request).await)?.into())
    }

    async fn alarm(&self) -> worker::Result<Response> {
        self.sweep().await.map_err(|fault| worker::Error::RustError(fault.to_string()))?;
        Response::empty()
    }
}

fn integer(value: u64) -> SqlStorageValue {
    SqlStorageValue::Integer(i64::try_from(value).unwrap_or(i64::MAX))
}

impl RateLimiter {
    async fn handle(&self, request: &Request) -> Result<Answer, Fault> {
        match super::command(request.inner())? {
            Command::Take(counters) => self.take(&counters).await,
            Command::GiveBack(names) => {
                for name in names {
                    self.sql()
                        .exec("UPDATE counters SET used = max(used - 1, 0) WHERE name = ?", vec![name.into()])
                        .or_fault("limiter write")?;
                }
                Ok(Answer::Granted { last: false })
            }
        }
    }

    fn sql(&self) -> SqlStorage {
        self.state.storage().sql()
    }

    async fn take(&self, counters: &[(String, Limit)]) -> Result<Answer, Fault> {
        let sql = self.sql();
        sql.exec(
            "CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, start_ms INTEGER NOT NULL, used INTEGER NOT NULL, end_ms INTEGER NOT NULL) STRICT",
            None,
        )
        .or_fault("limiter schema")?;
        let (mut next, mut last) = (Vec::new(), false);
        for (name, limit) in counters {
            let statement = "SELECT start_ms, used FROM counters WHERE name = ?";
            let mut window = Window::default();
            for row in super::rows(&sql, statement, vec![name.as_str().into()], "limiter read")? {
                let [SqlStorageValue::Integer(start_ms), SqlStorageValue::Integer(used)] = row.as_slice() else {
                    return Err(Fault::at("limiter row"));
                };
                window.start_ms = u64::try_from(*start_ms).or_fault("limiter row")?;
                window.used = u32::try_from(*used).or_fault("limiter row")?;
            }
            if let Err(standing) = window.take(*limit, now_ms()) {
                return Ok(Answer::Refused(standing));
            }
            last |= window.used >= limit.limit;
            next.push((name, window, window.start_ms + u64::from(limit.window_s) * 1000));
        }
        for (name, window, end_ms) in next {
            let statement = "INSERT INTO counters (name, start_ms, used, end_ms) VALUES (?, ?, ?, ?)
                ON CONFLICT (name) DO UPDATE SET start_ms = excluded.start_ms, used = excluded.used, end_ms = excluded.end_ms";
            let values = vec![name.as_str().into(), integer(window.start_ms), integer(u64::from(window.used)), integer(end_ms)];
            sql.exec(statement, values).or_fault("limiter write")?;
        }
        let longest_s = counters.iter().map(|(_, limit)| limit.window_s).max().unwrap_or(60);
        let storage = self.state.storage();
        if storage.get_alarm().await.or_fault("limiter alarm")?.is_none() {
            storage.set_alarm(Duration::from_secs(u64::from(longest_s))).await.or_fault("limiter alarm")?;
        }
        Ok(Answer::Granted { last })
    }

    /// The alarm: forgets windows that are over, and with the last of them everything. A window that
    /// still runs stays, or whoever is over a limit could wait for the alarm instead.
    async fn sweep(&self) -> Result<(), Fault> {
        let (sql, storage, now) = (self.sql(), self.state.storage(), now_ms());
        sql.exec("DELETE FROM counters WHERE end_ms <= ?", vec![integer(now)]).or_fault("limiter sweep")?;
        let left = super::rows(&sql, "SELECT end_ms FROM counters ORDER BY end_ms DESC LIMIT 1", Vec::new(), "limiter sweep")?;
        match left.into_iter().flatten().next() {
            Some(last) => {
                let SqlStorageValue::Integer(end_ms) = last else { return Err(Fault::at("limiter row")) };
                let end_ms = u64::try_from(end_ms).or_fault("limiter row")?;
                let wait = Duration::from_millis(end_ms.saturating_sub(now) + 1);
                storage.set_alarm(wait).await.or_fault("limiter alarm")
            }
            None => storage.delete_all().await.or_fault("limiter wipe"),
        }
    }
}
