//! What travels: tokens, authorization codes, client ids, management tokens.
//!
//! All are opaque to clients and MACed, so that the edge refuses garbage, another client's and
//! expired values without any I/O. Tag inputs begin with a label and the issuer: what one deployment
//! minted means nothing at another that shares a key by mistake.
//!
//! ```text
//! payload     kind (1) · key id (1) · app number (4) · grant id (16) · family (4) · number (4) · scope set (2) · expiry (5)
//! family tag  HMAC-SHA256(family secret, label ‖ issuer ‖ payload), 16 bytes     the secret is only in the Grant object
//! edge tag    HMAC-SHA256(edge key, label ‖ issuer ‖ payload ‖ family tag), 16 bytes
//! token       prefix ‖ base64url (92 characters)
//! code        kind · key id · app number · grant id · expiry · 20 random bytes · edge tag     (84 characters)
//! ```

mod client_id;
mod code;
mod management;
mod token;

pub use client_id::{client_id, parse_client_id, parse_resource_server_id};
pub use code::Code;
pub use management::{is_management_token, management_token};
pub use token::{Kind, Payload, Prefixes, Tag, Token, family_tag};

use serde::{Deserialize, Serialize};

use crate::encoding::hex;
use crate::keys::Key;

/// Names the object of one (account, app). It is a keyed hash of two random ids of ours that are
/// never reused: no look-up finds the object, and two concurrent first consents meet in one object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct GrantId(pub [u8; 16]);

/// The number of no app: API keys belong to the account itself. No client id stands for it, so no
/// client can present, refresh or revoke a key.
pub const NO_APP: u32 = 0;

/// Numbers behind this one are resource servers: records like those of apps, in objects of their own,
/// that no token is issued to.
pub const RESOURCE_SERVERS: u32 = 1 << 31;

/// Whether a number is of the range of resource servers.
#[must_use]
pub const fn is_resource_server(number: u32) -> bool {
    number >= RESOURCE_SERVERS
}

/// The app id under which an account's own object is derived. Ids of apps are written by `hex`, in lower
/// case, so nothing else can have this one.
const NO_APP_ID: &str = "0000000000000000000000000000000A";

impl GrantId {
    /// The account's own object: it holds the account's API keys.
    #[must_use]
    pub fn of_account(key: &Key, account: &str) -> Self {
        Self::derive(key, account, NO_APP_ID)
    }

    /// The grant of an account and an app, by their random ids.
    #[must_use]
    pub fn derive(key: &Key, account: &str, app: &str) -> Self {
        let mac = key.mac("edgegrant/1/grant-id", &[account.as_bytes(), app.as_bytes()]);
        Self(truncate(&mac))
    }

    /// The object's name: hexadecimal.
    #[must_use]
    pub fn object_name(&self) -> String {
        hex(&self.0)
    }
}

fn truncate<const N: usize>(mac: &[u8; 32]) -> [u8; N] {
    let mut out = [0; N];
    for (to, from) in out.iter_mut().zip(mac) {
        *to = *from;
    }
    out
}

/// Reads fixed-width big-endian fields off the front of a byte string.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*head)
    }

    /// Five bytes of seconds: enough until the year 36812.
    fn take_seconds(&mut self) -> Option<u64> {
        let [a, b, c, d, e] = self.take::<5>()?;
        Some(u64::from_be_bytes([0, 0, 0, a, b, c, d, e]))
    }
}

fn push_seconds(out: &mut Vec<u8>, seconds: u64) {
    out.extend(seconds.to_be_bytes().into_iter().skip(3));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoding::array_from_hex;

    #[test]
    fn no_app_can_have_the_id_of_no_app() {
        assert_eq!((NO_APP_ID.len(), array_from_hex::<16>(NO_APP_ID)), (32, None), "an id of ours is lower case");
        let key = Key::new([1; 32]);
        let account = "a0000000000000000000000000000001";
        assert_ne!(GrantId::of_account(&key, account), GrantId::derive(&key, account, &NO_APP_ID.to_lowercase()));
        assert_ne!(GrantId::of_account(&key, account), GrantId::of_account(&key, "a0000000000000000000000000000002"));
        assert_ne!(GrantId::of_account(&key, account), GrantId::of_account(&Key::new([2; 32]), account));
    }
}
