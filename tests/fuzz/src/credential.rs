//! Tokens, codes and what is sealed for a browser: nothing passes that was not made here.

use std::sync::LazyLock;

use edgegrant_core::credential::{Code, GrantId, Kind, Payload, Prefixes, Token};
use edgegrant_core::keys::Keyring;
use edgegrant_core::seal::{self, Purpose};

use crate::text;

const ISSUER: &str = "https://as.example";

static RING: LazyLock<Keyring> = LazyLock::new(|| {
    Keyring::parse("2:AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI,1:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE")
        .unwrap_or_else(|error| panic!("{error}"))
});
static PREFIXES: LazyLock<Prefixes> =
    LazyLock::new(|| Prefixes { access: "eg_at_".to_owned(), refresh: "eg_rt_".to_owned(), key: "eg_key_".to_owned() });

/// The text with the bytes of `data` put over it, from the place on that the first byte names.
fn changed(made: &str, data: &[u8]) -> String {
    let mut bytes = made.as_bytes().to_vec();
    if let Some((from, over)) = data.split_first() {
        let from = usize::from(*from) % (bytes.len() + 1);
        let rest = bytes.split_off(from);
        bytes.extend_from_slice(over);
        bytes.extend(rest.into_iter().skip(over.len()));
    }
    text(&bytes)
}

/// Of everything that can be sent only the very texts that were issued are tokens, here and nowhere else.
pub fn token(data: &[u8]) {
    let payload = Payload {
        kind: Kind::Access,
        key_id: 2,
        app: 1,
        grant: GrantId([3; 16]),
        family: 4,
        number: 5,
        scope_set: 0,
        expires_s: 1_800_000_000,
    };
    let issued = Token { payload, tag: [6; 16] };
    let made = issued.encode(&RING, ISSUER, &PREFIXES).unwrap_or_else(|| panic!("no key"));
    for sent in [text(data), changed(&made, data)] {
        if let Some(token) = Token::decode(&sent, &RING, ISSUER, &PREFIXES) {
            assert_eq!((token, &sent), (issued, &made));
        }
        assert!(sent == made || Token::decode(&sent, &RING, "https://other.example", &PREFIXES).is_none());
    }
}

/// The same for authorization codes.
pub fn code(data: &[u8]) {
    let issued = Code { key_id: 1, app: 1, grant: GrantId([2; 16]), expires_s: 1_800_000_000, random: [3; 20] };
    let made = issued.encode(&RING, ISSUER).unwrap_or_else(|| panic!("no key"));
    for sent in [text(data), changed(&made, data)] {
        if let Some(code) = Code::decode(&sent, &RING, ISSUER) {
            assert_eq!((code, &sent), (issued, &made));
        }
    }
}

/// The same for what waits sealed in a browser, such as the value of a cookie.
pub fn cookie(data: &[u8]) {
    let purpose = PURPOSES[0];
    let made = seal::seal(&RING, purpose, "context", b"plain", [7; 12]).unwrap_or_else(|| panic!("no key"));
    for sent in [text(data), changed(&made, data)] {
        if let Some(plain) = seal::open(&RING, purpose, "context", &sent) {
            assert_eq!((plain.as_slice(), &sent), (b"plain".as_slice(), &made));
        }
        assert!(seal::open(&RING, purpose, "another", &sent).is_none());
        assert!(seal::open(&RING, PURPOSES[1], "context", &sent).is_none());
    }
}

const PURPOSES: [Purpose; 2] = [Purpose::Session, Purpose::Flow];
