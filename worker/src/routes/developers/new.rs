//! `/developers/new`: registration, with everything that is wrong told at once.

use edgegrant_core::app::{ClientType, Details, Problem, ScopeReason};
use edgegrant_core::oauth::params::Params;

use super::super::guest::{Guest, problems};
use super::{HERE, of_app};
use crate::answer::Answer;
use crate::call::Call;
use crate::fault::Fault;
use crate::operations::Actor;
use crate::operations::register::{self, Registration, register};
use crate::pages::{Choice, Control, Field, FormPage};

/// What a form says of an app.
pub(super) fn details(params: &Params) -> Details {
    let lines = |text: &str| text.lines().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect();
    let scope = |name: &str| ScopeReason { name: name.to_owned(), reason: params.field(&format!("reason:{name}")).to_owned() };
    Details {
        name: params.field("name").to_owned(),
        description: params.field("description").to_owned(),
        website: params.field("website").to_owned(),
        install_url: params.field("install_url").to_owned(),
        logo: None,
        redirect_uris: lines(params.field("redirect_uris")),
        scopes: params.all("scopes").map(scope).collect(),
    }
}

/// The questions about an app's details and contact.
pub(super) fn fields<'a>(call: &'a Call, details: &Details, contact: &str) -> Vec<Field<'a>> {
    let policy = &call.config.policy;
    let text = |text: &str| text.to_owned();
    let scopes = policy.scopes.catalogue.iter().map(|entry| {
        let chosen = details.scopes.iter().find(|scope| scope.name == entry.name);
        let reason = chosen.map(|scope| scope.reason.clone()).unwrap_or_default();
        Choice {
            value: entry.name.as_str().into(),
            label: entry.words.as_str().into(),
            hint: entry.name.as_str().into(),
            checked: chosen.is_some(),
            detail: Some((format!("reason:{}", entry.name).into(), reason.into())),
        }
    });
    let uris = "One per line, compared character by character. https; http only for 127.0.0.1, [::1] and localhost.";
    vec![
        Field::line("name", "Name", "As people will see it when they connect the app, 2 to 50 characters.", text(&details.name)),
        Field::line("description", "Description", "What the app does for a business, in one or two sentences.", text(&details.description))
            .with(Control::Lines),
        Field::line("website", "Website", "Such as https://app.example/.", text(&details.website)).with(Control::Line("url", "url")),
        Field::line(
            "install_url",
            "Install address (optional)",
            "Where somebody starts who presses Install in the marketplace: a page of yours that begins the connection.",
            text(&details.install_url),
        )
        .with(Control::Line("url", "off")),
        Field::line("redirect_uris", "Redirect URIs", uris, details.redirect_uris.join("\n")).with(Control::Lines),
        Field::line("scopes", "What the app needs", "Only what it needs: each with its reason, which the review reads.", "")
            .with(Control::AnyOf(scopes.collect())),
        Field::line("contact", "Contact", "The e-mail address to which we write about the app. Customers do not see it.", text(contact))
            .with(Control::Line("email", "email")),
    ]
}

fn type_field(chosen: Option<ClientType>) -> Field<'static> {
    let choice = |value: &'static str, label: &'static str, hint: &'static str, kind| Choice {
        hint: hint.into(),
        ..Choice::new(value, label, chosen == Some(kind))
    };
    let choices = vec![
        choice("confidential", "On a server", "Confidential client: it keeps a secret.", ClientType::Confidential),
        choice("public", "In a browser or on a device", "Public client: it has no secret and must use PKCE.", ClientType::Public),
    ];
    Field::line("client_type", "Where does the app run?", "This cannot be changed later.", "").with(Control::OneOf(choices))
}

/// What has been filled in.
#[derive(Default)]
struct Filled {
    details: Details,
    client_type: Option<ClientType>,
    contact: String,
    account: String,
}

fn page<'a>(call: &'a Call, guest: &'a Guest, actor: &Actor, filled: &Filled, wrong: &'a [Problem]) -> FormPage<'a> {
    let mut page = FormPage::new(guest.frame(call), "Register an app", "/developers/new", "Register");
    let days = call.config.policy.apps.review_days;
    page.lead = vec![
        "You get the client id at once, and a secret for a server app on the next page.".into(),
        format!("We look at every app before others can connect it, and answer within {days} business days.").into(),
    ];
    page.cancel = HERE.into();
    page.fields = fields(call, &filled.details, &filled.contact);
    page.fields.insert(0, type_field(filled.client_type));
    let accounts: Vec<_> = actor.accounts_with(&call.config.policy.apps.creator_roles).cloned().collect();
    match accounts.as_slice() {
        [] => {}
        [only] => page.hidden.push(("account", only.account.clone().into())),
        several => {
            let choices = several.iter().map(|m| Choice::new(m.account.clone(), m.account_name.clone(), m.account == filled.account));
            let field =
                Field::line("account", "Who makes it?", "The account whose people manage the app. Its name is shown as the maker.", "")
                    .with(Control::OneOf(choices.collect()));
            page.fields.insert(0, field);
        }
    }
    page.with_problems(wrong)
}

/// `GET /developers/new`.
pub(super) async fn form(call: &Call) -> Result<Answer, Fault> {
    let guest = match Guest::enter(call).await? {
        Ok(guest) => guest,
        Err(elsewhere) => return Ok(elsewhere),
    };
    if !guest.frame(call).nav.develops {
        return Ok(Answer::see_other(HERE));
    }
    let filled = Filled { contact: guest.visitor.email.clone(), ..Filled::default() };
    guest.page(call, 200, &page(call, &guest, &guest.actor(call), &filled, &[]))
}

/// `POST /developers/new`.
pub(super) async fn submit(call: &mut Call) -> Result<Answer, Fault> {
    let (guest, params) = match Guest::posted(call, "/developers/new").await? {
        Ok(sent) => sent,
        Err(refused) => return Ok(refused),
    };
    let actor = guest.actor(call);
    let filled = Filled {
        details: details(&params),
        client_type: match params.field("client_type") {
            "public" => Some(ClientType::Public),
            "confidential" => Some(ClientType::Confidential),
            _ => None,
        },
        contact: params.field("contact").to_owned(),
        account: params.field("account").to_owned(),
    };
    let account = Some(filled.account.clone()).filter(|account| !account.is_empty());
    let maker = actor.memberships.iter().find(|membership| Some(&membership.account) == account.as_ref());
    let registration = Registration {
        account: account.clone(),
        developer: maker.map_or_else(|| call.config.policy.platform.name.clone(), |membership| membership.account_name.clone()),
        details: filled.details.clone(),
        client_type: filled.client_type,
        contact: filled.contact.clone(),
    };
    let develops = actor.accounts_with(&call.config.policy.apps.creator_roles).count() > 0;
    if develops && account.is_none() {
        let mut wrong = register::problems(call, &registration);
        wrong.insert(0, ("account", "choose the account that makes the app".to_owned()));
        return guest.page(call, 400, &page(call, &guest, &actor, &filled, &wrong));
    }
    // Somebody else's account is none that one may choose, staff or not.
    if account.is_some() && maker.is_none() {
        return Ok(guest.not_found(call));
    }
    match register(call, &actor, registration).await {
        Ok(app) => Ok(Answer::see_other(&format!("{}?done=registered", of_app(&app.client_id, "")))),
        Err(failure) => match problems(failure) {
            Ok((status, wrong)) => guest.page(call, status, &page(call, &guest, &actor, &filled, &wrong)),
            Err(failure) => guest.failed(call, failure, HERE),
        },
    }
}
