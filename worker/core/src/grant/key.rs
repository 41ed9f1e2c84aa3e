//! API keys: tokens of an account itself, in a grant of its own that no app shares.
//!
//! A key is a family of one token: own secret, own scope, own end. No idle life ends it, no other key
//! pushes it out, and the consent numbers of apps never reach it: the time at which it was asked for, in
//! milliseconds, stands in their place. Its token takes the path of access tokens (owner, tag, life,
//! scope, limit), and no client can refresh or revoke it: none has [`NO_APP`].

use super::{Answer, Decision, Family, Grant, IssueKey, LastAnswer, Random, Refused, Write, secret_of};
use crate::credential::{Kind, NO_APP, Payload, Token, family_tag};
use crate::encoding::sha256;
use crate::rate::{Meter, Reservation, Window};

impl Family {
    /// Whether it is an API key, which belongs to no app.
    #[must_use]
    pub const fn is_key(&self) -> bool {
        self.app == NO_APP
    }
}

impl Grant {
    pub(super) fn issue_key(&mut self, ask: &IssueKey, now_ms: u64, random: &Random) -> Decision {
        if let Some(family) = self.families.get(&ask.family) {
            // A retry after a lost answer gets the same key: every byte is derived.
            return match self.key_token(ask, family) {
                _ if family.code_hash != sha256(&ask.id) => Decision::refused(Refused::Full),
                Some(token) => Decision::only(Answer::KeyIssued(token)),
                None => Decision::refused(Refused::Gone),
            };
        }
        if ask.seq <= self.row.ended_seq {
            return Decision::refused(Refused::ConsentEnded);
        }
        if self.live_keys(now_ms) >= ask.max as usize {
            return Decision::refused(Refused::KeysFull);
        }
        let family = new_key(ask, now_ms, random);
        let token = self.key_token(ask, &family);
        self.families.insert(ask.family, family);
        self.family_api.insert(ask.family, Meter::fresh());
        let answer = token.map_or(Answer::Refused(Refused::Gone), Answer::KeyIssued);
        Decision { answer, writes: vec![Write::Family(ask.family)] }
    }

    /// Ends one key. Of the keys beside it nothing is touched.
    pub(super) fn end_key(&mut self, number: u32, now_ms: u64) -> Decision {
        match self.families.get_mut(&number) {
            Some(family) if family.is_key() && !family.ended => {
                family.finish(now_ms);
                Decision { answer: Answer::Ended, writes: vec![Write::Family(number)] }
            }
            _ => Decision::only(Answer::Ended),
        }
    }

    fn live_keys(&self, now_ms: u64) -> usize {
        let lives = |family: &&Family| !family.ended && family.seq > self.row.ended_seq && family.end_s(0) > now_ms / 1000;
        self.families.values().filter(lives).count()
    }

    /// The token of a live key.
    fn key_token(&self, ask: &IssueKey, family: &Family) -> Option<Token> {
        if family.ended || family.seq <= self.row.ended_seq {
            return None;
        }
        let payload = Payload {
            kind: Kind::Key,
            key_id: family.answer.key_id,
            app: NO_APP,
            grant: ask.grant,
            family: ask.family,
            number: family.answer.serial,
            scope_set: 0,
            expires_s: family.absolute_end_s,
        };
        Some(Token { payload, tag: family_tag(&family.secret, &self.issuer, &payload) })
    }

    /// Whether this is the first use of a day that D1 has not been told of by this instance.
    pub(super) fn first_use(&mut self, number: u32, now_ms: u64) -> bool {
        let today = now_ms / 86_400_000;
        self.used_day.insert(number, today) != Some(today)
    }
}

fn new_key(ask: &IssueKey, now_ms: u64, random: &Random) -> Family {
    Family {
        secret: secret_of(random),
        ended: false,
        seq: ask.seq,
        app: NO_APP,
        account: ask.account.clone(),
        account_name: ask.account_name.clone(),
        user: ask.user.clone(),
        scope: ask.scope.clone(),
        scope_sets: Vec::new(),
        created_ms: now_ms,
        absolute_end_s: ask.expires_s,
        used_ms: now_ms,
        generation: 0,
        rotated_ms: [0; 4],
        answer: LastAnswer { serial: 0, issued_s: now_ms / 1000, access_s: 0, key_id: ask.key_id, scope_set: 0 },
        serial_floor: 0,
        revoked: Vec::new(),
        refreshes: Window::default(),
        api: Reservation::default(),
        // No code made it: what tells a retry from another key stands here.
        code_hash: sha256(&ask.id),
        code_challenge: None,
        code_redirect: [0; 32],
        code_expires_s: 0,
        burst: Reservation::default(),
    }
}
