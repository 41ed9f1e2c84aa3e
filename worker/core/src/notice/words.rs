//! The words of notices: what each says unless the policy says it otherwise, and what is put into the
//! placeholders of both.

use super::{AboutApp, Kind, Notice};
use crate::foreign::one_line;
use crate::policy::Platform;

/// Names longer than this are cut; in a subject there is no room for more.
const NAME_MAX: usize = 60;
/// Reasons longer than this are cut.
const REASON_MAX: usize = 1_000;

/// A piece of a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Part {
    /// The words.
    pub(super) text: String,
    /// Somebody else's: in HTML its direction of writing is kept to itself.
    pub(super) foreign: bool,
}

/// A foreign name, fit to be shown.
pub(super) fn name(text: &str) -> String {
    let line = one_line(text, NAME_MAX);
    if line.is_empty() { "(no name)".to_owned() } else { line }
}

/// The next placeholder of a text: what is before it, its name, what is behind it.
fn placeholder(text: &str) -> Option<(&str, &str, &str)> {
    let mut from = 0;
    loop {
        let at = from + text.get(from..)?.find('$')?;
        let rest = text.get(at + 1..)?;
        let length = rest.find(|c: char| !c.is_ascii_lowercase()).unwrap_or(rest.len());
        if length > 0 {
            return Some((text.get(..at)?, rest.get(..length)?, rest.get(length..)?));
        }
        from = at + 1;
    }
}

/// The first placeholder that is not among the known ones.
pub(crate) fn first_unknown<'a>(text: &'a str, known: &[&str]) -> Option<&'a str> {
    let mut rest = text;
    while let Some((_, name, behind)) = placeholder(rest) {
        if !known.contains(&name) {
            return Some(name);
        }
        rest = behind;
    }
    None
}

/// What a draft says beside its opening.
pub(super) struct Draft {
    /// Facts, each on a line of its own.
    pub(super) facts: Vec<(&'static str, String)>,
    /// What the app may do.
    pub(super) may: Vec<String>,
    /// A sentence after the facts.
    pub(super) more: &'static str,
    /// Where the link leads: a path of this server.
    pub(super) path: String,
    /// What the link says.
    pub(super) label: &'static str,
    /// Why the person gets it.
    pub(super) why: String,
    app: String,
    account: String,
    platform: String,
    noun: String,
}

const DEVELOPER_PAGE: &str = "Open the app's page";

impl Draft {
    fn new(platform: &Platform) -> Self {
        let noun = one_line(&platform.account, NAME_MAX);
        let platform = name(&platform.name);
        Self {
            facts: Vec::new(),
            may: Vec::new(),
            more: "",
            path: "/account/apps".to_owned(),
            label: "",
            why: format!("You get this because it is about your sign-in to {platform}."),
            app: String::new(),
            account: String::new(),
            platform,
            noun,
        }
    }

    /// To the developer of an app.
    fn about(platform: &Platform, app: &AboutApp, more: &'static str) -> Self {
        let draft = Self::new(platform);
        Self {
            facts: vec![("client_id", one_line(&app.client_id, NAME_MAX))],
            path: format!("/developers/apps/{}", path_segment(&app.client_id)),
            label: DEVELOPER_PAGE,
            why: format!("You get this because you registered this app on {}.", draft.platform),
            app: name(&app.name),
            more,
            ..draft
        }
    }

    /// To people of an account.
    fn within(platform: &Platform, account: &str, may: &str) -> Self {
        let draft = Self::new(platform);
        let account = name(account);
        Self { why: format!("You get this because you may {may} {account} on {}.", draft.platform), account, ..draft }
    }

    fn because(mut self, reason: &str) -> Self {
        let reason = one_line(reason, REASON_MAX);
        if !reason.is_empty() {
            self.facts.push(("Reason", reason));
        }
        self
    }

    /// What a notice says on this platform.
    pub(super) fn of(notice: &Notice, platform: &Platform) -> Self {
        match notice {
            Notice::AppSubmitted(app) => Self::about(platform, app, "Its page says how the review stands."),
            Notice::AppApproved(app) if app.confidential => {
                Self::about(platform, app, "The client_secret is not in this message: sign in, and the app's page makes one appear.")
            }
            Notice::AppApproved(app) => {
                Self::about(platform, app, "It is a public client: it has no client_secret, and proves itself with PKCE.")
            }
            Notice::AppRejected { app, reason } => {
                Self::about(platform, app, "Change what stands in the way, and send it for review again.").because(reason)
            }
            Notice::ChangeApproved(app) => Self::about(platform, app, "They are in use now."),
            Notice::ChangeRejected { app, reason } => {
                Self::about(platform, app, "The version in use goes on working as it is.").because(reason)
            }
            Notice::AppSuspended { app, reason } => {
                Self::about(platform, app, "Until it is restored nobody can connect it, and its tokens are refused.").because(reason)
            }
            Notice::AppRestored { app, in_review: true } => Self::about(platform, app, "It waits for its review again."),
            Notice::AppRestored { app, .. } => Self::about(platform, app, "What was connected before works again."),
            Notice::SecretAdded(app) => {
                Self::about(platform, app, "If you did not expect this, remove the secret on the app's page at once.")
            }
            Notice::AppConnected { app, account, may } => Self {
                may: may.iter().map(|item| one_line(item, 200)).collect(),
                more: "If you did not expect this, disconnect it: everything it was given ends at once.",
                label: "See what is connected",
                app: name(app),
                ..Self::within(platform, account, "connect apps to")
            },
            Notice::KeyIssued { name: key, account } => Self {
                facts: vec![("Key", name(key))],
                more: "The key is not in this message. If you did not expect this, revoke it: it ends at once.",
                path: "/account/keys".to_owned(),
                label: "See the API keys",
                ..Self::within(platform, account, "manage the API keys of")
            },
            Notice::PasswordChanged => Self {
                more: "Every other session has ended. If this was not you, tell the platform at once.",
                label: "Sign in",
                ..Self::new(platform)
            },
        }
    }

    /// A text of the policy or of ours with values in its placeholders. Unknown ones stay: the policy
    /// was checked when it was read.
    pub(super) fn filled(&self, text: &str) -> Vec<Part> {
        let ours = |text: &str| Part { text: text.to_owned(), foreign: false };
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, name, behind)) = placeholder(rest) {
            parts.push(ours(before));
            parts.push(match name {
                "app" => Part { text: self.app.clone(), foreign: true },
                "account" => Part { text: self.account.clone(), foreign: true },
                "platform" => ours(&self.platform),
                "noun" => ours(&self.noun),
                other => ours(&format!("${other}")),
            });
            rest = behind;
        }
        parts.push(ours(rest));
        parts.retain(|part| !part.text.is_empty());
        parts
    }

    /// The platform's name, fit to be shown.
    pub(super) fn platform(&self) -> &str {
        &self.platform
    }
}

/// The subject, unless the policy has another.
pub(super) const fn subject(kind: Kind) -> &'static str {
    match kind {
        Kind::AppSubmitted => "$app waits for review",
        Kind::AppApproved => "$app is approved",
        Kind::AppRejected => "$app was not approved",
        Kind::ChangeApproved => "The changes of $app are approved",
        Kind::ChangeRejected => "The changes of $app were not approved",
        Kind::AppSuspended => "$app was suspended",
        Kind::AppRestored => "$app is no longer suspended",
        Kind::SecretAdded => "A client secret was added to $app",
        Kind::AppConnected => "$app was connected to $account",
        Kind::KeyIssued => "An API key was made for $account",
        Kind::PasswordChanged => "Your $platform password was changed",
    }
}

/// The opening sentence, unless the policy has another. `$noun` is what the platform calls an account.
pub(super) const fn opening(kind: Kind) -> &'static str {
    match kind {
        Kind::AppSubmitted => "What you have sent in for your app $app waits for review by $platform.",
        Kind::AppApproved => "$platform has approved your app $app: it can be connected now.",
        Kind::AppRejected => "$platform has reviewed your app $app and has not approved it.",
        Kind::ChangeApproved => "$platform has approved the changes of your app $app.",
        Kind::ChangeRejected => "$platform has reviewed the changes of your app $app and has not approved them.",
        Kind::AppSuspended => "$platform has suspended your app $app.",
        Kind::AppRestored => "Your app $app is no longer suspended on $platform.",
        Kind::SecretAdded => "A client secret was added to your app $app on $platform.",
        Kind::AppConnected => "$app was connected to your $noun $account on $platform.",
        Kind::KeyIssued => "An API key was made for your $noun $account on $platform.",
        Kind::PasswordChanged => "The password with which you sign in to $platform was changed.",
    }
}

/// A segment of a path (RFC 3986 §3.3). Client ids need no escape; what is none stays inside its segment.
fn path_segment(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20")
}
