use proptest::prelude::*;

use super::*;

const WINDOW_MS: u64 = 60_000;

/// One use through an isolate, with no time passing: whether it is granted, and whether the object was asked.
fn through(held: &mut Held, counter: &mut Counter, limit: Limit, now_ms: u64) -> (Option<Taken>, bool) {
    match held.take(now_ms) {
        Next::Granted(taken) => (Some(taken), false),
        Next::Refused(_) => (None, false),
        Next::Ask(want) => match counter.hand_down(limit, want, now_ms) {
            Ok((block, _)) => (Some(held.receive(block, want, now_ms, now_ms)), true),
            Err(standing) => {
                held.refuse(Refusal::new(standing, now_ms, now_ms), want);
                (None, true)
            }
        },
    }
}

#[test]
fn a_thousand_uses_cost_at_most_a_tenth_as_many_requests_and_few_rows() {
    let limit = Limit { limit: 2000, window_s: 60 };
    let (mut counter, mut held) = (Counter::resumed(Reservation::default()), Held::default());
    let (mut asked, mut rows) = (0, 0);
    for _ in 0..1000 {
        let before = counter.reservation();
        let (taken, did_ask) = through(&mut held, &mut counter, limit, 1_000);
        assert!(taken.is_some());
        asked += u32::from(did_ask);
        rows += u32::from(counter.reservation() != before);
        assert!(held.left <= held.used / 20, "{held:?}");
    }
    assert!((60..=100).contains(&asked), "{asked} requests");
    assert!(rows <= 10, "{rows} rows");
}

#[test]
fn a_refusal_is_remembered_and_the_wait_that_is_told_works() {
    let limit = Limit { limit: 3, window_s: 60 };
    let (mut counter, mut held) = (Counter::resumed(Reservation::default()), Held::default());
    for _ in 0..3 {
        assert!(through(&mut held, &mut counter, limit, 1_000).0.is_some());
    }
    assert_eq!(through(&mut held, &mut counter, limit, 1_500), (None, true));
    let Next::Refused(refusal) = held.take(31_400) else { panic!("it is forgotten") };
    let told = refusal.standing(31_400);
    assert_eq!((told.limit, told.remaining, told.reset_s), (3, 0, 30));
    assert!(through(&mut held, &mut counter, limit, 31_400 + u64::from(told.reset_s) * 1000).0.is_some());
}

#[test]
fn a_refusal_ends_no_later_than_the_window_and_tells_no_less() {
    // The object is 40 ms away in both directions: its window ends 1,000 ms after 140.
    let refusal = Refusal::new(Standing::new(1, 0, 1_000), 100, 180);
    assert!(refusal.holds(1_099) && !refusal.holds(1_100) && !refusal.holds(99));
    assert_eq!(refusal.standing(180).reset_s, 1);
    assert_eq!(refusal.standing(1_000).left_ms, 180);
    let longer = Refusal::new(Standing::new(9, 0, 5_000), 100, 180);
    assert_eq!((refusal.longer(Some(longer)), longer.longer(Some(refusal)), refusal.longer(None)), (longer, longer, refusal));
}

#[test]
fn a_clock_that_ran_backwards_ends_a_block_and_a_memory() {
    let mut held = Held::default();
    held.receive(Block { uses: 5, start_ms: 7, left_ms: WINDOW_MS }, 5, 10_000, 10_010);
    assert_eq!(held.take(9_999), Next::Ask(1));
    held.refuse(Refusal::new(Standing::new(5, 0, WINDOW_MS), 10_000, 10_010), 1);
    assert_eq!(held.take(9_999), Next::Ask(1));
    assert!(held.over(9_999));
}

#[test]
fn a_block_never_outlives_its_window() {
    // Asked at 100 with 1,000 ms left when the object answered; the answer comes at 700.
    let mut held = Held::default();
    held.receive(Block { uses: 3, start_ms: 7, left_ms: 1_000 }, 3, 100, 700);
    assert!(matches!(held.take(1_099), Next::Granted(_)));
    assert_eq!(held.take(1_100), Next::Ask(1));
    // One that comes when its window is over is worth the use that asked for it.
    held.receive(Block { uses: 3, start_ms: 9, left_ms: 500 }, 3, 1_100, 1_600);
    assert_eq!(held.take(1_600), Next::Ask(1));
}

#[test]
fn of_requests_at_once_one_asks_for_more_and_a_lost_answer_is_not_waited_for() {
    let mut held = Held::default();
    held.receive(Block { uses: 100, start_ms: 7, left_ms: WINDOW_MS }, 100, 0, 0);
    for _ in 0..99 {
        assert!(matches!(held.take(5), Next::Granted(_)));
    }
    assert_eq!([held.take(5), held.take(5), held.take(10_004), held.take(10_005)], [6, 1, 1, 6].map(Next::Ask));
    held.answered(6);
    assert_eq!(held.take(10_005), Next::Ask(6));
}

#[test]
fn what_is_given_back_is_used_here_or_goes_back() {
    let limit = Limit { limit: 10, window_s: 60 };
    let (mut counter, mut held) = (Counter::resumed(Reservation::default()), Held::default());
    let taken = through(&mut held, &mut counter, limit, 1_000).0.unwrap();
    held.give_back(taken, 1_000);
    assert_eq!(held.take(1_000), Next::Granted(taken));
    held.give_back(taken, 1_000);
    assert_eq!(held.surplus(1_000), Some((taken, 1)));
    assert_eq!(held.surplus(1_000), None);
    held.returned();
    assert!(counter.take_back(limit, taken.start_ms, 1));
    assert_eq!((0..20).filter(|_| through(&mut held, &mut counter, limit, 1_000).0.is_some()).count(), 10);
    // Of a window that is over there is nothing to give back.
    held.give_back(taken, 1_000 + WINDOW_MS);
    assert_eq!(held.surplus(1_000 + WINDOW_MS), None);
    counter.hand_down(limit, 1, 1_000 + WINDOW_MS).unwrap();
    assert!(!counter.take_back(limit, taken.start_ms, 1));
    assert_eq!(counter.0.look(limit, 1_000 + WINDOW_MS).remaining, 9);
}

/// An answer of the object on its way: the isolate, what it asked for and when on its clock, and the answer.
type OnItsWay = (usize, u32, u64, Result<Block, Standing>);

/// Isolates with clocks of their own around one object, in real time.
struct World {
    limit: Limit,
    now_ms: u64,
    counter: Counter,
    isolates: Vec<Held>,
    answers: Vec<OnItsWay>,
    /// When uses were made: of those that the object was asked for, when it granted them.
    made_ms: Vec<u64>,
    starts_ms: Vec<u64>,
}

impl World {
    fn clock(&self, isolate: usize) -> u64 {
        self.now_ms + isolate as u64 * 7_777
    }

    fn evict_object(&mut self) {
        self.counter = Counter::resumed(self.counter.reservation());
    }

    /// The alarm: what is stored of a window that is over is deleted.
    fn wipe(&mut self) {
        let stored = self.counter.reservation();
        if stored.start_ms + WINDOW_MS <= self.now_ms {
            self.counter = Counter::resumed(Reservation::default());
        }
    }

    fn in_window(&self, start_ms: u64) -> usize {
        self.made_ms.iter().filter(|at| (start_ms..start_ms + WINDOW_MS).contains(*at)).count()
    }

    fn a_use(&mut self, isolate: usize) -> Result<(), TestCaseError> {
        let clock = self.clock(isolate);
        match self.isolates[isolate].take(clock) {
            Next::Granted(_) => self.made_ms.push(self.now_ms),
            Next::Refused(_) => {}
            Next::Ask(want) => {
                let answer = self.counter.hand_down(self.limit, want, self.now_ms).map(|(block, _)| block);
                match &answer {
                    Ok(block) => {
                        self.starts_ms.push(block.start_ms);
                        self.made_ms.push(self.now_ms);
                    }
                    Err(_) => self.refused()?,
                }
                self.answers.push((isolate, want, clock, answer));
            }
        }
        Ok(())
    }

    /// So many requests at once that their own grant refuses: they take uses, then give them back.
    fn unmade(&mut self, isolate: usize, times: usize) {
        let (clock, limit, now_ms) = (self.clock(isolate), self.limit, self.now_ms);
        let (held, counter) = (&mut self.isolates[isolate], &mut self.counter);
        let taken: Vec<Taken> = (0..times)
            .filter_map(|_| match held.take(clock) {
                Next::Granted(taken) => Some(taken),
                Next::Refused(_) => None,
                Next::Ask(want) => match counter.hand_down(limit, want, now_ms) {
                    Ok((block, _)) => Some(held.receive(block, want, clock, clock)),
                    Err(_) => {
                        held.answered(want);
                        None
                    }
                },
            })
            .collect();
        for taken in taken {
            self.isolates[isolate].give_back(taken, clock);
        }
        self.settle(isolate);
    }

    /// The object has none left: at least 85 % of its window were used, or are on their way.
    fn refused(&self) -> Result<(), TestCaseError> {
        let Some(running) = self.counter.0.running else { return Ok(()) };
        let spares = self.answers.iter().filter_map(|(.., answer)| answer.ok()).filter(|block| block.start_ms == running.start_ms);
        let used = self.in_window(running.start_ms) + spares.map(|block| block.uses as usize - 1).sum::<usize>();
        prop_assert!(used as f64 >= f64::from(self.limit.limit) * 0.85, "{used} of {}", self.limit.limit);
        Ok(())
    }

    fn settle(&mut self, isolate: usize) {
        let clock = self.clock(isolate);
        if let Some((taken, uses)) = self.isolates[isolate].surplus(clock) {
            self.counter.take_back(self.limit, taken.start_ms, uses);
            self.isolates[isolate].returned();
        }
    }

    fn deliver(&mut self, at: usize) {
        if self.answers.is_empty() {
            return;
        }
        let (isolate, want, asked_ms, answer) = self.answers.remove(at % self.answers.len());
        let clock = self.clock(isolate);
        let held = &mut self.isolates[isolate];
        match answer {
            Ok(block) => _ = held.receive(block, want, asked_ms, clock),
            Err(standing) => held.refuse(Refusal::new(standing, asked_ms, clock), want),
        }
        self.settle(isolate);
    }

    fn evict_isolate(&mut self, isolate: usize) {
        self.answers.retain(|(of, ..)| *of != isolate);
        self.isolates[isolate] = Held::default();
    }

    fn check(&self) -> Result<(), TestCaseError> {
        for start_ms in &self.starts_ms {
            let made = self.in_window(*start_ms);
            prop_assert!(made <= self.limit.limit as usize, "{made} of {} from {start_ms}", self.limit.limit);
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// Whatever isolates do, however long answers take, whatever is evicted or wiped and whenever: no
    /// window has more uses than the limit, and none is refused while less than 85 % were used.
    #[test]
    fn never_above_the_limit_and_never_under_85_percent(
        steps in prop::collection::vec((0_u8..14, 0_usize..5, 1_usize..90, 0_u64..9_000), 1..150),
        limit in prop::sample::select(vec![1_u32, 3, 19, 20, 40, 100, 333, 1000]),
    ) {
        let limit = Limit { limit, window_s: 60 };
        let counter = Counter::resumed(Reservation::default());
        let (isolates, answers, made_ms, starts_ms) = (vec![Held::default(); 5], Vec::new(), Vec::new(), Vec::new());
        let mut world = World { limit, now_ms: 1_000_000, counter, isolates, answers, made_ms, starts_ms };
        for (kind, isolate, times, gap_ms) in steps {
            match kind {
                0 => world.evict_object(),
                1 => world.wipe(),
                2 => world.evict_isolate(isolate),
                3 | 4 => world.now_ms += gap_ms,
                5 => world.now_ms += gap_ms % 50,
                // Requests at once, whose answers come later.
                6 => for _ in 0..times { world.a_use(isolate)?; },
                7 => for at in 0..times { world.deliver(at); },
                // Calls that their own grant refuses.
                8 => world.unmade(isolate, times),
                9 => for at in 0..times { world.a_use(at % 5)?; world.deliver(at); },
                _ => for _ in 0..times { world.a_use(isolate)?; world.deliver(usize::MAX / 2); },
            }
        }
        world.check()?;
    }
}
