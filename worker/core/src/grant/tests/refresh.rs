//! Rotation, the retry window and replay.

use super::*;

#[test]
fn a_refresh_rotates_both_tokens() {
    both_ways(|world| {
        let first = world.connect();
        world.wait(MINUTE);
        let second = world.refreshed(&first.refresh);
        let now_s = world.now_ms / 1000;
        assert_eq!((second.access.payload.number, second.refresh.payload.number), (1, 1));
        assert_eq!(second.access.payload.expires_s, now_s + 3600);
        assert_eq!(second.refresh.payload.expires_s, START_MS / 1000 + 180 * 86_400, "the absolute end does not move (attack A5)");
        assert_eq!(world.writes, [Write::Family(first.access.payload.family)]);
        assert!(world.works(&first.access) && world.works(&second.access), "the old access token lives on");
        world.refreshed(&second.refresh);
    });
}

#[test]
fn a_retry_inside_the_window_gets_the_same_bytes() {
    both_ways(|world| {
        let first = world.connect();
        world.wait(MINUTE);
        let answer = world.refreshed(&first.refresh);
        for ms in [0, 1, 999, 1000] {
            world.wait(ms);
            // Whatever key, lifetime and scope would be taken now (attack A7).
            world.knobs = Knobs { key_id: 2, access_s: 60, ..Knobs::default() };
            let again = world.refreshed(&first.refresh);
            assert_eq!(texts(&again), texts(&answer));
            assert!(world.writes.is_empty());
        }
        // 2.000 s are inside, 2.001 s are not.
        world.wait(1);
        assert_eq!(world.refresh(&first.refresh), no(Refused::RefreshReplayed { ended: Some(1) }));
    });
}

#[test]
fn two_quick_rotations_and_a_duplicate_of_the_first_end_with_the_newest_answer_a6() {
    both_ways(|world| {
        let r0 = world.connect().refresh;
        let r1 = world.refreshed(&r0).refresh;
        world.wait(300);
        let newest = world.refreshed(&r1);
        for old in [r0, r1, r0] {
            world.wait(100);
            let again = world.refreshed(&old);
            assert_eq!(texts(&again), texts(&newest));
        }
        world.wait(HOUR);
        world.refreshed(&newest.refresh);
    });
}

#[test]
fn four_rotations_inside_the_window_are_told_apart_and_a_fifth_is_not() {
    both_ways(|world| {
        let mut tokens = vec![world.connect().refresh];
        for _ in 0..4 {
            world.wait(100);
            let next = world.refreshed(tokens.last().unwrap()).refresh;
            tokens.push(next);
        }
        assert_eq!(world.refreshed(&tokens[0]).refresh, tokens[4]);
        let fifth = world.refreshed(&tokens[4]).refresh;
        assert_eq!(world.refresh(&tokens[0]), no(Refused::Superseded));
        assert_eq!(world.refreshed(&tokens[1]).refresh, fifth);
        // The oldest time that is kept is tokens[1]'s, 200 ms ago: until it leaves the window
        // tokens[0] is refused without harm, then it is a replay.
        world.wait(1800);
        assert_eq!(world.refresh(&tokens[0]), no(Refused::Superseded));
        world.wait(1);
        assert_eq!(world.refresh(&tokens[0]), no(Refused::RefreshReplayed { ended: Some(1) }));
        assert_eq!(world.refresh(&fifth), no(Refused::Gone));
    });
}

#[test]
fn any_ancestor_outside_the_window_ends_the_family_and_its_access_tokens() {
    for behind in [1, 2, 3, 4, 5, 6] {
        both_ways(|world| {
            let bystander = world.connect();
            let first = world.connect();
            let tokens = world.chain(&first.refresh, 6);
            let newest_access = world.refreshed(tokens.last().unwrap()).access;
            world.wait(10 * SECOND);
            // The last refresh made one more rotation: `behind` counts from it.
            assert_eq!(world.refresh(&tokens[7 - behind]), no(Refused::RefreshReplayed { ended: None }), "{behind} behind");
            for access in [&first.access, &newest_access] {
                assert_eq!(world.check(access), no(Refused::Gone));
            }
            for token in &tokens {
                assert_eq!(world.refresh(token), no(Refused::Gone));
            }
            assert!(world.works(&bystander.access));
            // Now nothing lives: the install's row is told.
            let chain = world.chain(&bystander.refresh, 1);
            world.wait(3 * SECOND);
            assert_eq!(world.refresh(&chain[0]), no(Refused::RefreshReplayed { ended: Some(2) }));
        });
    }
}

#[test]
fn an_ancestor_of_a_month_ago_is_a_replay_a5() {
    both_ways(|world| {
        let r0 = world.connect().refresh;
        let mut live = world.refreshed(&r0).refresh;
        for _ in 0..3 {
            world.wait(20 * DAY);
            live = world.refreshed(&live).refresh;
        }
        assert_eq!(world.refresh(&r0), no(Refused::RefreshReplayed { ended: Some(1) }));
        assert_eq!(world.refresh(&live), no(Refused::Gone));
    });
}

#[test]
fn without_a_window_every_second_use_is_a_replay() {
    both_ways(|world| {
        world.knobs.retry_ms = 0;
        let first = world.connect();
        world.refreshed(&first.refresh);
        assert_eq!(world.refresh(&first.refresh), no(Refused::RefreshReplayed { ended: Some(1) }));
    });
}

#[test]
fn a_generation_that_was_never_handed_out_changes_nothing_a6() {
    both_ways(|world| {
        let first = world.connect();
        for ahead in [1, 2, u32::MAX] {
            let forged = world.forge(&first.refresh, |payload| payload.number = ahead);
            assert_eq!(world.refresh(&forged), no(Refused::Ahead));
        }
        world.refreshed(&first.refresh);
    });
}

#[test]
fn a_wrong_tag_changes_nothing_even_for_an_old_generation_a3() {
    both_ways(|world| {
        let first = world.connect();
        let live = world.chain(&first.refresh, 2)[2];
        for bit in 0..128 {
            let mut forged = first.refresh;
            forged.tag[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(world.refresh(&forged), no(Refused::BadTag));
        }
        for change in [
            |payload: &mut Payload| payload.number = 1,
            |payload: &mut Payload| payload.expires_s += 1,
            |payload: &mut Payload| payload.key_id = 2,
            |payload: &mut Payload| payload.scope_set = 1,
            |payload: &mut Payload| payload.grant = GrantId([0; 16]),
        ] {
            let mut forged = first.refresh;
            change(&mut forged.payload);
            assert_eq!(world.refresh(&forged), no(Refused::BadTag));
        }
        let mut nowhere = first.refresh;
        nowhere.payload.family ^= 1;
        assert_eq!(world.refresh(&nowhere), no(Refused::Gone));
        world.refreshed(&live);
    });
}

#[test]
fn another_apps_token_changes_nothing_whatever_its_age_a10() {
    both_ways(|world| {
        let first = world.connect();
        let live = world.chain(&first.refresh, 2)[2];
        let foreign = world.forge(&first.refresh, |payload| payload.app = APP + 1);
        assert_eq!(world.refresh(&foreign), no(Refused::NotYours));
        assert_eq!(world.revoke(&foreign, Reach::Grant), no(Refused::NotYours));
        world.refreshed(&live);
    });
}

#[test]
fn only_a_refresh_token_refreshes() {
    both_ways(|world| {
        let first = world.connect();
        assert_eq!(world.refresh(&first.access), no(Refused::BadTag));
        let key = world.forge(&first.refresh, |payload| payload.kind = Kind::Key);
        assert_eq!(world.refresh(&key), no(Refused::BadTag));
    });
}

#[test]
fn the_eleventh_refresh_in_a_minute_is_refused_unused_and_works_after_the_reset() {
    both_ways(|world| {
        let mut live = world.connect().refresh;
        for _ in 0..10 {
            live = world.refreshed(&live).refresh;
            world.wait(3 * SECOND);
        }
        let standing = limited(&world.refresh(&live));
        assert_eq!((standing.limit, standing.remaining, standing.reset_s), (10, 0, 30));
        assert!(world.writes.is_empty());
        world.wait(u64::from(standing.reset_s) * SECOND - 1);
        limited(&world.refresh(&live));
        world.wait(1);
        world.refreshed(&live);
    });
}

#[test]
fn retries_are_not_counted_and_another_family_has_its_own_limit() {
    both_ways(|world| {
        world.knobs.refreshes.limit = 1;
        let (one, two) = (world.connect(), world.connect());
        let newest = world.refreshed(&one.refresh);
        for _ in 0..20 {
            assert_eq!(texts(&world.refreshed(&one.refresh)), texts(&newest));
        }
        limited(&world.refresh(&newest.refresh));
        world.refreshed(&two.refresh);
    });
}

#[test]
fn a_replay_is_told_before_the_limit() {
    both_ways(|world| {
        world.knobs.refreshes.limit = 1;
        let first = world.connect();
        let live = world.refreshed(&first.refresh).refresh;
        world.wait(3 * SECOND);
        limited(&world.refresh(&live));
        assert_eq!(world.refresh(&first.refresh), no(Refused::RefreshReplayed { ended: Some(1) }));
    });
}

#[test]
fn rotate_and_end_pair_ends_every_older_access_token() {
    both_ways(|world| {
        world.knobs.rotation = Rotation::RotateAndEndPair;
        let first = world.connect();
        let second = world.refreshed(&first.refresh);
        assert_eq!(world.check(&first.access), no(Refused::TokenRevoked));
        assert!(world.works(&second.access));
        // The retry's access token is the new one, alive.
        let again = world.refreshed(&first.refresh);
        assert_eq!(texts(&again), texts(&second));
        assert!(world.works(&again.access));
        world.wait(MINUTE);
        let third = world.refreshed(&second.refresh);
        let alive: Vec<bool> = [&first, &second, &third].map(|issued| world.works(&issued.access)).into();
        assert_eq!(alive, [false, false, true]);
        // Back to plain rotation nothing revives.
        world.knobs.rotation = Rotation::Rotate;
        world.wait(MINUTE);
        world.refreshed(&third.refresh);
        let alive: Vec<bool> = [&first, &second, &third].map(|issued| world.works(&issued.access)).into();
        assert_eq!(alive, [false, false, true]);
    });
}

#[test]
fn a_retry_whose_access_token_was_revoked_gets_the_next_one_beside_the_same_refresh_token_a7() {
    both_ways(|world| {
        let first = world.connect();
        let second = world.refreshed(&first.refresh);
        world.revoke(&second.access, Reach::Token);
        world.wait(SECOND);
        let third = world.refreshed(&first.refresh);
        assert_eq!(third.refresh, second.refresh);
        assert_eq!(third.access.payload.number, second.access.payload.number + 1);
        assert_eq!(third.access.payload.expires_s, world.now_ms / 1000 + 3600);
        assert!(!world.works(&second.access) && world.works(&third.access));
        let again = world.refreshed(&first.refresh);
        assert_eq!(texts(&again), texts(&third));
        // The window is still the first rotation's.
        world.wait(1001);
        assert_eq!(world.refresh(&first.refresh), no(Refused::RefreshReplayed { ended: Some(1) }));
    });
}

#[test]
fn the_first_use_of_a_day_is_told() {
    both_ways(|world| {
        let first = world.connect();
        assert!(first.touch);
        let midnight = (START_MS / DAY + 1) * DAY;
        world.now_ms = midnight - 1;
        let second = world.refreshed(&first.refresh);
        assert!(!second.touch);
        world.wait(1);
        let retry = world.refreshed(&first.refresh);
        assert!(!retry.touch, "a retry is no use");
        assert!(retry.retry && !first.retry, "and is told from one");
        let third = world.refreshed(&second.refresh);
        assert!(third.touch);
    });
}
