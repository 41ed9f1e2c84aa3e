//! How long a family lives: idle, absolute, and the ends of its counters.

use super::*;

#[test]
fn a_family_unused_for_longer_than_its_idle_life_is_over() {
    both_ways(|world| {
        let first = world.connect();
        world.wait(30 * DAY);
        let second = world.refreshed(&first.refresh);
        world.wait(30 * DAY + 1);
        assert_eq!(world.refresh(&second.refresh), no(Refused::Expired));
        // Policy may lengthen it again: nothing was recorded.
        world.knobs.idle_s += 1;
        world.refreshed(&second.refresh);
    });
}

#[test]
fn without_an_idle_life_disuse_is_no_matter() {
    both_ways(|world| {
        world.knobs = Knobs { idle_s: 0, absolute_s: 0, ..Knobs::default() };
        let first = world.connect();
        assert_eq!(first.refresh.payload.expires_s, 0);
        world.wait(5000 * DAY);
        world.refreshed(&first.refresh);
    });
}

#[test]
fn a_retry_is_no_use() {
    both_ways(|world| {
        let first = world.connect();
        let second = world.refreshed(&first.refresh);
        world.wait(2 * SECOND);
        world.refreshed(&first.refresh);
        world.wait(30 * DAY - 2 * SECOND + 1);
        assert_eq!(world.refresh(&second.refresh), no(Refused::Expired));
    });
}

#[test]
fn the_absolute_end_is_fixed_when_the_family_is_made() {
    both_ways(|world| {
        world.knobs = Knobs { idle_s: 0, absolute_s: 86_400, ..Knobs::default() };
        let first = world.connect();
        // A longer policy later does not move it.
        world.knobs.absolute_s = 2 * 86_400;
        world.now_ms = START_MS + DAY - 1;
        let last = world.refreshed(&first.refresh);
        assert_eq!(last.refresh.payload.expires_s, first.refresh.payload.expires_s);
        world.wait(1);
        for token in [&first.refresh, &last.refresh] {
            assert_eq!(world.refresh(token), no(Refused::Expired));
        }
    });
}

#[test]
fn a_stricter_policy_counts_at_once_a5() {
    both_ways(|world| {
        let first = world.connect();
        world.wait(10 * DAY);
        let second = world.refreshed(&first.refresh);
        world.knobs.absolute_s = 10 * 86_400;
        world.wait(MINUTE);
        assert_eq!(world.refresh(&second.refresh), no(Refused::Expired));
        world.knobs.absolute_s = 11 * 86_400;
        let third = world.refreshed(&second.refresh);
        // A family made without an end gets the policy's too.
        assert_eq!(third.access.payload.expires_s, world.now_ms / 1000 + 3600);
        world.knobs = Knobs { idle_s: 0, absolute_s: 0, ..Knobs::default() };
        let endless = world.connect();
        world.knobs.absolute_s = 86_400;
        world.wait(DAY);
        assert_eq!(world.refresh(&endless.refresh), no(Refused::Expired));
    });
}

#[test]
fn no_access_token_outlives_the_absolute_end() {
    both_ways(|world| {
        world.knobs = Knobs { idle_s: 0, absolute_s: 86_400, ..Knobs::default() };
        let end_s = START_MS / 1000 + 86_400;
        let first = world.connect();
        world.now_ms = START_MS + DAY - 10 * MINUTE;
        let second = world.refreshed(&first.refresh);
        assert_eq!(second.access.payload.expires_s, end_s);
        // Nor does the one that a retry gets for a revoked one.
        world.revoke(&second.access, Reach::Token);
        let third = world.refreshed(&first.refresh);
        assert_eq!(third.access.payload.expires_s, end_s);
        // Nor the first of a short consent.
        world.knobs.absolute_s = 600;
        let short = world.connect();
        assert_eq!(short.access.payload.expires_s, world.now_ms / 1000 + 600);
        assert_eq!(short.access.payload.expires_s, short.refresh.payload.expires_s);
    });
}

#[test]
fn no_access_token_outlives_a_stricter_policy() {
    both_ways(|world| {
        let first = world.connect();
        world.knobs.absolute_s = 7200;
        world.knobs.idle_s = 7200;
        world.wait(90 * MINUTE);
        let second = world.refreshed(&first.refresh);
        assert_eq!(second.access.payload.expires_s, START_MS / 1000 + 7200);
    });
}

#[test]
fn a_replay_is_a_replay_also_when_the_family_is_over_by_age() {
    both_ways(|world| {
        let first = world.connect();
        let second = world.refreshed(&first.refresh);
        world.wait(31 * DAY);
        assert_eq!(world.refresh(&second.refresh), no(Refused::Expired));
        assert_eq!(world.refresh(&first.refresh), no(Refused::RefreshReplayed { ended: Some(1) }));
        world.knobs.idle_s = 0;
        assert_eq!(world.refresh(&second.refresh), no(Refused::Gone));
    });
}

#[test]
fn a_used_up_counter_ends_the_family_and_repeats_nothing() {
    for (generation, serial, rotation) in [
        (u32::MAX, 5, Rotation::Rotate),
        (5, u32::MAX, Rotation::Rotate),
        (5, u32::MAX, Rotation::Static),
        (5, u32::MAX, Rotation::RotateAndEndPair),
    ] {
        both_ways(|world| {
            world.knobs.rotation = rotation;
            let first = world.connect();
            world.set(first.access.payload.family, |family| {
                family.generation = generation;
                family.answer.serial = serial;
            });
            let live = world.forge(&first.refresh, |payload| payload.number = generation);
            world.wait(MINUTE);
            assert_eq!(world.refresh(&live), no(Refused::RefreshReplayed { ended: Some(1) }));
            assert_eq!(world.refresh(&live), no(Refused::Gone));
            assert_eq!(world.check(&first.access), no(Refused::Gone));
        });
    }
    // Standing still, the generation may be at its end.
    both_ways(|world| {
        world.knobs.rotation = Rotation::Static;
        let first = world.connect();
        world.set(first.access.payload.family, |family| family.generation = u32::MAX);
        let live = world.forge(&first.refresh, |payload| payload.number = u32::MAX);
        assert_eq!(world.refreshed(&live).refresh.payload.number, u32::MAX);
    });
}

#[test]
fn a_retry_without_another_serial_is_refused_without_harm() {
    both_ways(|world| {
        let first = world.connect();
        world.set(first.access.payload.family, |family| family.answer.serial = u32::MAX - 1);
        let second = world.refreshed(&first.refresh);
        assert_eq!(second.access.payload.number, u32::MAX);
        world.revoke(&second.access, Reach::Token);
        assert_eq!(world.refresh(&first.refresh), no(Refused::Expired));
        assert_eq!(world.check(&second.access), no(Refused::TokenRevoked));
    });
}
