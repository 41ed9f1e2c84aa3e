//! `/admin/tokens`: tokens of the management API. Staff makes the first one here; a token is shown once
//! and dead when its revocation has answered.

use edgegrant_core::app::Problem;
use edgegrant_core::json;
use serde::Deserialize;

use super::super::guest::{Guest, problems};
use super::{sent, tabs};
use crate::answer::Answer;
use crate::call::Call;
use crate::fault::{Fault, OrFault as _};
use crate::operations::tokens::{self, SCOPES, Wanted};
use crate::pages::{Action, Card, Choice, Control, Fact, Field, FormPage, Section, SheetPage};
use crate::platform::now_s;
use crate::store;

pub(super) const HERE: &str = "/admin/tokens";
const NEW: &str = "/admin/tokens/new";
const MOST: u32 = 200;
const DAY_S: u64 = 86_400;

#[derive(Deserialize)]
struct Row {
    id: String,
    label: String,
    scopes: Vec<String>,
    account: Option<String>,
    created_at: u64,
    expires_at: u64,
}

/// `GET /admin/tokens`.
pub(super) async fn list(call: &Call) -> Result<Answer, Fault> {
    let guest = match Guest::enter_staff(call).await? {
        Ok(guest) => guest,
        Err(elsewhere) => return Ok(elsewhere),
    };
    let items = store::tokens::items(&call.env, u64::MAX >> 11, MOST).await?;
    let rows: Vec<Row> = items.iter().map(|item| json::read(item.json.as_bytes()).or_fault("token row")).collect::<Result<_, _>>()?;
    let mut page = SheetPage::new(
        guest.frame(call),
        "Management tokens",
        "What programs of the platform, or of one account, call the management API with.",
    );
    page.tabs = tabs(HERE);
    page.done = (call.query_params().field("done") == "revoked").then(|| "The token is revoked and works nowhere any more.".into());
    page.actions.push(Action::link("Make a token", NEW).main());
    page.sections.push(Section { cards: rows.iter().map(card).collect(), empty: "There is no token.".into(), ..Section::default() });
    guest.page(call, 200, &page)
}

fn card(row: &Row) -> Card<'_> {
    let mut card = Card {
        title: row.label.as_str().into(),
        facts: vec![
            Fact::text(
                "Belongs to",
                row.account.as_deref().map_or_else(|| "the platform".to_owned(), |account| format!("account {account}")),
            ),
            Fact::text("May", row.scopes.join(", ")),
            Fact::time("Made", row.created_at),
        ],
        ..Card::default()
    };
    match row.expires_at {
        0 => card.facts.push(Fact::text("Ends", "never")),
        at => card.facts.push(Fact::time("Ends", at)),
    }
    if !row.id.is_empty() {
        let revoke = Action::post("Revoke", format!("{HERE}/revoke")).about(row.label.as_str()).danger();
        card.actions.push(Action { post: Some(vec![("id", row.id.as_str().into())]), ..revoke });
    }
    card
}

/// What has been filled in.
struct Filled {
    label: String,
    scopes: Vec<String>,
    account: String,
    days: String,
}

fn page<'a>(call: &'a Call, guest: &'a Guest, filled: &Filled, wrong: &'a [Problem]) -> FormPage<'a> {
    let mut page = FormPage::new(guest.frame(call), "Make a management token", NEW, "Make it");
    page.lead.push("It is shown once. Give it no more than its program needs, and an end.".into());
    let scopes = SCOPES.iter().map(|scope| {
        let label = if *scope == "*" { "* (everything)" } else { *scope };
        Choice::new(*scope, label, filled.scopes.iter().any(|chosen| chosen == scope))
    });
    let days = [("30", "30 days"), ("90", "90 days"), ("365", "a year"), ("0", "never")];
    page.fields = vec![
        Field::line("label", "Name", "What it is for, at most 60 characters.", filled.label.clone()),
        Field::line("scopes", "What it may do", "", "").with(Control::AnyOf(scopes.collect())),
        Field::line(
            "account",
            "Account (optional)",
            "The id of the account that it belongs to; empty: the platform.",
            filled.account.clone(),
        ),
        Field::line("expires_at", "When does it end?", "", "")
            .with(Control::OneOf(days.map(|(value, label)| Choice::new(value, label, value == filled.days)).into())),
    ];
    page.cancel = HERE.into();
    page.with_problems(wrong)
}

/// `GET /admin/tokens/new`.
pub(super) async fn form(call: &Call) -> Result<Answer, Fault> {
    let guest = match Guest::enter_staff(call).await? {
        Ok(guest) => guest,
        Err(elsewhere) => return Ok(elsewhere),
    };
    let filled = Filled { label: String::new(), scopes: Vec::new(), account: String::new(), days: "90".to_owned() };
    guest.page(call, 200, &page(call, &guest, &filled, &[]))
}

/// `POST /admin/tokens/new`.
pub(super) async fn make(call: &mut Call) -> Result<Answer, Fault> {
    let (guest, params) = match sent(call, NEW).await? {
        Ok(sent) => sent,
        Err(refused) => return Ok(refused),
    };
    let filled = Filled {
        label: params.field("label").to_owned(),
        scopes: params.all("scopes").map(str::to_owned).collect(),
        account: params.field("account").trim().to_owned(),
        // `expires_at` is days here: a person does not count seconds.
        days: params.field("expires_at").to_owned(),
    };
    let expires_at = match filled.days.parse::<u64>() {
        Ok(0) => 0,
        Ok(days @ (30 | 90 | 365)) => now_s() + days * DAY_S,
        _ => 1, // no time of the page's: refused below
    };
    let wanted = Wanted {
        label: filled.label.clone(),
        scopes: filled.scopes.clone(),
        account: Some(filled.account.clone()).filter(|account| !account.is_empty()),
        expires_at,
    };
    let made = match tokens::issue(call, &guest.actor(call), |_| true, wanted).await {
        Ok(made) => made,
        Err(failure) => {
            return match problems(failure) {
                Ok((status, wrong)) => guest.page(call, status, &page(call, &guest, &filled, &wrong)),
                Err(failure) => guest.failed(call, failure, HERE),
            };
        }
    };
    let token = made.get("token").and_then(|token| token.as_str()).or_fault("token")?;
    let mut page = SheetPage::new(guest.frame(call), "The new token", "Copy it now: it is not shown again.");
    page.sections.push(Section {
        facts: vec![Fact::text("Name", filled.label.as_str()), Fact::code("Token", token)],
        text: vec!["It goes as Authorization: Bearer to /manage/v1; /openapi.json describes what is there.".into()],
        actions: vec![Action::link("Done", HERE).main()],
        ..Section::default()
    });
    guest.page(call, 200, &page)
}

/// `POST /admin/tokens/revoke`.
pub(super) async fn revoke(call: &mut Call) -> Result<Answer, Fault> {
    let (guest, params) = match sent(call, HERE).await? {
        Ok(sent) => sent,
        Err(refused) => return Ok(refused),
    };
    match tokens::revoke(call, &guest.actor(call), params.field("id")).await {
        Ok(()) => Ok(Answer::see_other("/admin/tokens?done=revoked")),
        Err(failure) => guest.failed(call, failure, HERE),
    }
}
