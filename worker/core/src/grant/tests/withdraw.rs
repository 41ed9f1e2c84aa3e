//! Scopes that a later consent leaves out, and consents that do not count while an app is in review.

use super::*;

fn scope_of(world: &mut World, token: &Token) -> String {
    match world.check(token) {
        Answer::Checked(checked) => checked.scope,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_a_later_consent_leaves_out_is_gone_from_the_earlier_ones_a33() {
    both_ways(|world| {
        let old = world.connect();
        let new = world.connect();
        let seq = world.seq;
        let (all, kept) = (old.scope.clone(), old.scope.split_once(' ').unwrap().1.to_owned());
        let gone = all.split(' ').next().unwrap().to_owned();
        let withdraw = Command::Withdraw { scopes: vec![gone.clone()], seq };
        assert_eq!(world.decide(&withdraw), Answer::Withdrawn);
        assert_eq!(world.writes, [Write::Grant]);
        assert_eq!(scope_of(world, &old.access), kept);
        assert_eq!(scope_of(world, &new.access), all, "the consent itself says what it grants");
        world.wait(MINUTE);
        let refreshed = world.refreshed(&old.refresh);
        assert_eq!(refreshed.scope, kept);
        assert_eq!(scope_of(world, &refreshed.access), kept);
        // Once more, and with an older number: nothing comes back.
        assert_eq!(world.decide(&Command::Withdraw { scopes: vec![gone], seq: 1 }), Answer::Withdrawn);
        assert_eq!(scope_of(world, &old.access), kept);
        assert_eq!(world.grant.row().withdrawn.len(), 1);
    });
}

#[test]
fn while_an_app_is_in_review_only_its_owners_consents_count() {
    both_ways(|world| {
        let tokens = world.connect();
        let user = match world.check(&tokens.access) {
            Answer::Checked(checked) => checked.user,
            other => panic!("{other:?}"),
        };
        world.knobs.only_user = Some("somebody else".into());
        assert_eq!(world.check(&tokens.access), no(Refused::NotForThem));
        assert_eq!(world.refresh(&tokens.refresh), no(Refused::NotForThem));
        assert!(world.writes.is_empty());
        world.knobs.only_user = Some(user);
        assert!(world.works(&tokens.access));
        world.refreshed(&tokens.refresh);
    });
}
