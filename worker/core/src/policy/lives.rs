//! How long things live: codes, tokens, sessions. Names ending in `_s` are seconds, in `_ms`
//! milliseconds.

use serde::{Deserialize, Serialize};

use crate::rate::Limit;

/// Authorization codes (RFC 6749 §4.1.2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CodePolicy {
    /// Life in seconds; at most 600.
    pub life_s: u32,
}

/// Access tokens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Access {
    /// Life in seconds.
    pub life_s: u32,
}

/// What a refresh does to the refresh token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rotation {
    /// Every refresh gives a new one and uses up the old (RFC 9700 §4.14.2).
    Rotate,
    /// As `rotate`, and the old access token dies too.
    RotateAndEndPair,
    /// The refresh token stays; confidential clients only.
    Static,
}

/// Refresh tokens and families.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refresh {
    /// Disuse after which a family is dead, in seconds; 0 is never.
    pub idle_s: u64,
    /// Life of a family from its consent, in seconds; 0 is for ever.
    pub absolute_s: u64,
    /// Rotation.
    pub rotation: Rotation,
    /// How long a refresh token that was rotated away still gets the newest answer, in milliseconds.
    pub retry_window_ms: u32,
    /// The same for public clients, where a thief is likelier than a lost answer.
    pub retry_window_public_ms: u32,
    /// Refreshes per family.
    pub rate: Limit,
    /// Live families per grant; the longest unused ends when another is made.
    pub families_max: u32,
}

/// Browser sessions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Session {
    /// Seconds of disuse after which a session is over.
    pub idle_s: u32,
    /// Seconds after sign-in after which it is over.
    pub absolute_s: u32,
}
