//! An app's request that failed, for its developer's log: what is told is what the app was told, cut
//! short, and never a token, code or secret (invariant 8).

use serde::{Deserialize, Serialize};

/// Entries that an app's log holds; older ones go.
pub(super) const LOG_MAX: usize = 50;
/// Characters of what was told. Part of it may be what a stranger sent.
const TOLD_MAX: usize = 200;

/// A request that failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// When, in seconds.
    pub at_s: u64,
    /// Method and path.
    pub request: String,
    /// The status of the answer.
    pub status: u16,
    /// Why, in a fixed word.
    pub reason: String,
    /// What the caller was told.
    pub told: String,
}

/// What may stand in a log: printable characters, not too many.
#[must_use]
pub fn fit_for_log(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(TOLD_MAX).collect()
}

/// Adds to a log, the newest first.
pub fn log_failures(log: &mut Vec<Failure>, new: Vec<Failure>) {
    for failure in new {
        let place = log.iter().position(|known| known.at_s <= failure.at_s).unwrap_or(log.len());
        log.insert(place, failure);
    }
    log.truncate(LOG_MAX);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_keeps_the_newest() {
        let failure = |at_s| Failure { at_s, request: String::new(), status: 400, reason: String::new(), told: String::new() };
        let mut log = vec![failure(1)];
        log_failures(&mut log, (2..100).map(failure).collect());
        assert_eq!((log.len(), log[0].at_s, log[49].at_s), (LOG_MAX, 99, 50));
        assert_eq!(fit_for_log(&"a\u{7}b\n".repeat(200)).len(), 200);
    }
}
