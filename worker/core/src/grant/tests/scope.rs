//! Narrowed scopes: sets of the family, named by the token, never widened.

use super::*;

#[track_caller]
fn scope_of(world: &mut World, token: &Token) -> String {
    let answer = world.check(token);
    let Answer::Checked(checked) = answer else { panic!("not checked: {answer:?}") };
    checked.scope
}

#[test]
fn a_narrowed_scope_is_the_access_tokens_own_and_the_next_refresh_is_full_again() {
    both_ways(|world| {
        let first = world.connect();
        let narrow = issued(world.refresh_for(&first.refresh, "b"));
        assert_eq!((narrow.scope.as_str(), narrow.access.payload.scope_set, narrow.refresh.payload.scope_set), ("b", 1, 0));
        assert_eq!(world.writes.len(), 1);
        let full = world.refreshed(&narrow.refresh);
        assert_eq!((full.scope.as_str(), full.access.payload.scope_set), ("a b c", 0));
        for (token, scope) in [(&first.access, "a b c"), (&narrow.access, "b"), (&full.access, "a b c")] {
            assert_eq!(scope_of(world, token), scope);
        }
    });
}

#[test]
fn the_same_scope_in_another_spelling_is_the_same_set() {
    both_ways(|world| {
        let mut live = world.connect().refresh;
        for (asked, set, scope) in
            [("b a", 1, "b a"), ("a b", 1, "b a"), ("c", 2, "c"), ("a  b a", 1, "b a"), ("c b a", 0, "a b c"), ("c c", 2, "c")]
        {
            let next = issued(world.refresh_for(&live, asked));
            assert_eq!((next.access.payload.scope_set, next.scope.as_str()), (set, scope), "{asked}");
            assert_eq!(scope_of(world, &next.access), scope);
            live = next.refresh;
        }
    });
}

#[test]
fn a_wider_or_malformed_scope_is_refused_and_uses_nothing_up() {
    both_ways(|world| {
        world.knobs.refreshes.limit = 1;
        let first = world.connect();
        for asked in ["d", "a b c d", "A", "a\"", "", " ", "a\tb", "ä"] {
            assert_eq!(world.refresh_for(&first.refresh, asked), no(Refused::Scope), "{asked:?}");
        }
        let second = world.refreshed(&first.refresh);
        // A retry passes the checks of a first request (attack A7).
        assert_eq!(world.refresh_for(&first.refresh, "d"), no(Refused::Scope));
        assert_eq!(texts(&world.refreshed(&first.refresh)), texts(&second));
    });
}

#[test]
fn a_retry_with_another_scope_gets_the_newest_answer_as_it_is_a7() {
    both_ways(|world| {
        let first = world.connect();
        let narrow = issued(world.refresh_for(&first.refresh, "a"));
        for asked in ["a b c", "b", "a"] {
            let again = issued(world.refresh_for(&first.refresh, asked));
            assert_eq!(texts(&again), texts(&narrow));
            assert!(world.writes.is_empty());
        }
        assert_eq!(texts(&world.refreshed(&first.refresh)), texts(&narrow));
    });
}

#[test]
fn after_a_revoked_answer_a_retry_gets_the_scope_it_asks_for_inside_the_consent() {
    both_ways(|world| {
        let first = world.connect();
        let full = world.refreshed(&first.refresh);
        world.revoke(&full.access, Reach::Token);
        let narrow = issued(world.refresh_for(&first.refresh, "c"));
        assert_eq!((narrow.scope.as_str(), narrow.refresh), ("c", full.refresh));
        assert_eq!(scope_of(world, &narrow.access), "c");
    });
}

#[test]
fn the_sixty_fifth_narrowing_is_refused_and_known_ones_go_on() {
    both_ways(|world| {
        world.knobs.refreshes = PLENTY;
        let names: Vec<String> = (0..65).map(|number| format!("s{number}")).collect();
        let mut code = world.code();
        code.held.as_mut().unwrap().scope = names.join(" ");
        let mut live = issued(world.claim(&code)).refresh;
        for (at, name) in names.iter().enumerate().take(64) {
            let next = issued(world.refresh_for(&live, name));
            assert_eq!(usize::from(next.access.payload.scope_set), at + 1);
            live = next.refresh;
        }
        assert_eq!(world.refresh_for(&live, &names[64]), no(Refused::Scope));
        live = issued(world.refresh_for(&live, &names[63])).refresh;
        live = issued(world.refresh_for(&live, &names.join(" "))).refresh;
        world.refreshed(&live);
    });
}

#[test]
fn a_scope_set_that_is_not_there_is_refused_never_widened_a15() {
    both_ways(|world| {
        let first = world.connect();
        let narrow = issued(world.refresh_for(&first.refresh, "a"));
        for set in [2, 3, 64, u16::MAX] {
            let forged = world.forge(&narrow.access, |payload| payload.scope_set = set);
            assert_eq!(world.check(&forged), no(Refused::BadTag), "{set}");
        }
        world.set(first.access.payload.family, |family| family.scope_sets.clear());
        assert_eq!(world.check(&narrow.access), no(Refused::BadTag));
    });
}
