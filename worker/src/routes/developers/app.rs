//! One app: how it stands, its credentials, what failed, and its end.

use super::super::guest::Guest;
use super::{HERE, entered, of_app, sent, words};
use crate::answer::Answer;
use crate::call::Call;
use crate::fault::Fault;
use crate::operations::{apps as operations, register};
use crate::pages::{Action, Card, Fact, FormPage, Link, Section, SheetPage};
use crate::store::apps::{self, Listed};

fn done(word: &str) -> Option<&'static str> {
    Some(match word {
        "registered" => "The app is registered.",
        "changed" => "The change is saved and holds.",
        "submitted" => "What changes how people see the app waits for review. The approved version keeps working until then.",
        "revoked" => "The secret is revoked and works nowhere any more.",
        "asked" => "Your wish is with the staff.",
        _ => return None,
    })
}

fn sheet<'a>(call: &'a Call, guest: &'a Guest, app: &'a Listed, title: &'a str, lead: String) -> SheetPage<'a> {
    let mut page = SheetPage::new(guest.frame(call), title, lead);
    page.up = Some(Link::other(HERE, "Your apps"));
    page.tags = words::tags(app);
    page
}

/// What the page says on top of how the app stands.
fn standing(call: &Call, app: &Listed) -> Option<String> {
    let days = call.config.policy.apps.review_days;
    let reason = if app.reason.is_empty() { String::new() } else { format!(" Reason: {}", app.reason) };
    match app.status.as_str() {
        "pending" => Some(format!("The app waits for review; we answer within {days} business days.{reason}")),
        "rejected" => Some(format!("The app was not approved.{reason} Mend it and save it: it goes to review again.")),
        "suspended" => Some(format!("The app is suspended: nothing of it works for now.{reason}")),
        _ if app.submitted_at.is_some() => Some("A change waits for review. The approved version keeps working.".into()),
        _ if !app.reason.is_empty() => Some(format!("The last change was not approved.{reason}")),
        _ => None,
    }
}

/// `GET /developers/apps/{client_id}`.
pub(super) async fn show(call: &Call, client_id: &str) -> Result<Answer, Fault> {
    let (guest, app) = match entered(call, client_id).await? {
        Ok(entered) => entered,
        Err(elsewhere) => return Ok(elsewhere),
    };
    let query = call.query_params();
    let record = match operations::record(call, &app).await {
        Ok(record) => record,
        Err(failure) => return guest.failed(call, failure, HERE),
    };
    let (details, revision) = (app.details()?, app.revision()?);
    let mut page = sheet(call, &guest, &app, &app.name, String::new());
    page.done = done(query.field("done")).map(Into::into);
    page.warning = standing(call, &app).map(Into::into);
    page.actions = vec![
        Action::link("Edit", of_app(client_id, "edit")),
        Action::link("Logo", of_app(client_id, "logo")),
        Action::link("Try it", of_app(client_id, "try")),
        Action::link("Failed requests", of_app(client_id, "failures")),
        Action::link("History", of_app(client_id, "activity")),
    ];
    page.sections.push(credentials(client_id, &record));
    let heading = if app.status == "pending" { "As registered" } else { "In use" };
    page.sections.push(Section { heading: heading.into(), facts: words::facts(call, &details, &app.client_type), ..Section::default() });
    if let Some(revision) = &revision {
        let section =
            Section { heading: "Waits for review".into(), facts: words::facts(call, revision, &app.client_type), ..Section::default() };
        page.sections.push(section);
    }
    let rate = call.config.policy.of(&record).rates().rate;
    let mut facts = vec![
        Fact::text("Contact", register::contact(call, &app)),
        Fact::text("Limit", format!("{} calls in {} seconds for each connected account", rate.limit, rate.window_s)),
    ];
    if !app.rate_wish.is_empty() {
        facts.push(Fact::text("Asked for", app.rate_wish.as_str()));
    }
    page.sections.push(Section {
        heading: "Contact and limits".into(),
        facts,
        actions: vec![Action::link("Ask for another limit", of_app(client_id, "rate"))],
        ..Section::default()
    });
    page.sections.push(Section {
        heading: "End".into(),
        text: vec!["Deleting the app ends every connection to it, for ever.".into()],
        actions: vec![Action::link("Delete the app", of_app(client_id, "delete")).danger()],
        ..Section::default()
    });
    guest.page(call, 200, &page)
}

fn credentials<'a>(client_id: &'a str, record: &edgegrant_core::app::App) -> Section<'a> {
    let mut section = Section { heading: "Credentials".into(), facts: vec![Fact::code("Client id", client_id)], ..Section::default() };
    if record.is_public() {
        section.text.push("A public client has no secret: it proves itself with PKCE.".into());
        return section;
    }
    section
        .text
        .push("A secret is shown once. To change it without an interruption, add a second one, use it, then revoke the first.".into());
    section.empty = "No secret yet.".into();
    section.actions.push(Action::post("Add a secret", of_app(client_id, "secrets")).main());
    for secret in &record.secrets {
        let href = edgegrant_core::oauth::redirect_uri::with_params(&of_app(client_id, "secrets/revoke"), &[("hint", &secret.hint)]);
        let revoke = Action::link("Revoke", href).about(format!("the secret that ends in {}", secret.hint));
        section.cards.push(Card { title: format!("Secret …{}", secret.hint).into(), actions: vec![revoke], ..Card::default() });
    }
    section
}

/// `POST …/secrets`: the secret comes into being here and is shown once.
pub(super) async fn add_secret(call: &mut Call, client_id: &str) -> Result<Answer, Fault> {
    let back = of_app(client_id, "");
    let (guest, app, _) = match sent(call, client_id, &back).await? {
        Ok(sent) => sent,
        Err(refused) => return Ok(refused),
    };
    let (secret, _) = match operations::add_secret(call, &guest.actor(call), &app).await {
        Ok(added) => added,
        Err(failure) => return guest.failed(call, failure, &back),
    };
    let mut page =
        sheet(call, &guest, &app, "The new secret", "Copy it now: it is not shown again. If it is lost, add another one.".into());
    page.sections.push(Section {
        facts: vec![Fact::code("Client id", client_id), Fact::code("Client secret", secret)],
        text: vec!["Keep it where your server keeps its passwords; never in a page, an app on a device or a repository.".into()],
        actions: vec![Action::link("Done", back).main()],
        ..Section::default()
    });
    guest.page(call, 200, &page)
}

/// `GET …/secrets/revoke`.
pub(super) async fn ask_revoke(call: &Call, client_id: &str) -> Result<Answer, Fault> {
    let (guest, app) = match entered(call, client_id).await? {
        Ok(entered) => entered,
        Err(elsewhere) => return Ok(elsewhere),
    };
    let hint = call.query_params().field("hint").to_owned();
    let mut page = FormPage::new(guest.frame(call), "Revoke this secret?", of_app(client_id, "secrets/revoke"), "Revoke");
    page.lead = vec![
        format!("The secret of {} that ends in {hint} stops working at once. Tokens that were issued with it go on.", app.name).into(),
        "Make sure that your server uses another one.".into(),
    ];
    page.hidden.push(("hint", hint.into()));
    page.danger = true;
    page.cancel = of_app(client_id, "").into();
    guest.page(call, 200, &page)
}

/// `POST …/secrets/revoke`.
pub(super) async fn revoke(call: &mut Call, client_id: &str) -> Result<Answer, Fault> {
    let back = of_app(client_id, "");
    let (guest, app, params) = match sent(call, client_id, &back).await? {
        Ok(sent) => sent,
        Err(refused) => return Ok(refused),
    };
    match operations::remove_secret(call, &guest.actor(call), &app, params.field("hint")).await {
        Ok(_) => Ok(Answer::see_other(&format!("{back}?done=revoked"))),
        Err(failure) => guest.failed(call, failure, &back),
    }
}

async fn deletion<'a>(
    call: &'a Call,
    guest: &'a Guest,
    app: &'a Listed,
    wrong: &'a [edgegrant_core::app::Problem],
) -> Result<FormPage<'a>, Fault> {
    let live = apps::connections(&call.env, app.number).await?;
    let mut page = FormPage::new(guest.frame(call), "Delete this app?", of_app(&app.client_id, "delete"), "Delete for ever");
    let cost = match live {
        0 => "No account is connected to it.".to_owned(),
        1 => "1 account is connected to it and loses it at once.".to_owned(),
        many => format!("{many} accounts are connected to it and lose it at once."),
    };
    page.lead = vec![cost.into(), "Its tokens, secrets and client id end for ever. This cannot be undone.".into()];
    let hint = format!("Type the name to confirm: {}", app.name);
    page.fields.push(crate::pages::Field::line("confirm", "Name of the app", hint, ""));
    page.danger = true;
    page.cancel = of_app(&app.client_id, "").into();
    Ok(page.with_problems(wrong))
}

/// `GET …/delete`.
pub(super) async fn ask_delete(call: &Call, client_id: &str) -> Result<Answer, Fault> {
    let (guest, app) = match entered(call, client_id).await? {
        Ok(entered) => entered,
        Err(elsewhere) => return Ok(elsewhere),
    };
    guest.page(call, 200, &deletion(call, &guest, &app, &[]).await?)
}

/// `POST …/delete`.
pub(super) async fn delete(call: &mut Call, client_id: &str) -> Result<Answer, Fault> {
    let back = of_app(client_id, "delete");
    let (guest, app, params) = match sent(call, client_id, &back).await? {
        Ok(sent) => sent,
        Err(refused) => return Ok(refused),
    };
    if params.field("confirm").trim() != app.name {
        let wrong = [("confirm", "type the name of the app as it is written above".to_owned())];
        return guest.page(call, 400, &deletion(call, &guest, &app, &wrong).await?);
    }
    match operations::delete(call, &guest.actor(call), &app).await {
        Ok(_) => Ok(Answer::see_other("/developers?done=deleted")),
        Err(failure) => guest.failed(call, failure, &back),
    }
}

/// `GET …/failures`.
pub(super) async fn failures(call: &Call, client_id: &str) -> Result<Answer, Fault> {
    let (guest, app) = match entered(call, client_id).await? {
        Ok(entered) => entered,
        Err(elsewhere) => return Ok(elsewhere),
    };
    let log = match operations::failures(call, &app).await {
        Ok(log) => log,
        Err(failure) => return guest.failed(call, failure, HERE),
    };
    let lead = "The last requests of this app that failed, with what it was told, recorded for a day after you looked here; before, only the latest are known. Anybody who knows the client id can fail in its name.";
    let mut page = sheet(call, &guest, &app, "Failed requests", lead.into());
    page.up = Some(Link::other(of_app(client_id, ""), app.name.as_str()));
    let cards = log.iter().map(|failure| Card {
        title: failure.request.as_str().into(),
        tags: vec![(failure.status.to_string().into(), "tag tag-warn")],
        facts: vec![
            Fact::time("When", failure.at_s),
            Fact::text("Why", failure.reason.as_str()),
            Fact::code("Told", failure.told.as_str()),
        ],
        ..Card::default()
    });
    page.sections.push(Section { cards: cards.collect(), empty: "No request has failed lately.".into(), ..Section::default() });
    guest.page(call, 200, &page)
}
