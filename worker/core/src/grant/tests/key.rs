//! API keys of an account.

use super::*;
use crate::credential::NO_APP;

/// The account's own grant.
const OWN: GrantId = GrantId([0x41; 16]);

impl World {
    fn key(&self, family: u32) -> IssueKey {
        IssueKey {
            grant: OWN,
            id: [u8::try_from(family).unwrap(); 16],
            family,
            seq: self.now_ms,
            account: "acc-1".into(),
            account_name: "Demo Salon".into(),
            user: "usr-1".into(),
            scope: "a b".into(),
            key_id: self.knobs.key_id,
            expires_s: 0,
            max: 3,
        }
    }

    fn ask_key(&mut self, ask: &IssueKey) -> Answer {
        self.decide(&Command::IssueKey(Box::new(ask.clone())))
    }

    fn issue_key(&mut self, ask: &IssueKey) -> Token {
        let Answer::KeyIssued(token) = self.ask_key(ask) else { panic!("no key") };
        token
    }

    fn end_key(&mut self, family: u32) -> Answer {
        self.decide(&Command::EndKey { family })
    }

    fn key_works(&mut self, token: &Token) -> bool {
        matches!(self.check(token), Answer::Checked(_) | Answer::CheckedFirst(_))
    }
}

#[test]
fn a_key_tells_whose_it_is_and_what_it_may_do() {
    both_ways(|world| {
        let ask = IssueKey { expires_s: START_MS / 1000 + 3600, ..world.key(5) };
        let key = world.issue_key(&ask);
        let payload = key.payload;
        assert_eq!((payload.kind, payload.app, payload.grant, payload.family), (Kind::Key, NO_APP, OWN, 5));
        assert_eq!((payload.number, payload.scope_set, payload.expires_s), (0, 0, ask.expires_s));
        let Answer::CheckedFirst(checked) = world.check(&key) else { panic!() };
        assert_eq!((checked.account.as_str(), checked.account_name.as_str()), ("acc-1", "Demo Salon"));
        assert_eq!((checked.user.as_str(), checked.scope.as_str()), ("usr-1", "a b"));
    });
}

#[test]
fn only_the_object_makes_a_keys_tag() {
    both_ways(|world| {
        let key = world.issue_key(&world.key(5));
        for bit in 0..128 {
            let mut forged = key;
            forged.tag[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(world.check(&forged), no(Refused::BadTag));
        }
        for change in [|p: &mut Payload| p.expires_s = 1, |p: &mut Payload| p.key_id = 9, |p: &mut Payload| p.grant = GRANT] {
            let mut forged = key;
            change(&mut forged.payload);
            assert_eq!(world.check(&forged), no(Refused::BadTag));
        }
        for (change, why) in [
            ((|p: &mut Payload| p.kind = Kind::Access) as fn(&mut Payload), Refused::BadTag),
            (|p| p.kind = Kind::Refresh, Refused::BadTag),
            (|p| p.app = APP, Refused::NotYours),
            (|p| p.number = 1, Refused::Ahead),
            (|p| p.scope_set = 1, Refused::BadTag),
        ] {
            let forged = world.forge(&key, change);
            assert_eq!(world.check(&forged), no(why));
        }
        assert!(world.key_works(&key));
    });
}

#[test]
fn a_key_ends_at_its_second_and_one_without_an_end_never() {
    both_ways(|world| {
        let short = world.issue_key(&IssueKey { expires_s: START_MS / 1000 + 60, ..world.key(1) });
        let long = world.issue_key(&world.key(2));
        world.wait(MINUTE - 1);
        assert!(world.key_works(&short));
        world.wait(1);
        assert_eq!(world.check(&short), no(Refused::Expired));
        world.wait(5000 * DAY);
        assert!(world.key_works(&long));
    });
}

#[test]
fn revoking_one_of_two_leaves_the_other() {
    both_ways(|world| {
        let (one, other) = (world.issue_key(&world.key(1)), world.issue_key(&world.key(2)));
        assert_eq!(world.end_key(1), Answer::Ended);
        assert_eq!(world.writes, [Write::Family(1)]);
        assert_eq!(world.check(&one), no(Refused::Gone));
        assert!(world.key_works(&other));
        for number in [1, 77] {
            assert_eq!(world.end_key(number), Answer::Ended, "again, or never there");
            assert!(world.writes.is_empty());
        }
    });
}

#[test]
fn a_retried_issue_gets_the_same_key_and_another_of_its_number_none() {
    both_ways(|world| {
        let ask = world.key(1);
        let key = world.issue_key(&ask);
        world.wait(HOUR);
        world.knobs.key_id = 2;
        assert_eq!(world.issue_key(&IssueKey { scope: "a b c".into(), key_id: 2, ..ask.clone() }), key);
        assert!(world.writes.is_empty());
        assert_eq!(world.ask_key(&IssueKey { id: [9; 16], ..ask.clone() }), no(Refused::Full));
        world.end_key(1);
        assert_eq!(world.ask_key(&ask), no(Refused::Gone), "what was revoked stays so");
    });
}

#[test]
fn there_are_at_most_so_many_live_keys_and_none_is_pushed_out() {
    both_ways(|world| {
        let first = world.issue_key(&IssueKey { expires_s: START_MS / 1000 + 60, ..world.key(1) });
        for family in [2, 3] {
            world.issue_key(&world.key(family));
        }
        assert_eq!(world.ask_key(&world.key(4)), no(Refused::KeysFull));
        assert!(world.key_works(&first));
        assert_eq!(world.ask_key(&world.key(3)), world.ask_key(&world.key(3)), "a retry is not one more");
        world.end_key(2);
        world.issue_key(&world.key(5));
        world.wait(MINUTE);
        world.issue_key(&world.key(6));
        assert_eq!(world.ask_key(&world.key(7)), no(Refused::KeysFull));
    });
}

#[test]
fn consent_numbers_never_reach_keys_and_an_end_of_all_does() {
    both_ways(|world| {
        let key = world.issue_key(&world.key(1));
        world.end(1_000_000_000);
        assert!(world.key_works(&key));
        world.wait(SECOND);
        let late = world.key(2);
        world.wait(SECOND);
        world.end(world.now_ms);
        assert_eq!(world.check(&key), no(Refused::Gone));
        assert_eq!(world.ask_key(&late), no(Refused::ConsentEnded), "asked for before, arrived after");
        world.wait(1);
        let next = world.issue_key(&world.key(3));
        world.end(u64::MAX);
        assert_eq!(world.check(&next), no(Refused::Gone));
        world.wait(DAY);
        assert_eq!(world.ask_key(&world.key(4)), no(Refused::ConsentEnded), "of a deleted account");
    });
}

#[test]
fn no_client_refreshes_or_revokes_a_key() {
    both_ways(|world| {
        let key = world.issue_key(&world.key(1));
        assert_eq!(world.refresh(&key), no(Refused::BadTag));
        for reach in [Reach::Token, Reach::Family, Reach::Grant] {
            assert_eq!(world.revoke(&key, reach), no(Refused::NotYours));
        }
        assert!(world.key_works(&key));
    });
}

#[test]
fn the_command_that_ends_a_key_ends_nothing_of_an_app() {
    both_ways(|world| {
        let tokens = world.connect();
        assert_eq!(world.end_key(tokens.access.payload.family), Answer::Ended);
        assert!(world.writes.is_empty() && world.works(&tokens.access));
    });
}

#[test]
fn the_alarm_keeps_keys_until_their_end_or_revocation() {
    both_ways(|world| {
        world.knobs = Knobs { idle_s: 60, absolute_s: 120, ..Knobs::default() };
        let for_ever = world.issue_key(&world.key(1));
        let a_year = world.issue_key(&IssueKey { expires_s: START_MS / 1000 + 365 * 86_400, ..world.key(2) });
        for _ in 0..12 {
            assert!(matches!(world.sweep(), Sweep::Keep { delete, again_ms } if delete.is_empty() && again_ms == 30 * DAY));
            world.wait(30 * DAY);
            assert!(world.key_works(&a_year) && world.key_works(&for_ever));
        }
        world.wait(5 * DAY + 20 * MINUTE);
        assert!(matches!(world.sweep(), Sweep::Keep { delete, .. } if delete == [2]));
        assert!(!world.key_works(&a_year) && world.key_works(&for_ever));
        world.end_key(1);
        world.wait(20 * MINUTE);
        assert_eq!(world.sweep(), Sweep::Wipe);
        assert_eq!(world.check(&for_ever), no(Refused::Gone));
    });
}

#[test]
fn the_first_use_of_a_day_is_told_and_writes_nothing() {
    let mut world = World::new(false);
    let key = world.issue_key(&world.key(1));
    let first = |world: &mut World| {
        let first = matches!(world.check(&key), Answer::CheckedFirst(_));
        assert!(world.reload || world.writes.is_empty());
        first
    };
    assert!(first(&mut world) && !first(&mut world));
    world.wait(DAY);
    assert!(first(&mut world) && !first(&mut world));
    world.reload = true;
    assert!(first(&mut world), "an object that was restarted tells once more");
}

#[test]
fn each_key_has_its_own_limit() {
    both_ways(|world| {
        world.knobs = Knobs { api: Limit { limit: 2, window_s: 60 }, per: Per::Family, ..Knobs::default() };
        let (one, other) = (world.issue_key(&world.key(1)), world.issue_key(&world.key(2)));
        assert!(world.key_works(&one) && world.key_works(&one));
        limited(&world.check(&one));
        assert!(world.key_works(&other));
        world.wait(MINUTE);
        assert!(world.key_works(&one));
    });
}
