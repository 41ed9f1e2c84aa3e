//! `/account/keys`: the API keys of the visitor's accounts; make one, see it once, revoke it.
//!
//! Without API keys in the policy there is nothing here, and another account's key is 404. The form of a
//! new key carries the key's id, so that sending it twice makes one key.

use edgegrant_core::oauth::params::Params;
use worker::Method;

use super::guest::{Guest, problems};
use crate::answer::Answer;
use crate::call::Call;
use crate::fault::Fault;
use crate::operations::Failure;
use crate::operations::keys::{self, Made, NewKey};
use crate::pages::{
    Action, Card, Choice, Control, Fact, Field, FormPage, Link, Moment, NoticePage, Section, SheetPage, Value, one_of, with_article,
};
use crate::platform::{now_s, random_id};
use crate::store::keys::ApiKey;
use crate::store::people::Membership;

const HERE: &str = "/account/keys";
const NEW: &str = "/account/keys/new";
const REVOKE: &str = "/account/keys/revoke";
/// Keys on one page of the list.
const PAGE: u32 = 20;
const DAY_S: u64 = 86_400;

/// The methods of a page of API keys; nothing for other paths, and where a policy has no keys.
pub(super) fn methods(call: &Call, path: &str) -> &'static str {
    match path {
        _ if !call.config.policy.keys.on() => "",
        HERE => "GET, HEAD",
        NEW | REVOKE => "GET, HEAD, POST",
        _ => "",
    }
}

/// Answers at a page of API keys.
pub(super) async fn answer(call: &mut Call, path: &str, method: Method) -> Result<Answer, Fault> {
    match (path, method) {
        (NEW, Method::Post) => issue(call).await,
        (REVOKE, Method::Post) => revoke(call).await,
        (NEW, _) => form(call).await,
        (REVOKE, _) => confirm(call).await,
        _ => list(call).await,
    }
}

/// The visitor's accounts in which the role allows keys.
fn accounts<'a>(call: &Call, guest: &'a Guest) -> Vec<&'a Membership> {
    guest.visitor.memberships.iter().filter(|membership| call.config.policy.keys.allows(&membership.role)).collect()
}

/// Nobody's role here allows keys: who may, in words.
fn without_role(call: &Call, guest: &Guest) -> Answer {
    let who = one_of(&call.config.policy.keys.roles);
    let why = format!("Only {who} of {} may see, make and revoke its API keys", with_article(&call.config.policy.platform.account));
    Answer::page(403, &NoticePage::not_done(guest.frame(call), why, "/account/apps")).because("role")
}

/// `GET /account/keys`.
async fn list(call: &Call) -> Result<Answer, Fault> {
    let guest = match Guest::enter(call).await? {
        Ok(guest) => guest,
        Err(elsewhere) => return Ok(elsewhere),
    };
    if accounts(call, &guest).is_empty() {
        return Ok(without_role(call, &guest));
    }
    let query = call.query_params();
    let skip: u32 = query.field("skip").parse().unwrap_or(0);
    let mut found = match keys::list(call, &guest.actor(call), None, skip, PAGE + 1).await {
        Ok(found) => found,
        Err(failure) => return guest.failed(call, failure, HERE),
    };
    let more = found.len() > PAGE as usize;
    found.truncate(PAGE as usize);
    let lead = "For scripts of your own. A key works until it expires or is revoked, without a connected app.";
    let mut page = SheetPage::new(guest.frame(call), "API keys", lead);
    page.done = (query.field("done") == "revoked").then(|| "The key is revoked. Nothing works with it any more.".into());
    page.actions = vec![Action::link("New API key", NEW).main()];
    page.next = more.then(|| format!("{HERE}?skip={}", skip.saturating_add(PAGE)).into());
    let cards = found.iter().map(|key| card(call, key)).collect();
    page.sections = vec![Section { cards, empty: "There is no API key.".into(), ..Section::default() }];
    guest.page(call, 200, &page)
}

fn card<'a>(call: &'a Call, key: &'a ApiKey) -> Card<'a> {
    let (mark, class) = match key.status.as_str() {
        "ending" => ("Not revoked yet", "tag tag-warn"),
        "ended" => ("Revoked", "tag tag-off"),
        _ if key.expired(now_s()) => ("Expired", "tag tag-off"),
        _ => ("Active", "tag tag-good"),
    };
    let text = if key.status == "ending" { "Revoking it was not finished: the key may still work." } else { "" };
    let action = if key.status == "ending" { "Try again to revoke" } else { "Revoke" };
    let actions =
        if key.status == "ended" { Vec::new() } else { vec![Action::link(action, format!("{REVOKE}?key={}", key.id)).about(&*key.label)] };
    Card {
        title: key.label.as_str().into(),
        tags: vec![(mark.into(), class)],
        facts: facts(call, key),
        text: Some(text).filter(|text| !text.is_empty()).map(Into::into).into_iter().collect(),
        actions,
        ..Card::default()
    }
}

/// What is known of a key.
fn facts<'a>(call: &'a Call, key: &'a ApiKey) -> Vec<Fact<'a>> {
    let catalogue = &call.config.policy.scopes;
    let words = |scope: &'a str| catalogue.find(scope).map_or(scope, |entry| entry.words.as_str()).into();
    let scopes = key.scope.split(' ').map(words).collect();
    let mut facts = vec![
        Fact::text("Account", key.account_name.as_str()),
        Fact::code("Key", format!("{}…{}", call.config.policy.token.prefixes.key, key.hint)),
        Fact { label: "Permissions", value: Value::List(scopes) },
        Fact::text("Made by", key.made_by(&call.config.keys)),
        Fact::time("Made", key.created_at),
        if key.expires_at == 0 { Fact::text("Expires", "never") } else { Fact::time("Expires", key.expires_at) },
        // The row hears of the first use of a day.
        Fact::text("Last used", key.used_at.map_or_else(|| "not yet".to_owned(), |at| Moment::from_unix(at).day_text().to_owned())),
    ];
    facts.extend(key.revoked_at.map(|at| Fact::time("Revoked", at)));
    facts
}

/// `GET /account/keys/new`.
async fn form(call: &Call) -> Result<Answer, Fault> {
    let guest = match Guest::enter(call).await? {
        Ok(guest) => guest,
        Err(elsewhere) => return Ok(elsewhere),
    };
    let asked = Asked { id: random_id()?, scopes: call.config.policy.scopes.always.clone(), life_s: 90 * DAY_S, ..Asked::default() };
    asked.page(call, &guest, 200, &[])
}

/// What stands in the form.
#[derive(Default)]
struct Asked {
    id: String,
    account: String,
    label: String,
    scopes: Vec<String>,
    life_s: u64,
}

impl Asked {
    fn of(params: &Params, accounts: &[&Membership]) -> Self {
        let only = match accounts {
            [only] => only.account.as_str(),
            _ => "",
        };
        let account = params.field("account");
        Self {
            id: params.field("id").to_owned(),
            account: if account.is_empty() { only } else { account }.to_owned(),
            label: params.field("label").to_owned(),
            scopes: params.all("scope").map(str::to_owned).collect(),
            // What is no number is no choice.
            life_s: params.field("life").parse().map_or(u64::MAX, |days: u64| days.saturating_mul(DAY_S)),
        }
    }

    fn page(&self, call: &Call, guest: &Guest, status: u16, problems: &[(&'static str, String)]) -> Result<Answer, Fault> {
        let accounts = accounts(call, guest);
        if accounts.is_empty() {
            return Ok(without_role(call, guest));
        }
        let policy = &call.config.policy;
        let mut page = FormPage::new(guest.frame(call), "New API key", NEW, "Make the key");
        page.lead = vec!["Whoever has the key can do what it allows, in place of you. It is shown once.".into()];
        page.cancel = HERE.into();
        page.hidden = vec![("id", self.id.as_str().into())];
        if accounts.len() > 1 {
            let choice = |of: &&'_ Membership| Choice::new(of.account.clone(), of.account_name.clone(), of.account == self.account);
            let label = format!("Which {}?", policy.platform.account);
            let field = Field::line("account", "", "", "").with(Control::OneOf(accounts.iter().map(choice).collect()));
            page.fields.push(Field { label: label.into(), ..field });
        }
        page.fields.push(Field::line("label", "Name", "What you will know it by, such as the script that uses it.", self.label.as_str()));
        let scopes = policy.scopes.catalogue.iter();
        let choice = |name: &str, words: &str| Choice {
            hint: name.to_owned().into(),
            ..Choice::new(name.to_owned(), words.to_owned(), self.scopes.iter().any(|chosen| chosen == name))
        };
        let scopes = scopes.map(|entry| choice(&entry.name, &entry.words)).collect();
        page.fields.push(Field::line("scope", "What it may do", "No more than the script needs.", "").with(Control::AnyOf(scopes)));
        page.fields.push(Field::line("life", "Expires", "", "").with(Control::OneOf(lives(call, self.life_s))));
        guest.page(call, status, &page.with_problems(problems))
    }
}

/// How long a key may live, as choices.
fn lives(call: &Call, chosen_s: u64) -> Vec<Choice<'static>> {
    let keys = &call.config.policy.keys;
    let mut days: Vec<u64> = [30, 90, 365].into_iter().filter(|days| keys.allows_life(days * DAY_S)).collect();
    let most = keys.life_max_s / DAY_S;
    if most != 0 && !days.contains(&most) {
        days.push(most);
    }
    // The form opens with a choice that there is.
    let open_s = days.iter().map(|days| days * DAY_S).find(|life_s| *life_s == chosen_s).or_else(|| days.last().map(|days| days * DAY_S));
    let open_s = if chosen_s == 0 && keys.allows_life(0) { Some(0) } else { open_s };
    let mut choices: Vec<Choice<'static>> =
        days.into_iter().map(|days| Choice::new(days.to_string(), format!("After {days} days"), open_s == Some(days * DAY_S))).collect();
    if keys.allows_life(0) {
        choices.push(Choice::new("0", "Never: it works until it is revoked", open_s == Some(0)));
    }
    choices
}

/// `POST /account/keys/new`.
async fn issue(call: &mut Call) -> Result<Answer, Fault> {
    let (guest, params) = match Guest::posted(call, NEW).await? {
        Ok(sent) => sent,
        Err(refused) => return Ok(refused),
    };
    let asked = Asked::of(&params, &accounts(call, &guest));
    let scopes: Vec<&str> = asked.scopes.iter().map(String::as_str).collect();
    let new = NewKey { id: &asked.id, account: &asked.account, label: &asked.label, scopes: &scopes, life_s: asked.life_s };
    if asked.account.is_empty() {
        let mut wrong = vec![("account", "Choose one of these".to_owned())];
        wrong.extend(keys::problems(call, &new));
        return asked.page(call, &guest, 400, &wrong);
    }
    match keys::issue(call, &guest.actor(call), &new).await {
        Ok(made) => shown(call, &guest, &made),
        Err(failure) => match problems(failure) {
            Ok((400, problems)) => asked.page(call, &guest, 400, &problems),
            Ok((status, problems)) => {
                let why = problems.into_iter().map(|(_, problem)| problem).collect();
                Ok(Answer::page(status, &NoticePage::not_done(guest.frame(call), why, HERE)).because("not done"))
            }
            Err(failure) => guest.failed(call, failure, HERE),
        },
    }
}

/// The page with the key, which is never shown again.
fn shown(call: &Call, guest: &Guest, made: &Made) -> Result<Answer, Fault> {
    let policy = &call.config.policy;
    let mut page = SheetPage::new(guest.frame(call), "Your new API key", "");
    page.warning = Some("Copy the key now: it is never shown again, to anybody. Whoever has it can use it.".into());
    page.up = Some(Link::other(HERE, "API keys"));
    let scheme = policy.api.key_scheme.as_deref().unwrap_or("Bearer");
    let usage = format!(
        "curl -H 'Authorization: {scheme} {}…' {}{}",
        policy.token.prefixes.key,
        call.config.issuer,
        policy.me.paths.first().map_or("", String::as_str)
    );
    page.sections = vec![
        Section { code: Some(made.text.as_str().into()), ..Section::default() },
        Section { heading: made.key.label.as_str().into(), facts: facts(call, &made.key), ..Section::default() },
        Section { heading: "How a script sends it".into(), code: Some(usage.into()), ..Section::default() },
    ];
    guest.page(call, 200, &page)
}

fn confirmation(call: &Call, guest: &Guest, key: &ApiKey, status: u16, error: Option<&'static str>) -> Answer {
    let mut page = FormPage::new(guest.frame(call), "Revoke this API key?", REVOKE, "Revoke");
    page.lead = vec![
        format!("{} ({}…{}) of {}", key.label, call.config.policy.token.prefixes.key, key.hint, key.account_name).into(),
        "Scripts that use it stop working at once. A revoked key cannot be brought back.".into(),
    ];
    page.error = error.map(Into::into);
    page.hidden = vec![("key", key.id.as_str().into())];
    page.danger = true;
    page.cancel = HERE.into();
    Answer::page(status, &page)
}

/// `GET /account/keys/revoke`: asks whether it is meant.
async fn confirm(call: &Call) -> Result<Answer, Fault> {
    let guest = match Guest::enter(call).await? {
        Ok(guest) => guest,
        Err(elsewhere) => return Ok(elsewhere),
    };
    match keys::find(call, &guest.actor(call), call.query_params().field("key")).await {
        Ok(key) if key.status == "ended" => Ok(Answer::see_other(HERE)),
        Ok(key) => Ok(confirmation(call, &guest, &key, 200, None)),
        Err(failure) => guest.failed(call, failure, HERE),
    }
}

/// `POST /account/keys/revoke`.
async fn revoke(call: &mut Call) -> Result<Answer, Fault> {
    let (guest, params) = match Guest::posted(call, HERE).await? {
        Ok(sent) => sent,
        Err(refused) => return Ok(refused),
    };
    let actor = guest.actor(call);
    let key = match keys::find(call, &actor, params.field("key")).await {
        Ok(key) => key,
        Err(failure) => return guest.failed(call, failure, HERE),
    };
    match keys::revoke(call, &actor, &key).await {
        Ok(()) => Ok(Answer::see_other("/account/keys?done=revoked")),
        Err(Failure::Fault(fault)) => {
            crate::log::fault("key revocation", &fault);
            let error = "The key is not revoked yet: a part of our system did not answer. Press Revoke again.";
            Ok(confirmation(call, &guest, &key, 503, Some(error)).with("retry-after", "1").because("fault"))
        }
        Err(failure) => guest.failed(call, failure, HERE),
    }
}
