//! The `RateLimiter` object: exact counters that are no grant's, named by a keyed hash. It forgets
//! itself by alarm.
//!
//! Behind the sign-in form it is asked before anything is hashed (attack A20) and stores each use. For a
//! limit wider than a grant it is one [`Counter`], and hands blocks of uses down to isolates: decided
//! and written in one turn, and the copy in memory is dropped whenever a write fails.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use edgegrant_core::rate::block::{Block, Counter};
use edgegrant_core::rate::{Limit, Reservation, Standing, Window};
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
    /// Up to so many uses of a limit wider than a grant.
    HandDown {
        /// The limit.
        limit: Limit,
        /// How many at most.
        want: u32,
    },
    /// Uses that were handed down are not needed.
    TakeBack {
        /// The limit.
        limit: Limit,
        /// The start of their window.
        start_ms: u64,
        /// How many.
        uses: u32,
    },
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
    /// Handed down.
    Block(Block),
}

/// The counters of one name.
#[cfg_attr(feature = "protocol", durable_object(alarm))]
pub struct RateLimiter {
    state: State,
    memory: RefCell<Option<Counter>>,
    has_table: Cell<bool>,
    has_alarm: Cell<bool>,
}

/// Asks the limiter of a name.
pub(crate) async fn ask(env: &Env, name: &str, command: &Command) -> Result<Answer, Fault> {
    super::ask(env, "RATE_LIMITER", name, command).await
}

#[cfg(feature = "protocol")]
impl DurableObject for RateLimiter {
    fn new(state: State, _: Env) -> Self {
        Self { state, memory: RefCell::new(None), has_table: Cell::new(false), has_alarm: Cell::new(false) }
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

/// The row of a limit wider than a grant: `used` is what is reserved.
const WIDE: &str = "wide";

/// What is done with a counter, and whether it must be stored then.
type Act<'a> = &'a dyn Fn(&mut Counter) -> (Answer, bool);

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
            Command::HandDown { limit, want } => {
                let act: Act<'_> = &|counter| match counter.hand_down(limit, want, now_ms()) {
                    Ok((block, write)) => (Answer::Block(block), write),
                    Err(standing) => (Answer::Refused(standing), false),
                };
                self.count(limit, act).await
            }
            Command::TakeBack { limit, start_ms, uses } => {
                let act: Act<'_> = &|counter| (Answer::Granted { last: false }, counter.take_back(limit, start_ms, uses));
                self.count(limit, act).await
            }
        }
    }

    fn sql(&self) -> SqlStorage {
        self.state.storage().sql()
    }

    /// Makes the table, unless this instance knows that it is there.
    fn make_table(&self) -> Result<(), Fault> {
        if !self.has_table.get() {
            let statement = "CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, start_ms INTEGER NOT NULL, used INTEGER NOT NULL, end_ms INTEGER NOT NULL) STRICT";
            self.sql().exec(statement, None).or_fault("limiter schema")?;
            self.has_table.set(true);
        }
        Ok(())
    }

    /// A counter's start and uses as they are stored.
    fn read(&self, name: &str) -> Result<(u64, u32), Fault> {
        let statement = "SELECT start_ms, used FROM counters WHERE name = ?";
        let row = super::rows(&self.sql(), statement, vec![name.into()], "limiter read")?.into_iter().next();
        let Some(row) = row else { return Ok((0, 0)) };
        let [SqlStorageValue::Integer(start_ms), SqlStorageValue::Integer(used)] = row.as_slice() else {
            return Err(Fault::at("limiter row"));
        };
        Ok((u64::try_from(*start_ms).or_fault("limiter row")?, u32::try_from(*used).or_fault("limiter row")?))
    }

    fn write(&self, name: &str, start_ms: u64, used: u32, limit: Limit) -> Result<(), Fault> {
        let statement = "INSERT INTO counters (name, start_ms, used, end_ms) VALUES (?, ?, ?, ?)
            ON CONFLICT (name) DO UPDATE SET start_ms = excluded.start_ms, used = excluded.used, end_ms = excluded.end_ms";
        let end_ms = start_ms.saturating_add(u64::from(limit.window_s) * 1000);
        let values = vec![name.into(), integer(start_ms), integer(u64::from(used)), integer(end_ms)];
        self.sql().exec(statement, values).or_fault("limiter write")?;
        Ok(())
    }

    /// Sets the alarm unless it is set.
    async fn arm(&self, after_s: u32) -> Result<(), Fault> {
        if !self.has_alarm.get() {
            let storage = self.state.storage();
            if storage.get_alarm().await.or_fault("limiter alarm")?.is_none() {
                storage.set_alarm(Duration::from_secs(u64::from(after_s))).await.or_fault("limiter alarm")?;
            }
            self.has_alarm.set(true);
        }
        Ok(())
    }

    /// Does something with the counter of a limit wider than a grant, and stores it when that says so.
    async fn count(&self, limit: Limit, act: Act<'_>) -> Result<Answer, Fault> {
        let (answer, write) = self.turn(limit, act).inspect_err(|_| _ = self.memory.take())?;
        if write {
            self.arm(limit.window_s).await?;
        }
        Ok(answer)
    }

    /// One turn: load, decide, write. What is under the unwritten part makes no table.
    fn turn(&self, limit: Limit, act: Act<'_>) -> Result<(Answer, bool), Fault> {
        let mut memory = self.memory.borrow_mut();
        if memory.is_none() {
            let is_stored = super::has_table(&self.sql(), "counters", "limiter read")?;
            let (start_ms, reserved) = if is_stored { self.read(WIDE)? } else { (0, 0) };
            *memory = Some(Counter::resumed(Reservation { start_ms, reserved }));
        }
        let counter = memory.as_mut().or_fault("limiter memory")?;
        let (answer, write) = act(counter);
        if write {
            self.make_table()?;
            let Reservation { start_ms, reserved } = counter.reservation();
            self.write(WIDE, start_ms, reserved, limit)?;
        }
        Ok((answer, write))
    }

    async fn take(&self, counters: &[(String, Limit)]) -> Result<Answer, Fault> {
        self.make_table()?;
        let (mut next, mut last) = (Vec::new(), false);
        for (name, limit) in counters {
            let (start_ms, used) = self.read(name)?;
            let mut window = Window { start_ms, used };
            if let Err(standing) = window.take(*limit, now_ms()) {
                return Ok(Answer::Refused(standing));
            }
            last |= window.used >= limit.limit;
            next.push((name, window, *limit));
        }
        for (name, window, limit) in next {
            self.write(name, window.start_ms, window.used, limit)?;
        }
        self.arm(counters.iter().map(|(_, limit)| limit.window_s).max().unwrap_or(60)).await?;
        Ok(Answer::Granted { last })
    }

    /// The alarm: forgets windows that are over, and with the last of them everything. A window that
    /// still runs stays, or whoever is over a limit could wait for the alarm instead.
    async fn sweep(&self) -> Result<(), Fault> {
        self.has_alarm.set(false);
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
            None => {
                // The counter in memory stays: it knows what is not written of a window that runs.
                self.has_table.set(false);
                storage.delete_all().await.or_fault("limiter wipe")
            }
        }
    }
}
