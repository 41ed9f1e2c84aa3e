//! `/admin`: what staff decides about apps. To everybody else there is nothing here.
//!
//! | path below `/admin` | what |
//! |---|---|
//! | (none) | what waits for review, the longest first; what is older than promised stands out |
//! | `/apps` | every app, by name |
//! | `/apps/{client_id}` | one app, with what its developer wants changed |
//! | `…/approve` | one press, for the version that was looked at |
//! | `…/reject`, `…/suspend`, `…/restore` | with a reason for the developer |
//! | `…/limits` | the limit of this app alone |
//! | `/metrics` | what was counted in the last day |
//! | `/tokens`, `/tokens/new`, `/tokens/revoke` | tokens of the management API |
//! | `/resource-servers`, `/resource-servers/new` | the platform's own APIs |
//! | `/resource-servers/{client_id}` and `…/secrets`, `…/revoke`, `…/delete` | one of them |

mod app;
mod limits;
mod metrics;
mod resource_servers;
mod tokens;

use edgegrant_core::oauth::params::Params;

use super::Answering;
use super::developers::words;
use super::guest::Guest;
use crate::answer::Answer;
use crate::call::Call;
use crate::fault::Fault;
use crate::pages::{Action, Card, Fact, Link, Section, SheetPage};
use crate::platform::now_s;
use crate::store::apps::{Listed, Which, list};

const HERE: &str = "/admin";
const PAGE: u32 = 50;
const DAY_S: u64 = 86_400;

/// The methods of a path below `/admin`; empty: there is nothing.
pub(super) fn methods(path: &str) -> &'static str {
    let (list, _, what) = parts(path);
    match (list, what) {
        ("/apps/" | "/resource-servers/", "") => "GET, HEAD",
        ("/apps/", "approve") | ("/resource-servers/", "secrets") => "POST",
        ("/apps/", "reject" | "suspend" | "restore" | "limits") | ("/resource-servers/", "revoke" | "delete") => "GET, HEAD, POST",
        ("", _) => match path {
            "" | "/apps" | "/metrics" | "/tokens" | "/resource-servers" => "GET, HEAD",
            "/tokens/revoke" => "POST",
            "/tokens/new" | "/resource-servers/new" => "GET, HEAD, POST",
            _ => "",
        },
        _ => "",
    }
}

/// Of a path below one thing: the list, the thing's client id, and what is asked of it; else all empty.
fn parts(path: &str) -> (&'static str, &str, &str) {
    let lists = ["/apps/", "/resource-servers/"].into_iter();
    let found = lists.filter(|_| path != "/resource-servers/new").find_map(|list| Some((list, path.strip_prefix(list)?)));
    found.map_or(("", "", ""), |(list, rest)| {
        let (client_id, what) = rest.split_once('/').unwrap_or((rest, ""));
        (list, client_id, what)
    })
}

/// A form of staff.
async fn sent(call: &mut Call, back: &str) -> Result<Result<(Guest, Params), Answer>, Fault> {
    Ok(match Guest::posted(call, back).await? {
        Ok((guest, _)) if !guest.visitor.staff => Err(guest.not_found(call)),
        sent => sent,
    })
}

/// Answers a request; `path` is what follows `/admin`.
pub(super) fn answer<'a>(call: &'a mut Call, path: &'a str, post: bool) -> Answering<'a> {
    let (list, client_id, what) = parts(path);
    if list == "/resource-servers/" {
        return match (what, post) {
            ("", _) => Box::pin(resource_servers::show(call, client_id)),
            (what, false) => Box::pin(resource_servers::ask(call, client_id, what)),
            (what, true) => Box::pin(resource_servers::submit(call, client_id, what)),
        };
    }
    match (path, what, post) {
        ("", _, _) => Box::pin(waiting(call)),
        ("/apps", _, _) => Box::pin(all(call)),
        ("/metrics", _, _) => Box::pin(metrics::show(call)),
        ("/tokens", _, _) => Box::pin(tokens::list(call)),
        ("/tokens/new", _, false) => Box::pin(tokens::form(call)),
        ("/tokens/new", _, true) => Box::pin(tokens::make(call)),
        ("/tokens/revoke", _, _) => Box::pin(tokens::revoke(call)),
        ("/resource-servers", _, _) => Box::pin(resource_servers::list(call)),
        ("/resource-servers/new", _, false) => Box::pin(resource_servers::form(call)),
        ("/resource-servers/new", _, true) => Box::pin(resource_servers::register(call)),
        (_, "", _) => Box::pin(app::show(call, client_id)),
        (_, "limits", false) => Box::pin(limits::form(call, client_id)),
        (_, "limits", true) => Box::pin(limits::submit(call, client_id)),
        (_, word, false) => Box::pin(app::ask(call, client_id, word)),
        (_, word, true) => Box::pin(app::decide(call, client_id, word)),
    }
}

fn of_app(client_id: &str, what: &str) -> String {
    if what.is_empty() { format!("{HERE}/apps/{client_id}") } else { format!("{HERE}/apps/{client_id}/{what}") }
}

/// The pages of staff; `here` is the one that is shown.
pub(super) fn tabs(here: &str) -> Vec<Link<'static>> {
    let pages = [
        ("/admin", "Waiting"),
        ("/admin/apps", "All apps"),
        ("/admin/activity", "History"),
        (metrics::HERE, "Metrics"),
        (tokens::HERE, "Management tokens"),
        (resource_servers::HERE, "Resource servers"),
    ];
    pages.into_iter().map(|(href, text)| Link { main: href == here, ..Link::other(href, text) }).collect()
}

/// Since when a submission is late: business days are counted without weekends.
fn is_late(submitted_s: u64, days: u16) -> bool {
    // 1 January 1970 was a Thursday.
    let working = |day: u64| !matches!((day + 4) % 7, 0 | 6);
    let today = now_s() / DAY_S;
    let since = (submitted_s / DAY_S).max(today.saturating_sub(400));
    (since..today).filter(|day| working(*day + 1)).count() > usize::from(days)
}

fn age(submitted_s: u64) -> String {
    crate::pages::duration_words(now_s().saturating_sub(submitted_s).max(60))
}

fn card<'a>(call: &Call, app: &'a Listed) -> Card<'a> {
    let days = call.config.policy.apps.review_days;
    let mut card = Card {
        title: app.name.as_str().into(),
        href: Some(of_app(&app.client_id, "").into()),
        tags: words::tags(app),
        facts: vec![Fact::text("Maker", app.developer.as_str()), Fact::code("Client id", app.client_id.as_str())],
        ..Card::default()
    };
    if let Some(submitted) = app.submitted_at {
        card.facts.push(Fact::text("Waits for", age(submitted)));
        if is_late(submitted, days) {
            card.tags.push((format!("Older than {days} business days").into(), "tag tag-danger"));
        }
    }
    if !app.rate_wish.is_empty() {
        card.facts.push(Fact::text("Asks for", app.rate_wish.as_str()));
    }
    card
}

/// `GET /admin`.
async fn waiting(call: &Call) -> Result<Answer, Fault> {
    let guest = match Guest::enter_staff(call).await? {
        Ok(guest) => guest,
        Err(elsewhere) => return Ok(elsewhere),
    };
    listed(call, &guest, "Waiting for review", Which::Waiting, HERE, "Nothing waits.").await
}

/// `GET /admin/apps`.
async fn all(call: &Call) -> Result<Answer, Fault> {
    let guest = match Guest::enter_staff(call).await? {
        Ok(guest) => guest,
        Err(elsewhere) => return Ok(elsewhere),
    };
    let query = call.query_params();
    listed(call, &guest, "All apps", Which::All(query.field("name")), "/admin/apps", "There is no app.").await
}

async fn listed(
    call: &Call,
    guest: &Guest,
    title: &'static str,
    which: Which<'_>,
    here: &str,
    empty: &'static str,
) -> Result<Answer, Fault> {
    let skip: u32 = call.query_params().field("skip").parse().unwrap_or(0);
    let mut found = list(&call.env, which, skip, PAGE + 1).await?;
    let more = found.len() > PAGE as usize;
    found.truncate(PAGE as usize);
    let days = call.config.policy.apps.review_days;
    let lead = format!("Developers are promised an answer within {days} business days.");
    let mut page = SheetPage::new(guest.frame(call), title, lead);
    page.tabs = tabs(here);
    page.done = (call.query_params().field("done") == "decided").then(|| "It is decided, and holds everywhere.".into());
    let cards = found.iter().map(|app| card(call, app)).collect();
    page.sections.push(Section { cards, empty: empty.into(), ..Section::default() });
    if let Which::All(name) = which {
        page.search = Some(("Part of the name, or the client id", name.to_owned().into()));
    }
    if let Which::All(name) = which
        && more
    {
        let params = [("name", name), ("skip", &(skip.saturating_add(PAGE)).to_string())];
        page.next = Some(edgegrant_core::oauth::redirect_uri::with_params(here, &params).into());
    } else if more {
        page.next = Some(format!("{here}?skip={}", skip.saturating_add(PAGE)).into());
    }
    if skip > 0 {
        page.actions.push(Action::link("Back to the first", here.to_owned()));
    }
    guest.page(call, 200, &page)
}
