//! The stored and the wire form, byte by byte. A change here is a new version of the stored form
//! (`VERSION` in `family.rs`), or needs a deployment in which old and new isolates speak to one object.

use super::*;
use crate::encoding::hex;
use crate::rate::{Reservation, Standing, Window};

fn bytes<const N: usize>(first: u8) -> [u8; N] {
    core::array::from_fn(|at| first.wrapping_add(at as u8))
}

fn family() -> Family {
    Family {
        secret: bytes(0x10),
        ended: true,
        seq: 0x1234,
        app: 0x2345,
        account: "acc".into(),
        account_name: "Sal\u{f3}n".into(),
        user: "usr".into(),
        scope: "a b".into(),
        scope_sets: vec!["a".into(), "b".into()],
        created_ms: 0x0123_4567_89ab,
        absolute_end_s: 0x3456,
        used_ms: 0x0123_4567_89ac,
        generation: u32::MAX,
        rotated_ms: [4, 3, 2, 1],
        answer: LastAnswer { serial: 0x4567, issued_s: 0x5678, access_s: 0x6789, key_id: 0xfe, scope_set: 2 },
        serial_floor: 0x789a,
        revoked: vec![(1, 2), (3, 4)],
        refreshes: Window { start_ms: 5, used: 6 },
        api: Reservation { start_ms: 7, reserved: 8 },
        code_hash: bytes(0x40),
        code_challenge: Some(bytes(0x60)),
        code_redirect: bytes(0x80),
        code_expires_s: 0x0100_0000_0000,
        burst: Reservation { start_ms: 9, reserved: 10 },
    }
}

fn token() -> Token {
    let payload = Payload {
        kind: Kind::Refresh,
        key_id: 1,
        app: 7,
        grant: GrantId(bytes(0x20)),
        family: u32::MAX,
        number: 3,
        scope_set: 0x1ff,
        expires_s: 1_800_000_000,
    };
    Token { payload, tag: bytes(0x30) }
}

/// The token above: kind, key id, app, grant id, family, number, scope set, expiry, tag.
const TOKEN: &str = "\
         010107202122232425262728292a2b2c2d2e2fffffffff0f03ff0380a4a7da06303132333435363738393a3b3c3d3e3f";
const RATE: Limit = Limit { limit: 10, window_s: 60 };
const RATES: Rates = Rates { rate: RATE, burst: Some(Limit { limit: 3, window_s: 1 }) };

fn wire<T: serde::Serialize + serde::de::DeserializeOwned + PartialEq + core::fmt::Debug>(value: &T) -> String {
    assert_eq!(over_the_wire(value), *value);
    hex(&postcard::to_allocvec(value).unwrap())
}

#[test]
fn the_stored_form_of_a_family() {
    let stored = family().encode().unwrap();
    assert_eq!(Family::decode(&stored).unwrap(), family());
    let expected = "\
         02101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f01b424c546036163630653616cc3b36e03\
         757372036120620201610162ab939eabb424d668ac939eabb424ffffffff0f04030201e78a01f8ac0189cf01fe029af10102\
         0102030405060708404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f01606162636465666768\
         696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f909192939495969798999a\
         9b9c9d9e9f808080808020090a";
    assert_eq!(hex(&stored), expected);
}

#[test]
fn the_stored_form_of_the_grants_own_row() {
    let row = GrantRow {
        ended_seq: 0x1234,
        api: Reservation { start_ms: 0x0123_4567_89ab, reserved: 95 },
        active_ms: 9,
        burst: Reservation { start_ms: 7, reserved: 8 },
        withdrawn: vec![Withdrawn { scope: "a".into(), seq: 300 }],
    };
    let stored = row.encode().unwrap();
    assert_eq!(GrantRow::decode(&stored), Some(row));
    assert_eq!(hex(&stored), "02b424ab939eabb4245f090708010161ac02");
}

/// What version 2 stored before there were API keys: a key is such a row too, of no app.
#[test]
fn rows_of_version_2_are_read_and_are_no_keys() {
    let stored = "\
         0200000000000000000000000000000000000000000000000000000000000000000001070361636305\
         53616c6f6e037573720161000000000000000000000000000000000000000000";
    let mut row = crate::encoding::array_from_hex::<73>(stored).unwrap().to_vec();
    row.extend([0; 32 + 1 + 32 + 1 + 2]);
    let family = Family::decode(&row).unwrap();
    assert_eq!((family.seq, family.app, family.account_name.as_str(), family.scope.as_str()), (1, 7, "Salon", "a"));
    assert!(!family.is_key() && Family { app: 0, ..family }.is_key());
}

#[test]
fn rows_of_version_1_are_read() {
    let row = GrantRow { ended_seq: 0x1234, active_ms: 9, ..GrantRow::default() };
    let old = |mut stored: Vec<u8>, added: usize| {
        stored[0] = 1;
        stored.truncate(stored.len() - added);
        stored
    };
    assert_eq!(GrantRow::decode(&old(row.encode().unwrap(), 3)), Some(row));
    let family = Family { burst: Reservation::default(), ..family() };
    assert_eq!(Family::decode(&old(family.encode().unwrap(), 2)), Some(family));
}

#[test]
fn what_is_cut_short_or_of_another_version_is_a_fault_and_never_an_empty_grant() {
    let row = GrantRow { ended_seq: 300, ..GrantRow::default() };
    let faulty = |stored: Vec<u8>, decodes: fn(&[u8]) -> bool| {
        assert!(decodes(&stored));
        for length in 0..stored.len() {
            assert!(!decodes(&stored[..length]), "{length}");
        }
        for version in [0, 3, 255] {
            let mut other = stored.clone();
            other[0] = version;
            assert!(!decodes(&other), "{version}");
        }
    };
    faulty(family().encode().unwrap(), |stored| Family::decode(stored).is_some());
    faulty(row.encode().unwrap(), |stored| GrantRow::decode(stored).is_some());
}

#[test]
fn a_family_says_nothing_secret_in_debug_output() {
    let shown = format!("{:?}", family());
    assert_eq!(shown, "Family { seq: 4660, generation: 4294967295, ended: true, .. }");
}

#[test]
fn the_wire_form_of_commands() {
    let held = Held { seq: 0x1234, account: "acc".into(), account_name: "Salon".into(), user: "usr".into(), scope: "a b".into() };
    let claim = Claim {
        grant: GrantId(bytes(0x20)),
        code_hash: bytes(0x40),
        code_expires_s: 1_800_000_000,
        challenge: Some(bytes(0x60)),
        redirect: bytes(0x80),
        app: 7,
        held: Some(held),
        key_id: 1,
        access_s: 3600,
        absolute_s: 86_400,
        families_max: 200,
    };
    let refresh = Refresh {
        token: token(),
        scope: Some("a".into()),
        key_id: 1,
        access_s: 3600,
        idle_s: 86_400,
        absolute_s: 0,
        rotation: Rotation::RotateAndEndPair,
        retry_ms: 2000,
        rate: RATE,
        only_user: Some("usr".into()),
    };
    assert_eq!(
        wire(&Command::Claim(Box::new(claim))),
        "\
         00202122232425262728292a2b2c2d2e2f404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f80\
         a4a7da0601606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c\
         8d8e8f909192939495969798999a9b9c9d9e9f0701b424036163630553616c6f6e037573720361206201901c80a305c801"
    );
    assert_eq!(wire(&Command::Refresh(Box::new(refresh))), format!("01{TOKEN}01016101901c80a3050001d00f0a3c0103757372"));
    assert_eq!(
        wire(&Command::Check(Check {
            token: token(),
            rates: RATES,
            per: Per::Family,
            only_user: None,
            counted: true,
            audience: Vec::new()
        })),
        format!("02{TOKEN}0a3c01030101000100")
    );
    assert_eq!(wire(&Command::Revoke(Revoke { token: token(), reach: Reach::Grant })), format!("03{TOKEN}02"));
    assert_eq!(wire(&Command::End { seq: 300 }), "04ac02");
    assert_eq!(wire(&Command::Withdraw { scopes: vec!["a".into()], seq: 300 }), "05010161ac02");
    let key = IssueKey {
        grant: GrantId(bytes(0x20)),
        id: bytes(0x40),
        family: u32::MAX,
        seq: 300,
        account: "acc".into(),
        account_name: "Salon".into(),
        user: "usr".into(),
        scope: "a b".into(),
        key_id: 1,
        expires_s: 1_800_000_000,
        max: 20,
    };
    assert_eq!(
        wire(&Command::IssueKey(Box::new(key))),
        "06202122232425262728292a2b2c2d2e2f404142434445464748494a4b4c4d4e4fffffffff0fac02\
         036163630553616c6f6e03757372036120620180a4a7da0614"
    );
    assert_eq!(wire(&Command::EndKey { family: 300 }), "07ac02");
}

#[test]
fn the_wire_form_of_answers() {
    let standing = Standing::new(100, 99, 60_000);
    let issued =
        Issued { access: token(), refresh: token(), scope: "a b".into(), narrowed: true, account: "acc".into(), touch: true, retry: true };
    let checked =
        Checked { account: "acc".into(), account_name: "Salon".into(), user: "usr".into(), scope: "a b".into(), standing, issued_s: 5 };
    assert_eq!(wire(&Answer::Issued(Box::new(issued))), format!("00{TOKEN}{TOKEN}0361206201036163630101"));
    assert_eq!(wire(&Answer::Checked(Box::new(checked.clone()))), "01036163630553616c6f6e037573720361206264633ce0d40305");
    assert_eq!(wire(&Answer::CheckedFirst(Box::new(checked))), "07036163630553616c6f6e037573720361206264633ce0d40305");
    assert_eq!(wire(&Answer::KeyIssued(token())), format!("08{TOKEN}"));
    assert_eq!(wire(&Answer::Revoked { ended: Some(300) }), "0201ac02");
    assert_eq!(wire(&Answer::Revoked { ended: None }), "0200");
    assert_eq!(wire(&Answer::Ended), "03");
    assert_eq!(wire(&Answer::Withdrawn), "04");
    assert_eq!(wire(&Answer::Limited(standing)), "0564633ce0d403");
}

#[test]
fn the_wire_form_of_refusals() {
    for (why, expected) in [
        (Refused::Gone, "0600"),
        (Refused::NotYours, "0601"),
        (Refused::NotForThem, "0602"),
        (Refused::BadTag, "0603"),
        (Refused::Ahead, "0604"),
        (Refused::Expired, "0605"),
        (Refused::Superseded, "0606"),
        (Refused::TokenRevoked, "0607"),
        (Refused::Scope, "0608"),
        (Refused::CodeUnknown, "0609"),
        (Refused::Full, "060a"),
        (Refused::ConsentEnded, "060b"),
        (Refused::CodeClaimed, "060c"),
        (Refused::CodeReplayed { ended: None }, "060d00"),
        (Refused::CodeReplayed { ended: Some(300) }, "060d01ac02"),
        (Refused::RefreshReplayed { ended: None }, "060e00"),
        (Refused::RefreshReplayed { ended: Some(300) }, "060e01ac02"),
        (Refused::KeysFull, "060f"),
    ] {
        assert_eq!(wire(&no(why)), expected);
    }
}
