//! What pages say of an app: its status, its details.

use edgegrant_core::app::Details;

use crate::call::Call;
use crate::pages::{Fact, Value};
use crate::store::apps::Listed;

/// The marks of an app.
pub(crate) fn tags(app: &Listed) -> Vec<(std::borrow::Cow<'static, str>, &'static str)> {
    let (text, class) = match app.status.as_str() {
        "approved" => ("Approved", "tag tag-good"),
        "pending" => ("In review", "tag tag-warn"),
        "rejected" => ("Not approved", "tag tag-off"),
        "suspended" => ("Suspended", "tag tag-warn"),
        _ => ("Deleted", "tag tag-off"),
    };
    let mut tags = vec![(text.into(), class)];
    if app.status == "approved" && app.submitted_at.is_some() {
        tags.push(("Change in review".into(), "tag tag-warn"));
    }
    if app.development == 1 {
        tags.push(("In development".into(), "tag"));
    }
    tags
}

/// What an app is and asks for.
pub(crate) fn facts<'a>(call: &'a Call, details: &'a Details, client_type: &str) -> Vec<Fact<'a>> {
    let scope = |scope: &'a edgegrant_core::app::ScopeReason| {
        let words = call.config.policy.scopes.find(&scope.name).map_or("", |entry| entry.words.as_str());
        format!("{} ({}): {}", words, scope.name, scope.reason).into()
    };
    let kind = if client_type == "public" { "Public: a browser or native app" } else { "Confidential: a server that keeps a secret" };
    let mut facts = vec![
        Fact::text("Name", details.name.as_str()),
        Fact::text("Description", details.description.as_str()),
        Fact { label: "Website", value: Value::Away(details.website.as_str().into()) },
        Fact::text("Client type", kind),
        Fact { label: "Redirect URIs", value: Value::Codes(details.redirect_uris.iter().map(|uri| uri.as_str().into()).collect()) },
        Fact { label: "Scopes", value: Value::List(details.scopes.iter().map(scope).collect()) },
    ];
    if !details.install_url.is_empty() {
        facts.push(Fact { label: "Install address", value: Value::Away(details.install_url.as_str().into()) });
    }
    facts
}
