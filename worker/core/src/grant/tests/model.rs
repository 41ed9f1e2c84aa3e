//! What the design says about a grant, in the plainest words: a list of everything that was ever
//! handed out, with what became of it. No counters, floors or numbers: tokens are texts, and what
//! happened to them is a list of times. Written from the design, not from the code.

use std::collections::BTreeMap;

use super::Kind;
use crate::policy::{Reach, Rotation};

/// A token that was handed out once.
#[derive(Clone, Debug)]
pub(super) struct Token {
    pub(super) family: usize,
    pub(super) kind: Kind,
    pub(super) scope: String,
    pub(super) expires_s: u64,
    /// Taken back by itself or with its pair.
    pub(super) dead: bool,
}

#[derive(Clone, Debug)]
pub(super) struct Family {
    pub(super) seq: u64,
    created_ms: u64,
    end_s: Option<u64>,
    used_ms: u64,
    killed_ms: Option<u64>,
    /// The live tokens.
    pub(super) refresh: String,
    access: String,
    /// Refresh tokens that were rotated away, the oldest first, and when.
    replaced: Vec<(String, u64)>,
    /// When refreshes were counted.
    counted: Vec<u64>,
    refreshed: bool,
}

/// A code and the family that it made.
#[derive(Clone, Debug)]
pub(super) struct Code {
    pub(super) seq: u64,
    pub(super) expires_s: u64,
    pub(super) family: Option<usize>,
}

/// The policy of a history.
#[derive(Clone, Debug)]
pub(super) struct Rules {
    pub(super) retry_ms: u64,
    pub(super) idle_s: u64,
    pub(super) absolute_s: u64,
    pub(super) access_s: u64,
    pub(super) refreshes: u32,
    pub(super) families_max: usize,
}

/// What must happen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Texts that were never seen before, except the refresh token when it is named here.
    New {
        family: usize,
        refresh: Option<String>,
        scope: String,
        access_end_s: u64,
    },
    /// Exactly these texts.
    Same {
        access: String,
        refresh: String,
    },
    Accepted {
        scope: String,
    },
    Limited,
    /// Refused, and the family ends; with the consent number when nothing lives any more.
    Ends(Option<u64>),
    Revoked(Option<u64>),
    /// Refused, and nothing changes.
    No,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Model {
    pub(super) tokens: BTreeMap<String, Token>,
    pub(super) families: Vec<Family>,
    pub(super) codes: Vec<Code>,
    ended_seq: u64,
    last_end_ms: u64,
}

/// A clock that ran backwards counts as zero time.
const fn since(then: u64, now: u64) -> u64 {
    now.saturating_sub(then)
}

impl Model {
    /// Neither killed nor covered by an end.
    pub(super) fn lives(&self, family: usize) -> bool {
        let family = &self.families[family];
        family.killed_ms.is_none() && family.seq > self.ended_seq
    }

    fn kill(&mut self, family: usize, now: u64) -> Option<u64> {
        self.families[family].killed_ms = Some(now);
        let any = (0..self.families.len()).any(|family| self.lives(family));
        self.families.iter().map(|family| family.seq).max().filter(|_| !any)
    }

    /// When age ends a family, in milliseconds.
    fn absolute_ms(family: &Family, rules: &Rules) -> u64 {
        let policy = if rules.absolute_s == 0 { u64::MAX } else { (family.created_ms / 1000 + rules.absolute_s) * 1000 };
        family.end_s.map_or(u64::MAX, |end| end * 1000).min(policy)
    }

    pub(super) fn over(&self, family: usize, rules: &Rules, now: u64) -> bool {
        let family = &self.families[family];
        let idle = rules.idle_s != 0 && since(family.used_ms, now) > rules.idle_s * 1000;
        idle || now >= Self::absolute_ms(family, rules)
    }

    fn access_end_s(family: &Family, rules: &Rules, now: u64) -> u64 {
        (now / 1000 + rules.access_s).min(Self::absolute_ms(family, rules) / 1000)
    }

    /// A redemption that the edge let through: the code is authentic and not over.
    pub(super) fn claim(&mut self, code: usize, proves: bool, rules: &Rules, now: u64, order: impl Fn(&str) -> u32) -> Verdict {
        let Code { seq, family, .. } = self.codes[code].clone();
        if let Some(family) = family {
            return match (proves, self.families[family].killed_ms) {
                (true, None) => Verdict::Ends(self.kill(family, now)),
                _ => Verdict::No,
            };
        }
        if seq <= self.ended_seq {
            return Verdict::No;
        }
        let live: Vec<usize> = (0..self.families.len()).filter(|family| self.lives(*family)).collect();
        if live.len() >= rules.families_max {
            let oldest = live.into_iter().min_by_key(|at| (self.families[*at].used_ms, order(&self.families[*at].refresh))).unwrap();
            self.kill(oldest, now);
        }
        let end_s = (rules.absolute_s != 0).then(|| now / 1000 + rules.absolute_s);
        let family = Family {
            seq,
            created_ms: now,
            end_s,
            used_ms: now,
            killed_ms: None,
            refresh: String::new(),
            access: String::new(),
            replaced: Vec::new(),
            counted: Vec::new(),
            refreshed: false,
        };
        let access_end_s = Self::access_end_s(&family, rules, now);
        self.families.push(family);
        self.codes[code].family = Some(self.families.len() - 1);
        Verdict::New { family: self.families.len() - 1, refresh: None, scope: "a b c".into(), access_end_s }
    }

    /// Notes what was handed out.
    pub(super) fn handed_out(&mut self, family: usize, access: &str, refresh: &str, scope: &str, access_end_s: u64) {
        let token = |kind, expires_s| Token { family, kind, scope: scope.into(), expires_s, dead: false };
        self.tokens.insert(access.into(), token(Kind::Access, access_end_s));
        self.tokens.entry(refresh.into()).or_insert_with(|| token(Kind::Refresh, 0));
        self.families[family].access = access.into();
        self.families[family].refresh = refresh.into();
    }

    /// `Some(true)` for a duplicate, `Some(false)` for a replay, `None` for what cannot be told.
    fn duplicate(family: &Family, token: &str, rules: &Rules, now: u64) -> Option<bool> {
        let inside = |at: u64| rules.retry_ms > 0 && since(at, now) <= rules.retry_ms;
        let behind: Vec<&(String, u64)> = family.replaced.iter().rev().collect();
        let place = behind.iter().position(|(text, _)| text == token).unwrap();
        if place < 4 { Some(inside(behind[place].1)) } else { (!inside(behind[3].1)).then_some(false) }
    }

    pub(super) fn refresh(&mut self, token: &str, scope: Option<&str>, rotation: Rotation, rules: &Rules, now: u64) -> Verdict {
        let at = self.tokens[token].family;
        if self.tokens[token].kind != Kind::Refresh || !self.lives(at) {
            return Verdict::No;
        }
        let family = &self.families[at];
        let stays = rotation == Rotation::Static;
        let retry = if family.refresh == token {
            stays && family.refreshed && rules.retry_ms > 0 && since(family.used_ms, now) <= rules.retry_ms
        } else {
            match Self::duplicate(family, token, rules, now) {
                None => return Verdict::No,
                Some(false) => return Verdict::Ends(self.kill(at, now)),
                Some(true) => true,
            }
        };
        let asked = scope.unwrap_or("a b c");
        if self.over(at, rules, now) || asked.split(' ').any(|name| !["a", "b", "c"].contains(&name)) {
            return Verdict::No;
        }
        let family = &mut self.families[at];
        let access_end_s = Self::access_end_s(family, rules, now);
        let new = |refresh| Verdict::New { family: at, refresh, scope: asked.into(), access_end_s };
        if retry {
            if self.tokens[&family.access].dead {
                return new(Some(family.refresh.clone()));
            }
            return Verdict::Same { access: family.access.clone(), refresh: family.refresh.clone() };
        }
        // Windows of a minute, laid from the first use after the last.
        let (mut start, mut count) = (0, 0);
        for use_ms in &family.counted {
            (start, count) = if since(start, *use_ms) >= 60_000 { (*use_ms, 1) } else { (start, count + 1) };
        }
        if since(start, now) < 60_000 && count >= rules.refreshes {
            return Verdict::Limited;
        }
        family.counted.push(now);
        family.used_ms = family.used_ms.max(now);
        family.refreshed = true;
        if rotation == Rotation::RotateAndEndPair {
            let pairs = self.tokens.values_mut().filter(|other| other.family == at && other.kind == Kind::Access);
            pairs.for_each(|other| other.dead = true);
        }
        if stays {
            return new(Some(token.into()));
        }
        family.replaced.push((token.into(), now));
        new(None)
    }

    /// A use that the edge let through: not expired.
    pub(super) fn check(&self, token: &str) -> Verdict {
        let token = &self.tokens[token];
        if token.kind != Kind::Access || token.dead || !self.lives(token.family) {
            return Verdict::No;
        }
        Verdict::Accepted { scope: token.scope.clone() }
    }

    pub(super) fn revoke(&mut self, token: &str, reach: Reach, now: u64) -> Verdict {
        let Token { family, kind, .. } = self.tokens[token];
        if !self.lives(family) {
            return Verdict::No;
        }
        let seq = self.families[family].seq;
        match reach {
            Reach::Grant => {
                self.end(seq, now);
                Verdict::Revoked(Some(seq))
            }
            Reach::Token if kind == Kind::Access => {
                self.tokens.get_mut(token).unwrap().dead = true;
                Verdict::Revoked(None)
            }
            _ => Verdict::Revoked(self.kill(family, now)),
        }
    }

    pub(super) fn end(&mut self, seq: u64, now: u64) {
        self.ended_seq = self.ended_seq.max(seq);
        self.last_end_ms = self.last_end_ms.max(now);
    }

    /// Whether everything of a family has been over for 20 minutes and its code for two.
    pub(super) fn may_forget(&self, family: usize, rules: &Rules, now: u64) -> bool {
        const TWENTY_MINUTES: u64 = 1_200_000;
        let code = self.codes.iter().find(|code| code.family == Some(family)).unwrap();
        let quiet = if self.lives(family) {
            let mut access = self.tokens.values().filter(|token| token.family == family && token.kind == Kind::Access);
            access.all(|token| token.expires_s * 1000 <= now) && self.over(family, rules, now.saturating_sub(TWENTY_MINUTES) + 1)
        } else {
            since(self.families[family].killed_ms.unwrap_or(self.last_end_ms), now) >= TWENTY_MINUTES
        };
        quiet && (code.expires_s + 120) * 1000 <= now
    }

    pub(super) fn may_wipe(&self, rules: &Rules, now: u64) -> bool {
        (0..self.families.len()).all(|family| self.may_forget(family, rules, now)) && since(self.last_end_ms, now) >= 1_200_000
    }

    /// What was forgotten is over for good.
    pub(super) fn forgotten(&mut self, family: usize) {
        self.families[family].killed_ms.get_or_insert(0);
    }
}
