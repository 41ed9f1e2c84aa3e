//! `/developers`: registration of apps, their credentials, edits, deletion, and help with the flow.
//!
//! | path below `/developers` | what |
//! |---|---|
//! | (none) | the apps of the person's accounts |
//! | `/new` | registration |
//! | `/apps/{client_id}` | one app: how it stands, credentials, details |
//! | `…/edit`, `…/logo`, `…/rate` | changes |
//! | `…/secrets`, `…/secrets/revoke` | one more secret, shown once; one less |
//! | `…/delete` | gone for ever, with what that costs named before |
//! | `…/failures` | the app's last requests that failed |
//! | `…/try` | the flow, step by step |
//!
//! An app of an account in which the person has no role of a developer is not found.

mod app;
mod edit;
mod new;
mod try_it;
pub(crate) mod words;

use edgegrant_core::oauth::params::Params;

use super::Answering;
use super::guest::Guest;
use crate::answer::Answer;
use crate::call::Call;
use crate::fault::Fault;
use crate::operations::{Failure, apps as operations};
use crate::pages::{Action, Card, Section, SheetPage};
use crate::store::apps::{Listed, Which, list};

const HERE: &str = "/developers";

/// Apps of one account on the page.
const MOST: u32 = 200;

/// The methods of a path below `/developers`; empty: there is nothing.
pub(super) fn methods(path: &str) -> &'static str {
    match path.strip_prefix("/apps/").map_or((path, ""), |rest| ("/apps/", rest.split_once('/').map_or("", |(_, what)| what))) {
        ("", _) | ("/apps/", "" | "failures") => "GET, HEAD",
        ("/new", _) | ("/apps/", "edit" | "logo" | "rate" | "delete" | "secrets/revoke" | "try") => "GET, HEAD, POST",
        ("/apps/", "secrets") => "POST",
        _ => "",
    }
}

/// Answers a request; `path` is what follows `/developers`.
pub(super) fn answer<'a>(call: &'a mut Call, path: &'a str, post: bool) -> Answering<'a> {
    match (path, post) {
        ("", false) => Box::pin(index(call)),
        ("/new", false) => Box::pin(new::form(call)),
        ("/new", true) => Box::pin(new::submit(call)),
        _ => {
            let rest = path.strip_prefix("/apps/").unwrap_or_default();
            let (client_id, what) = rest.split_once('/').unwrap_or((rest, ""));
            one(call, client_id, what, post)
        }
    }
}

fn one<'a>(call: &'a mut Call, client_id: &'a str, what: &'a str, post: bool) -> Answering<'a> {
    match (what, post) {
        ("", false) => Box::pin(app::show(call, client_id)),
        ("secrets", true) => Box::pin(app::add_secret(call, client_id)),
        ("secrets/revoke", false) => Box::pin(app::ask_revoke(call, client_id)),
        ("secrets/revoke", true) => Box::pin(app::revoke(call, client_id)),
        ("delete", false) => Box::pin(app::ask_delete(call, client_id)),
        ("delete", true) => Box::pin(app::delete(call, client_id)),
        ("failures", false) => Box::pin(app::failures(call, client_id)),
        ("edit", false) => Box::pin(edit::form(call, client_id)),
        ("edit", true) => Box::pin(edit::submit(call, client_id)),
        ("logo", false) => Box::pin(edit::logo_form(call, client_id)),
        ("logo", true) => Box::pin(edit::logo(call, client_id)),
        ("rate", false) => Box::pin(edit::rate_form(call, client_id)),
        ("rate", true) => Box::pin(edit::rate(call, client_id)),
        ("try", false) => Box::pin(try_it::start(call, client_id)),
        _ => Box::pin(try_it::step(call, client_id)),
    }
}

/// The address of an app's page, or of one below it.
fn of_app(client_id: &str, what: &str) -> String {
    if what.is_empty() { format!("{HERE}/apps/{client_id}") } else { format!("{HERE}/apps/{client_id}/{what}") }
}

/// Who is signed in and an app that they manage, or the answer to others.
async fn entered(call: &Call, client_id: &str) -> Result<Result<(Guest, Listed), Answer>, Fault> {
    let guest = match Guest::enter(call).await? {
        Ok(guest) => guest,
        Err(elsewhere) => return Ok(Err(elsewhere)),
    };
    found(call, guest, client_id).await
}

/// The same for a form; with what was sent.
async fn sent(call: &mut Call, client_id: &str, back: &str) -> Result<Result<(Guest, Listed, Params), Answer>, Fault> {
    let (guest, params) = match Guest::posted(call, back).await? {
        Ok(sent) => sent,
        Err(refused) => return Ok(Err(refused)),
    };
    Ok(found(call, guest, client_id).await?.map(|(guest, app)| (guest, app, params)))
}

async fn found(call: &Call, guest: Guest, client_id: &str) -> Result<Result<(Guest, Listed), Answer>, Fault> {
    match operations::managed(call, &guest.actor(call), client_id).await {
        Ok(app) => Ok(Ok((guest, app))),
        Err(Failure::Fault(fault)) => Err(fault),
        Err(Failure::Refused(_)) => Ok(Err(guest.not_found(call))),
    }
}

/// `GET /developers`.
async fn index(call: &Call) -> Result<Answer, Fault> {
    let guest = match Guest::enter(call).await? {
        Ok(guest) => guest,
        Err(elsewhere) => return Ok(elsewhere),
    };
    let frame = guest.frame(call);
    let lead = format!("Apps that work with {} accounts: register one, get it through review, and look after it.", frame.platform);
    let mut page = SheetPage::new(frame, "Your apps", lead);
    if !frame.nav.develops {
        page.lead = "Your role in no account lets you register apps. Ask somebody who may, or the platform.".into();
        return guest.page(call, 403, &page);
    }
    page.actions.push(Action::link("Register an app", "/developers/new").main());
    page.done = (call.query_params().field("done") == "deleted").then(|| "The app is deleted. Nothing of it works any more.".into());
    let actor = guest.actor(call);
    let accounts: Vec<_> = actor.accounts_with(&call.config.policy.apps.creator_roles).collect();
    let mut lists = Vec::new();
    for account in &accounts {
        lists.push((account.account_name.as_str(), list(&call.env, Which::Of(&account.account), 0, MOST).await?));
    }
    for (name, apps) in &lists {
        let section = Section {
            heading: (*name).into(),
            cards: apps.iter().map(|app| card(app)).collect(),
            empty: "No app yet.".into(),
            ..Section::default()
        };
        page.sections.push(section);
    }
    guest.page(call, 200, &page)
}

fn card(app: &Listed) -> Card<'_> {
    Card {
        title: app.name.as_str().into(),
        href: Some(of_app(&app.client_id, "").into()),
        tags: words::tags(app),
        facts: vec![crate::pages::Fact::code("Client id", app.client_id.as_str())],
        ..Card::default()
    }
}
