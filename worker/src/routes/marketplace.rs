//! `/marketplace`: approved apps for everybody who might want one, signed in or not.

use super::guest::Guest;
use super::{frame, sign_in};
use crate::answer::Answer;
use crate::call::{Call, split_address};
use crate::fault::Fault;
use crate::pages::{Action, App, Card, Fact, Section, SheetPage, Value};
use crate::store::apps::{Listed, Which, list};
use crate::store::installs;

const PAGE: u32 = 30;

/// `GET /marketplace`. One D1 read, three for somebody who is signed in.
pub(super) async fn list_apps(call: &Call) -> Result<Answer, Fault> {
    let guest = match sign_in::session_cookie(call) {
        None => None,
        Some(_) => Guest::enter(call).await?.ok(),
    };
    let skip: u32 = call.query_params().field("skip").parse().unwrap_or(0);
    let mut found = list(&call.env, Which::Approved, skip, PAGE + 1).await?;
    let more = found.len() > PAGE as usize;
    found.truncate(PAGE as usize);
    let connected = match &guest {
        Some(guest) => installs::connected_apps(&call.env, &guest.visitor.cookie.user).await?,
        None => Vec::new(),
    };
    let frame = guest.as_ref().map_or_else(|| frame(call), |guest| guest.frame(call));
    let mut page = SheetPage::new(frame, "Marketplace", format!("Apps that work with {} and were reviewed by its staff.", frame.platform));
    let listings: Vec<Listing> = found.iter().map(Listing::of).collect::<Result<_, _>>()?;
    let cards = listings.iter().map(|listing| listing.card(call, connected.contains(&listing.app.number))).collect();
    page.sections.push(Section { cards, empty: "No app is in the marketplace yet.".into(), ..Section::default() });
    page.next = more.then(|| format!("/marketplace?skip={}", skip.saturating_add(PAGE)).into());
    if skip > 0 {
        page.actions.push(Action::link("Back to the first", "/marketplace"));
    }
    match &guest {
        Some(guest) => guest.page(call, 200, &page),
        None => Ok(Answer::page(200, &page)),
    }
}

/// An app with the strings that its card borrows.
struct Listing<'a> {
    app: &'a Listed,
    details: edgegrant_core::app::Details,
    logo: Option<String>,
}

impl<'a> Listing<'a> {
    fn of(app: &'a Listed) -> Result<Self, Fault> {
        Ok(Self { app, details: app.details()?, logo: app.logo_path() })
    }

    fn card(&'a self, call: &'a Call, connected: bool) -> Card<'a> {
        let details = &self.details;
        let words = |name: &'a str| call.config.policy.scopes.find(name).map_or(name, |entry| entry.words.as_str());
        let scopes = details.scopes.iter().map(|scope| words(&scope.name).into()).collect();
        let mut card = Card {
            app: Some(App {
                name: &details.name,
                logo: self.logo.as_deref(),
                developer: &self.app.developer,
                website_host: split_address(&details.website).map(|(host, _, _)| host),
                ..App::default()
            }),
            text: vec![details.description.as_str().into()],
            facts: vec![Fact { label: "May ask to", value: Value::List(scopes) }],
            ..Card::default()
        };
        if connected {
            card.tags.push(("Connected".into(), "tag tag-good"));
        }
        if !details.install_url.is_empty() {
            let text = if connected { "Open" } else { "Install" };
            card.actions.push(Action::link(text, details.install_url.as_str()).about(details.name.as_str()).main());
        }
        card
    }
}
