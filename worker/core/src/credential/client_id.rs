//! Client identifiers (RFC 6749 §2.2): an app's number with a tag of its own, so that an unknown
//! client id costs no storage operation and creates no object.

use super::{NO_APP, Reader, truncate};
use crate::encoding::{base64url, from_base64url};
use crate::keys::{Key, same};

const LABEL: &str = "edgegrant/1/client-id";

fn tag(key: &Key, number: u32) -> [u8; 14] {
    truncate(&key.mac(LABEL, &[&number.to_be_bytes()]))
}

/// The client id of an app: 24 characters of base64url.
#[must_use]
pub fn client_id(key: &Key, number: u32) -> String {
    let mut bytes = number.to_be_bytes().to_vec();
    bytes.extend_from_slice(&tag(key, number));
    base64url(&bytes)
}

/// The number of the app that a client id of this deployment names; never that of no app.
#[must_use]
pub fn parse_client_id(key: &Key, text: &str) -> Option<u32> {
    if text.len() != 24 {
        return None;
    }
    let bytes = from_base64url(text)?;
    let mut reader = Reader(&bytes);
    let number = u32::from_be_bytes(reader.take()?);
    let presented: [u8; 14] = reader.take()?;
    (number != NO_APP && same(&tag(key, number), &presented)).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_minted_ids_are_known() {
        let key = Key::new([1; 32]);
        let id = client_id(&key, 42);
        assert_eq!(id.len(), 24);
        assert_eq!(parse_client_id(&key, &id), Some(42));
        assert_eq!(parse_client_id(&Key::new([2; 32]), &id), None);
        for other in ["", "demo", client_id(&key, 43).get(..23).unwrap(), &format!("{id}A")] {
            assert_eq!(parse_client_id(&key, other), None);
        }
    }

    #[test]
    fn no_client_is_the_app_of_api_keys() {
        let key = Key::new([1; 32]);
        assert_eq!(parse_client_id(&key, &client_id(&key, NO_APP)), None);
    }
}
