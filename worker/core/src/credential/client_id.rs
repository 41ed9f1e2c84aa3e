//! Client identifiers (RFC 6749 §2.2): an app's number with a tag of its own, so that an unknown
//! client id costs no storage operation and creates no object.
//!
//! Resource servers have ids of the same kind with numbers of a range of their own. Each reader takes
//! one range only: where apps are asked for, a resource server's id is unknown, and the other way round.

use super::{NO_APP, RESOURCE_SERVERS, Reader, is_resource_server, truncate};
use crate::encoding::{base64url, from_base64url};
use crate::keys::{Key, same};

const LABEL: &str = "edgegrant/1/client-id";

fn tag(key: &Key, number: u32) -> [u8; 14] {
    truncate(&key.mac(LABEL, &[&number.to_be_bytes()]))
}

/// The client id of an app or resource server: 24 characters of base64url.
#[must_use]
pub fn client_id(key: &Key, number: u32) -> String {
    let mut bytes = number.to_be_bytes().to_vec();
    bytes.extend_from_slice(&tag(key, number));
    base64url(&bytes)
}

/// The number of the app that a client id of this deployment names; never that of no app.
#[must_use]
pub fn parse_client_id(key: &Key, text: &str) -> Option<u32> {
    number(key, text).filter(|number| *number != NO_APP && !is_resource_server(*number))
}

/// The number of the resource server that a client id of this deployment names.
#[must_use]
pub fn parse_resource_server_id(key: &Key, text: &str) -> Option<u32> {
    number(key, text).filter(|number| *number != RESOURCE_SERVERS && is_resource_server(*number))
}

fn number(key: &Key, text: &str) -> Option<u32> {
    if text.len() != 24 {
        return None;
    }
    let bytes = from_base64url(text)?;
    let mut reader = Reader(&bytes);
    let number = u32::from_be_bytes(reader.take()?);
    let presented: [u8; 14] = reader.take()?;
    same(&tag(key, number), &presented).then_some(number)
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
    fn an_app_is_no_resource_server_and_the_other_way_round() {
        let key = Key::new([1; 32]);
        for number in [1, 42, RESOURCE_SERVERS - 1] {
            assert_eq!(parse_client_id(&key, &client_id(&key, number)), Some(number));
            assert_eq!(parse_resource_server_id(&key, &client_id(&key, number)), None);
        }
        for number in [RESOURCE_SERVERS + 1, u32::MAX] {
            assert_eq!(parse_client_id(&key, &client_id(&key, number)), None);
            assert_eq!(parse_resource_server_id(&key, &client_id(&key, number)), Some(number));
        }
        assert_eq!(parse_resource_server_id(&key, &client_id(&key, RESOURCE_SERVERS)), None);
    }

    #[test]
    fn no_client_is_the_app_of_api_keys() {
        let key = Key::new([1; 32]);
        assert_eq!(parse_client_id(&key, &client_id(&key, NO_APP)), None);
    }
}
