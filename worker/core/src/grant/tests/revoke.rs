//! Revocation and the owner's end.

use super::*;

const fn done(ended: Option<u64>) -> Answer {
    Answer::Revoked { ended }
}

#[test]
fn an_access_token_ends_alone() {
    both_ways(|world| {
        let first = world.connect();
        let second = world.refreshed(&first.refresh);
        assert_eq!(world.revoke(&first.access, Reach::Token), done(None));
        assert_eq!(world.writes.len(), 1);
        assert_eq!(world.check(&first.access), no(Refused::TokenRevoked));
        assert!(world.works(&second.access));
        // Once more is fine and writes nothing.
        assert_eq!(world.revoke(&first.access, Reach::Token), done(None));
        assert!(world.writes.is_empty());
        world.refreshed(&second.refresh);
    });
}

#[test]
fn a_token_ends_its_family_and_no_other() {
    for (reach, kind) in [(Reach::Token, Kind::Refresh), (Reach::Family, Kind::Refresh), (Reach::Family, Kind::Access)] {
        both_ways(|world| {
            let (one, two) = (world.connect(), world.connect());
            let token = if kind == Kind::Access { one.access } else { one.refresh };
            assert_eq!(world.revoke(&token, reach), done(None));
            assert_eq!(world.writes, [Write::Family(one.access.payload.family)]);
            assert_eq!(world.check(&one.access), no(Refused::Gone));
            assert_eq!(world.refresh(&one.refresh), no(Refused::Gone));
            assert_eq!(world.revoke(&token, reach), no(Refused::Gone), "stands for nothing any more");
            assert!(world.works(&two.access));
            assert_eq!(world.revoke(&two.refresh, reach), done(Some(2)), "the last one: the install's row is told");
        });
    }
}

#[test]
fn a_token_ends_its_consent_and_all_before_it_with_one_row_a35() {
    for kind in [Kind::Access, Kind::Refresh] {
        both_ways(|world| {
            let in_flight = world.code();
            let (one, two) = (world.connect(), world.connect());
            let three = world.connect();
            let token = if kind == Kind::Access { two.access } else { two.refresh };
            assert_eq!(world.revoke(&token, Reach::Grant), done(Some(3)));
            assert_eq!(world.writes, [Write::Grant]);
            for issued in [&one, &two] {
                assert_eq!(world.check(&issued.access), no(Refused::Gone));
                assert_eq!(world.refresh(&issued.refresh), no(Refused::Gone));
            }
            assert_eq!(world.claim(&in_flight), no(Refused::ConsentEnded), "codes in flight included");
            // A later consent survives the tidying away of an old token (attack A4).
            assert!(world.works(&three.access));
            world.refreshed(&three.refresh);
            assert_eq!(world.revoke(&token, Reach::Grant), no(Refused::Gone));
        });
    }
}

#[test]
fn an_expired_access_token_still_ends_the_grant_a4() {
    both_ways(|world| {
        let first = world.connect();
        world.wait(5 * DAY);
        let live = world.refreshed(&first.refresh);
        assert_eq!(world.revoke(&first.access, Reach::Grant), done(Some(1)));
        assert_eq!(world.check(&live.access), no(Refused::Gone));
        assert_eq!(world.refresh(&live.refresh), no(Refused::Gone));
    });
}

#[test]
fn an_expired_or_revoked_access_token_still_ends_its_family_a4() {
    both_ways(|world| {
        let first = world.connect();
        world.revoke(&first.access, Reach::Token);
        world.wait(5 * DAY);
        assert_eq!(world.revoke(&first.access, Reach::Family), done(Some(1)));
        assert_eq!(world.refresh(&first.refresh), no(Refused::Gone));
    });
}

#[test]
fn a_rotated_refresh_token_still_ends_its_family_a4() {
    for rotations in 1..=6 {
        both_ways(|world| {
            let first = world.connect();
            let tokens = world.chain(&first.refresh, rotations);
            assert_eq!(world.revoke(&tokens[0], Reach::Family), done(Some(1)), "{rotations} rotations ago");
            assert_eq!(world.refresh(&tokens[rotations]), no(Refused::Gone));
        });
    }
}

#[test]
fn a_family_over_by_age_can_still_be_ended_a4() {
    both_ways(|world| {
        let first = world.connect();
        world.wait(300 * DAY);
        assert_eq!(world.refresh(&first.refresh), no(Refused::Expired));
        assert_eq!(world.revoke(&first.refresh, Reach::Family), done(Some(1)));
    });
}

#[test]
fn a_token_that_fails_its_tag_ends_nothing() {
    both_ways(|world| {
        let first = world.connect();
        for reach in [Reach::Token, Reach::Family, Reach::Grant] {
            for token in [first.access, first.refresh] {
                let mut forged = token;
                forged.tag[0] ^= 1;
                assert_eq!(world.revoke(&forged, reach), no(Refused::BadTag));
                forged = token;
                forged.payload.family ^= 1;
                assert_eq!(world.revoke(&forged, reach), no(Refused::Gone));
            }
        }
        assert!(world.works(&first.access));
    });
}

#[test]
fn a_serial_that_was_never_handed_out_is_not_listed() {
    both_ways(|world| {
        let first = world.connect();
        let ahead = world.forge(&first.access, |payload| payload.number = 1);
        assert_eq!(world.revoke(&ahead, Reach::Token), done(None));
        let second = world.refreshed(&first.refresh);
        assert!(world.works(&second.access));
    });
}

#[test]
fn single_tokens_are_forgotten_two_minutes_after_their_end_a36() {
    both_ways(|world| {
        world.knobs.refreshes = PLENTY;
        let first = world.connect();
        let family = first.access.payload.family;
        world.revoke(&first.access, Reach::Token);
        // An isolate that is 119 s behind still lets it through: it is still listed.
        world.wait(HOUR + 119 * SECOND);
        let second = world.refreshed(&first.refresh);
        world.revoke(&second.access, Reach::Token);
        assert_eq!(world.check(&first.access), no(Refused::TokenRevoked));
        assert_eq!(world.grant.family(family).unwrap().revoked.len(), 2);
        world.wait(SECOND);
        let third = world.refreshed(&second.refresh);
        world.revoke(&third.access, Reach::Token);
        assert_eq!(world.grant.family(family).unwrap().revoked.len(), 2, "the first has gone, the third come");
        assert_eq!(world.revoke(&first.access, Reach::Token), done(None));
        assert!(world.writes.is_empty(), "over for long: nothing to record");
    });
}

#[test]
fn a_full_list_raises_the_floor_and_never_revives_a_token_a36() {
    // In any order, with live ones between.
    for step in [1, 7, 99] {
        both_ways(|world| {
            world.knobs.refreshes = PLENTY;
            let mut tokens = vec![world.connect()];
            for _ in 0..100 {
                let next = world.refreshed(&tokens.last().unwrap().refresh);
                tokens.push(next);
            }
            // 101 is prime: every step visits all. Every fourth serial and the newest are left alone.
            let order = (0..101).map(|at| at * step % 101).filter(|serial| serial % 4 != 0);
            let mut dead = Vec::new();
            for serial in order {
                world.revoke(&tokens[serial].access, Reach::Token);
                dead.push(serial);
                for serial in dead.iter().rev().take(3).chain(dead.first()) {
                    assert!(!world.works(&tokens[*serial].access), "{serial}");
                }
                assert!(world.grant.family(tokens[0].access.payload.family).unwrap().revoked.len() <= 64);
            }
            for serial in dead {
                assert_eq!(world.check(&tokens[serial].access), no(Refused::TokenRevoked), "{serial}");
            }
            assert!(world.works(&tokens[100].access), "the newest lives");
            world.refreshed(&tokens[100].refresh);
        });
    }
}

#[test]
fn the_owners_end_takes_everything_up_to_its_number_and_codes_in_flight() {
    both_ways(|world| {
        let in_flight = world.code();
        let (one, two) = (world.connect(), world.connect());
        let later = world.connect();
        assert_eq!(world.end(3), Answer::Ended);
        assert_eq!(world.writes, [Write::Grant]);
        assert_eq!(world.claim(&in_flight), no(Refused::ConsentEnded));
        for issued in [&one, &two] {
            assert_eq!(world.check(&issued.access), no(Refused::Gone));
            assert_eq!(world.refresh(&issued.refresh), no(Refused::Gone));
            assert_eq!(world.revoke(&issued.refresh, Reach::Grant), no(Refused::Gone));
        }
        assert!(world.works(&later.access));
    });
}

#[test]
fn an_end_can_be_told_twice_and_a_late_smaller_one_takes_nothing_back() {
    both_ways(|world| {
        let (one, two) = (world.connect(), world.connect());
        for seq in [2, 2, 1, 0] {
            assert_eq!(world.end(seq), Answer::Ended);
            assert_eq!(world.grant.row().ended_seq, 2);
            assert!(!world.works(&one.access) && !world.works(&two.access));
        }
        let three = world.connect();
        assert_eq!(world.end(2), Answer::Ended);
        assert!(world.works(&three.access));
        world.refreshed(&three.refresh);
    });
}

#[test]
fn an_end_before_the_first_claim_is_kept_a38() {
    both_ways(|world| {
        let code = world.code();
        world.end(1);
        world.restart();
        assert_eq!(world.claim(&code), no(Refused::ConsentEnded));
    });
}

#[test]
fn a_revocation_of_an_earlier_consent_does_not_lower_the_line() {
    both_ways(|world| {
        let (one, two) = (world.connect(), world.connect());
        world.end(1);
        assert_eq!(world.revoke(&two.access, Reach::Grant), done(Some(2)));
        assert_eq!(world.revoke(&one.access, Reach::Grant), no(Refused::Gone));
        assert_eq!(world.grant.row().ended_seq, 2);
    });
}

#[test]
fn what_the_owner_ended_does_not_count_as_left() {
    both_ways(|world| {
        world.connect();
        world.end(1);
        let (two, three) = (world.connect(), world.connect());
        assert_eq!(world.revoke(&three.refresh, Reach::Family), done(None));
        assert_eq!(world.revoke(&two.refresh, Reach::Family), done(Some(3)));
    });
}

#[test]
fn the_row_is_told_the_newest_consent_however_long_ago_that_ended_a18() {
    both_ways(|world| {
        let (one, two) = (world.connect(), world.connect());
        assert_eq!(world.revoke(&two.refresh, Reach::Family), done(None));
        world.wait(DAY);
        world.sweep();
        assert_eq!(world.revoke(&one.refresh, Reach::Family), done(Some(2)));
    });
}
