//! What the edge asks the object and what it answers: flat values in postcard form, one header each
//! way, since every object and string that crosses between wasm and JavaScript costs. Nothing in
//! them is usable by itself: tags of tokens travel without the edge's half, codes as hashes.

use serde::{Deserialize, Serialize};

use crate::credential::{GrantId, Token};
use crate::policy::{Per, Reach, Rotation};
use crate::rate::{Limit, Rates, Standing};

/// A question to the object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Command {
    /// Redeem a code.
    Claim(Box<Claim>),
    /// Use a refresh token.
    Refresh(Box<Refresh>),
    /// May this access token or API key be used now?
    Check(Check),
    /// End what a token stands for.
    Revoke(Revoke),
    /// The owner ends every consent up to this number.
    End {
        /// The number that the disconnect took.
        seq: u64,
    },
    /// The owner takes scopes from every consent before this number.
    Withdraw {
        /// The scopes.
        scopes: Vec<String>,
        /// The number of the consent that left them out.
        seq: u64,
    },
    /// Make an API key of the account.
    IssueKey(Box<IssueKey>),
    /// End one API key; one that is not there is ended already.
    EndKey {
        /// Its family.
        family: u32,
    },
}

/// A new API key, decided by the account's own people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IssueKey {
    /// The account's own grant.
    pub grant: GrantId,
    /// The random id of the key's row: the same one again is a retry and gets the same key.
    pub id: [u8; 16],
    /// The family's number, drawn by the edge so that its row names it before there is a key.
    pub family: u32,
    /// When it was asked for, in milliseconds. It stands for the consent number: [`Command::End`] with
    /// the time of an end reaches every key asked for before, with `u64::MAX` every key ever.
    pub seq: u64,
    /// The account's id.
    pub account: String,
    /// The account's name.
    pub account_name: String,
    /// The id of the person who makes it.
    pub user: String,
    /// What it may do.
    pub scope: String,
    /// Newest edge key.
    pub key_id: u8,
    /// Its end in seconds; 0 is never.
    pub expires_s: u64,
    /// Live keys at most.
    pub max: u32,
}

/// A code's redemption, verified by the edge as far as its record goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// The grant that the code names.
    pub grant: GrantId,
    /// SHA-256 of the code.
    pub code_hash: [u8; 32],
    /// The code's own end, in seconds.
    pub code_expires_s: u64,
    /// What the presented verifier hashes to.
    pub challenge: Option<[u8; 32]>,
    /// SHA-256 of the redirect URI that the client presented, or of the code's when it may be absent.
    pub redirect: [u8; 32],
    /// The app that proved itself.
    pub app: u32,
    /// What the consent said; `None` when no record was found, so that only a replay can be told.
    pub held: Option<Held>,
    /// Newest edge key.
    pub key_id: u8,
    /// Life of access tokens in seconds.
    pub access_s: u32,
    /// Life of the family in seconds from now; 0 for ever.
    pub absolute_s: u64,
    /// Live families at most.
    pub families_max: u32,
}

/// What the consent's record holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// The consent number.
    pub seq: u64,
    /// The account's id.
    pub account: String,
    /// The account's name when the consent was given.
    pub account_name: String,
    /// The id of the person who consented.
    pub user: String,
    /// The scope granted.
    pub scope: String,
}

/// Use of a refresh token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refresh {
    /// The token, whose edge tag was right.
    pub token: Token,
    /// The scope asked for, when narrower.
    pub scope: Option<String>,
    /// Newest edge key.
    pub key_id: u8,
    /// Life of access tokens in seconds.
    pub access_s: u32,
    /// Idle life in seconds; 0 is none.
    pub idle_s: u64,
    /// Absolute life in seconds; 0 is none. The stricter of this and the family's own counts.
    pub absolute_s: u64,
    /// Rotation for this client.
    pub rotation: Rotation,
    /// The retry window in milliseconds.
    pub retry_ms: u32,
    /// Refreshes per family.
    pub rate: Limit,
    /// When set, consents of other persons do not count: the app is in review.
    pub only_user: Option<String>,
}

/// Use of an access token or an API key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// The token, whose edge tag was right and which is not expired.
    pub token: Token,
    /// The limits.
    pub rates: Rates,
    /// What they count.
    pub per: Per,
    /// When set, consents of other persons do not count: the app is in review.
    pub only_user: Option<String>,
    /// Whether it is a use, or only looked at.
    pub counted: bool,
    /// When not empty, the token counts only with one of these scopes: whoever asks serves no others.
    pub audience: Vec<String>,
}

/// Revocation of a token of the calling client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revoke {
    /// The token, whose edge tag was right; expired or not.
    pub token: Token,
    /// What it ends.
    pub reach: Reach,
}

/// The object's answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Answer {
    /// Tokens, to be signed by the edge.
    Issued(Box<Issued>),
    /// The access token may be used.
    Checked(Box<Checked>),
    /// Done; with the account to tell D1 when the grant has no live family any more.
    Revoked {
        /// Consent number up to which everything ended, when the install's row should say so.
        ended: Option<u64>,
    },
    /// The owner's end is recorded.
    Ended,
    /// The owner's withdrawal is recorded.
    Withdrawn,
    /// A limit; nothing changed.
    Limited(Standing),
    /// No.
    Refused(Refused),
    /// As [`Answer::Checked`], and D1 is told: the first use of an API key on this day, as far as this
    /// instance of the object knows. That is not stored, so a check still writes no row.
    CheckedFirst(Box<Checked>),
    /// An API key, to be signed by the edge.
    KeyIssued(Token),
}

/// New tokens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Issued {
    /// The access token without its edge tag.
    pub access: Token,
    /// The refresh token without its edge tag.
    pub refresh: Token,
    /// What the access token may do.
    pub scope: String,
    /// Whether that is less than what its family may do.
    pub narrowed: bool,
    /// The account, for the note that the install is in use.
    pub account: String,
    /// Whether this is the first use of the day, which D1 is told.
    pub touch: bool,
    /// Whether it is the newest answer once more, for a retry inside the window.
    pub retry: bool,
}

/// What is behind an access token or an API key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checked {
    /// The account's id.
    pub account: String,
    /// The account's name.
    pub account_name: String,
    /// The person who consented, or made the key.
    pub user: String,
    /// What the token may do.
    pub scope: String,
    /// For the `RateLimit-*` headers.
    pub standing: Standing,
    /// When the token was issued, in seconds; 0 when that is not known.
    pub issued_s: u64,
}

/// Why not. The first group changed nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Refused {
    /// The family is not there or ended.
    Gone,
    /// Another app's.
    NotYours,
    /// Somebody else's than the one person for whom the app works.
    NotForThem,
    /// The family tag is wrong.
    BadTag,
    /// A generation or serial that was never handed out.
    Ahead,
    /// Idle or absolute life is over.
    Expired,
    /// A refresh token rotated away so recently and often that it cannot be told from a duplicate.
    Superseded,
    /// This access token was revoked, alone or with its pair.
    TokenRevoked,
    /// The scope asked for is wider than the grant, or one narrowing too many.
    Scope,
    /// The code is not here: no record and never claimed.
    CodeUnknown,
    /// No family number is free: not in this world.
    Full,
    /// The code's consent was ended by its owner.
    ConsentEnded,
    /// The code was claimed before, and this request does not prove possession: nothing changed.
    CodeClaimed,
    /// The code was used twice, validly: what the first use produced has ended.
    CodeReplayed {
        /// The consent number, for the install's row, when the replay ended something.
        ended: Option<u64>,
    },
    /// A refresh token that was rotated away was used again: the family has ended.
    RefreshReplayed {
        /// The consent number, for the install's row, when no other family lives.
        ended: Option<u64>,
    },
    /// The account has as many live API keys as it may have.
    KeysFull,
    /// The token carries no scope of the resource that asks.
    Audience,
}
