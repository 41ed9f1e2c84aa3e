//! PKCE (RFC 7636), method S256 only: there is no way to ask for `plain` or for none.

use alloc::string::String;
use alloc::vec::Vec;

use sha2::block_api::compress256;

use crate::error::{Code, Failure};
use crate::form::{Form, base64url, push};

/// Characters of a verifier, as RFC 7636 §4.1 recommends; each carries 6 random bits.
pub const VERIFIER_LENGTH: usize = 43;

/// A record with a new `verifier` and its `challenge`, from the `random` text of a question.
pub fn pair<'a>(asked: Form<'a>) -> Result<String, Failure> {
    let verifier = randomness(asked, 0, VERIFIER_LENGTH)?;
    let mut record = String::new();
    push(&mut record, "challenge", &challenge(verifier));
    push(&mut record, "verifier", verifier);
    Ok(record)
}

/// Part of the `random` text of a question, which is base64url of random bytes: `length` characters from the
/// place `from` on. Where there are fewer, nothing is made of them.
pub fn randomness<'a>(asked: Form<'a>, from: usize, length: usize) -> Result<&'a str, Failure> {
    asked.field("random").get(from..from + length).ok_or(Code::Unsupported.into())
}

/// The S256 challenge of a verifier (RFC 7636 §4.2).
pub fn challenge(verifier: &str) -> String {
    base64url(sha256(verifier.as_bytes()).iter().flat_map(|word| word.to_be_bytes()))
}

/// SHA-256 with the compression function of the sha2 crate. The padding (FIPS 180-4 §5.1.1) is done
/// here because the crate's own buffer brings panics with it: a fifth of the module.
fn sha256(message: &[u8]) -> [u32; 8] {
    let mut state = [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];
    let mut padded = Vec::from(message);
    padded.push(0x80);
    while padded.len() % 64 != 56 {
        padded.push(0);
    }
    padded.extend((message.len() as u64 * 8).to_be_bytes());
    let (blocks, _) = padded.as_chunks();
    compress256(&mut state, blocks);
    state
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc7636_appendix_b() {
        let record = pair(Form("random=dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXkAAAA")).unwrap();
        let expected = "challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&verifier=dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        assert_eq!(record, expected);
    }

    #[test]
    fn sha256_agrees_with_the_crate_at_every_length_around_the_blocks() {
        for length in 0..200 {
            let message = "x".repeat(length);
            let expected = <sha2::Sha256 as sha2::Digest>::digest(message.as_bytes());
            assert_eq!(challenge(&message), base64url(expected), "{length}");
        }
    }

    #[test]
    fn rfc7636_4_1_a_verifier_is_43_characters_or_none_at_all() {
        let short = "random=".to_owned() + &"A".repeat(VERIFIER_LENGTH - 1);
        for random in ["", "random=", "random=abc", &short] {
            assert_eq!(pair(Form(random)), Err(Code::Unsupported.into()), "{random}");
        }
        let record = pair(Form(&(short + "-_"))).unwrap();
        assert_eq!(Form(&record).field("verifier"), "A".repeat(VERIFIER_LENGTH - 1) + "-");
    }
}
