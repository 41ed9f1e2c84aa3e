//! Use of access tokens.

use super::*;

#[test]
fn an_access_token_tells_who_and_what() {
    both_ways(|world| {
        let first = world.connect();
        let Answer::Checked(checked) = world.check(&first.access) else { panic!() };
        assert_eq!((checked.account.as_str(), checked.account_name.as_str()), ("acc-1", "Demo Salon"));
        assert_eq!((checked.user.as_str(), checked.scope.as_str()), ("usr-1", "a b c"));
    });
}

#[test]
fn what_was_never_handed_out_is_refused() {
    both_ways(|world| {
        let first = world.connect();
        assert_eq!(world.check(&first.refresh), no(Refused::BadTag), "a refresh token");
        for (change, why) in [
            ((|payload: &mut Payload| payload.number = 1) as fn(&mut Payload), Refused::Ahead),
            (|payload| payload.number = u32::MAX, Refused::Ahead),
            (|payload| payload.kind = Kind::Key, Refused::BadTag),
            (|payload| payload.app = APP + 1, Refused::NotYours),
            (|payload| payload.family ^= 1, Refused::Gone),
            (|payload| payload.scope_set = 1, Refused::BadTag),
        ] {
            let forged = world.forge(&first.access, change);
            assert_eq!(world.check(&forged), no(why));
        }
        for bit in 0..128 {
            let mut forged = first.access;
            forged.tag[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(world.check(&forged), no(Refused::BadTag));
        }
        assert!(world.works(&first.access));
    });
}

#[test]
fn a_longer_life_or_another_scope_under_the_old_tag_is_refused() {
    both_ways(|world| {
        let first = world.connect();
        let narrow = issued(world.refresh_for(&first.refresh, "a"));
        for change in [
            |payload: &mut Payload| payload.expires_s += 1,
            |payload: &mut Payload| payload.scope_set = 0,
            |payload: &mut Payload| payload.number = 0,
            |payload: &mut Payload| payload.key_id = 2,
        ] {
            let mut forged = narrow.access;
            change(&mut forged.payload);
            assert_eq!(world.check(&forged), no(Refused::BadTag));
        }
    });
}

#[test]
fn the_serial_floor_is_the_first_that_lives() {
    both_ways(|world| {
        world.knobs.refreshes = PLENTY;
        let mut tokens = vec![world.connect()];
        for _ in 0..4 {
            let next = world.refreshed(&tokens.last().unwrap().refresh);
            tokens.push(next);
        }
        world.set(tokens[0].access.payload.family, |family| family.serial_floor = 2);
        for (serial, issued) in tokens.iter().enumerate() {
            let expected = if serial < 2 { Some(Refused::TokenRevoked) } else { None };
            let answer = world.check(&issued.access);
            assert_eq!(refusal(&answer), expected, "{serial}");
        }
    });
}

#[test]
fn an_ended_familys_secret_tags_nothing() {
    let mut world = World::new(false);
    let first = world.connect();
    world.revoke(&first.refresh, Reach::Family);
    let family = world.grant.family(first.access.payload.family).unwrap();
    assert_eq!(family.secret, [0; 32], "nothing usable is kept");
    let zero = Token { tag: family_tag(&[0; 32], ISSUER, &first.access.payload), ..first.access };
    assert_eq!(world.check(&zero), no(Refused::Gone));
    assert_eq!(world.refresh(&zero), no(Refused::Gone));
}

#[test]
fn looking_counts_nothing_and_tells_what_is_left() {
    both_ways(|world| {
        let first = world.connect();
        let check = |world: &mut World, counted| {
            let ask = Check {
                token: first.access,
                rates: Rates { rate: Limit { limit: 2, window_s: 60 }, burst: None },
                per: Per::Grant,
                only_user: None,
                counted,
                audience: Vec::new(),
            };
            world.decide(&Command::Check(ask))
        };
        let left = |answer| match answer {
            Answer::Checked(checked) => checked.standing.remaining,
            other => panic!("{other:?}"),
        };
        assert_eq!(left(check(world, false)), 2);
        assert_eq!(left(check(world, true)), 1);
        assert_eq!(left(check(world, false)), 1);
        assert_eq!(left(check(world, true)), 0);
        assert_eq!(left(check(world, false)), 0, "a token at its limit is a good token");
        assert!(matches!(check(world, true), Answer::Limited(_)));
    });
}

#[test]
fn a_token_that_is_meant_for_others_is_refused_and_not_counted() {
    both_ways(|world| {
        let first = world.connect();
        let check = |world: &mut World, audience: &[&str]| {
            let ask = Check {
                token: first.access,
                rates: Rates { rate: Limit { limit: 2, window_s: 60 }, burst: None },
                per: Per::Grant,
                only_user: None,
                counted: true,
                audience: audience.iter().map(|&scope| scope.into()).collect(),
            };
            world.decide(&Command::Check(ask))
        };
        let Answer::Checked(checked) = check(world, &[]) else { panic!("not checked") };
        let scope = checked.scope.split(' ').next().unwrap();
        for _ in 0..3 {
            assert_eq!(check(world, &["other", ""]), no(Refused::Audience));
        }
        let Answer::Checked(checked) = check(world, &["other", scope]) else { panic!("not checked") };
        assert_eq!(checked.standing.remaining, 0);
        assert_eq!(check(world, &["other"]), no(Refused::Audience), "at its limit too");
        assert!(matches!(check(world, &[scope]), Answer::Limited(_)));
    });
}

#[test]
fn a_token_tells_when_it_was_issued() {
    both_ways(|world| {
        let first = world.connect();
        let issued = |world: &mut World, token: &Token| match world.check(token) {
            Answer::Checked(checked) => checked.issued_s,
            other => panic!("{other:?}"),
        };
        assert_eq!(issued(world, &first.access), world.now_ms / 1000);
    });
}
