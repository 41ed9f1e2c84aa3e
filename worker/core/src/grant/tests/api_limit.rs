//! The limit on API calls, exact in memory and never passed by a restart.

use super::*;

const HUNDRED: Limit = Limit { limit: 100, window_s: 60 };

/// How many of `calls` get through.
fn pass(world: &mut World, token: &Token, calls: usize) -> usize {
    (0..calls).filter(|_| world.works(token)).count()
}

#[test]
fn all_calls_of_a_grant_share_its_limit_and_a_refresh_gives_no_more() {
    let mut world = World::new(false);
    world.knobs.api = HUNDRED;
    let (one, two) = (world.connect(), world.connect());
    assert_eq!(pass(&mut world, &one.access, 60), 60);
    let refreshed = world.refreshed(&one.refresh);
    assert_eq!(pass(&mut world, &refreshed.access, 30), 30);
    assert_eq!(pass(&mut world, &two.access, 30), 10);
    let standing = limited(&world.check(&one.access));
    assert_eq!((standing.limit, standing.remaining, standing.reset_s), (100, 0, 60));
    assert!(world.writes.is_empty());
    world.wait(60 * SECOND);
    assert_eq!(pass(&mut world, &two.access, 200), 100);
}

#[test]
fn each_family_has_its_own_limit_when_policy_says_so_and_a_refresh_gives_no_more() {
    let mut world = World::new(false);
    world.knobs.api = HUNDRED;
    world.knobs.per = Per::Family;
    let (one, two) = (world.connect(), world.connect());
    assert_eq!(pass(&mut world, &one.access, 90), 90);
    let refreshed = world.refreshed(&one.refresh);
    assert_eq!(pass(&mut world, &refreshed.access, 30), 10);
    assert_eq!(pass(&mut world, &two.access, 150), 100);
}

#[test]
fn the_row_that_counts_is_the_one_that_is_written() {
    for (per, restarts) in [(Per::Grant, false), (Per::Family, false), (Per::Grant, true), (Per::Family, true)] {
        let mut world = World::new(restarts);
        world.knobs.api = HUNDRED;
        world.knobs.per = per;
        let first = world.connect();
        let expected = if per == Per::Grant { Write::Grant } else { Write::Family(first.access.payload.family) };
        let mut rows = 0;
        for _ in 0..100 {
            if world.works(&first.access) {
                assert!(world.writes.iter().all(|write| *write == expected));
                rows += world.writes.len();
            }
        }
        assert!(rows > 0 && (restarts || rows <= 18), "{per:?}: {rows} rows");
    }
}

#[test]
fn no_restart_lets_more_than_the_limit_through() {
    for (limit, per) in [(1, Per::Grant), (19, Per::Family), (20, Per::Grant), (100, Per::Family), (100, Per::Grant)] {
        for before in [0, 1, 5, 11, 50, 99, 100] {
            let mut world = World::new(false);
            world.knobs.api = Limit { limit, window_s: 60 };
            world.knobs.per = per;
            let first = world.connect();
            let mut through = pass(&mut world, &first.access, before);
            world.restart();
            let token = world.refreshed(&first.refresh).access;
            through += pass(&mut world, &token, 150);
            assert!(through <= limit as usize && through * 100 >= limit as usize * 85, "{through} of {limit} after {before}");
        }
    }
}

#[test]
fn a_limit_survives_a_refresh_and_a_restart_by_family() {
    let mut world = World::new(true);
    world.knobs.api = Limit { limit: 10, window_s: 60 };
    world.knobs.per = Per::Family;
    let mut live = world.connect();
    let mut through = 0;
    for _ in 0..8 {
        through += pass(&mut world, &live.access, 4);
        live = world.refreshed(&live.refresh);
        world.wait(SECOND);
    }
    assert_eq!(through, 10);
}

#[test]
fn a_refused_token_is_not_counted() {
    let mut world = World::new(false);
    world.knobs.api = Limit { limit: 2, window_s: 60 };
    let (dead, live) = (world.connect(), world.connect());
    world.revoke(&dead.access, Reach::Token);
    assert_eq!(pass(&mut world, &dead.access, 50), 0);
    assert_eq!(pass(&mut world, &live.access, 50), 2);
    // And over the limit, a dead token is still told to be dead.
    assert_eq!(world.check(&dead.access), no(Refused::TokenRevoked));
}

#[test]
fn a_burst_limit_holds_beside_the_longer_one() {
    for restarts in [false, true] {
        let mut world = World::new(restarts);
        world.knobs.api = Limit { limit: 5, window_s: 60 };
        world.knobs.burst = Some(Limit { limit: 2, window_s: 1 });
        world.knobs.per = Per::Family;
        let first = world.connect();
        assert_eq!(pass(&mut world, &first.access, 9), 2);
        assert_eq!(limited(&world.check(&first.access)).reset_s, 1);
        world.wait(SECOND);
        assert_eq!(pass(&mut world, &first.access, 9), 2, "what the burst refused was not counted");
        world.wait(SECOND);
        assert_eq!(pass(&mut world, &first.access, 9), 1);
        assert_eq!(limited(&world.check(&first.access)).reset_s, 58);
        world.wait(58 * SECOND);
        assert_eq!(pass(&mut world, &first.access, 9), 2);
    }
}
