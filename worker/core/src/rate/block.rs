//! Limits wider than a grant: one counter for many isolates, which hands blocks of its window down.
//!
//! [`Counter`] is the object's side. It counts what it has handed down as used, with the write-saving
//! scheme of [`super::BlockWindow`]: the first twentieth of a window is not written and assumed after a
//! restart; above that, uses are reserved in blocks of a twentieth before they are handed down. So in
//! no window more uses are handed down than the limit, also when the object is evicted at any moment,
//! and evictions cost less than 10 % of a window.
//!
//! [`Held`] is what an isolate has of one counter: a block. A block lasts, on the isolate's own clock,
//! from before the request was sent for as long as the object's window had left when it answered, so it
//! never outlives the window. Beyond the uses that are wanted now an isolate asks for a twentieth of
//! those it has made: what idle isolates hold is at most 5 % of what was used, however many there are.
//! So at least 85 % of a limit can be used in any pattern.
//!
//! [`Refusal`] is how an isolate remembers a limit's refusal, of a grant's own limit too.

use serde::{Deserialize, Serialize};

use super::{BlockWindow, Limit, Reservation, Standing, Use};

/// Uses of one window, handed down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Block {
    /// How many; at least 1.
    pub uses: u32,
    /// The start of the window on the object's clock, which names it.
    pub start_ms: u64,
    /// Milliseconds until the window's end.
    pub left_ms: u64,
}

/// The counter of a limit wider than a grant.
#[derive(Clone, Debug)]
pub struct Counter(BlockWindow);

impl Counter {
    /// The counter of an object that stored this; the default when it stored nothing.
    #[must_use]
    pub const fn resumed(stored: Reservation) -> Self {
        Self(BlockWindow { handed_down: true, ..BlockWindow::resumed(stored) })
    }

    /// What has to be stored.
    #[must_use]
    pub const fn reservation(&self) -> Reservation {
        self.0.reservation()
    }

    /// Hands down up to `want` uses, at least one, and says whether the counter must be stored before
    /// the answer leaves.
    ///
    /// # Errors
    /// None are left; nothing changed.
    pub fn hand_down(&mut self, limit: Limit, want: u32, now_ms: u64) -> Result<(Block, bool), Standing> {
        match self.0.take_some(limit, want, now_ms) {
            (_, Use::Refused(standing)) => Err(standing),
            (uses, Use::Granted { write, standing }) => {
                let start_ms = self.0.running.map_or(now_ms, |running| running.start_ms);
                Ok((Block { uses, start_ms, left_ms: standing.left_ms }, write))
            }
        }
    }

    /// Takes uses of a window back that were handed down and not made, and says whether the counter must
    /// be stored: an eviction would take them for used.
    pub fn take_back(&mut self, limit: Limit, start_ms: u64, uses: u32) -> bool {
        let Some(running) = self.0.running.as_mut().filter(|running| running.start_ms == start_ms) else { return false };
        running.used = running.used.saturating_sub(uses);
        let reserved = running.reserve(limit);
        let lower = self.0.stored.start_ms == start_ms && self.0.stored.reserved > reserved;
        if lower {
            self.0.stored.reserved = reserved;
        }
        lower
    }
}

/// A use taken from a counter: the window it is of, to give it back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// The window's start on the object's clock.
    pub start_ms: u64,
}

/// What a counter's isolate does about one use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// It is granted out of the block.
    Granted(Taken),
    /// It is refused, from memory.
    Refused(Refusal),
    /// The object is to be asked for so many.
    Ask(u32),
}

/// After this long an answer that did not come is not waited for.
const ASKING_MS: u64 = 10_000;

/// What an isolate holds of one counter. Times are of the isolate's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct Held {
    start_ms: u64,
    since_ms: u64,
    until_ms: u64,
    left: u32,
    used: u32,
    /// Since when more than one use is being asked for.
    asking_ms: Option<u64>,
    /// Since when a surplus is on its way back.
    returning_ms: Option<u64>,
    refusal: Option<Refusal>,
}

impl Held {
    /// Whether nothing of it matters any more. A clock that ran backwards ends it: how long it still
    /// lasts cannot be told.
    #[must_use]
    pub fn over(&self, now_ms: u64) -> bool {
        let lasts = (self.since_ms..self.until_ms).contains(&now_ms);
        !lasts && self.refusal.is_none_or(|refusal| !refusal.holds(now_ms))
    }

    fn roll(&mut self, now_ms: u64) {
        if !(self.since_ms..self.until_ms).contains(&now_ms) {
            (self.left, self.used) = (0, 0);
        }
        let waits = |since_ms: &u64| now_ms.checked_sub(*since_ms).is_some_and(|age_ms| age_ms < ASKING_MS);
        self.asking_ms = self.asking_ms.filter(waits);
        self.returning_ms = self.returning_ms.filter(waits);
    }

    /// One use at `now_ms`. Of requests that run at once, one asks for more than its own use.
    pub fn take(&mut self, now_ms: u64) -> Next {
        self.roll(now_ms);
        if self.left > 0 {
            self.left -= 1;
            self.used += 1;
            return Next::Granted(Taken { start_ms: self.start_ms });
        }
        if let Some(refusal) = self.refusal.filter(|refusal| refusal.holds(now_ms)) {
            return Next::Refused(refusal);
        }
        let more = if self.asking_ms.is_some() { 0 } else { self.used.saturating_add(1) / 20 };
        if more > 0 {
            self.asking_ms = Some(now_ms);
        }
        Next::Ask(more + 1)
    }

    /// The object's answer to [`Next::Ask`] with `want` uses, asked at `asked_ms`: one of them is made
    /// now, whenever the answer came, for the object has counted it in its window.
    pub fn receive(&mut self, block: Block, want: u32, asked_ms: u64, now_ms: u64) -> Taken {
        self.answered(want);
        self.roll(now_ms);
        let until_ms = asked_ms.saturating_add(block.left_ms);
        let taken = Taken { start_ms: block.start_ms };
        let spare = block.uses.saturating_sub(1);
        if !(asked_ms..until_ms).contains(&now_ms) {
            return taken;
        }
        let lasts = (self.since_ms..self.until_ms).contains(&now_ms);
        if lasts && block.start_ms == self.start_ms {
            self.left = self.left.saturating_add(spare);
            self.used = self.used.saturating_add(1);
            self.until_ms = self.until_ms.max(until_ms);
        } else if !lasts || block.start_ms > self.start_ms {
            (self.start_ms, self.since_ms, self.until_ms) = (block.start_ms, asked_ms, until_ms);
            (self.left, self.used, self.refusal) = (spare, 1, None);
        }
        taken
    }

    /// The object refuses.
    pub const fn refuse(&mut self, refusal: Refusal, want: u32) {
        self.answered(want);
        self.refusal = Some(refusal);
    }

    /// The object did not answer.
    pub const fn answered(&mut self, want: u32) {
        if want > 1 {
            self.asking_ms = None;
        }
    }

    /// Gives a use back that was not made after all.
    pub fn give_back(&mut self, taken: Taken, now_ms: u64) {
        self.roll(now_ms);
        if self.start_ms == taken.start_ms && (self.since_ms..self.until_ms).contains(&now_ms) {
            self.left = self.left.saturating_add(1);
            self.used = self.used.saturating_sub(1);
        }
    }

    /// Uses beyond a twentieth of those made, once some were given back: they go back to the object, one
    /// request at a time. `None` when there are none, or a request is under way.
    pub fn surplus(&mut self, now_ms: u64) -> Option<(Taken, u32)> {
        self.roll(now_ms);
        let surplus = self.left.saturating_sub(self.used / 20);
        if surplus == 0 || self.returning_ms.is_some() {
            return None;
        }
        self.left -= surplus;
        self.returning_ms = Some(now_ms);
        Some((Taken { start_ms: self.start_ms }, surplus))
    }

    /// The surplus has gone back, or is lost.
    pub const fn returned(&mut self) {
        self.returning_ms = None;
    }
}

/// A refusal as an isolate remembers it, on its own clock.
///
/// The window's end lies between the time left counted from before the object was asked and from after
/// it answered. Until the earlier one the answer comes from memory, so that no use of the next window is
/// refused; what is told is the later one, so that waiting that long works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    limit: u32,
    asked_ms: u64,
    holds_until_ms: u64,
    end_ms: u64,
}

impl Refusal {
    /// A limit's refusal that was asked for at `asked_ms` and answered at `now_ms`.
    #[must_use]
    pub const fn new(standing: Standing, asked_ms: u64, now_ms: u64) -> Self {
        let left_ms = standing.left_ms;
        Self { limit: standing.limit, asked_ms, holds_until_ms: asked_ms.saturating_add(left_ms), end_ms: now_ms.saturating_add(left_ms) }
    }

    /// Whether the limit refuses at `now_ms` for certain.
    #[must_use]
    pub fn holds(&self, now_ms: u64) -> bool {
        (self.asked_ms..self.holds_until_ms).contains(&now_ms)
    }

    /// What the caller is told at `now_ms`.
    #[must_use]
    pub fn standing(&self, now_ms: u64) -> Standing {
        Standing::new(self.limit, 0, self.end_ms.saturating_sub(now_ms))
    }

    /// The one of two that refuses longer.
    #[must_use]
    pub const fn longer(self, other: Option<Self>) -> Self {
        match other {
            Some(other) if other.end_ms > self.end_ms => other,
            _ => self,
        }
    }
}

#[cfg(test)]
mod tests;
