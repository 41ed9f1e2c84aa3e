//! A clock that ran backwards counts as zero time: an object may move to a machine that is behind.

use super::*;

#[test]
fn a_duplicate_is_no_replay_when_the_clock_went_back_a6() {
    both_ways(|world| {
        let r0 = world.connect().refresh;
        world.wait(10 * SECOND);
        let r1 = world.refreshed(&r0);
        world.now_ms -= 5 * SECOND;
        assert_eq!(texts(&world.refreshed(&r0)), texts(&r1));
        let r2 = world.refreshed(&r1.refresh);
        assert_eq!(texts(&world.refreshed(&r0)), texts(&r2));
        world.wait(10 * SECOND);
        assert_eq!(world.refresh(&r0), no(Refused::RefreshReplayed { ended: Some(1) }));
    });
}

#[test]
fn a_replay_stays_one_when_the_clock_goes_back_less_than_its_age() {
    both_ways(|world| {
        let first = world.connect();
        world.chain(&first.refresh, 1);
        world.wait(10 * SECOND);
        world.now_ms -= 3 * SECOND;
        assert_eq!(world.refresh(&first.refresh), no(Refused::RefreshReplayed { ended: Some(1) }));
    });
}

#[test]
fn lives_do_not_end_because_of_it() {
    both_ways(|world| {
        let first = world.connect();
        world.now_ms -= HOUR;
        let second = world.refreshed(&first.refresh);
        assert_eq!(second.access.payload.expires_s, world.now_ms / 1000 + 3600);
        assert!(world.works(&second.access));
        // The last use does not move back with it.
        world.now_ms = START_MS + 30 * DAY;
        world.refreshed(&second.refresh);
    });
}

#[test]
fn it_gives_no_more_refreshes() {
    both_ways(|world| {
        world.knobs.refreshes.limit = 2;
        let r0 = world.connect().refresh;
        let r1 = world.refreshed(&r0).refresh;
        world.now_ms -= 30 * SECOND;
        let r2 = world.refreshed(&r1).refresh;
        world.now_ms -= 50 * SECOND;
        let standing = limited(&world.refresh(&r2));
        assert_eq!(standing.reset_s, 60);
    });
}

#[test]
fn at_the_beginning_of_time_nothing_overflows() {
    both_ways(|world| {
        world.now_ms = 0;
        let first = world.connect();
        let second = world.refreshed(&first.refresh);
        assert_eq!(texts(&world.refreshed(&first.refresh)), texts(&second));
        world.end(0);
        assert!(world.works(&second.access));
        assert!(matches!(world.grant.sweep(0, 1, 1), Sweep::Keep { delete, .. } if delete.is_empty()));
    });
}

#[test]
fn at_the_end_of_time_nothing_overflows() {
    both_ways(|world| {
        world.knobs = Knobs { absolute_s: u64::MAX, idle_s: u64::MAX, access_s: u32::MAX, ..Knobs::default() };
        let first = world.connect();
        world.now_ms = u64::MAX;
        let ask = Refresh { retry_ms: u32::MAX, ..world.ask(&first.refresh) };
        world.decide(&Command::Refresh(Box::new(ask)));
        world.decide(&Command::End { seq: u64::MAX });
        let _ = world.grant.sweep(u64::MAX, u64::MAX, u64::MAX);
    });
}
