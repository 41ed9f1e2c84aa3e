//! Management tokens: 32 random bytes with a tag of their own, so that garbage costs no storage
//! operation. The tag proves nothing but where the token was made: what a token may do is read from the
//! row that its keyed hash names, on each call.

use super::truncate;
use crate::encoding::{base64url, from_base64url};
use crate::keys::{Key, same};

/// What every management token begins with; scanners for leaked secrets look for such words.
const PREFIX: &str = "eg_mgmt_";
const LABEL: &str = "edgegrant/1/management-token";
const RANDOM: usize = 32;

fn tag(key: &Key, random: &[u8]) -> [u8; 16] {
    truncate(&key.mac(LABEL, &[random]))
}

/// A management token: 64 characters of base64url behind its prefix.
#[must_use]
pub fn management_token(key: &Key, random: [u8; RANDOM]) -> String {
    let mut bytes = random.to_vec();
    bytes.extend_from_slice(&tag(key, &random));
    format!("{PREFIX}{}", base64url(&bytes))
}

/// Whether a text is a management token that this deployment may have made.
#[must_use]
pub fn is_management_token(key: &Key, text: &str) -> bool {
    let Some(body) = text.strip_prefix(PREFIX).filter(|body| body.len() == 64) else { return false };
    let Some(bytes) = from_base64url(body) else { return false };
    bytes.split_at_checked(RANDOM).is_some_and(|(random, presented)| same(&tag(key, random), presented))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_minted_here_is_looked_up() {
        let key = Key::new([1; 32]);
        let token = management_token(&key, [9; 32]);
        assert_eq!(token.len(), "eg_mgmt_".len() + 64);
        assert!(is_management_token(&key, &token));
        assert!(!is_management_token(&Key::new([2; 32]), &token));
        for at in 0..token.len() {
            let mut changed: Vec<char> = token.chars().collect();
            changed[at] = if changed[at] == 'A' { 'B' } else { 'A' };
            assert!(!is_management_token(&key, &changed.into_iter().collect::<String>()), "{at}");
        }
        for other in ["", "eg_mgmt_", "demo-management-token", token.get(8..).unwrap(), &format!("{token}AAAA")] {
            assert!(!is_management_token(&key, other), "{other}");
        }
    }
}
