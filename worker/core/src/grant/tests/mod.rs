//! The decisions of the grant, each followed by what a restart would find.
//!
//! [`World`] stands for the edge and the shell around a grant: it sends commands through the wire
//! form, writes exactly the rows that a decision names to a [`Disk`], and looks after every decision
//! whether memory and disk agree. A twin loaded from the disk decides every command too and must come
//! to the same answer. With `reload`, the grant itself is loaded anew before every decision.

mod api_limit;
mod check;
mod claim;
mod clock;
mod history;
mod key;
mod layout;
mod lives;
mod model;
mod refresh;
mod revoke;
mod scope;
mod static_refresh;
mod sweep;
mod withdraw;

use super::*;
use crate::credential::{GrantId, Kind, Payload, Prefixes};
use crate::encoding::sha256;
use crate::keys::Keyring;
use crate::policy::{Per, Reach, Rotation};
use crate::rate::{Limit, Rates};

const ISSUER: &str = "https://auth.example";
const APP: u32 = 7;
const GRANT: GrantId = GrantId([0x47; 16]);
const START_MS: u64 = 1_800_000_000_000;
const SECOND: u64 = 1000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
/// Keeps a limit out of a test that is about something else.
const PLENTY: Limit = Limit { limit: 1_000_000, window_s: 60 };
const NO_LIMIT: Rates = Rates { rate: PLENTY, burst: None };

/// The rows as they are stored.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Disk {
    grant: Vec<u8>,
    families: BTreeMap<u32, Vec<u8>>,
}

impl Disk {
    fn empty() -> Self {
        Self::of(&Grant::new(ISSUER.into()))
    }

    fn of(grant: &Grant) -> Self {
        let families = grant.families.iter().map(|(number, family)| (*number, family.encode().unwrap())).collect();
        Self { grant: grant.row().encode().unwrap(), families }
    }

    fn write(&mut self, grant: &Grant, write: Write) {
        match write {
            Write::Grant => self.grant = grant.row().encode().unwrap(),
            Write::Family(number) => {
                self.families.insert(number, grant.family(number).unwrap().encode().unwrap());
            }
        }
    }

    fn load(&self) -> Grant {
        if *self == Self::empty() {
            return Grant::new(ISSUER.into());
        }
        let families = self.families.iter().map(|(number, row)| (*number, Family::decode(row).unwrap())).collect();
        Grant::load(ISSUER.into(), Rows { grant: GrantRow::decode(&self.grant).unwrap(), families })
    }
}

/// What the policy says about this client.
#[derive(Clone, Debug)]
struct Knobs {
    rotation: Rotation,
    retry_ms: u32,
    idle_s: u64,
    absolute_s: u64,
    refreshes: Limit,
    access_s: u32,
    key_id: u8,
    families_max: u32,
    api: Limit,
    burst: Option<Limit>,
    per: Per,
    only_user: Option<String>,
}

impl Default for Knobs {
    fn default() -> Self {
        Self {
            rotation: Rotation::Rotate,
            retry_ms: 2000,
            idle_s: 30 * 86_400,
            absolute_s: 180 * 86_400,
            refreshes: Limit { limit: 10, window_s: 60 },
            access_s: 3600,
            key_id: 1,
            families_max: 200,
            api: PLENTY,
            burst: None,
            per: Per::Grant,
            only_user: None,
        }
    }
}

struct World {
    grant: Grant,
    disk: Disk,
    reload: bool,
    now_ms: u64,
    knobs: Knobs,
    /// The consent number that was handed out last.
    seq: u64,
    decisions: u64,
    /// The random bytes of the next decisions, when a test wants to choose them.
    random: Option<Random>,
    /// What the last decision wrote.
    writes: Vec<Write>,
}

/// Runs a test with a grant that stays in memory, and with one that is restarted before every decision.
fn both_ways(test: impl Fn(&mut World)) {
    for reload in [false, true] {
        test(&mut World::new(reload));
    }
}

fn over_the_wire<T: serde::Serialize + serde::de::DeserializeOwned>(value: &T) -> T {
    postcard::from_bytes(&postcard::to_allocvec(value).unwrap()).unwrap()
}

/// The text that a client holds.
fn text(token: &Token) -> String {
    let ring = Keyring::parse("2:AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI,1:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE").unwrap();
    let prefixes = Prefixes { access: "eg_at_".into(), refresh: "eg_rt_".into(), key: "eg_key_".into() };
    token.encode(&ring, ISSUER, &prefixes).unwrap()
}

/// Everything of an answer that a client gets, as it gets it.
fn texts(issued: &Issued) -> (String, String, String) {
    (text(&issued.access), text(&issued.refresh), issued.scope.clone())
}

const fn ends_something(answer: &Answer) -> bool {
    matches!(answer, Answer::Refused(Refused::CodeReplayed { .. } | Refused::RefreshReplayed { .. }))
}

impl World {
    fn new(reload: bool) -> Self {
        Self {
            grant: Grant::new(ISSUER.into()),
            disk: Disk::empty(),
            reload,
            now_ms: START_MS,
            knobs: Knobs::default(),
            seq: 0,
            decisions: 0,
            random: None,
            writes: Vec::new(),
        }
    }

    fn wait(&mut self, ms: u64) {
        self.now_ms += ms;
    }

    fn restart(&mut self) {
        self.grant = self.disk.load();
    }

    fn decide(&mut self, command: &Command) -> Answer {
        let command: Command = over_the_wire(command);
        if self.reload {
            self.restart();
        }
        let before = self.disk.clone();
        let mut twin = before.load();
        self.decisions += 1;
        let random = self.random.unwrap_or_else(|| random(self.decisions));
        let decision = self.grant.decide(&command, self.now_ms, &random);
        let after_restart = twin.decide(&command, self.now_ms, &random);
        match command {
            // A restarted counter may be up to 15 % further: that has tests of its own.
            Command::Check(_) => assert_eq!(refusal(&decision.answer), refusal(&after_restart.answer)),
            _ => assert_eq!(decision, after_restart, "a restart changes the decision"),
        }
        for write in &decision.writes {
            self.disk.write(&self.grant, *write);
        }
        assert_eq!(Disk::of(&self.grant), self.disk, "a row changed and was not named");
        assert!(decision.writes.len() <= 2, "{:?}", decision.writes);
        if matches!(decision.answer, Answer::Refused(_) | Answer::Limited(_)) && !ends_something(&decision.answer) {
            assert_eq!((&before, decision.writes.len()), (&self.disk, 0), "{:?} changed a row", decision.answer);
        }
        assert_eq!(over_the_wire(&decision.answer), decision.answer);
        self.writes = decision.writes;
        decision.answer
    }

    /// Redeems without deciding anything about it: a new code of a new consent.
    fn code(&mut self) -> Claim {
        self.seq += 1;
        Claim {
            grant: GRANT,
            code_hash: sha256(&self.seq.to_be_bytes()),
            code_expires_s: self.now_ms / 1000 + 60,
            challenge: Some([3; 32]),
            redirect: [4; 32],
            app: APP,
            held: Some(Held {
                seq: self.seq,
                account: "acc-1".into(),
                account_name: "Demo Salon".into(),
                user: "usr-1".into(),
                scope: "a b c".into(),
            }),
            key_id: self.knobs.key_id,
            access_s: self.knobs.access_s,
            absolute_s: self.knobs.absolute_s,
            families_max: self.knobs.families_max,
        }
    }

    fn claim(&mut self, claim: &Claim) -> Answer {
        self.decide(&Command::Claim(Box::new(claim.clone())))
    }

    /// A consent and its first tokens.
    fn connect(&mut self) -> Issued {
        let code = self.code();
        issued(self.claim(&code))
    }

    fn ask(&self, token: &Token) -> Refresh {
        Refresh {
            token: *token,
            scope: None,
            key_id: self.knobs.key_id,
            access_s: self.knobs.access_s,
            idle_s: self.knobs.idle_s,
            absolute_s: self.knobs.absolute_s,
            rotation: self.knobs.rotation,
            retry_ms: self.knobs.retry_ms,
            rate: self.knobs.refreshes,
            only_user: self.knobs.only_user.clone(),
        }
    }

    fn refresh(&mut self, token: &Token) -> Answer {
        let ask = self.ask(token);
        self.decide(&Command::Refresh(Box::new(ask)))
    }

    fn refresh_for(&mut self, token: &Token, scope: &str) -> Answer {
        let ask = Refresh { scope: Some(scope.into()), ..self.ask(token) };
        self.decide(&Command::Refresh(Box::new(ask)))
    }

    /// A refresh that must work.
    fn refreshed(&mut self, token: &Token) -> Issued {
        issued(self.refresh(token))
    }

    /// Rotations one after the other, each outside the retry window of the one before; the tokens
    /// from the given one to the live one.
    fn chain(&mut self, first: &Token, rotations: usize) -> Vec<Token> {
        let mut tokens = vec![*first];
        for _ in 0..rotations {
            self.wait(10 * SECOND);
            let next = self.refreshed(tokens.last().unwrap()).refresh;
            tokens.push(next);
        }
        tokens
    }

    fn check(&mut self, token: &Token) -> Answer {
        let rates = Rates { rate: self.knobs.api, burst: self.knobs.burst };
        let only_user = self.knobs.only_user.clone();
        self.decide(&Command::Check(Check { token: *token, rates, per: self.knobs.per, only_user, counted: true, audience: Vec::new() }))
    }

    fn works(&mut self, token: &Token) -> bool {
        matches!(self.check(token), Answer::Checked(_))
    }

    fn revoke(&mut self, token: &Token, reach: Reach) -> Answer {
        self.decide(&Command::Revoke(Revoke { token: *token, reach }))
    }

    fn end(&mut self, seq: u64) -> Answer {
        self.decide(&Command::End { seq })
    }

    /// A token that only the object could have made: another payload under the family's own secret.
    fn forge(&self, token: &Token, change: impl FnOnce(&mut Payload)) -> Token {
        let mut payload = token.payload;
        change(&mut payload);
        let family = self.grant.family(token.payload.family).unwrap();
        Token { payload, tag: family_tag(&family.secret, ISSUER, &payload) }
    }

    /// Changes a stored family behind the grant's back, to reach states that take too long.
    fn set(&mut self, number: u32, change: impl FnOnce(&mut Family)) {
        change(self.grant.families.get_mut(&number).unwrap());
        self.disk = Disk::of(&self.grant);
    }
}

/// Different bytes for every decision.
fn random(seed: u64) -> Random {
    let mut out = [0; 36];
    let (head, tail) = (sha256(&seed.to_le_bytes()), sha256(&seed.to_be_bytes()));
    out[..4].copy_from_slice(&head[..4]);
    out[4..].copy_from_slice(&tail);
    out
}

fn refusal(answer: &Answer) -> Option<Refused> {
    if let Answer::Refused(why) = answer { Some(*why) } else { None }
}

#[track_caller]
fn issued(answer: Answer) -> Issued {
    let Answer::Issued(issued) = answer else { panic!("not issued: {answer:?}") };
    *issued
}

#[track_caller]
fn limited(answer: &Answer) -> crate::rate::Standing {
    let Answer::Limited(standing) = answer else { panic!("not limited: {answer:?}") };
    *standing
}

fn no(why: Refused) -> Answer {
    Answer::Refused(why)
}

#[test]
fn only_a_claim_and_an_owners_end_may_make_the_schema_a38() {
    let mut world = World::new(false);
    let claim = world.code();
    let tokens = issued(world.claim(&claim));
    let check = Command::Check(Check {
        token: tokens.access,
        rates: NO_LIMIT,
        per: Per::Grant,
        only_user: None,
        counted: true,
        audience: Vec::new(),
    });
    let revoke = Command::Revoke(Revoke { token: tokens.refresh, reach: Reach::Grant });
    let refresh = Command::Refresh(Box::new(world.ask(&tokens.refresh)));
    assert!(Grant::may_create(&Command::Claim(Box::new(claim))) && Grant::may_create(&Command::End { seq: 1 }));
    assert!(!Grant::may_create(&Command::EndKey { family: 1 }));
    let mut wiped = World::new(false);
    let unknown = Command::Claim(Box::new(Claim { held: None, ..wiped.code() }));
    for (command, why) in [(check, Refused::Gone), (revoke, Refused::Gone), (refresh, Refused::Gone), (unknown, Refused::CodeUnknown)] {
        assert!(!Grant::may_create(&command));
        assert_eq!(wiped.decide(&command), no(why));
        assert!(wiped.writes.is_empty());
    }
}
