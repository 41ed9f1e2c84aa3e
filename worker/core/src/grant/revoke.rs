//! Revocation (RFC 7009 §2.1). It asks for authenticity, not for life: an expired or rotated token
//! still ends what it stands for, up to its own consent number (attack A4).

use super::{Answer, Decision, Grant, Refused, Revoke, Write};
use crate::credential::Kind;
use crate::policy::Reach;

/// Revoked access tokens that are remembered one by one; more raise the floor, which may end a live
/// token early and never revives a dead one (attack A36).
const REVOKED_MAX: usize = 64;

impl Grant {
    pub(super) fn revoke(&mut self, ask: &Revoke, now_ms: u64) -> Decision {
        let payload = &ask.token.payload;
        let seq = match self.owned(&ask.token) {
            Ok(family) => family.seq,
            Err(why) => return Decision::refused(why),
        };
        if payload.kind == Kind::Key {
            // No client's, whoever asks: its account ends it.
            return Decision::refused(Refused::NotYours);
        }
        match (ask.reach, payload.kind) {
            (Reach::Grant, _) => {
                // Families of a later consent survive: an app that reconnects and then tidies away
                // its old token must not cut the new connection.
                self.row.ended_seq = self.row.ended_seq.max(seq);
                self.row.active_ms = self.row.active_ms.max(now_ms);
                Decision { answer: Answer::Revoked { ended: Some(seq) }, writes: vec![Write::Grant] }
            }
            (Reach::Token, Kind::Access) => self.revoke_serial(ask, now_ms),
            (Reach::Token | Reach::Family, _) => {
                let (ended, writes) = self.finish(payload.family, now_ms);
                Decision { answer: Answer::Revoked { ended }, writes }
            }
        }
    }

    fn revoke_serial(&mut self, ask: &Revoke, now_ms: u64) -> Decision {
        let payload = &ask.token.payload;
        let Some(family) = self.families.get_mut(&payload.family) else { return Decision::refused(Refused::Gone) };
        let now_s = now_ms / 1000;
        // Two minutes of grace for clocks that differ: an isolate behind may still accept it.
        let gone = |expires_s: u64| expires_s.saturating_add(120) <= now_s;
        if family.serial_dead(payload.number) || payload.number > family.answer.serial || gone(payload.expires_s) {
            return Decision::only(Answer::Revoked { ended: None });
        }
        let floor = family.serial_floor;
        family.revoked.retain(|(serial, expires_s)| *serial >= floor && !gone(*expires_s));
        family.revoked.push((payload.number, payload.expires_s));
        if family.revoked.len() > REVOKED_MAX {
            family.revoked.sort_unstable();
            let (lowest, _) = family.revoked.remove(0);
            family.serial_floor = lowest.saturating_add(1).max(family.serial_floor);
        }
        Decision { answer: Answer::Revoked { ended: None }, writes: vec![Write::Family(payload.family)] }
    }
}
