//! Redemption of a code (RFC 6749 §4.1.3): at most once, whatever runs in parallel.

use super::{Answer, Claim, Decision, Family, Grant, Held, Issued, LastAnswer, Random, Refused, Write, secret_of};
use crate::credential::{GrantId, Kind, Payload, Token, family_tag};
use crate::rate::{Meter, Reservation, Window};

impl Grant {
    pub(super) fn claim(&mut self, claim: &Claim, now_ms: u64, random: &Random) -> Decision {
        let known = self.families.iter().find(|(_, family)| family.code_hash == claim.code_hash).map(|(number, _)| *number);
        if let Some(number) = known {
            return self.claimed_again(number, claim, now_ms);
        }
        let Some(held) = &claim.held else { return Decision::refused(Refused::CodeUnknown) };
        if held.seq <= self.row.ended_seq {
            return Decision::refused(Refused::ConsentEnded);
        }
        let Some(number) = self.unused_number(random) else { return Decision::refused(Refused::Full) };
        let mut writes = self.make_room(claim.families_max, now_ms);
        self.families.insert(number, new_family(claim, held, now_ms, random));
        self.family_api.insert(number, Meter::fresh());
        writes.push(Write::Family(number));
        Decision { answer: self.issue(number, claim.grant, true), writes }
    }

    /// RFC 6749 §4.1.2: a second *valid* use revokes what the first produced; an invalid one changes
    /// nothing (OAuth 2.1 §7.5.2), or a stolen code without its verifier could log a person out.
    fn claimed_again(&mut self, number: u32, claim: &Claim, now_ms: u64) -> Decision {
        let Some(family) = self.families.get(&number) else { return Decision::refused(Refused::CodeClaimed) };
        let valid = family.app == claim.app && family.code_challenge == claim.challenge && family.code_redirect == claim.redirect;
        if !valid {
            return Decision::refused(Refused::CodeClaimed);
        }
        if family.ended {
            return Decision::refused(Refused::CodeReplayed { ended: None });
        }
        let (ended, writes) = self.finish(number, now_ms);
        Decision { answer: Answer::Refused(Refused::CodeReplayed { ended }), writes }
    }

    /// Ends one family. When it was the last live one: the newest consent number of all, for the
    /// install's row. This family's own number may be lower, and the row waits for the newest.
    pub(super) fn finish(&mut self, number: u32, now_ms: u64) -> (Option<u64>, Vec<Write>) {
        if let Some(family) = self.families.get_mut(&number) {
            family.finish(now_ms);
        }
        let any_left = self.families.values().any(|family| !family.ended && family.seq > self.row.ended_seq);
        let newest = self.families.values().map(|family| family.seq).max();
        (newest.filter(|_| !any_left), vec![Write::Family(number)])
    }

    /// A random number that no family here has: a token from before a wipe meets another secret.
    fn unused_number(&self, random: &Random) -> Option<u32> {
        let (head, _) = random.split_first_chunk::<4>()?;
        let first = u32::from_be_bytes(*head);
        (0..=1000).map(|step| first.wrapping_add(step)).find(|number| !self.families.contains_key(number))
    }

    /// At the limit of live families the one unused longest ends (attack A35).
    fn make_room(&mut self, families_max: u32, now_ms: u64) -> Vec<Write> {
        let ended_seq = self.row.ended_seq;
        let live: Vec<(u64, u32)> = self
            .families
            .iter()
            .filter(|(_, family)| !family.ended && family.seq > ended_seq)
            .map(|(number, family)| (family.used_ms, *number))
            .collect();
        if live.len() < families_max as usize {
            return Vec::new();
        }
        let Some((_, oldest)) = live.into_iter().min() else { return Vec::new() };
        if let Some(family) = self.families.get_mut(&oldest) {
            family.finish(now_ms);
        }
        vec![Write::Family(oldest)]
    }

    /// The newest answer of a family as tokens: every byte is derived, so a retry gets the same ones.
    pub(super) fn issue(&self, number: u32, grant: GrantId, touch: bool) -> Answer {
        let Some(family) = self.families.get(&number) else { return Answer::Refused(Refused::Gone) };
        let answer = family.answer;
        let tagged = |kind, counter, scope_set, expires_s| {
            let (app, key_id) = (family.app, answer.key_id);
            let payload = Payload { kind, key_id, app, grant, family: number, number: counter, scope_set, expires_s };
            Token { payload, tag: family_tag(&family.secret, &self.issuer, &payload) }
        };
        let access_end = answer.issued_s.saturating_add(u64::from(answer.access_s));
        Answer::Issued(Box::new(Issued {
            access: tagged(Kind::Access, answer.serial, answer.scope_set, access_end),
            refresh: tagged(Kind::Refresh, family.generation, 0, family.absolute_end_s),
            scope: self.scope(family, answer.scope_set).unwrap_or_default(),
            narrowed: answer.scope_set != 0,
            account: family.account.clone(),
            touch,
            retry: false,
        }))
    }
}

fn new_family(claim: &Claim, held: &Held, now_ms: u64, random: &Random) -> Family {
    let now_s = now_ms / 1000;
    // An access token does not outlive the consent it rests on.
    let access_s = match u32::try_from(claim.absolute_s) {
        Ok(left_s) if left_s != 0 => claim.access_s.min(left_s),
        _ => claim.access_s,
    };
    Family {
        secret: secret_of(random),
        ended: false,
        seq: held.seq,
        app: claim.app,
        account: held.account.clone(),
        account_name: held.account_name.clone(),
        user: held.user.clone(),
        scope: held.scope.clone(),
        scope_sets: Vec::new(),
        created_ms: now_ms,
        absolute_end_s: if claim.absolute_s == 0 { 0 } else { now_s.saturating_add(claim.absolute_s) },
        used_ms: now_ms,
        generation: 0,
        rotated_ms: [0; 4],
        answer: LastAnswer { serial: 0, issued_s: now_s, access_s, key_id: claim.key_id, scope_set: 0 },
        serial_floor: 0,
        revoked: Vec::new(),
        refreshes: Window::default(),
        api: Reservation::default(),
        code_hash: claim.code_hash,
        code_challenge: claim.challenge,
        code_redirect: claim.redirect,
        code_expires_s: claim.code_expires_s,
        burst: Reservation::default(),
    }
}
