//! Token families of one grant: the connection of one account and one app.
//!
//! A `Grant` object is the only writer of its families, so a decision here is atomic: the shell loads
//! the state once, calls [`Grant::decide`], writes the rows it names, and answers. Nothing is awaited
//! between decision and write. A decision that changes anything changes one family row, or the grant's
//! row, or (a claim in a full grant) a family that ends and then the new one; so a fault between two
//! writes leaves no half-written family.
//!
//! The order of questions is the same for all credentials (attacks A6, A10): owner → family tag →
//! replay → rate → rotate. What fails before the tag changes nothing.
//!
//! The account's own API keys are families too, in a grant that no app shares.
//!
//! RFC 6749 §4.1.2 (single use), RFC 9700 §4.14.2 (rotation, replay), RFC 7009 §2.1 (reach).

mod check;
mod claim;
mod command;
mod family;
mod key;
mod refresh;
mod revoke;
mod sweep;
#[cfg(test)]
mod tests;

pub use command::{Answer, Check, Checked, Claim, Command, Held, IssueKey, Issued, Refresh, Refused, Revoke};
pub use family::{Family, GrantRow, LastAnswer, Rows, Withdrawn};
pub use sweep::Sweep;

use std::collections::BTreeMap;

use crate::credential::{Token, family_tag};
use crate::keys::same;
use crate::oauth::scope::ScopeSet;
use crate::rate::Meter;

/// Everything the object knows, as it stands in its rows.
#[derive(Clone, Debug)]
pub struct Grant {
    issuer: String,
    row: GrantRow,
    families: BTreeMap<u32, Family>,
    api: Meter,
    family_api: BTreeMap<u32, Meter>,
    /// Days on which uses of API keys were told; not stored.
    used_day: BTreeMap<u32, u64>,
}

/// A row to write before the answer leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Write {
    /// The grant's own row.
    Grant,
    /// The row of this family.
    Family(u32),
}

/// An answer and what must be stored first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// For the edge.
    pub answer: Answer,
    /// In this order.
    pub writes: Vec<Write>,
}

impl Decision {
    fn only(answer: Answer) -> Self {
        Self { answer, writes: Vec::new() }
    }

    fn refused(why: Refused) -> Self {
        Self::only(Answer::Refused(why))
    }
}

/// Random bytes for one decision: a family number and a family secret.
pub type Random = [u8; 36];

/// The family secret among them.
fn secret_of(random: &Random) -> [u8; 32] {
    let mut secret = [0; 32];
    for (to, from) in secret.iter_mut().zip(random.iter().skip(4)) {
        *to = *from;
    }
    secret
}

impl Grant {
    /// A grant that has no rows yet: nothing was ever claimed or ended here.
    #[must_use]
    pub fn new(issuer: String) -> Self {
        let (families, family_api, used_day) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        Self { issuer, row: GrantRow::default(), families, api: Meter::fresh(), family_api, used_day }
    }

    /// The grant behind the rows of a restarted object.
    #[must_use]
    pub fn load(issuer: String, rows: Rows) -> Self {
        let api = Meter::resumed(rows.grant.api, rows.grant.burst);
        let mut family_api = BTreeMap::new();
        for (number, family) in &rows.families {
            family_api.insert(*number, Meter::resumed(family.api, family.burst));
        }
        Self { issuer, row: rows.grant, families: rows.families, api, family_api, used_day: BTreeMap::new() }
    }

    /// The grant's own row.
    #[must_use]
    pub const fn row(&self) -> &GrantRow {
        &self.row
    }

    /// A family, live or ended.
    #[must_use]
    pub fn family(&self, number: u32) -> Option<&Family> {
        self.families.get(&number)
    }

    /// Whether a command may make the schema: anything else on an object without one is answered
    /// from the empty grant and creates nothing (attack A38). A claim of a code whose record is nowhere
    /// can only be a second one: a made-up code leaves no object behind, whatever key signed it.
    #[must_use]
    pub fn may_create(command: &Command) -> bool {
        match command {
            Command::Claim(claim) => claim.held.is_some(),
            Command::End { .. } | Command::Withdraw { .. } | Command::IssueKey(_) => true,
            _ => false,
        }
    }

    /// Decides a command. On a storage fault the caller must drop this value and load it again.
    pub fn decide(&mut self, command: &Command, now_ms: u64, random: &Random) -> Decision {
        match command {
            Command::Claim(claim) => self.claim(claim, now_ms, random),
            Command::Refresh(refresh) => self.refresh(refresh, now_ms),
            Command::Check(check) => self.check(check, now_ms),
            Command::Revoke(revoke) => self.revoke(revoke, now_ms),
            Command::End { seq } => self.end(*seq, now_ms),
            Command::Withdraw { scopes, seq } => self.withdraw(scopes, *seq, now_ms),
            Command::IssueKey(ask) => self.issue_key(ask, now_ms, random),
            Command::EndKey { family } => self.end_key(*family, now_ms),
        }
    }

    /// The live family that an authentic token belongs to: owner first, then the family tag.
    fn owned(&self, token: &Token) -> Result<&Family, Refused> {
        let payload = &token.payload;
        let family = self.families.get(&payload.family).ok_or(Refused::Gone)?;
        if family.app != payload.app {
            return Err(Refused::NotYours);
        }
        if family.ended || family.seq <= self.row.ended_seq {
            return Err(Refused::Gone);
        }
        if !same(&family_tag(&family.secret, &self.issuer, payload), &token.tag) {
            return Err(Refused::BadTag);
        }
        Ok(family)
    }

    /// What a scope set of a family allows now: without what a later consent left out (attack A33).
    fn scope(&self, family: &Family, set: u16) -> Option<String> {
        let scope = family.scope_of(set)?;
        let gone = |name: &str| self.row.withdrawn.iter().any(|withdrawn| withdrawn.scope == name && family.seq < withdrawn.seq);
        Some(ScopeSet::stored(scope).filtered(|name| !gone(name)).to_string())
    }

    /// A consent leaves scopes out: no family of an earlier one may use them any more. One row.
    fn withdraw(&mut self, scopes: &[String], seq: u64, now_ms: u64) -> Decision {
        for scope in scopes {
            match self.row.withdrawn.iter_mut().find(|known| known.scope == *scope) {
                Some(known) => known.seq = known.seq.max(seq),
                None => self.row.withdrawn.push(Withdrawn { scope: scope.clone(), seq }),
            }
        }
        self.row.active_ms = self.row.active_ms.max(now_ms);
        Decision { answer: Answer::Withdrawn, writes: vec![Write::Grant] }
    }

    /// Everything up to a consent number ends: one row, however many families (attack A35).
    fn end(&mut self, seq: u64, now_ms: u64) -> Decision {
        self.row.ended_seq = self.row.ended_seq.max(seq);
        self.row.active_ms = self.row.active_ms.max(now_ms);
        Decision { answer: Answer::Ended, writes: vec![Write::Grant] }
    }
}
