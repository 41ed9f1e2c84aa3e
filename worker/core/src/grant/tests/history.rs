//! Random histories against the [`Model`]: any token ever handed out is used again, in any order,
//! with time passing, a clock that jumps back, restarts and alarms between.

use proptest::prelude::*;

use super::model::{Code, Model, Rules, Verdict};
use super::*;

#[derive(Clone, Debug)]
enum Step {
    Allow,
    Claim {
        code: Pick,
        proves: bool,
        record: bool,
    },
    /// Allow and claim.
    Connect,
    Refresh {
        token: Pick,
        of: Option<Kind>,
        scope: Option<&'static str>,
        rotation: Option<Rotation>,
    },
    Check {
        token: Pick,
        of: Option<Kind>,
    },
    Revoke {
        token: Pick,
        of: Option<Kind>,
        reach: Reach,
    },
    End {
        back: u8,
    },
    Wait {
        ms: u64,
    },
    Skew {
        ms: u64,
    },
    Restart,
    Alarm,
}

/// One of a list, counted from its newest.
#[derive(Clone, Copy, Debug)]
struct Pick(u8);

impl Pick {
    fn of<T: Clone>(self, list: &[T]) -> Option<T> {
        let back = usize::from(self.0).checked_rem(list.len())?;
        list.iter().rev().nth(back).cloned()
    }
}

fn pick() -> impl Strategy<Value = Pick> {
    prop_oneof![4 => 0..2_u8, 2 => 2..8_u8, 1 => any::<u8>()].prop_map(Pick)
}

/// Mostly what the request is for, now and then anything.
fn of(kind: Kind) -> impl Strategy<Value = Option<Kind>> {
    prop_oneof![9 => Just(Some(kind)), 1 => Just(None)]
}

fn step() -> impl Strategy<Value = Step> {
    let scope = prop_oneof![
        6 => Just(None),
        2 => prop::sample::select(vec!["a", "c b", "a b c", "a d"]).prop_map(Some),
    ];
    let rotation = prop_oneof![
        9 => Just(None),
        1 => prop::sample::select(vec![Rotation::Rotate, Rotation::Static, Rotation::RotateAndEndPair]).prop_map(Some),
    ];
    let reach = prop_oneof![2 => Just(Reach::Family), 1 => Just(Reach::Grant), 1 => Just(Reach::Token)];
    let short = prop::sample::select(vec![1, 300, 999, 2000, 2001]);
    let long = prop::sample::select(vec![10_000, 61_000, 600_000, HOUR, DAY, 4 * DAY]);
    prop_oneof![
        20 => (pick(), of(Kind::Refresh), scope, rotation).prop_map(|(token, of, scope, rotation)| Step::Refresh { token, of, scope, rotation }),
        8 => (0..2_u8, of(Kind::Refresh)).prop_map(|(token, of)| Step::Refresh { token: Pick(token), of, scope: None, rotation: None }),
        6 => (pick(), of(Kind::Access)).prop_map(|(token, of)| Step::Check { token, of }),
        4 => pick().prop_map(|token| Step::Revoke { token, of: Some(Kind::Access), reach: Reach::Token }),
        1 => (pick(), of(Kind::Refresh), reach).prop_map(|(token, of, reach)| Step::Revoke { token, of, reach }),
        3 => Just(Step::Connect),
        4 => Just(Step::Allow),
        5 => (pick(), prop::bool::weighted(0.4), any::<bool>()).prop_map(|(code, proves, record)| Step::Claim { code, proves, record }),
        2 => (0..5_u8).prop_map(|back| Step::End { back }),
        10 => short.prop_map(|ms| Step::Wait { ms }),
        4 => long.prop_map(|ms| Step::Wait { ms }),
        2 => prop::sample::select(vec![0, 500, 3000, 30_000]).prop_map(|ms| Step::Skew { ms }),
        2 => Just(Step::Restart),
        2 => Just(Step::Alarm),
    ]
}

fn knobs() -> impl Strategy<Value = Knobs> {
    (
        prop::sample::select(vec![Rotation::Rotate, Rotation::Rotate, Rotation::Static, Rotation::RotateAndEndPair]),
        prop::sample::select(vec![2000, 2000, 2000, 0, 60_000]),
        prop::sample::select(vec![(5 * 86_400, 9 * 86_400), (5 * 86_400, 0), (0, 9 * 86_400), (0, 0), (3600, 7200)]),
        prop::sample::select(vec![10, 10, 3]),
        prop::sample::select(vec![3, 2, 200]),
    )
        .prop_map(|(rotation, retry_ms, (idle_s, absolute_s), refreshes, families_max)| Knobs {
            rotation,
            retry_ms,
            idle_s,
            absolute_s,
            refreshes: Limit { limit: refreshes, window_s: 60 },
            families_max,
            ..Knobs::default()
        })
}

struct History {
    world: World,
    model: Model,
    rules: Rules,
    codes: Vec<Claim>,
    /// Everything handed out, in this order.
    tokens: Vec<Token>,
    time_ms: u64,
    behind_ms: u64,
}

impl History {
    fn new(knobs: &Knobs, reload: bool) -> Self {
        let rules = Rules {
            retry_ms: knobs.retry_ms.into(),
            idle_s: knobs.idle_s,
            absolute_s: knobs.absolute_s,
            access_s: knobs.access_s.into(),
            refreshes: knobs.refreshes.limit,
            families_max: knobs.families_max as usize,
        };
        let mut world = World::new(reload);
        world.knobs = knobs.clone();
        Self { world, model: Model::default(), rules, codes: vec![], tokens: vec![], time_ms: START_MS, behind_ms: 0 }
    }

    fn allow(&mut self) {
        let code = self.world.code();
        let held = code.held.as_ref().unwrap();
        self.model.codes.push(Code { seq: held.seq, expires_s: code.code_expires_s, family: None });
        self.codes.push(code);
    }

    fn token(&self, pick: Pick, of: Option<Kind>) -> Option<Token> {
        let fitting: Vec<Token> = self.tokens.iter().filter(|token| of.is_none_or(|kind| token.payload.kind == kind)).copied().collect();
        pick.of(&fitting)
    }

    fn step(&mut self, step: &Step) {
        let now = self.world.now_ms;
        match step {
            Step::Allow => self.allow(),
            Step::Connect => {
                self.allow();
                self.claim(Pick(0), true, true);
            }
            Step::Claim { code, proves, record } => self.claim(*code, *proves, *record),
            Step::Refresh { token, of, scope, rotation } => {
                let Some(token) = self.token(*token, *of) else { return };
                let rotation = rotation.unwrap_or(self.world.knobs.rotation);
                let ask = Refresh { scope: scope.map(str::to_owned), rotation, ..self.world.ask(&token) };
                let answer = self.world.decide(&Command::Refresh(Box::new(ask)));
                let verdict = self.model.refresh(&text(&token), *scope, rotation, &self.rules, now);
                self.compare(&answer, &verdict);
            }
            Step::Check { token, of } => {
                let Some(token) = self.token(*token, *of) else { return };
                // An expired token does not pass the edge.
                if !token.payload.expired(now / 1000) {
                    let answer = self.world.check(&token);
                    let verdict = self.model.check(&text(&token));
                    self.compare(&answer, &verdict);
                }
            }
            Step::Revoke { token, of, reach } => {
                let Some(token) = self.token(*token, *of) else { return };
                let answer = self.world.revoke(&token, *reach);
                let verdict = self.model.revoke(&text(&token), *reach, now);
                self.compare(&answer, &verdict);
            }
            Step::End { back } => {
                let seq = self.world.seq.saturating_sub(u64::from(*back));
                assert_eq!(self.world.end(seq), Answer::Ended);
                self.model.end(seq, now);
            }
            Step::Wait { ms } => self.time_ms += ms,
            Step::Skew { ms } => self.behind_ms = *ms,
            Step::Restart => self.world.restart(),
            Step::Alarm => self.alarm(),
        }
        self.world.now_ms = self.time_ms - self.behind_ms;
    }

    fn claim(&mut self, code: Pick, proves: bool, record: bool) {
        let places: Vec<usize> = (0..self.codes.len()).collect();
        let Some(place) = code.of(&places) else { return };
        let mut claim = self.codes[place].clone();
        if claim.code_expires_s <= self.world.now_ms / 1000 {
            return;
        }
        let known = self.model.codes[place].family.is_some();
        // What the record does not bear out never reaches the object: the edge compares first. Only of
        // a claimed code can the object be the judge (attack A9).
        if !known && !proves {
            return;
        }
        if !proves {
            claim.challenge = Some([0xee; 32]);
        }
        if !record {
            claim.held = None;
        }
        let answer = self.world.claim(&claim);
        if !known && !record {
            assert_eq!(answer, no(Refused::CodeUnknown));
            return;
        }
        let numbers: BTreeMap<String, u32> = self.tokens.iter().map(|token| (text(token), token.payload.family)).collect();
        let verdict = self.model.claim(place, proves, &self.rules, self.world.now_ms, |refresh| numbers[refresh]);
        if verdict == Verdict::No && known && proves {
            // Ended before: told as a replay, and nothing to tell about it.
            assert_eq!(answer, no(Refused::CodeReplayed { ended: None }));
            return;
        }
        self.compare(&answer, &verdict);
    }

    fn compare(&mut self, answer: &Answer, verdict: &Verdict) {
        match (answer, verdict) {
            (Answer::Issued(issued), Verdict::New { family, refresh, scope, access_end_s }) => {
                let (access, newest, told) = texts(issued);
                assert!(!self.model.tokens.contains_key(&access), "an access token was handed out twice");
                match refresh {
                    Some(refresh) => assert_eq!(*refresh, newest),
                    None => assert!(!self.model.tokens.contains_key(&newest), "a refresh token was handed out twice"),
                }
                let same_scope =
                    |a: &str, b: &str| a.split(' ').count() == b.split(' ').count() && a.split(' ').all(|name| b.contains(name));
                assert!(same_scope(&told, scope), "{told} for {scope}");
                assert_eq!(issued.access.payload.expires_s, *access_end_s);
                self.model.handed_out(*family, &access, &newest, &told, *access_end_s);
                self.tokens.push(issued.access);
                if refresh.is_none() {
                    self.tokens.push(issued.refresh);
                }
            }
            (Answer::Issued(issued), Verdict::Same { access, refresh }) => {
                let (newest_access, newest_refresh, scope) = texts(issued);
                assert_eq!((&newest_access, &newest_refresh), (access, refresh));
                assert_eq!(scope, self.model.tokens[access].scope);
            }
            (Answer::Checked(checked), Verdict::Accepted { scope }) => assert_eq!(checked.scope, *scope),
            (Answer::Revoked { ended }, Verdict::Revoked(expected)) => assert_eq!(ended, expected),
            (Answer::Refused(Refused::CodeReplayed { ended } | Refused::RefreshReplayed { ended }), Verdict::Ends(expected)) => {
                assert_eq!(ended, expected);
            }
            (Answer::Limited(_), Verdict::Limited) => {}
            (Answer::Refused(_), Verdict::No) if !ends_something(answer) => {}
            _ => panic!("{answer:?} instead of {verdict:?}"),
        }
    }

    fn alarm(&mut self) {
        let now = self.world.now_ms;
        let numbers: BTreeMap<u32, usize> =
            self.tokens.iter().map(|token| (token.payload.family, self.model.tokens[&text(token)].family)).collect();
        let stored: Vec<u32> = self.world.disk.families.keys().copied().collect();
        let gone: Vec<u32> = match self.world.sweep() {
            Sweep::Wipe => {
                assert!(self.model.may_wipe(&self.rules, now), "wiped too early");
                stored
            }
            Sweep::Keep { delete, again_ms } => {
                assert!((20 * MINUTE..=30 * DAY).contains(&again_ms));
                delete
            }
        };
        for family in gone.iter().map(|number| numbers[number]) {
            assert!(self.model.may_forget(family, &self.rules, now), "forgotten too early");
            self.model.forgotten(family);
        }
    }

    /// Asks for everything that was ever handed out, without leaving a trace.
    fn look_at_everything(&self) {
        let now = self.world.now_ms;
        for grant in [self.world.grant.clone(), self.world.disk.load()] {
            let mut live_refresh_tokens: BTreeMap<usize, usize> = BTreeMap::new();
            for token in &self.tokens {
                let known = &self.model.tokens[&text(token)];
                let lives = self.model.lives(known.family);
                let (command, expected) = if known.kind == Kind::Refresh {
                    let ask = Refresh { retry_ms: 0, rate: PLENTY, ..self.world.ask(token) };
                    let newest = self.model.families[known.family].refresh == text(token);
                    (Command::Refresh(Box::new(ask)), lives && newest && !self.model.over(known.family, &self.rules, now))
                } else if token.payload.expired(now / 1000) {
                    continue;
                } else {
                    let ask =
                        Check { token: *token, rates: NO_LIMIT, per: Per::Grant, only_user: None, counted: true, audience: Vec::new() };
                    (Command::Check(ask), lives && !known.dead)
                };
                let answer = grant.clone().decide(&command, now, &[0; 36]).answer;
                let accepted = matches!(answer, Answer::Issued(_) | Answer::Checked(_));
                assert_eq!(accepted, expected, "{:?}: {answer:?}", token.payload);
                if accepted && known.kind == Kind::Refresh {
                    *live_refresh_tokens.entry(known.family).or_default() += 1;
                }
            }
            assert!(live_refresh_tokens.values().all(|count| *count == 1));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, max_shrink_iters: 4000, ..ProptestConfig::default() })]

    #[test]
    fn every_history_goes_as_the_design_says(knobs in knobs(), reload in any::<bool>(), steps in prop::collection::vec(step(), 1..100)) {
        let mut history = History::new(&knobs, reload);
        history.step(&Step::Connect);
        for step in &steps {
            history.step(step);
            if matches!(step, Step::Revoke { .. } | Step::End { .. } | Step::Restart | Step::Alarm) {
                history.look_at_everything();
            }
        }
        history.look_at_everything();
    }
}
