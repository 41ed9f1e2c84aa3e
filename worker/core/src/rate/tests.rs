use super::*;
use proptest::prelude::*;

const LIMIT: Limit = Limit { limit: 100, window_s: 60 };

fn granted(window: &mut BlockWindow, limit: Limit, now_ms: u64) -> bool {
    matches!(window.take(limit, now_ms), Use::Granted { .. })
}

#[test]
fn a_fresh_grant_gets_exactly_the_limit_for_at_most_18_rows() {
    let mut window = BlockWindow::fresh();
    let uses: Vec<Use> = (0..300).map(|_| window.take(LIMIT, 1_000)).collect();
    assert_eq!(uses.iter().filter(|u| matches!(u, Use::Granted { .. })).count(), 100);
    assert_eq!(uses.iter().filter(|u| matches!(u, Use::Granted { write: true, .. })).count(), 18);
}

#[test]
fn a_caller_under_a_tenth_writes_nothing() {
    let mut window = BlockWindow::fresh();
    for call in 0..600_u64 {
        let granted = window.take(LIMIT, 1_000 + call * 6_000);
        assert!(matches!(granted, Use::Granted { write: false, .. }), "call {call}");
    }
}

#[test]
fn waiting_for_the_reset_works() {
    let mut window = BlockWindow::fresh();
    while granted(&mut window, LIMIT, 5_000) {}
    let Use::Refused(standing) = window.take(LIMIT, 30_500) else { panic!() };
    assert_eq!((standing.remaining, standing.reset_s), (0, 35));
    assert!(granted(&mut window, LIMIT, 30_500 + u64::from(standing.reset_s) * 1000));
}

#[test]
fn one_eviction_costs_at_most_14_percent() {
    for before in 0..100 {
        let mut window = BlockWindow::fresh();
        let first = (0..before).filter(|_| granted(&mut window, LIMIT, 1_000)).count();
        let mut window = BlockWindow::resumed(window.reservation());
        let after = (0..300).filter(|_| granted(&mut window, LIMIT, 2_000)).count();
        assert!((86..=100).contains(&(first + after)), "{before}: {first} + {after}");
    }
}

#[test]
fn a_clock_that_ran_backwards_is_zero_time() {
    let mut window = BlockWindow::fresh();
    for now in [100_000, 40_000, 100_000] {
        while granted(&mut window, LIMIT, now) {}
        assert!(!granted(&mut window, LIMIT, now));
    }
    let mut plain = Window::default();
    assert!(plain.take(Limit { limit: 1, window_s: 60 }, 100_000).is_ok());
    assert!(plain.take(Limit { limit: 1, window_s: 60 }, 1).is_err());
}

proptest! {
    /// Whatever the gaps and evictions, no window of the counter's own passes the limit, and no
    /// window loses more than 15 %.
    #[test]
    fn never_above_the_limit_and_never_under_85_percent(
        steps in prop::collection::vec((0_u64..20_000, any::<bool>(), 1_u32..120), 1..60),
        limit in prop::sample::select(vec![1_u32, 3, 19, 20, 40, 100, 1000]),
    ) {
        let limit = Limit { limit, window_s: 60 };
        let mut window = BlockWindow::fresh();
        let mut now = 1_000_u64;
        let mut grants: Vec<u64> = Vec::new();
        for (gap, evict, calls) in steps {
            now += gap;
            if evict {
                window = BlockWindow::resumed(window.reservation());
            }
            for _ in 0..calls {
                match window.take(limit, now) {
                    Use::Granted { .. } => grants.push(now),
                    Use::Refused(standing) => {
                        let end = now + u64::from(standing.reset_s) * 1000;
                        let start = (end - 60_000).saturating_sub(1_000);
                        let recent = grants.iter().filter(|at| **at >= start).count();
                        prop_assert!(recent as f64 >= f64::from(limit.limit) * 0.85, "{recent} of {}", limit.limit);
                    }
                }
            }
            if let Some(running) = window.running {
                let inside = grants.iter().filter(|at| **at >= running.start_ms).count();
                prop_assert!(inside <= limit.limit as usize);
            }
        }
    }
}
