//! base64url without padding (RFC 4648 §5) and hexadecimal, both strict.
//!
//! Strict means that a value has one spelling: no padding, no other alphabet, no spare bits. A
//! tolerant decoder would accept several spellings of one token.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};

/// base64url without padding.
#[must_use]
pub fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The bytes of strict base64url, or `None` for any other spelling.
#[must_use]
pub fn from_base64url(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// Strict base64url of exactly `N` bytes.
#[must_use]
pub fn array_from_base64url<const N: usize>(text: &str) -> Option<[u8; N]> {
    from_base64url(text)?.try_into().ok()
}

/// Standard base64 with padding, as HTTP Basic uses it (RFC 7617 §2).
#[must_use]
pub fn from_base64(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

/// Standard base64 with padding.
#[must_use]
pub fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Lower-case hexadecimal.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
        for nibble in [byte >> 4, byte & 15] {
            out.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0'));
        }
        out
    })
}

/// The `N` bytes behind lower-case hexadecimal.
#[must_use]
pub fn array_from_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    if text.len() != N * 2 || !text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
        return None;
    }
    let mut out = [0_u8; N];
    for (slot, pair) in out.iter_mut().zip(text.as_bytes().chunks(2)) {
        *slot = u8::from_str_radix(core::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(out)
}

/// Random bytes as a UUID of version 4 (RFC 9562 §5.4).
#[must_use]
pub fn uuid(mut random: [u8; 16]) -> String {
    random[6] = random[6] & 0x0f | 0x40;
    random[8] = random[8] & 0x3f | 0x80;
    let text = hex(&random);
    let mut out = String::with_capacity(36);
    for (at, digit) in text.chars().enumerate() {
        if matches!(at, 8 | 12 | 16 | 20) {
            out.push('-');
        }
        out.push(digit);
    }
    out
}

/// SHA-256.
#[must_use]
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_says_its_version_and_variant() {
        assert_eq!(uuid([0; 16]), "00000000-0000-4000-8000-000000000000");
        assert_eq!(uuid([0xff; 16]), "ffffffff-ffff-4fff-bfff-ffffffffffff");
    }

    #[test]
    fn base64url_has_one_spelling() {
        assert_eq!(from_base64url("AA"), Some(vec![0]));
        for other in ["AB", "AA==", "A", "A A", "+A", "AA\n"] {
            assert_eq!(from_base64url(other), None, "{other}");
        }
    }

    #[test]
    fn hex_round_trips_and_refuses_upper_case() {
        assert_eq!(array_from_hex::<2>(&hex(&[0x0f, 0xa0])), Some([0x0f, 0xa0]));
        assert_eq!(array_from_hex::<1>("0F"), None);
        assert_eq!(array_from_hex::<1>("0f0f"), None);
    }
}
