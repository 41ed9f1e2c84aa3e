//! The alarm: what it deletes, when it comes back, when it wipes.

use super::*;

const TWENTY: u64 = 20 * MINUTE;

impl World {
    /// The alarm's work, as the shell does it.
    pub(super) fn sweep(&mut self) -> Sweep {
        if self.reload {
            self.restart();
        }
        let sweep = self.grant.sweep(self.now_ms, self.knobs.idle_s, self.knobs.absolute_s);
        assert_eq!(sweep, self.disk.load().sweep(self.now_ms, self.knobs.idle_s, self.knobs.absolute_s));
        match &sweep {
            Sweep::Wipe => {
                self.grant = Grant::new(ISSUER.into());
                self.disk = Disk::empty();
            }
            Sweep::Keep { delete, .. } => {
                self.grant.forget(delete);
                for number in delete {
                    self.disk.families.remove(number);
                }
                assert_eq!(Disk::of(&self.grant), self.disk);
                assert!(delete.iter().all(|number| !self.grant.family_api.contains_key(number)));
            }
        }
        sweep
    }
}

fn kept(sweep: Sweep) -> (Vec<u32>, u64) {
    let Sweep::Keep { delete, again_ms } = sweep else { panic!("wiped") };
    (delete, again_ms)
}

#[test]
fn an_end_without_a_claim_is_kept_for_twenty_minutes_a3() {
    both_ways(|world| {
        let code = world.code();
        world.end(1);
        for ms in [0, 21 * SECOND, 10 * MINUTE, TWENTY - 10 * MINUTE - 21 * SECOND - 1] {
            world.wait(ms);
            assert_eq!(kept(world.sweep()), (vec![], TWENTY));
        }
        assert_eq!(world.claim(&code), no(Refused::ConsentEnded));
        world.wait(1);
        assert_eq!(world.sweep(), Sweep::Wipe);
    });
}

#[test]
fn a_second_end_and_a_revoked_grant_count_from_themselves() {
    both_ways(|world| {
        let tokens = world.connect();
        world.wait(15 * MINUTE);
        world.revoke(&tokens.access, Reach::Grant);
        world.wait(TWENTY - 1);
        kept(world.sweep());
        world.end(1);
        world.wait(TWENTY - 1);
        kept(world.sweep());
        world.wait(1);
        assert_eq!(world.sweep(), Sweep::Wipe);
    });
}

#[test]
fn the_clock_of_an_end_does_not_go_back() {
    both_ways(|world| {
        world.end(1);
        world.now_ms -= 10 * MINUTE;
        world.end(2);
        world.now_ms = START_MS + TWENTY - 1;
        kept(world.sweep());
        world.wait(1);
        assert_eq!(world.sweep(), Sweep::Wipe);
    });
}

#[test]
fn a_claimed_code_stays_until_its_end_and_two_minutes_and_the_object_twenty() {
    both_ways(|world| {
        let code = Claim { code_expires_s: START_MS / 1000 + 600, ..world.code() };
        let first = issued(world.claim(&code));
        assert_eq!(world.claim(&code), no(Refused::CodeReplayed { ended: Some(1) }));
        for _ in 0..20 {
            world.wait(MINUTE - 1);
            kept(world.sweep());
            if world.now_ms / 1000 < code.code_expires_s + 120 {
                assert_eq!(world.claim(&code), no(Refused::CodeReplayed { ended: None }), "still known");
            }
        }
        world.wait(20);
        assert_eq!(world.sweep(), Sweep::Wipe);
        assert_eq!(world.check(&first.access), no(Refused::Gone));
    });
}

#[test]
fn a_code_that_lives_longer_than_twenty_minutes_keeps_its_row() {
    both_ways(|world| {
        let code = Claim { code_expires_s: START_MS / 1000 + 3600, ..world.code() };
        issued(world.claim(&code));
        world.claim(&code);
        world.now_ms = START_MS + HOUR + 2 * MINUTE - 1;
        assert_eq!(kept(world.sweep()), (vec![], TWENTY));
        world.wait(1);
        assert_eq!(world.sweep(), Sweep::Wipe);
    });
}

#[test]
fn a_live_family_is_never_deleted_and_the_alarm_comes_back_for_its_end() {
    both_ways(|world| {
        world.knobs = Knobs { idle_s: 86_400, absolute_s: 10 * 86_400, ..Knobs::default() };
        let first = world.connect();
        let (delete, again_ms) = kept(world.sweep());
        assert_eq!((delete, again_ms), (vec![], DAY + TWENTY));
        world.wait(DAY);
        let second = world.refreshed(&first.refresh);
        world.wait(again_ms - DAY);
        // The alarm was not moved by the refresh: it looks and is set again.
        let (delete, again_ms) = kept(world.sweep());
        assert_eq!((delete, again_ms), (vec![], DAY));
        world.wait(again_ms - 1);
        kept(world.sweep());
        assert!(matches!(world.refresh(&second.refresh), Answer::Refused(Refused::Expired)));
        world.wait(1);
        assert_eq!(world.sweep(), Sweep::Wipe, "twenty minutes after the last family was over");
    });
}

#[test]
fn without_an_end_the_alarm_still_looks_every_thirty_days() {
    both_ways(|world| {
        world.knobs = Knobs { idle_s: 0, absolute_s: 0, ..Knobs::default() };
        let first = world.connect();
        for _ in 0..3 {
            assert_eq!(kept(world.sweep()), (vec![], 30 * DAY));
            world.wait(30 * DAY);
        }
        world.refreshed(&first.refresh);
        assert_eq!(Grant::first_alarm_ms(), 21 * MINUTE);
    });
}

#[test]
fn the_absolute_end_and_a_stricter_policy_are_ends_too() {
    both_ways(|world| {
        world.knobs = Knobs { idle_s: 0, absolute_s: 86_400, ..Knobs::default() };
        world.connect();
        assert_eq!(kept(world.sweep()).1, DAY + TWENTY);
        world.knobs.absolute_s = 7200;
        assert_eq!(kept(world.sweep()).1, 2 * HOUR + TWENTY);
        world.wait(2 * HOUR + TWENTY);
        assert_eq!(world.sweep(), Sweep::Wipe);
    });
}

#[test]
fn an_access_token_that_outlives_the_idle_end_keeps_its_family() {
    both_ways(|world| {
        world.knobs = Knobs { idle_s: 60, absolute_s: 0, ..Knobs::default() };
        let first = world.connect();
        world.wait(HOUR - 1);
        kept(world.sweep());
        assert!(world.works(&first.access));
        world.wait(TWENTY);
        kept(world.sweep());
        world.wait(1);
        assert_eq!(world.sweep(), Sweep::Wipe);
    });
}

#[test]
fn families_that_are_over_go_and_live_ones_stay() {
    both_ways(|world| {
        let revoked = world.connect();
        let live = world.connect();
        world.revoke(&revoked.refresh, Reach::Family);
        world.wait(TWENTY - 1);
        assert_eq!(kept(world.sweep()), (vec![], TWENTY));
        world.wait(1);
        let (delete, _) = kept(world.sweep());
        assert_eq!(delete, [revoked.access.payload.family]);
        assert!(world.works(&live.access));
        assert_eq!(world.check(&revoked.access), no(Refused::Gone));
        assert_eq!(world.revoke(&revoked.access, Reach::Grant), no(Refused::Gone));
        world.refreshed(&live.refresh);
    });
}

#[test]
fn however_a_family_ended_its_row_and_the_object_stay_twenty_minutes() {
    type End = fn(&mut World, &Issued);
    let ends: [End; 3] = [
        |world, first| {
            world.refreshed(&first.refresh);
            world.wait(3 * SECOND);
            world.refresh(&first.refresh);
        },
        |world, first| {
            world.revoke(&first.refresh, Reach::Family);
        },
        |world, _| {
            world.end(1);
        },
    ];
    for end in ends {
        both_ways(|world| {
            let first = world.connect();
            world.wait(5 * DAY);
            end(world, &first);
            world.wait(TWENTY - 1);
            assert_eq!(kept(world.sweep()), (vec![], TWENTY));
            world.wait(1);
            assert_eq!(world.sweep(), Sweep::Wipe);
        });
    }
}

#[test]
fn an_empty_object_is_wiped() {
    both_ways(|world| assert_eq!(world.sweep(), Sweep::Wipe));
}
