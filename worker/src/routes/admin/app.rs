//! One app as staff sees it: what is in use beside what its developer wants, and the decision.

use super::super::developers::words;
use super::super::guest::{Guest, problems};
use super::{HERE, of_app, tabs};
use crate::answer::Answer;
use crate::call::Call;
use crate::fault::Fault;
use crate::operations::review::{Decision, decide as operation};
use crate::operations::{apps as operations, register};
use crate::pages::{Action, Control, Fact, Field, FormPage, Section, SheetPage};
use crate::store::apps::{self, Listed};

/// Staff and an app, or the answer to others.
pub(super) async fn entered(call: &Call, client_id: &str) -> Result<Result<(Guest, Listed), Answer>, Fault> {
    let guest = match Guest::enter_staff(call).await? {
        Ok(guest) => guest,
        Err(elsewhere) => return Ok(Err(elsewhere)),
    };
    found(call, guest, client_id).await
}

/// The app of a form that staff has sent.
pub(super) async fn found(call: &Call, guest: Guest, client_id: &str) -> Result<Result<(Guest, Listed), Answer>, Fault> {
    if !guest.visitor.staff {
        return Ok(Err(guest.not_found(call)));
    }
    Ok(match apps::find(&call.env, client_id).await? {
        Some(app) => Ok((guest, app)),
        None => Err(guest.not_found(call)),
    })
}

/// `GET /admin/apps/{client_id}`.
pub(super) async fn show(call: &Call, client_id: &str) -> Result<Answer, Fault> {
    let (guest, app) = match entered(call, client_id).await? {
        Ok(entered) => entered,
        Err(elsewhere) => return Ok(elsewhere),
    };
    let record = match operations::record(call, &app).await {
        Ok(record) => record,
        Err(failure) => return guest.failed(call, failure, HERE),
    };
    let (details, revision, logo) = (app.details()?, app.revision()?, app.logo_path());
    let live = apps::connections(&call.env, app.number).await?;
    let frame = guest.frame(call);
    let mut page = SheetPage::new(frame, app.name.as_str(), "");
    page.tabs = tabs("");
    page.tags = words::tags(&app);
    page.app = Some(crate::pages::App { name: &app.name, logo: logo.as_deref(), developer: &app.developer, ..Default::default() });
    page.warning = (!app.reason.is_empty()).then(|| format!("Reason given to the developer: {}", app.reason).into());
    page.actions = decisions(&app);
    if let Some(revision) = &revision {
        let changes = details.trust_changes(revision).join(", ");
        let mut text = vec![format!("Changed: {changes}.").into()];
        if revision.logo != details.logo {
            text.push(format!("New logo: {}/logo/{}", call.config.issuer, revision.logo.as_deref().unwrap_or_default()).into());
        }
        let section = Section {
            heading: "Waits for review".into(),
            text,
            facts: words::facts(call, revision, &app.client_type),
            ..Section::default()
        };
        page.sections.push(section);
    }
    let heading = if app.status == "pending" { "Waits for review" } else { "In use" };
    page.sections.push(Section { heading: heading.into(), facts: words::facts(call, &details, &app.client_type), ..Section::default() });
    let rate = call.config.policy.of(&record).rates().rate;
    let mut facts = vec![
        Fact::text("Maker", app.developer.as_str()),
        Fact::text("Contact", register::contact(call, &app)),
        Fact::code("Client id", app.client_id.as_str()),
        Fact::time("Registered", app.created_at),
        Fact::text("Connected accounts", live.to_string()),
        Fact::text("Limit", format!("{} calls in {} seconds for each connected account", rate.limit, rate.window_s)),
    ];
    if !app.rate_wish.is_empty() {
        facts.push(Fact::text("Asks for", app.rate_wish.as_str()));
    }
    let actions = vec![
        Action::link("Set its limit", of_app(client_id, "limits")),
        Action::link("History", format!("/admin/activity?app={client_id}")),
    ];
    page.sections.push(Section { heading: "About".into(), facts, actions, ..Section::default() });
    guest.page(call, 200, &page)
}

fn decisions(app: &Listed) -> Vec<Action<'_>> {
    let mut actions = Vec::new();
    let waits = app.status == "pending" || app.submitted_at.is_some();
    if waits || app.status == "rejected" {
        let approve = Action::post("Approve", of_app(&app.client_id, "approve")).about(app.name.as_str()).main();
        actions.push(Action { post: Some(vec![("version", app.version().into())]), ..approve });
    }
    if waits {
        actions.push(Action::link("Reject", of_app(&app.client_id, "reject")).about(app.name.as_str()));
    }
    match app.status.as_str() {
        "approved" | "pending" => {
            actions.push(Action::link("Suspend", of_app(&app.client_id, "suspend")).about(app.name.as_str()).danger())
        }
        "suspended" => actions.push(Action::link("Restore", of_app(&app.client_id, "restore")).about(app.name.as_str()).main()),
        _ => {}
    }
    actions
}

/// What a decision does, in words.
fn words_of(decision: Decision, live: u64) -> (&'static str, &'static str, String) {
    match decision {
        Decision::Reject => {
            ("Reject", "Reject it", "The developer reads the reason, mends the app and submits it again. A version in use goes on.".into())
        }
        Decision::Suspend => {
            let cost = format!(
                "Nothing of it works any more once this has answered, for {live} connected accounts: no sign-in, no refresh, no API call. Restoring brings all of it back."
            );
            ("Suspend", "Suspend it", cost)
        }
        _ => ("Restore", "Restore it", format!("Everything works again as before, for {live} connected accounts, without a new consent.")),
    }
}

async fn form<'a>(
    call: &'a Call,
    guest: &'a Guest,
    app: &'a Listed,
    word: &str,
    version: String,
    wrong: &'a [edgegrant_core::app::Problem],
) -> Result<Option<FormPage<'a>>, Fault> {
    let Some(decision) = Decision::named(word) else { return Ok(None) };
    let (title, submit, text) = words_of(decision, apps::connections(&call.env, app.number).await?);
    let mut page = FormPage::new(guest.frame(call), format!("{title} {}?", app.name), of_app(&app.client_id, word), submit);
    page.lead.push(text.into());
    let hint = if decision == Decision::Restore { "For the history; may be empty." } else { "The developer reads it." };
    page.fields.push(Field::line("reason", "Reason", hint, "").with(Control::Lines));
    page.hidden.push(("version", version.into()));
    page.danger = decision != Decision::Restore;
    page.cancel = of_app(&app.client_id, "").into();
    Ok(Some(page.with_problems(wrong)))
}

/// `GET …/reject`, `…/suspend`, `…/restore`.
pub(super) async fn ask(call: &Call, client_id: &str, word: &str) -> Result<Answer, Fault> {
    let (guest, app) = match entered(call, client_id).await? {
        Ok(entered) => entered,
        Err(elsewhere) => return Ok(elsewhere),
    };
    match form(call, &guest, &app, word, app.version(), &[]).await? {
        Some(page) => guest.page(call, 200, &page),
        None => Ok(guest.not_found(call)),
    }
}

/// `POST …/approve` and the others.
pub(super) async fn decide(call: &mut Call, client_id: &str, word: &str) -> Result<Answer, Fault> {
    let back = of_app(client_id, "");
    let (guest, params) = match Guest::posted(call, &back).await? {
        Ok(sent) => sent,
        Err(refused) => return Ok(refused),
    };
    let (guest, app) = match found(call, guest, client_id).await? {
        Ok(found) => found,
        Err(refused) => return Ok(refused),
    };
    let Some(decision) = Decision::named(word) else { return Ok(guest.not_found(call)) };
    let (reason, version) = (params.field("reason"), params.field("version"));
    if matches!(decision, Decision::Reject | Decision::Suspend) && reason.trim().is_empty() {
        let wrong = [("reason", "say why: the developer reads it".to_owned())];
        return match form(call, &guest, &app, word, version.to_owned(), &wrong).await? {
            Some(page) => guest.page(call, 400, &page),
            None => Ok(guest.not_found(call)),
        };
    }
    match operation(call, &guest.actor(call), &app, decision, reason, Some(version)).await {
        Ok(_) => Ok(Answer::see_other("/admin?done=decided")),
        Err(failure) => match problems(failure) {
            Ok((409, wrong)) => {
                let why = wrong.into_iter().map(|(_, problem)| problem).collect::<Vec<_>>().join("; ");
                guest.failed(call, crate::operations::Refused::Conflict(why).into(), &back)
            }
            Ok((status, wrong)) => match form(call, &guest, &app, word, version.to_owned(), &wrong).await? {
                Some(page) => guest.page(call, status, &page),
                None => Ok(guest.not_found(call)),
            },
            Err(failure) => guest.failed(call, failure, &back),
        },
    }
}
