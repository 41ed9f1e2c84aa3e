//! The alarm: forget what is over, and at last the object itself.
//!
//! A claimed code stays listed until its own end and two minutes; the object is wiped no earlier than
//! 20 minutes (the longest code life, doubled) after its last claim, end or live family, so that no
//! code in flight meets an object that has forgotten its end (attack A3). The alarm is not moved by
//! refreshes: it fires, looks, and is set again.

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
        let dead =
            |family: &Family| family.ended || family.seq <= self.row.ended_seq || family_end_ms(family, idle_s, absolute_s) <= now_ms;
        let delete: Vec<u32> = self
            .families
            .iter()
            .filter(|(_, family)| dead(family) && (family.code_expires_s + CODE_GRACE_S) * 1000 <= now_ms)
            .map(|(number, _)| *number)
            .collect();
        let last_active =
            self.families.values().map(|family| family.created_ms.max(family.used_ms)).max().unwrap_or(0).max(self.row.active_ms);
        let quiet_ms = now_ms.saturating_sub(last_active);
        if delete.len() == self.families.len() && quiet_ms >= WIPE_AFTER_MS {
            return Sweep::Wipe;
        }
        let live_ends = self.families.values().filter(|family| !dead(family)).map(|family| family_end_ms(family, idle_s, absolute_s)).min();
        let again_ms = live_ends.map_or(WIPE_AFTER_MS, |end| end.saturating_sub(now_ms)).clamp(WIPE_AFTER_MS, LONGEST_SLEEP_MS);
        Sweep::Keep { delete, again_ms }
    }

    /// Forgets the rows that a sweep deleted.
    pub fn forget(&mut self, deleted: &[u32]) {
        for number in deleted {
            self.families.remove(number);
            self.family_api.remove(number);
        }
    }
}

/// When the family is over by itself, in milliseconds.
fn family_end_ms(family: &Family, idle_s: u64, absolute_s: u64) -> u64 {
    let after = |from_ms: u64, life_s: u64| if life_s == 0 { u64::MAX } else { from_ms.saturating_add(life_s.saturating_mul(1000)) };
    let own = if family.absolute_end_s == 0 { u64::MAX } else { family.absolute_end_s.saturating_mul(1000) };
    // An access token may outlive the idle end of its family.
    let access = family.answer.issued_s.saturating_add(u64::from(family.answer.access_s)).saturating_mul(1000);
    own.min(after(family.used_ms, idle_s)).min(after(family.created_ms, absolute_s)).max(access)
}
