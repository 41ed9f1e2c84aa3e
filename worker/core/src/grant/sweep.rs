//! The alarm: forget what is over, and at last the object itself.
//!
//! A claimed code stays listed until its own end and two minutes. A family's row goes 20 minutes (the
//! longest code life, doubled) after it ended, the object 20 minutes after its last claim, end or live
//! family, so that no code in flight meets an object that has forgotten its end (attack A3). The alarm
//! is not moved by refreshes: it fires, looks, and is set again.

use super::{Family, Grant};

const CODE_GRACE_S: u64 = 120;
const WIPE_AFTER_MS: u64 = 20 * 60 * 1000;
/// The alarm looks at least this often while a family without an end lives.
const LONGEST_SLEEP_MS: u64 = 30 * 86_400_000;

/// What the alarm does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sweep {
    /// Delete everything: nothing of this grant matters any more.
    Wipe,
    /// Delete these families' rows and come back.
    Keep {
        /// Rows to delete.
        delete: Vec<u32>,
        /// Milliseconds until the next look.
        again_ms: u64,
    },
}

impl Grant {
    /// When a claim or an end should make the alarm fire, in milliseconds from now.
    #[must_use]
    pub const fn first_alarm_ms() -> u64 {
        WIPE_AFTER_MS + 60_000
    }

    /// Decides at an alarm. `idle_s` and `absolute_s` are the policy's lives; 0 is none.
    #[must_use]
    pub fn sweep(&self, now_ms: u64, idle_s: u64, absolute_s: u64) -> Sweep {
        let end_ms = |family: &Family| {
            if family.ended {
                family.used_ms
            } else if family.seq <= self.row.ended_seq {
                self.row.active_ms
            } else {
                family_end_ms(family, idle_s, absolute_s)
            }
        };
        let forgotten = |end_ms: u64| end_ms.saturating_add(WIPE_AFTER_MS) <= now_ms;
        let code_over = |family: &Family| family.code_expires_s.saturating_add(CODE_GRACE_S).saturating_mul(1000) <= now_ms;
        let (mut delete, keep): (Vec<_>, Vec<_>) =
            self.families.iter().partition(|(_, family)| forgotten(end_ms(family)) && code_over(family));
        if keep.is_empty() && forgotten(self.row.active_ms) {
            return Sweep::Wipe;
        }
        // The newest consent's number is what the install's row waits for when the last family ends.
        let newest = self.families.values().map(|family| family.seq).max();
        delete.retain(|(_, family)| family.is_key() || Some(family.seq) != newest);
        let next_ms = keep.iter().map(|(_, family)| end_ms(family).saturating_add(WIPE_AFTER_MS).saturating_sub(now_ms)).min();
        let again_ms = next_ms.unwrap_or(WIPE_AFTER_MS).clamp(WIPE_AFTER_MS, LONGEST_SLEEP_MS);
        let delete = delete.into_iter().map(|(number, _)| *number).collect();
        Sweep::Keep { delete, again_ms }
    }

    /// Forgets the rows that a sweep deleted.
    pub fn forget(&mut self, deleted: &[u32]) {
        for number in deleted {
            self.families.remove(number);
            self.family_api.remove(number);
            self.used_day.remove(number);
        }
    }
}

/// When the family is over by itself, in milliseconds.
fn family_end_ms(family: &Family, idle_s: u64, absolute_s: u64) -> u64 {
    if family.is_key() {
        // Neither disuse nor the lives of refresh tokens end an API key.
        return family.end_s(0).saturating_mul(1000);
    }
    let idle = if idle_s == 0 { u64::MAX } else { family.used_ms.saturating_add(idle_s.saturating_mul(1000)) };
    // An access token may outlive the idle end of its family.
    let access = family.answer.issued_s.saturating_add(u64::from(family.answer.access_s)).saturating_mul(1000);
    family.end_s(absolute_s).saturating_mul(1000).min(idle).max(access)
}
