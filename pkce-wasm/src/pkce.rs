//! PKCE (RFC 7636), method S256 only: there is no way to ask for `plain` or for none.

use alloc::string::String;

use sha2::block_api::compress256;

use crate::form::base64url;

/// Bytes of randomness in a verifier; 43 characters, as RFC 7636 §4.1 recommends.
pub const VERIFIER_BYTES: usize = 32;

/// The verifier made of 256 random bits.
pub fn verifier(random: &[u8; VERIFIER_BYTES]) -> String {
    base64url(random)
}

/// The S256 challenge of a verifier (RFC 7636 §4.2).
pub fn challenge(verifier: &str) -> String {
    let mut digest = [0; 32];
    for (bytes, word) in digest.chunks_exact_mut(4).zip(sha256(verifier.as_bytes())) {
        for (byte, value) in bytes.iter_mut().zip(word.to_be_bytes()) {
            *byte = value;
        }
    }
    base64url(&digest)
}

/// SHA-256 with the compression function of the sha2 crate. The padding (FIPS 180-4 §5.1.1) is done
/// here because the crate's own buffer brings panics with it: a fifth of the module.
fn sha256(message: &[u8]) -> [u32; 8] {
    let mut state = [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];
    let bits = (message.len() as u64 * 8).to_be_bytes();
    let filled = (message.len() + 9).next_multiple_of(64);
    let zeros = filled - message.len() - 9;
    let mut padded = message.iter().copied().chain([0x80]).chain(core::iter::repeat_n(0, zeros)).chain(bits);
    for _ in 0..filled / 64 {
        let mut block = [0; 64];
        for (place, byte) in block.iter_mut().zip(padded.by_ref()) {
            *place = byte;
        }
        compress256(&mut state, &[block]);
    }
    state
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc7636_appendix_b() {
        let random = [
            116, 24, 223, 180, 151, 153, 224, 37, 79, 250, 96, 125, 216, 173, 187, 186, 22, 212, 37, 77, 105, 214, 191, 240, 91, 88, 5, 88,
            83, 132, 141, 121,
        ];
        let verifier = verifier(&random);
        assert_eq!(verifier, "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
        assert_eq!(challenge(&verifier), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }

    #[test]
    fn sha256_agrees_with_the_crate_at_every_length_around_the_blocks() {
        for length in 0..200 {
            let message = "x".repeat(length);
            let expected = <sha2::Sha256 as sha2::Digest>::digest(message.as_bytes());
            assert_eq!(challenge(&message), base64url(&expected), "{length}");
        }
    }

    #[test]
    fn rfc7636_4_1_every_verifier_fits_the_grammar() {
        for byte in 0..=255 {
            let verifier = verifier(&[byte; VERIFIER_BYTES]);
            assert_eq!(verifier.len(), 43);
            assert!(verifier.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')), "{verifier}");
        }
    }
}
