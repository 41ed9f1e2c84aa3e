//! Use of a refresh token (RFC 6749 §6): rotation, the retry window, replay (RFC 9700 §4.14.2).
//!
//! A generation that is current rotates. One that was rotated away inside the retry window gets the
//! newest answer again, so that two tabs or a lost answer end with the one live token. One rotated
//! away longer ago is theft or a copy: the family ends. Four rotation times are kept; an older
//! generation while all four are inside the window cannot be told apart and is refused without harm.

use super::{Answer, Decision, Family, Grant, LastAnswer, Refresh, Refused, Write};
use crate::credential::{GrantId, Kind};
use crate::oauth::scope::ScopeSet;
use crate::policy::Rotation;

/// Distinct narrowed scopes that a family can have.
const SCOPE_SETS_MAX: usize = 64;

/// What the presented generation means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meaning {
    Current,
    Retry,
    Superseded,
    Replay,
    Ahead,
}

impl Family {
    fn meaning(&self, generation: u32, retry_ms: u32, rotation: Rotation, now_ms: u64) -> Meaning {
        // A clock that ran backwards counts as zero time.
        let inside = |at_ms: u64| at_ms != 0 && now_ms.saturating_sub(at_ms) <= u64::from(retry_ms);
        let [.., oldest] = self.rotated_ms;
        let Some(behind) = self.generation.checked_sub(generation) else { return Meaning::Ahead };
        if behind == 0 {
            // Static: the same token inside the window is a retry and is not counted (attack A37).
            // Serial 0 is the claim's: nothing was refreshed yet.
            let retry = rotation == Rotation::Static && retry_ms > 0 && self.answer.serial > 0 && inside(self.used_ms);
            return if retry { Meaning::Retry } else { Meaning::Current };
        }
        match self.rotated_ms.get(behind as usize - 1) {
            Some(at) if retry_ms > 0 && inside(*at) => Meaning::Retry,
            Some(_) => Meaning::Replay,
            None if retry_ms > 0 && inside(oldest) => Meaning::Superseded,
            None => Meaning::Replay,
        }
    }

    /// Whether its consent counts: it does, unless the app works for one other person only.
    pub(super) fn counts_for(&self, only_user: Option<&str>) -> bool {
        only_user.is_none_or(|only| only == self.user)
    }

    fn over(&self, idle_s: u64, absolute_s: u64, now_ms: u64) -> bool {
        let idle = idle_s != 0 && now_ms.saturating_sub(self.used_ms) > idle_s.saturating_mul(1000);
        idle || self.end_s(absolute_s) <= now_ms / 1000
    }

    /// The number of a scope set, making one when it was not asked for before; `None` when it is
    /// wider than the consent or there are too many.
    fn scope_set(&mut self, asked: Option<&str>) -> Option<u16> {
        let Some(asked) = asked else { return Some(0) };
        let (asked, own) = (ScopeSet::stored(asked), ScopeSet::stored(&self.scope));
        if asked.is_empty() || !asked.within(&own) {
            return None;
        }
        if own.within(&asked) {
            return Some(0);
        }
        let same = |known: &String| {
            let known = ScopeSet::stored(known);
            known.within(&asked) && asked.within(&known)
        };
        let at = match self.scope_sets.iter().position(same) {
            Some(at) => at,
            None if self.scope_sets.len() >= SCOPE_SETS_MAX => return None,
            None => {
                self.scope_sets.push(asked.to_string());
                self.scope_sets.len() - 1
            }
        };
        u16::try_from(at + 1).ok()
    }

    /// A new access serial and, unless the token is static, a new generation. `None` when a counter
    /// is used up.
    fn advance(&mut self, ask: &Refresh, scope_set: u16, now_ms: u64) -> Option<()> {
        let serial = self.answer.serial.checked_add(1)?;
        if ask.rotation != Rotation::Static {
            self.generation = self.generation.checked_add(1)?;
            let [a, b, c, _] = self.rotated_ms;
            self.rotated_ms = [now_ms.max(1), a, b, c];
        }
        self.answer = self.next_answer(ask, serial, ask.key_id, scope_set, now_ms);
        if ask.rotation == Rotation::RotateAndEndPair {
            self.serial_floor = serial;
        }
        self.used_ms = self.used_ms.max(now_ms);
        Some(())
    }

    /// An access token does not outlive the consent it rests on.
    fn next_answer(&self, ask: &Refresh, serial: u32, key_id: u8, scope_set: u16, now_ms: u64) -> LastAnswer {
        let issued_s = now_ms / 1000;
        let left_s = self.end_s(ask.absolute_s).saturating_sub(issued_s);
        let access_s = ask.access_s.min(u32::try_from(left_s).unwrap_or(u32::MAX));
        LastAnswer { serial, issued_s, access_s, key_id, scope_set }
    }

    /// Whether an access token was taken back by itself or with its pair.
    pub(super) fn serial_dead(&self, serial: u32) -> bool {
        serial < self.serial_floor || self.revoked.iter().any(|(dead, _)| *dead == serial)
    }
}

impl Grant {
    pub(super) fn refresh(&mut self, ask: &Refresh, now_ms: u64) -> Decision {
        let payload = &ask.token.payload;
        let family = match self.owned(&ask.token) {
            Ok(family) => family,
            Err(why) => return Decision::refused(why),
        };
        if payload.kind != Kind::Refresh {
            return Decision::refused(Refused::BadTag);
        }
        match family.meaning(payload.number, ask.retry_ms, ask.rotation, now_ms) {
            // Before life: an ancestor tells of a theft however old it and its family are.
            Meaning::Replay => self.replayed(payload.family, now_ms),
            _ if family.over(ask.idle_s, ask.absolute_s, now_ms) => Decision::refused(Refused::Expired),
            _ if !family.counts_for(ask.only_user.as_deref()) => Decision::refused(Refused::NotForThem),
            Meaning::Current => self.rotate(ask, now_ms),
            Meaning::Retry => self.retry(ask, now_ms),
            Meaning::Superseded => Decision::refused(Refused::Superseded),
            Meaning::Ahead => Decision::refused(Refused::Ahead),
        }
    }

    fn replayed(&mut self, number: u32, now_ms: u64) -> Decision {
        let (ended, writes) = self.finish(number, now_ms);
        Decision { answer: Answer::Refused(Refused::RefreshReplayed { ended }), writes }
    }

    fn rotate(&mut self, ask: &Refresh, now_ms: u64) -> Decision {
        let number = ask.token.payload.family;
        let Some(family) = self.families.get(&number) else { return Decision::refused(Refused::Gone) };
        // Everything is tried on a copy: a refusal changes nothing.
        let mut next = family.clone();
        let Some(scope_set) = next.scope_set(ask.scope.as_deref()) else { return Decision::refused(Refused::Scope) };
        if let Err(standing) = next.refreshes.take(ask.rate, now_ms) {
            return Decision::only(Answer::Limited(standing));
        }
        let touch = day(family.used_ms) != day(now_ms);
        if next.advance(ask, scope_set, now_ms).is_none() {
            // A counter at its end: the family ends rather than repeat a number.
            return self.replayed(number, now_ms);
        }
        self.families.insert(number, next);
        Decision { answer: self.issue(number, ask.token.payload.grant, touch), writes: vec![Write::Family(number)] }
    }

    /// A retry passes every check of a first request, gets the newest answer and writes nothing,
    /// unless its access token was revoked since: then the next serial beside the same refresh token
    /// (attack A7).
    fn retry(&mut self, ask: &Refresh, now_ms: u64) -> Decision {
        let (number, grant) = (ask.token.payload.family, ask.token.payload.grant);
        let Some(family) = self.families.get(&number) else { return Decision::refused(Refused::Gone) };
        let mut next = family.clone();
        let Some(scope_set) = next.scope_set(ask.scope.as_deref()) else { return Decision::refused(Refused::Scope) };
        if !family.serial_dead(family.answer.serial) {
            return Decision::only(self.again(number, grant));
        }
        let Some(serial) = next.answer.serial.checked_add(1) else { return Decision::refused(Refused::Expired) };
        next.answer = next.next_answer(ask, serial, next.answer.key_id, scope_set, now_ms);
        self.families.insert(number, next);
        Decision { answer: self.again(number, grant), writes: vec![Write::Family(number)] }
    }

    /// The newest answer, marked as one that was given before.
    fn again(&self, number: u32, grant: GrantId) -> Answer {
        let mut answer = self.issue(number, grant, false);
        if let Answer::Issued(issued) = &mut answer {
            issued.retry = true;
        }
        answer
    }
}

const fn day(ms: u64) -> u64 {
    ms / 86_400_000
}
