//! `/admin/resource-servers`: the platform's own APIs, which may ask whether a token is good. A secret is
//! shown once; what is revoked or deleted works nowhere when the page has answered.

use edgegrant_core::app::{Problem, ResourceServer};
use edgegrant_core::oauth::params::Params;
use edgegrant_core::oauth::redirect_uri::with_params;

use super::super::guest::{Guest, problems};
use super::{sent, tabs};
use crate::answer::Answer;
use crate::call::Call;
use crate::fault::Fault;
use crate::operations::resource_servers as operations;
use crate::pages::{Action, Card, Choice, Control, Fact, Field, FormPage, Link, Section, SheetPage};
use crate::store::resource_servers::{Listed, list as listed};

pub(super) const HERE: &str = "/admin/resource-servers";
const NEW: &str = "/admin/resource-servers/new";
const MOST: u32 = 200;

fn at(client_id: &str, what: &str) -> String {
    format!("{HERE}/{client_id}{what}")
}

/// `GET /admin/resource-servers`.
pub(super) async fn list(call: &Call) -> Result<Answer, Fault> {
    let guest = match Guest::enter_staff(call).await? {
        Ok(guest) => guest,
        Err(elsewhere) => return Ok(elsewhere),
    };
    let found = listed(&call.env, u64::MAX >> 11, MOST).await?;
    let lead = "Your own APIs, which ask the introspection endpoint whether a token may be used.";
    let mut page = SheetPage::new(guest.frame(call), "Resource servers", lead);
    page.tabs = tabs(HERE);
    page.done =
        (call.query_params().field("done") == "deleted").then(|| "The resource server is deleted and can ask nothing any more.".into());
    page.actions.push(Action::link("Register one", NEW).main());
    let cards = found.iter().map(|server| Card {
        title: server.name.as_str().into(),
        href: Some(at(&server.client_id, "").into()),
        facts: facts(server),
        ..Card::default()
    });
    page.sections.push(Section { cards: cards.collect(), empty: "There is no resource server.".into(), ..Section::default() });
    guest.page(call, 200, &page)
}

fn facts(server: &Listed) -> Vec<Fact<'_>> {
    vec![
        Fact::code("Identifier", server.resource.as_str()),
        Fact::code("Client id", server.client_id.as_str()),
        Fact::text("Serves", server.scope.replace(' ', ", ")),
        Fact::time("Registered", server.created_at),
    ]
}

fn form_page<'a>(call: &'a Call, guest: &'a Guest, filled: &ResourceServer, wrong: &'a [Problem]) -> FormPage<'a> {
    let mut page = FormPage::new(guest.frame(call), "Register a resource server", NEW, "Register it");
    page.lead.push("It gets a client id and a secret for the introspection endpoint. The secret is shown once.".into());
    let chosen = |name: &String| filled.scopes.contains(name);
    let scopes = call.config.policy.scopes.catalogue.iter().map(|entry| Choice {
        hint: entry.words.as_str().into(),
        ..Choice::new(entry.name.as_str(), entry.name.as_str(), chosen(&entry.name))
    });
    let identifier = "The address of the API, such as https://api.example.com; it is told as the audience of tokens.";
    page.fields = vec![
        Field::line("name", "Name", "What you call it, at most 60 characters.", filled.name.clone()),
        Field::line("resource", "Identifier", identifier, filled.resource.clone()),
        Field::line("scopes", "Scopes that it serves", "It learns of no token without one of these.", "")
            .with(Control::AnyOf(scopes.collect())),
    ];
    page.cancel = HERE.into();
    page.with_problems(wrong)
}

/// `GET /admin/resource-servers/new`.
pub(super) async fn form(call: &Call) -> Result<Answer, Fault> {
    let guest = match Guest::enter_staff(call).await? {
        Ok(guest) => guest,
        Err(elsewhere) => return Ok(elsewhere),
    };
    let filled = ResourceServer { resource: String::new(), name: String::new(), scopes: Vec::new() };
    guest.page(call, 200, &form_page(call, &guest, &filled, &[]))
}

/// `POST /admin/resource-servers/new`.
pub(super) async fn register(call: &mut Call) -> Result<Answer, Fault> {
    let (guest, params) = match sent(call, NEW).await? {
        Ok(sent) => sent,
        Err(refused) => return Ok(refused),
    };
    let filled = ResourceServer {
        resource: params.field("resource").to_owned(),
        name: params.field("name").to_owned(),
        scopes: params.all("scopes").map(str::to_owned).collect(),
    };
    match operations::register(call, &guest.actor(call), filled.clone()).await {
        Ok((record, secret)) => shown_once(call, &guest, &record.client_id, secret),
        Err(failure) => match problems(failure) {
            Ok((status, wrong)) => guest.page(call, status, &form_page(call, &guest, &filled, &wrong)),
            Err(failure) => guest.failed(call, failure, HERE),
        },
    }
}

fn shown_once(call: &Call, guest: &Guest, client_id: &str, secret: String) -> Result<Answer, Fault> {
    let lead = "Copy it now: it is not shown again. If it is lost, add another one.";
    let mut page = SheetPage::new(guest.frame(call), "The new secret", lead);
    page.sections.push(Section {
        facts: vec![Fact::code("Client id", client_id), Fact::code("Client secret", secret)],
        text: vec!["Keep it where your server keeps its passwords.".into()],
        actions: vec![Action::link("Done", at(client_id, "")).main()],
        ..Section::default()
    });
    guest.page(call, 200, &page)
}

/// Staff on the page of one; to others, and of one that is not there, there is nothing.
async fn entered(call: &Call, client_id: &str) -> Result<Result<(Guest, Listed), Answer>, Fault> {
    let guest = match Guest::enter_staff(call).await? {
        Ok(guest) => guest,
        Err(elsewhere) => return Ok(Err(elsewhere)),
    };
    of(call, guest, client_id).await
}

async fn of(call: &Call, guest: Guest, client_id: &str) -> Result<Result<(Guest, Listed), Answer>, Fault> {
    Ok(match operations::find(call, &guest.actor(call), client_id).await {
        Ok(server) => Ok((guest, server)),
        Err(failure) => Err(guest.failed(call, failure, HERE)?),
    })
}

/// `GET /admin/resource-servers/{client_id}`.
pub(super) async fn show(call: &Call, client_id: &str) -> Result<Answer, Fault> {
    let (guest, server) = match entered(call, client_id).await? {
        Ok(entered) => entered,
        Err(elsewhere) => return Ok(elsewhere),
    };
    let record = match operations::record(call, &server).await {
        Ok(record) => record,
        Err(failure) => return guest.failed(call, failure, HERE),
    };
    let mut page = SheetPage::new(guest.frame(call), server.name.as_str(), "");
    page.up = Some(Link::other(HERE, "Resource servers"));
    page.done = (call.query_params().field("done") == "revoked").then(|| "The secret is revoked and works nowhere any more.".into());
    page.sections.push(Section { facts: facts(&server), ..Section::default() });
    let mut secrets = Section {
        heading: "Secrets".into(),
        text: vec!["To change it without an interruption, add a second one, use it, then revoke the first.".into()],
        actions: vec![Action::post("Add a secret", at(client_id, "/secrets")).main()],
        ..Section::default()
    };
    for secret in &record.secrets {
        let href = with_params(&at(client_id, "/revoke"), &[("hint", &secret.hint)]);
        let revoke = Action::link("Revoke", href).about(format!("the secret that ends in {}", secret.hint));
        secrets.cards.push(Card { title: format!("Secret …{}", secret.hint).into(), actions: vec![revoke], ..Card::default() });
    }
    page.sections.push(secrets);
    page.sections.push(Section {
        heading: "End".into(),
        text: vec!["Once it is deleted, it can ask about no token any more. Tokens are as good as before.".into()],
        actions: vec![Action::link("Delete it", at(client_id, "/delete")).danger()],
        ..Section::default()
    });
    guest.page(call, 200, &page)
}

/// `GET …/revoke` and `GET …/delete`: whether it is meant.
pub(super) async fn ask(call: &Call, client_id: &str, what: &str) -> Result<Answer, Fault> {
    let (guest, server) = match entered(call, client_id).await? {
        Ok(entered) => entered,
        Err(elsewhere) => return Ok(elsewhere),
    };
    let hint = call.query_params().field("hint").to_owned();
    let (title, submit, lead) = match what {
        "revoke" => (
            "Revoke this secret?",
            "Revoke",
            format!(
                "The secret of {} that ends in {hint} stops working at once. Make sure that your server uses another one.",
                server.name
            ),
        ),
        _ => (
            "Delete this resource server?",
            "Delete for ever",
            format!("{} gets no answer from the introspection endpoint any more. This cannot be undone.", server.name),
        ),
    };
    let mut page = FormPage::new(guest.frame(call), title, at(client_id, &format!("/{what}")), submit);
    page.lead.push(lead.into());
    page.hidden.push(("hint", hint.into()));
    page.danger = true;
    page.cancel = at(client_id, "").into();
    guest.page(call, 200, &page)
}

/// `POST …/secrets`, `…/revoke` and `…/delete`.
pub(super) async fn submit(call: &mut Call, client_id: &str, what: &str) -> Result<Answer, Fault> {
    let back = at(client_id, "");
    let (guest, params): (Guest, Params) = match sent(call, &back).await? {
        Ok(sent) => sent,
        Err(refused) => return Ok(refused),
    };
    let (guest, server) = match of(call, guest, client_id).await? {
        Ok(found) => found,
        Err(missing) => return Ok(missing),
    };
    let actor = guest.actor(call);
    let done = match what {
        "secrets" => match operations::add_secret(call, &actor, &server).await {
            Ok((secret, _)) => return shown_once(call, &guest, client_id, secret),
            Err(failure) => Err(failure),
        },
        "revoke" => operations::remove_secret(call, &actor, &server, params.field("hint")).await.map(|_| format!("{back}?done=revoked")),
        _ => operations::delete(call, &actor, &server).await.map(|()| format!("{HERE}?done=deleted")),
    };
    match done {
        Ok(next) => Ok(Answer::see_other(&next)),
        Err(failure) => guest.failed(call, failure, &back),
    }
}
