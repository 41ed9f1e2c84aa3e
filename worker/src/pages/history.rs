//! Histories in words: one sentence for each thing that is recorded. The words are here and nowhere else.

/// What is recorded, as a page tells it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Happened<'a> {
    /// Who did it, as the page calls them.
    pub(crate) who: &'a str,
    /// The fixed word of the record.
    pub(crate) action: &'a str,
    /// The app's name.
    pub(crate) app: &'a str,
    /// A hint or id.
    pub(crate) subject: &'a str,
    /// The record's own words.
    pub(crate) detail: &'a str,
}

/// Each action with its sentence: `{who}`, `{app}`, `{subject}` and `{detail}` are filled in.
const SENTENCES: &[(&str, &str)] = &[
    // Consent.
    ("allowed", "{who} allowed {app}"),
    ("denied", "{who} did not allow {app}"),
    ("disconnected", "{who} disconnected {app}"),
    ("replay detected", "Access of {app} was ended: {detail}"),
    // Apps.
    ("app registered", "{who} registered {app}"),
    ("app changed", "{who} changed {app}"),
    ("app change submitted", "{who} sent changes of {app} to review"),
    ("app approved", "{who} approved {app}"),
    ("app rejected", "{who} rejected {app}"),
    ("app sent to review", "{who} sent {app} back to review"),
    ("app suspended", "{who} suspended {app}"),
    ("app restored", "{who} restored {app}"),
    ("app deleted", "{who} deleted {app}"),
    ("app limits set", "{who} set the limits of {app}"),
    ("higher limit asked for", "{who} asked for a higher limit of {app}"),
    ("secret added", "{who} added a secret of {app}, ending in {subject}"),
    ("secret revoked", "{who} revoked the secret of {app} ending in {subject}"),
    // Keys.
    ("key issued", "{who} made the API key “{detail}”, ending in {subject}"),
    ("key revoked", "{who} revoked the API key “{detail}”, ending in {subject}"),
    ("token issued", "{who} made the management token “{detail}”"),
    ("token revoked", "{who} revoked a management token"),
    // Resource servers.
    ("resource server registered", "{who} registered the resource server “{detail}”"),
    ("resource server secret added", "{who} added a secret of the resource server “{detail}”, ending in {subject}"),
    ("resource server secret revoked", "{who} revoked the secret of the resource server “{detail}” ending in {subject}"),
    ("resource server deleted", "{who} deleted the resource server “{detail}”"),
    // People.
    ("staff signed in", "{who} signed in as platform staff"),
    ("sign-in locked", "Signing in as {who} was locked after too many wrong passwords"),
    ("password locked", "Asking for the password of {who} was locked after too many wrong ones"),
    ("password changed", "{who} changed their password"),
    ("name changed", "{who} changed their name"),
    ("other sessions ended", "{who} signed out everywhere else"),
    ("person exported", "{who} took a copy of a person’s data"),
    ("person deleted", "{who} deleted a person’s profile"),
    ("account created", "{who} made the account"),
    ("person created", "{who} made a person’s profile"),
    ("member added", "{who} made somebody a member: {detail}"),
    ("member removed", "{who} took somebody out of the account"),
    ("first_admin", "{who} became the first platform administrator"),
    ("became_admin", "{who} became platform staff"),
    ("no_longer_admin", "{who} is no longer platform staff"),
];

impl Happened<'_> {
    /// The sentence. An action that has no words here is told as it is recorded.
    pub(crate) fn sentence(&self) -> String {
        let app = if self.app.is_empty() { "an app" } else { self.app };
        let words = SENTENCES.iter().find(|(action, _)| *action == self.action).map(|(_, words)| *words);
        let mut sentence = String::new();
        let mut rest = words.unwrap_or("{who}: {action}");
        // Filled in from left to right, so that a name with braces in it stays a name.
        while let Some((before, after)) = rest.split_once('{') {
            let (name, after) = after.split_once('}').unwrap_or((after, ""));
            sentence.push_str(before);
            sentence.push_str(match name {
                "who" => self.who,
                "app" => app,
                "subject" => self.subject,
                "detail" => self.detail,
                _ => self.action,
            });
            rest = after;
        }
        sentence.push_str(rest);
        sentence
    }

    /// Whether the sentence says the record's own words already.
    pub(crate) fn tells_detail(&self) -> bool {
        SENTENCES.iter().any(|(action, words)| *action == self.action && words.contains("{detail}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::read_to_string;
    use std::path::{Path, PathBuf};

    fn sources(folder: &Path) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let (folders, files): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
        files.into_iter().chain(folders.iter().flat_map(|folder| sources(folder))).collect()
    }

    #[test]
    fn a_sentence_is_filled_in_once() {
        let happened = Happened { who: "{app}", action: "secret added", app: "Salon {who}", subject: "abcd", detail: "" };
        assert_eq!(happened.sentence(), "{app} added a secret of Salon {who}, ending in abcd");
        assert_eq!(Happened { who: "Olivia", action: "allowed", ..Happened::default() }.sentence(), "Olivia allowed an app");
        assert_eq!(Happened { who: "Olivia", action: "something new", ..Happened::default() }.sentence(), "Olivia: something new");
    }

    #[test]
    fn everything_that_is_recorded_has_words() {
        let known = |action: &str| SENTENCES.iter().any(|(known, _)| *known == action);
        let mut seen = 0;
        for path in sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src")) {
            let text = read_to_string(&path).unwrap_or_default();
            let marks = [
                "did(\"",
                "entry(actor, \"",
                "action: \"",
                "=> \"app ",
                "did(if waits { \"",
                "noticed(call, user, \"",
                "noticed(call, actor, \"",
            ];
            for (mark, rest) in marks.iter().flat_map(|mark| text.split(mark).skip(1).map(move |rest| (mark, rest))) {
                let word = rest.split('"').next().unwrap();
                let action = if mark.contains("app ") { format!("app {word}") } else { word.to_owned() };
                // Addresses of forms are actions too.
                if action.starts_with('/') || path.ends_with("history.rs") || path.ends_with("tests.rs") {
                    continue;
                }
                seen += 1;
                assert!(known(&action), "{action} in {}", path.display());
            }
        }
        assert!(seen > 25, "{seen}");
    }

    #[test]
    fn everything_that_sql_records_has_words() {
        let mut seen = 0;
        for path in sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store")) {
            let text = read_to_string(&path).unwrap_or_default();
            for record in text.split("INSERT INTO audit").skip(1) {
                // Other texts in such statements are states of rows and details.
                let quoted = record.split('"').next().unwrap().split('\'').skip(1).step_by(2);
                for action in quoted.filter(|word| !matches!(*word, "ended" | "password changed" | "deleted ")) {
                    seen += 1;
                    assert!(SENTENCES.iter().any(|(known, _)| *known == action), "{action} in {}", path.display());
                }
            }
        }
        assert!(seen > 4, "{seen}");
    }
}
