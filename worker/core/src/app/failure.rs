//! An app's request that failed, for its developer's log: what is told is what the app was told, cut
//! short, and never a token, code or secret (invariant 8).

use serde::{Deserialize, Serialize};

/// Entries that an app's log holds; older ones go.
pub(super) const LOG_MAX: usize = 50;
/// Characters of what was told. Part of it may be what a stranger sent.
const TOLD_MAX: usize = 200;
/// A run of so many characters may be a secret: the shortest of ours has 43. Words and names of errors
/// are shorter.
const SECRET_MIN: usize = 40;

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

/// What may stand in a log: printable characters, not too many, and no run of letters and digits that is
/// long enough for a token, code, secret or verifier: an app that mixes up its parameters is told what it
/// sent, and the log must not keep that.
#[must_use]
pub fn fit_for_log(text: &str) -> String {
    let part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '~' | '+' | '=');
    let mut fit = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let end = rest.find(|c| part(c) != part(first)).unwrap_or(rest.len());
        let (run, next) = rest.split_at_checked(end).unwrap_or((rest, ""));
        fit.push_str(if part(first) && run.len() >= SECRET_MIN { "…" } else { run });
        rest = next;
    }
    fit.chars().filter(|c| !c.is_control()).take(TOLD_MAX).collect()
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

    #[test]
    fn a_log_holds_nothing_that_could_be_a_secret() {
        let secret = "Puq7AdxWMfczgr3DBduoXNip6p93lUiLroswMUPhr8M";
        assert_eq!(fit_for_log(&format!("there is no scope '{secret}'")), "there is no scope '…'");
        assert_eq!(fit_for_log(&format!("{secret}ü{secret}")), "…ü…");
        let told = "{\"error\":\"unsupported_response_type\",\"error_description\":\"only response_type=code is served\"}";
        assert_eq!(fit_for_log(told), told);
    }
}
