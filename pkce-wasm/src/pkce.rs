//! PKCE (RFC 7636), method S256 only: there is no way to ask for `plain` or for none.

use alloc::string::String;

use sha2::block_api::compress256;

use crate::error::{Code, Failure};
use crate::form::{Form, base64url, push};

/// Characters of a verifier, as RFC 7636 §4.1 recommends; each carries 6 random bits.
pub const VERIFIER_LENGTH: usize = 43;
const _: () = assert!(VERIFIER_LENGTH <= 55, "one block of SHA-256 holds it");

/// A record with the `verifier` of a question and its `challenge`.
pub fn pair(asked: Form<'_>) -> Result<String, Failure> {
    let verifier = random(asked, "verifier", VERIFIER_LENGTH)?;
    let mut record = String::new();
    push(&mut record, "challenge", &challenge(verifier));
    push(&mut record, "verifier", verifier);
    Ok(record)
}

/// A text that was rolled for this question: base64url of random bytes. One of another length is none.
pub fn random<'a>(asked: Form<'a>, name: &str, length: usize) -> Result<&'a str, Failure> {
    let text = asked.field(name);
    if text.len() == length { Ok(text) } else { Err(Code::Unsupported.into()) }
}

/// The S256 challenge of a verifier (RFC 7636 §4.2) of at most 55 characters.
pub fn challenge(verifier: &str) -> String {
    base64url(sha256(verifier.as_bytes()).iter().flat_map(|word| word.to_be_bytes()))
}

/// SHA-256 of a message that fits one block, with the compression function of the sha2 crate. The padding
/// (FIPS 180-4 §5.1.1) is done here because the crate's own buffer brings panics with it: a fifth of the module.
fn sha256(message: &[u8]) -> [u32; 8] {
    let mut state = [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];
    let mut block = [0; 64];
    for (place, byte) in block.iter_mut().zip(message.iter().chain(&[0x80])) {
        *place = *byte;
    }
    let bits = (message.len() * 8) as u16;
    let [.., high, low] = &mut block;
    [*high, *low] = bits.to_be_bytes();
    compress256(&mut state, &[block]);
    state
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc7636_appendix_b() {
        let record = pair(Form("verifier=dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")).unwrap();
        let expected = "challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&verifier=dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        assert_eq!(record, expected);
    }

    #[test]
    fn sha256_agrees_with_the_crate_at_every_length_of_one_block() {
        for length in 0..=55 {
            let message = "x".repeat(length);
            let expected = <sha2::Sha256 as sha2::Digest>::digest(message.as_bytes());
            assert_eq!(challenge(&message), base64url(expected), "{length}");
        }
    }

    #[test]
    fn rfc7636_4_1_a_verifier_is_43_characters_or_none_at_all() {
        for length in [0, 1, VERIFIER_LENGTH - 1, VERIFIER_LENGTH + 1] {
            let question = "verifier=".to_owned() + &"A".repeat(length);
            assert_eq!(pair(Form(&question)), Err(Code::Unsupported.into()), "{length}");
        }
    }
}
