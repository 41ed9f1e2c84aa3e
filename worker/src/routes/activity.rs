//! Histories: of an account for those who decide for it, of an app for its developers, of everything for
//! staff; as pages and, for accounts and staff, as CSV.
//!
//! An account, app or person that is none of the reader's is not found. Addresses of the platform's own
//! people are staff's to know only.

use edgegrant_core::oauth::redirect_uri::with_params;

use super::guest::Guest;
use crate::answer::Answer;
use crate::call::Call;
use crate::fault::Fault;
use crate::operations::apps::managed;
use crate::pages::csv::Csv;
use crate::pages::history::Happened;
use crate::pages::{Action, Card, Fact, Link, Moment, Section, SheetPage};
use crate::store::audit::{Filter, Part, Read, Who, list};

/// Entries on one page.
const PAGE: u32 = 50;
/// Rows of one read for a file, and rows of a file.
const ROUND: u32 = 1000;
const ROWS_MAX: usize = 10_000;

const ACCOUNT: &str = "/account/activity";
const ACCOUNT_CSV: &str = "/account/activity.csv";
const ADMIN: &str = "/admin/activity";
const ADMIN_CSV: &str = "/admin/activity.csv";

/// The client id in `/developers/apps/{client_id}/activity`.
fn app_of(path: &str) -> Option<&str> {
    let client_id = path.strip_prefix("/developers/apps/")?.strip_suffix("/activity")?;
    (!client_id.is_empty() && !client_id.contains('/')).then_some(client_id)
}

/// What is served at an address of a history; nothing for other addresses.
pub(super) fn methods(path: &str) -> &'static str {
    let known = matches!(path, ACCOUNT | ACCOUNT_CSV | ADMIN | ADMIN_CSV) || app_of(path).is_some();
    if known { "GET, HEAD" } else { "" }
}

/// Answers a request that [`methods`] has.
pub(super) async fn answer(call: &Call, path: &str) -> Result<Answer, Fault> {
    let is_admin = matches!(path, ADMIN | ADMIN_CSV);
    let entered = if is_admin { Guest::enter_staff(call).await? } else { Guest::enter(call).await? };
    let guest = match entered {
        Ok(guest) => guest,
        Err(elsewhere) => return Ok(elsewhere),
    };
    match path {
        ADMIN => everything(call, &guest).await,
        ADMIN_CSV => {
            let query = call.query_params();
            file(call, Part::All(filter(&query)), true).await
        }
        ACCOUNT | ACCOUNT_CSV => of_account(call, &guest, path == ACCOUNT_CSV).await,
        path => of_app(call, &guest, app_of(path).unwrap_or_default()).await,
    }
}

/// Where a list goes on; what is no number of ours begins at the newest.
fn before(call: &Call) -> Option<u64> {
    call.query_params().field("before").parse().ok().filter(|before| *before < 1 << 52)
}

fn filter(query: &edgegrant_core::oauth::params::Params) -> Filter<'_> {
    Filter { account: query.field("account"), app: query.field("app"), actor: query.field("actor") }
}

/// An entry with the words that its row borrows.
struct Told<'a> {
    entry: &'a Read,
    who: Who,
}

impl<'a> Told<'a> {
    fn of(call: &Call, entry: &'a Read, to_staff: bool) -> Self {
        Self { entry, who: entry.who(&call.config, to_staff) }
    }

    fn happened(&self) -> Happened<'_> {
        let Read { action, subject, detail, .. } = self.entry;
        Happened { who: &self.who.name, action, app: self.entry.app_name.as_deref().unwrap_or_default(), subject, detail }
    }

    fn card(&self, to_staff: bool) -> Card<'_> {
        let (entry, happened) = (self.entry, self.happened());
        let mut facts = vec![Fact::time("When", entry.at)];
        let account = entry.account_name.as_deref().filter(|_| to_staff).unwrap_or_default();
        let detail = if happened.tells_detail() { "" } else { &entry.detail };
        for (label, text) in [("By", self.who.email.as_str()), ("Account", account), ("More", detail), ("From", &self.who.place)] {
            if !text.is_empty() {
                facts.push(Fact::text(label, text));
            }
        }
        Card { title: happened.sentence().into(), facts, actions: if to_staff { narrower(entry) } else { Vec::new() }, ..Card::default() }
    }

    fn line(&self, csv: &mut Csv) {
        let entry = self.entry;
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        csv.line(&[
            &Moment::from_unix(entry.at).datetime,
            &self.happened().sentence(),
            &entry.action,
            &self.who.name,
            &self.who.email,
            &text(&entry.account_name),
            &text(&entry.account_id),
            &text(&entry.app_name),
            &text(&entry.client_id),
            &entry.subject,
            &entry.detail,
            &self.who.place,
        ]);
    }
}

const COLUMNS: [&str; 12] =
    ["time", "what", "action", "by", "e-mail", "account", "account id", "app", "client id", "about", "detail", "from"];

/// What staff may look at from an entry.
fn narrower(entry: &Read) -> Vec<Action<'static>> {
    let of = |name: &str, value: &str| with_params(ADMIN, &[(name, value)]);
    let mut actions = vec![Action::link("Same person", of("actor", &entry.actor))];
    actions.extend(entry.account_id.as_ref().map(|account| Action::link("Same account", of("account", account))));
    actions.extend(entry.client_id.as_ref().map(|client_id| Action::link("Same app", of("app", client_id))));
    actions
}

/// Part of a record, and where its page is.
struct View<'a> {
    part: Part<'a>,
    /// Address and parameters.
    here: (&'a str, Vec<(&'a str, &'a str)>),
    to_staff: bool,
}

/// A page of a history.
async fn page(call: &Call, guest: &Guest, view: View<'_>, mut page: SheetPage<'_>) -> Result<Answer, Fault> {
    let mut found = list(&call.env, view.part, before(call), PAGE + 1).await?;
    let more = found.len() > PAGE as usize;
    found.truncate(PAGE as usize);
    let told: Vec<Told<'_>> = found.iter().map(|entry| Told::of(call, entry, view.to_staff)).collect();
    let (path, mut params) = view.here;
    let last = found.last().map(|entry| entry.id.to_string()).unwrap_or_default();
    params.push(("before", &last));
    page.next = more.then(|| with_params(path, &params).into());
    let empty = if before(call).is_some() { "That is all." } else { "Nothing has happened yet." };
    let cards = told.iter().map(|told| told.card(view.to_staff)).collect();
    let section = Section { cards, empty: empty.into(), ..Section::default() };
    // Built anew: what the page borrows until now lives longer than the entries.
    let page = SheetPage { sections: vec![section], ..page };
    guest.page(call, 200, &page)
}

/// A part as a file: its newest 10,000 entries, and a link to the next ones.
async fn file(call: &Call, part: Part<'_>, to_staff: bool) -> Result<Answer, Fault> {
    let mut csv = Csv::default();
    csv.line(&COLUMNS);
    let (mut after, mut rows, mut more) = (before(call), 0, true);
    while more && rows < ROWS_MAX {
        let found = list(&call.env, part, after, ROUND).await?;
        more = found.len() == ROUND as usize;
        rows += found.len();
        after = found.last().map(|entry| entry.id);
        for entry in &found {
            Told::of(call, entry, to_staff).line(&mut csv);
        }
    }
    let answer = Answer::bytes("text/csv; charset=utf-8", csv.into_bytes())
        .with("content-disposition", "attachment; filename=\"activity.csv\"")
        .with("cache-control", "no-store")
        .for_our_origin();
    let Some(after) = after.filter(|_| more) else { return Ok(answer) };
    let query = call.query_params();
    let mut params: Vec<(&str, &str)> = ["account", "app", "actor"].into_iter().map(|name| (name, query.field(name))).collect();
    params.retain(|(_, value)| !value.is_empty());
    let after = after.to_string();
    params.push(("before", &after));
    Ok(answer.with("link", &format!("<{}>; rel=\"next\"", with_params(&call.path, &params))))
}

/// `GET /account/activity`, and as a file.
async fn of_account(call: &Call, guest: &Guest, is_file: bool) -> Result<Answer, Fault> {
    let (query, actor) = (call.query_params(), guest.actor(call));
    let roles = &call.config.policy.authorize.consent_roles;
    let wanted = query.field("account");
    let mine: Vec<_> = actor.accounts_with(roles).collect();
    let found = mine.iter().find(|membership| wanted.is_empty() || membership.account == wanted);
    let Some(membership) = found else { return Ok(guest.not_found(call)) };
    let account = membership.account.as_str();
    if is_file {
        return file(call, Part::Account(account), false).await;
    }
    let lead = format!("What happened to {}, the newest first.", membership.account_name);
    let mut sheet = SheetPage::new(guest.frame(call), "History", lead);
    if mine.len() > 1 {
        let link = |other: &&crate::store::people::Membership| Link {
            href: with_params(ACCOUNT, &[("account", &other.account)]).into(),
            text: other.account_name.clone().into(),
            main: other.account == account,
        };
        sheet.tabs = mine.iter().map(link).collect();
    }
    sheet.up = Some(Link::other("/account/profile", "Your profile"));
    sheet.actions = vec![Action::link("Download as CSV", with_params(ACCOUNT_CSV, &[("account", account)]))];
    let view = View { part: Part::Account(account), here: (ACCOUNT, vec![("account", account)]), to_staff: false };
    page(call, guest, view, sheet).await
}

/// `GET /developers/apps/{client_id}/activity`.
async fn of_app(call: &Call, guest: &Guest, client_id: &str) -> Result<Answer, Fault> {
    let app = match managed(call, &guest.actor(call), client_id).await {
        Ok(app) => app,
        Err(failure) => return guest.failed(call, failure, "/developers"),
    };
    let mut sheet = SheetPage::new(guest.frame(call), "History", format!("What was done to {}, the newest first.", app.name));
    let up = format!("/developers/apps/{}", app.client_id);
    sheet.up = Some(Link::other(up, app.name.clone()));
    let view = View { part: Part::App(app.number), here: (&call.path, Vec::new()), to_staff: guest.visitor.staff };
    page(call, guest, view, sheet).await
}

/// `GET /admin/activity`.
async fn everything(call: &Call, guest: &Guest) -> Result<Answer, Fault> {
    let query = call.query_params();
    let filter = filter(&query);
    let mut params = vec![("account", filter.account), ("app", filter.app), ("actor", filter.actor)];
    params.retain(|(_, value)| !value.is_empty());
    let lead = if params.is_empty() { "Everything that happened, the newest first." } else { "A part of what happened, the newest first." };
    let mut sheet = SheetPage::new(guest.frame(call), "History", lead);
    sheet.tabs = super::admin::tabs(ADMIN);
    sheet.actions = vec![Action::link("Download as CSV", with_params(ADMIN_CSV, &params))];
    if !params.is_empty() {
        sheet.actions.push(Action::link("Show everything", ADMIN));
    }
    let view = View { part: Part::All(filter), here: (ADMIN, params), to_staff: true };
    page(call, guest, view, sheet).await
}
