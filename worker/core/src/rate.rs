//! Request limits: windows of a fixed length with an exact bound and few writes.
//!
//! [`BlockWindow`] counts the API calls of a grant. Windows are laid end to end from the first
//! counted call. The first tenth of a window's uses is not written at all, and an object that was
//! restarted assumes that they happened; above that, uses are reserved in blocks of a twentieth
//! before they are granted. So no window ever passes its limit, even when the object is evicted at
//! any moment; an eviction costs at most 14 % of a window; a grant made in this instance gets exactly
//! the limit; and 100 calls cost at most 18 rows. Once resumed inside a window, uses are reserved one
//! by one, so that further evictions cost nothing more.
//!
//! [`Meter`] is two of them, for a limit with a burst limit beside it.
//! [`Window`] is the plain counter for what is written anyway (refreshes, log-in attempts).
//! [`block`] is for limits wider than a grant: blocks of a window are handed down to isolates.

pub mod block;

use serde::{Deserialize, Serialize};

/// A limit: at most `limit` uses in `window_s` seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    /// Uses per window; at least 1.
    pub limit: u32,
    /// Length of the window in seconds; at least 1.
    pub window_s: u32,
}

/// The limits on one caller: a window, and perhaps a shorter one that holds beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rates {
    /// The window.
    pub rate: Limit,
    /// The shorter one.
    pub burst: Option<Limit>,
}

impl Rates {
    /// The most uses that a caller makes in so many seconds in the long run, and in a shorter time than its
    /// window at once.
    #[must_use]
    pub fn most_in(self, window_s: u32) -> u64 {
        let most = |limit: Limit| {
            let span_s = u64::from(window_s.max(limit.window_s));
            (u64::from(limit.limit) * span_s).div_ceil(u64::from(limit.window_s.max(1)))
        };
        self.burst.map_or(u64::MAX, most).min(most(self.rate))
    }
}

impl Limit {
    const fn window_ms(self) -> u64 {
        self.window_s as u64 * 1000
    }

    /// A part of the uses; of a limit under 20 there are none, so that each use is written.
    const fn part(self, of: u32) -> u32 {
        if self.limit < 20 { 0 } else { self.limit / of }
    }
}

/// Where a caller stands, for the `RateLimit-*` headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// Uses per window.
    pub limit: u32,
    /// Uses left in this window.
    pub remaining: u32,
    /// Whole seconds until the next window, at least 1: waiting that long works.
    pub reset_s: u32,
    /// Milliseconds until the next window.
    pub left_ms: u64,
}

impl Standing {
    /// With so many milliseconds until the next window.
    #[must_use]
    pub fn new(limit: u32, remaining: u32, left_ms: u64) -> Self {
        Self { limit, remaining, reset_s: u32::try_from(left_ms.div_ceil(1000)).unwrap_or(u32::MAX).max(1), left_ms }
    }
}

fn standing(limit: Limit, used: u32, start_ms: u64, now_ms: u64) -> Standing {
    let left_ms = start_ms.saturating_add(limit.window_ms()).saturating_sub(now_ms);
    Standing::new(limit.limit, limit.limit.saturating_sub(used), left_ms)
}

/// The outcome of asking for one use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// Granted. With `write`, the counter must be stored before the answer leaves.
    Granted {
        /// Whether the counter's stored part changed.
        write: bool,
        /// For the headers.
        standing: Standing,
    },
    /// Refused; nothing changed.
    Refused(Standing),
}

/// What is stored of a [`BlockWindow`]: the start of the window in which uses were last reserved and
/// how many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reservation {
    /// Milliseconds since 1970; 0 when nothing was ever reserved.
    pub start_ms: u64,
    /// Uses reserved in that window.
    pub reserved: u32,
}

#[derive(Clone, Copy, Debug)]
struct Running {
    start_ms: u64,
    used: u32,
    resumed: bool,
}

impl Running {
    /// What is reserved when these uses have to be written.
    fn reserve(&self, limit: Limit) -> u32 {
        let block = if self.resumed { 1 } else { limit.part(20).max(1) };
        self.used.saturating_add(block - 1).min(limit.limit)
    }
}

/// A counter with the write-saving scheme of the module.
#[derive(Clone, Debug, Default)]
pub struct BlockWindow {
    stored: Reservation,
    running: Option<Running>,
    fresh: bool,
    /// Blocks of it are handed down, see [`block`]: it may lose less by itself.
    handed_down: bool,
}

impl BlockWindow {
    /// The counter of a grant made by this very instance: nothing was used before.
    #[must_use]
    pub const fn fresh() -> Self {
        Self { stored: Reservation { start_ms: 0, reserved: 0 }, running: None, fresh: true, handed_down: false }
    }

    /// The counter of an object that was restarted with this reservation.
    #[must_use]
    pub const fn resumed(stored: Reservation) -> Self {
        Self { stored, running: None, fresh: false, handed_down: false }
    }

    /// Uses that are not written, because a restarted object assumes them.
    const fn unwritten(&self, limit: Limit) -> u32 {
        limit.part(if self.handed_down { 20 } else { 10 })
    }

    /// What has to be stored.
    #[must_use]
    pub const fn reservation(&self) -> Reservation {
        self.stored
    }

    fn run(&self, limit: Limit, now_ms: u64) -> Running {
        let window = limit.window_ms().max(1);
        let Some(running) = self.running else {
            let stored = self.stored;
            if stored.start_ms == 0 {
                let used = if self.fresh { 0 } else { self.unwritten(limit) };
                return Running { start_ms: now_ms, used, resumed: false };
            }
            let windows = now_ms.saturating_sub(stored.start_ms) / window;
            let start_ms = stored.start_ms.saturating_add(windows * window);
            let reserved = if windows == 0 { stored.reserved } else { 0 };
            return Running { start_ms, used: reserved.max(self.unwritten(limit)), resumed: windows == 0 };
        };
        let windows = now_ms.saturating_sub(running.start_ms) / window;
        if windows == 0 {
            return running;
        }
        Running { start_ms: running.start_ms.saturating_add(windows * window), used: 0, resumed: false }
    }

    /// Where the caller stands at `now_ms`, without a use.
    #[must_use]
    pub fn look(&self, limit: Limit, now_ms: u64) -> Standing {
        let running = self.run(limit, now_ms);
        standing(limit, running.used, running.start_ms, now_ms.max(running.start_ms))
    }

    /// Asks for one use at `now_ms`. A clock that ran backwards counts as zero time passed.
    pub fn take(&mut self, limit: Limit, now_ms: u64) -> Use {
        self.take_some(limit, 1, now_ms).1
    }

    /// Asks for up to so many uses, at least one; with how many were granted.
    fn take_some(&mut self, limit: Limit, want: u32, now_ms: u64) -> (u32, Use) {
        let mut running = self.run(limit, now_ms);
        let now_ms = now_ms.max(running.start_ms);
        let uses = want.max(1).min(limit.limit.saturating_sub(running.used));
        if uses == 0 {
            self.running = Some(running);
            return (0, Use::Refused(standing(limit, running.used, running.start_ms, now_ms)));
        }
        running.used += uses;
        let reserved = if self.stored.start_ms == running.start_ms { self.stored.reserved } else { 0 };
        let write = running.used > reserved.max(self.unwritten(limit));
        if write {
            self.stored = Reservation { start_ms: running.start_ms, reserved: running.reserve(limit) };
        }
        self.running = Some(running);
        (uses, Use::Granted { write, standing: standing(limit, running.used, running.start_ms, now_ms) })
    }
}

/// The counters of one caller under [`Rates`]: a use counts in both windows or in neither.
#[derive(Clone, Debug, Default)]
pub struct Meter {
    window: BlockWindow,
    burst: BlockWindow,
}

impl Meter {
    /// The counters of a grant made by this very instance.
    #[must_use]
    pub const fn fresh() -> Self {
        Self { window: BlockWindow::fresh(), burst: BlockWindow::fresh() }
    }

    /// The counters of an object that was restarted with these reservations.
    #[must_use]
    pub const fn resumed(window: Reservation, burst: Reservation) -> Self {
        Self { window: BlockWindow::resumed(window), burst: BlockWindow::resumed(burst) }
    }

    /// What has to be stored: of the window and of the shorter one.
    #[must_use]
    pub const fn reservations(&self) -> (Reservation, Reservation) {
        (self.window.reservation(), self.burst.reservation())
    }

    /// Where the caller stands, without a use: told of the window that would refuse, else of the longer one.
    #[must_use]
    pub fn look(&self, rates: Rates, now_ms: u64) -> Standing {
        let long = self.window.look(rates.rate, now_ms);
        let short = rates.burst.map(|limit| self.burst.look(limit, now_ms));
        match short {
            Some(short) if short.remaining == 0 && (long.remaining > 0 || short.reset_s > long.reset_s) => short,
            _ => long,
        }
    }

    /// Asks for one use. Where the caller stands is told of the longer window; a refusal, of the one that
    /// refuses.
    pub fn take(&mut self, rates: Rates, now_ms: u64) -> Use {
        let Some(limit) = rates.burst else { return self.window.take(rates.rate, now_ms) };
        let mut tried = self.clone();
        let (long, short) = (tried.window.take(rates.rate, now_ms), tried.burst.take(limit, now_ms));
        match (long, short) {
            (Use::Granted { write: a, standing }, Use::Granted { write: b, .. }) => {
                *self = tried;
                Use::Granted { write: a || b, standing }
            }
            (Use::Refused(long), Use::Refused(short)) => Use::Refused(if short.reset_s > long.reset_s { short } else { long }),
            (Use::Refused(standing), _) | (_, Use::Refused(standing)) => Use::Refused(standing),
        }
    }
}

/// A counter that is stored with every use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// Milliseconds since 1970.
    pub start_ms: u64,
    /// Uses since then.
    pub used: u32,
}

impl Window {
    /// Asks for one use; on refusal nothing changed.
    pub fn take(&mut self, limit: Limit, now_ms: u64) -> Result<Standing, Standing> {
        let now_ms = now_ms.max(self.start_ms);
        let over = now_ms - self.start_ms >= limit.window_ms();
        let current = if over { Self { start_ms: now_ms, used: 0 } } else { *self };
        if current.used >= limit.limit {
            return Err(standing(limit, current.used, current.start_ms, now_ms));
        }
        *self = Self { start_ms: current.start_ms, used: current.used + 1 };
        Ok(standing(limit, self.used, self.start_ms, now_ms))
    }

    /// Takes a use back: what was asked for in advance turned out not to count.
    pub const fn give_back(&mut self) {
        self.used = self.used.saturating_sub(1);
    }

    /// Whether nothing of it matters any more.
    #[must_use]
    pub const fn over(&self, limit: Limit, now_ms: u64) -> bool {
        now_ms.saturating_sub(self.start_ms) >= limit.window_ms()
    }
}

#[cfg(test)]
mod tests;
