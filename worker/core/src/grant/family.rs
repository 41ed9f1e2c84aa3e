//! The rows of a grant. A family is one row: it is written whole, so it is never half-written.
//!
//! The stored form is a version byte and postcard. A change to these structs is a new version; the
//! test of the layout fails first. Version 1 lacked the last fields of both rows: "none", "nothing"
//! and "never" of those are zero bytes, so it is read with zeros behind it.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::rate::{Reservation, Window};

const VERSION: u8 = 2;

/// The grant's own row.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrantRow {
    /// Every consent up to this number has ended.
    pub ended_seq: u64,
    /// API calls reserved.
    pub api: Reservation,
    /// Milliseconds of the last owner's end.
    pub active_ms: u64,
    /// API calls reserved in the shorter window.
    pub burst: Reservation,
    /// Scopes that later consents left out, each once.
    pub withdrawn: Vec<Withdrawn>,
}

/// A scope that no family of a consent before `seq` may use any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Withdrawn {
    /// The scope.
    pub scope: String,
    /// The number of the consent that left it out.
    pub seq: u64,
}

/// The newest answer of a family: what a retry is given again, whatever the policy is by then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastAnswer {
    /// Serial of its access token.
    pub serial: u32,
    /// When it was issued, in seconds.
    pub issued_s: u64,
    /// Life of its access token in seconds.
    pub access_s: u32,
    /// The edge key that signs it.
    pub key_id: u8,
    /// Its scope set.
    pub scope_set: u16,
}

/// One consent's tokens.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Family {
    /// 256 random bits made at the claim; nothing else can tag a token of this family.
    pub secret: [u8; 32],
    /// Nothing of it lives any more; the row stays while its code could be replayed.
    pub ended: bool,
    /// The consent number.
    pub seq: u64,
    /// The app; [`crate::credential::NO_APP`] when it is an API key.
    pub app: u32,
    /// The account's id.
    pub account: String,
    /// The account's name at consent.
    pub account_name: String,
    /// Who consented.
    pub user: String,
    /// The scope of the consent: scope set 0.
    pub scope: String,
    /// Narrowed scopes: set 1 is the first.
    pub scope_sets: Vec<String>,
    /// When it was made, in milliseconds.
    pub created_ms: u64,
    /// The absolute end in seconds; 0 is never.
    pub absolute_end_s: u64,
    /// The last claim or refresh, or the end, in milliseconds.
    pub used_ms: u64,
    /// The live refresh token.
    pub generation: u32,
    /// When the last four generations were rotated away, in milliseconds, the newest first.
    pub rotated_ms: [u64; 4],
    /// The newest answer.
    pub answer: LastAnswer,
    /// Access tokens below this serial are dead.
    pub serial_floor: u32,
    /// Single access tokens that were revoked: serial and expiry in seconds.
    pub revoked: Vec<(u32, u64)>,
    /// Refreshes counted.
    pub refreshes: Window,
    /// API calls reserved, when the policy counts them by family.
    pub api: Reservation,
    /// SHA-256 of the code that made it, or of the id of an API key.
    pub code_hash: [u8; 32],
    /// The code's challenge.
    pub code_challenge: Option<[u8; 32]>,
    /// SHA-256 of the code's redirect URI.
    pub code_redirect: [u8; 32],
    /// The code's end in seconds.
    pub code_expires_s: u64,
    /// API calls reserved in the shorter window, when the policy counts them by family.
    pub burst: Reservation,
}

impl core::fmt::Debug for Family {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Family")
            .field("seq", &self.seq)
            .field("generation", &self.generation)
            .field("ended", &self.ended)
            .finish_non_exhaustive()
    }
}

/// The rows of an object.
#[derive(Clone, Debug, Default)]
pub struct Rows {
    /// The grant's own row.
    pub grant: GrantRow,
    /// The families by number.
    pub families: BTreeMap<u32, Family>,
}

fn encode<T: Serialize>(value: &T) -> Option<Vec<u8>> {
    postcard::to_extend(value, vec![VERSION]).ok()
}

/// `added` is what version 2 has behind version 1, in bytes.
fn decode<T: DeserializeOwned>(bytes: &[u8], added: usize) -> Option<T> {
    match bytes.split_first()? {
        (&VERSION, body) => postcard::from_bytes(body).ok(),
        (1, body) => postcard::from_bytes(&[body, &vec![0; added]].concat()).ok(),
        _ => None,
    }
}

impl GrantRow {
    /// The stored form.
    #[must_use]
    pub fn encode(&self) -> Option<Vec<u8>> {
        encode(self)
    }

    /// Reads the stored form; `None` must be treated as a storage fault, never as an empty grant.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        decode(bytes, 3)
    }
}

impl Family {
    /// The stored form.
    #[must_use]
    pub fn encode(&self) -> Option<Vec<u8>> {
        encode(self)
    }

    /// Reads the stored form; `None` must be treated as a storage fault.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        decode(bytes, 2)
    }

    /// The scope behind a set number; an unknown set is refused, never widened.
    #[must_use]
    pub fn scope_of(&self, set: u16) -> Option<&str> {
        match set.checked_sub(1) {
            None => Some(&self.scope),
            Some(at) => self.scope_sets.get(usize::from(at)).map(String::as_str),
        }
    }

    /// The second in which age ends the family: the stricter of its own end and the policy's.
    pub(super) fn end_s(&self, absolute_s: u64) -> u64 {
        let own = if self.absolute_end_s == 0 { u64::MAX } else { self.absolute_end_s };
        let policy = if absolute_s == 0 { u64::MAX } else { (self.created_ms / 1000).saturating_add(absolute_s) };
        own.min(policy)
    }

    /// When a token with this end was issued, in seconds: a key with its family, an access token one life
    /// before its end, which is that of the newest one. 0 when it is not known.
    pub(super) fn issued_s(&self, expires_s: u64) -> u64 {
        let access_s = u64::from(self.answer.access_s);
        if self.is_key() { self.created_ms / 1000 } else { expires_s.saturating_sub(access_s) }
    }

    /// Ends the family and forgets what it no longer needs.
    pub fn finish(&mut self, now_ms: u64) {
        self.ended = true;
        self.used_ms = self.used_ms.max(now_ms);
        self.secret = [0; 32];
        self.scope_sets.clear();
        self.revoked.clear();
        self.account_name.clear();
    }
}
