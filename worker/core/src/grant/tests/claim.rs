//! Redemption of codes.

use super::*;

#[test]
fn a_code_gives_the_first_tokens_of_its_consent() {
    both_ways(|world| {
        let code = world.code();
        let first = issued(world.claim(&code));
        let now_s = START_MS / 1000;
        let (access, refresh) = (first.access.payload, first.refresh.payload);
        assert_eq!((access.kind, access.number, access.expires_s), (Kind::Access, 0, now_s + 3600));
        assert_eq!((refresh.kind, refresh.number, refresh.expires_s), (Kind::Refresh, 0, now_s + 180 * 86_400));
        for payload in [access, refresh] {
            assert_eq!((payload.key_id, payload.app, payload.grant, payload.scope_set), (1, APP, GRANT, 0));
        }
        assert_eq!((first.scope.as_str(), first.account.as_str(), first.touch), ("a b c", "acc-1", true));
        assert_eq!(world.writes, [Write::Family(access.family)]);
        assert!(world.works(&first.access));
        world.refreshed(&first.refresh);
    });
}

#[test]
fn tags_of_two_families_and_two_issuers_differ() {
    let mut world = World::new(false);
    let (one, two) = (world.connect(), world.connect());
    assert_ne!(
        world.grant.family(one.access.payload.family).unwrap().secret,
        world.grant.family(two.access.payload.family).unwrap().secret
    );
    let mut elsewhere = World::new(false);
    elsewhere.grant =
        Grant::load("https://other.example".into(), Rows { grant: GrantRow::default(), families: world.grant.families.clone() });
    let ask = Command::Refresh(Box::new(world.ask(&one.refresh)));
    assert_eq!(elsewhere.grant.decide(&ask, START_MS, &[0; 36]).answer, no(Refused::BadTag));
}

#[test]
fn a_second_valid_use_revokes_what_the_first_produced() {
    both_ways(|world| {
        let code = world.code();
        let first = issued(world.claim(&code));
        let rotated = world.refreshed(&first.refresh);
        assert_eq!(world.claim(&code), no(Refused::CodeReplayed { ended: Some(1) }));
        assert_eq!(world.writes, [Write::Family(first.access.payload.family)]);
        for token in [&first.access, &rotated.access] {
            assert_eq!(world.check(token), no(Refused::Gone));
        }
        for token in [&first.refresh, &rotated.refresh] {
            assert_eq!(world.refresh(token), no(Refused::Gone));
        }
        // Also without its record, as in a place where KV misses (attack A9).
        assert_eq!(world.claim(&Claim { held: None, ..code }), no(Refused::CodeReplayed { ended: None }));
        assert!(world.writes.is_empty(), "it ended before");
    });
}

#[test]
fn a_replayed_code_is_noticed_without_its_record_and_leaves_other_consents_alone_a9() {
    both_ways(|world| {
        let other = world.connect();
        let code = world.code();
        let first = issued(world.claim(&code));
        assert_eq!(world.claim(&Claim { held: None, ..code }), no(Refused::CodeReplayed { ended: None }));
        assert_eq!(world.check(&first.access), no(Refused::Gone));
        assert!(world.works(&other.access));
        world.refreshed(&other.refresh);
    });
}

#[test]
fn a_second_use_that_proves_nothing_changes_nothing() {
    both_ways(|world| {
        let code = world.code();
        let first = issued(world.claim(&code));
        for wrong in [
            Claim { challenge: Some([9; 32]), ..code.clone() },
            Claim { challenge: None, ..code.clone() },
            Claim { redirect: [9; 32], ..code.clone() },
            Claim { app: APP + 1, ..code.clone() },
        ] {
            assert_eq!(world.claim(&wrong), no(Refused::CodeClaimed));
        }
        assert!(world.works(&first.access));
        world.refreshed(&first.refresh);
    });
}

#[test]
fn a_code_without_challenge_is_claimed_once_and_a_verifier_proves_nothing_for_it() {
    both_ways(|world| {
        let code = Claim { challenge: None, ..world.code() };
        issued(world.claim(&code));
        assert_eq!(world.claim(&Claim { challenge: Some([3; 32]), ..code.clone() }), no(Refused::CodeClaimed));
        assert_eq!(world.claim(&code), no(Refused::CodeReplayed { ended: Some(1) }));
    });
}

#[test]
fn a_code_without_record_that_was_never_claimed_is_unknown_and_still_good() {
    both_ways(|world| {
        let code = world.code();
        assert_eq!(world.claim(&Claim { held: None, ..code.clone() }), no(Refused::CodeUnknown));
        issued(world.claim(&code));
    });
}

#[test]
fn the_code_of_an_ended_consent_is_never_redeemed_a2() {
    both_ways(|world| {
        let in_flight = world.code();
        let later = world.code();
        assert_eq!(world.end(1), Answer::Ended);
        assert_eq!(world.claim(&in_flight), no(Refused::ConsentEnded));
        issued(world.claim(&later));
    });
}

#[test]
fn a_code_used_again_after_the_owners_end_stays_dead() {
    both_ways(|world| {
        let code = world.code();
        let first = issued(world.claim(&code));
        world.end(1);
        assert_eq!(world.claim(&code), no(Refused::CodeReplayed { ended: Some(1) }));
        assert_eq!(world.check(&first.access), no(Refused::Gone));
        assert_eq!(world.refresh(&first.refresh), no(Refused::Gone));
    });
}

#[test]
fn a_full_grant_ends_the_family_unused_longest_a35() {
    both_ways(|world| {
        world.knobs.families_max = 3;
        let mut tokens = Vec::new();
        for _ in 0..3 {
            tokens.push(world.connect());
            world.wait(10 * SECOND);
        }
        // The first is used again: the second is now the oldest.
        tokens[0] = world.refreshed(&tokens[0].refresh);
        let fourth = world.connect();
        let ended = tokens[1].access.payload.family;
        assert_eq!(world.writes, [Write::Family(ended), Write::Family(fourth.access.payload.family)], "the end is written first");
        let alive: Vec<bool> = [&tokens[0], &tokens[1], &tokens[2], &fourth].map(|issued| world.works(&issued.access)).into();
        assert_eq!(alive, [true, false, true, true]);
        assert_eq!(world.refresh(&tokens[1].refresh), no(Refused::Gone));
    });
}

#[test]
fn families_that_are_over_take_no_room() {
    both_ways(|world| {
        world.knobs.families_max = 2;
        let (revoked, by_owner) = (world.connect(), world.connect());
        world.end(2);
        world.revoke(&revoked.refresh, Reach::Family);
        let (third, fourth) = (world.connect(), world.connect());
        assert!(!world.works(&by_owner.access) && world.works(&third.access) && world.works(&fourth.access));
    });
}

#[test]
fn a_fault_between_the_two_writes_of_a_full_grant_loses_the_oldest_at_most() {
    let mut world = World::new(false);
    world.knobs.families_max = 1;
    let first = world.connect();
    let code = world.code();
    let before = world.disk.clone();
    issued(world.claim(&code));
    let mut torn = before;
    torn.write(&world.grant, world.writes[0]);
    world.disk = torn;
    world.restart();
    assert_eq!(world.check(&first.access), no(Refused::Gone));
    issued(world.claim(&code));
}

#[test]
fn a_family_number_that_is_taken_is_passed_over() {
    both_ways(|world| {
        world.random = Some([0xff; 36]);
        let (first, second, third) = (world.connect(), world.connect(), world.connect());
        assert_eq!([first, second, third].map(|issued| issued.access.payload.family), [u32::MAX, 0, 1]);
    });
}

#[test]
fn without_a_free_number_nothing_happens() {
    let mut world = World::new(false);
    world.random = Some([0; 36]);
    let first = world.connect();
    let family = world.grant.family(0).unwrap().clone();
    for number in 1..=1000 {
        world.grant.families.insert(number, Family { code_hash: sha256(&[number as u8, (number >> 8) as u8, 1]), ..family.clone() });
    }
    world.disk = Disk::of(&world.grant);
    world.knobs.families_max = 1;
    let code = world.code();
    assert_eq!(world.claim(&code), no(Refused::Full));
    assert!(world.works(&first.access), "no room was made for it");
    world.random = None;
    issued(world.claim(&code));
}

#[test]
fn a_number_used_again_after_a_wipe_does_not_bring_old_tokens_back_a3() {
    both_ways(|world| {
        world.random = Some([5; 36]);
        let old = world.connect();
        world.disk = Disk::empty();
        world.restart();
        world.random = Some({
            let mut same_number = [6; 36];
            same_number[..4].copy_from_slice(&[5; 4]);
            same_number
        });
        let new = world.connect();
        assert_eq!(old.access.payload.family, new.access.payload.family);
        assert_eq!(world.check(&old.access), no(Refused::BadTag));
        assert_eq!(world.refresh(&old.refresh), no(Refused::BadTag));
        assert_eq!(world.revoke(&old.refresh, Reach::Grant), no(Refused::BadTag));
        assert!(world.works(&new.access));
    });
}
