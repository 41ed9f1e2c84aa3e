//! Refresh tokens that stay: the generation stands still, access serials count on.

use super::*;

fn fixed(world: &mut World) -> Issued {
    world.knobs.rotation = Rotation::Static;
    world.connect()
}

#[test]
fn the_refresh_token_stays_and_access_serials_count_on() {
    both_ways(|world| {
        let first = fixed(world);
        for serial in 1..=5 {
            world.wait(MINUTE);
            let next = world.refreshed(&first.refresh);
            assert_eq!(text(&next.refresh), text(&first.refresh));
            assert_eq!(next.access.payload.number, serial);
            assert!(world.works(&next.access));
        }
        assert!(world.works(&first.access));
    });
}

#[test]
fn the_same_token_inside_the_window_gets_the_same_access_token_and_is_not_counted_a37() {
    both_ways(|world| {
        let first = fixed(world);
        world.knobs.refreshes.limit = 2;
        world.wait(SECOND);
        let one = world.refreshed(&first.refresh);
        assert_ne!(texts(&one), texts(&first), "the claim is not a refresh");
        for _ in 0..10 {
            world.wait(200);
            let again = world.refreshed(&first.refresh);
            assert_eq!(texts(&again), texts(&one));
            assert!(world.writes.is_empty());
        }
        world.wait(1);
        let two = world.refreshed(&first.refresh);
        assert_ne!(texts(&two), texts(&one));
        world.wait(2001);
        limited(&world.refresh(&first.refresh));
        world.wait(MINUTE);
        world.refreshed(&first.refresh);
    });
}

#[test]
fn a_revoked_access_token_is_never_handed_out_again_a7() {
    both_ways(|world| {
        let first = fixed(world);
        let one = world.refreshed(&first.refresh);
        for _ in 0..3 {
            let dead = world.refreshed(&first.refresh).access;
            world.revoke(&dead, Reach::Token);
            let next = world.refreshed(&first.refresh);
            assert_ne!(next.access, dead);
            assert_eq!(text(&next.refresh), text(&one.refresh));
            assert!(world.works(&next.access) && !world.works(&dead));
        }
    });
}

#[test]
fn without_a_window_each_use_is_a_refresh() {
    both_ways(|world| {
        let first = fixed(world);
        world.knobs.retry_ms = 0;
        let (one, two) = (world.refreshed(&first.refresh), world.refreshed(&first.refresh));
        assert_ne!(one.access, two.access);
    });
}

#[test]
fn a_new_edge_key_signs_the_same_token_again_and_both_spellings_work_a16() {
    both_ways(|world| {
        let first = fixed(world);
        world.wait(MINUTE);
        world.knobs.key_id = 2;
        let next = world.refreshed(&first.refresh);
        assert_eq!((next.refresh.payload.key_id, next.access.payload.key_id), (2, 2));
        assert_ne!(text(&next.refresh), text(&first.refresh));
        for spelling in [first.refresh, next.refresh] {
            world.wait(MINUTE);
            let answer = world.refreshed(&spelling);
            assert_eq!(text(&answer.refresh), text(&next.refresh));
        }
    });
}

#[test]
fn idle_life_starts_again_with_every_use_a5() {
    both_ways(|world| {
        let first = fixed(world);
        for _ in 0..5 {
            world.wait(29 * DAY);
            world.refreshed(&first.refresh);
        }
        world.wait(30 * DAY + 1);
        assert_eq!(world.refresh(&first.refresh), no(Refused::Expired));
    });
}

/// The times of rotations belong to generations. A static refresh rotates nothing away, so it must
/// not make an old ancestor look as if it had been rotated away just now.
#[test]
fn an_ancestor_stays_an_ancestor_when_an_app_changes_to_static_a7() {
    for static_refreshes in 1..=5 {
        both_ways(|world| {
            let r0 = world.connect().refresh;
            let r1 = world.refreshed(&r0).refresh;
            world.knobs.rotation = Rotation::Static;
            for _ in 0..static_refreshes {
                world.wait(10 * SECOND);
                assert_eq!(world.refreshed(&r1).refresh, r1);
            }
            world.wait(SECOND);
            assert_eq!(world.refresh(&r0), no(Refused::RefreshReplayed { ended: Some(1) }));
            assert_eq!(world.refresh(&r1), no(Refused::Gone));
        });
    }
}

#[test]
fn a_client_may_change_from_static_to_rotating_and_back_a7() {
    both_ways(|world| {
        let stays = fixed(world).refresh;
        world.wait(MINUTE);
        let one = world.refreshed(&stays);
        world.knobs.rotation = Rotation::Rotate;
        world.wait(SECOND);
        // Rotating, the live token is no retry: it rotates.
        let two = world.refreshed(&stays);
        assert_eq!((two.refresh.payload.number, two.access.payload.number), (1, one.access.payload.number + 1));
        assert_eq!(texts(&world.refreshed(&stays)), texts(&two));
        world.knobs.rotation = Rotation::Static;
        world.wait(SECOND);
        assert_eq!(texts(&world.refreshed(&two.refresh)), texts(&two), "inside the window of the last answer");
        world.wait(MINUTE);
        let three = world.refreshed(&two.refresh);
        assert_eq!((three.refresh.payload.number, three.access.payload.number), (1, two.access.payload.number + 1));
        assert_eq!(world.refresh(&stays), no(Refused::RefreshReplayed { ended: Some(1) }));
    });
}
