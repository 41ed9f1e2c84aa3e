//! `/account/profile`: who somebody is here, their password, sessions and data, and the way out.
//!
//! Whose page it is the session says; no address and no form names a person. Passwords are asked for
//! under a limit (see `operations::profile`), and every form carries the session's token.

use edgegrant_core::person::normal_email;
use worker::Method;

use super::frame;
use super::guest::{Guest, problems};
use super::sign_in::{sealed, set_cookie};
use crate::answer::Answer;
use crate::call::Call;
use crate::fault::{Fault, OrFault as _};
use crate::operations::people;
use crate::operations::profile::{self, NotProven, Proven};
use crate::operations::{Failure, Refused};
use crate::pages::{Action, Card, Control, Fact, Field, FormPage, Link, NoticePage, Section, SheetPage, wait_words};
use crate::platform::now_s;
use crate::store::profile::{Profile, read};

const HERE: &str = "/account/profile";
const NAME: &str = "/account/profile/name";
const PASSWORD: &str = "/account/profile/password";
const SESSIONS: &str = "/account/profile/sessions";
const EXPORT: &str = "/account/profile/export";
const DELETE: &str = "/account/profile/delete";

/// What is served at an address below `/account/profile`; nothing for other addresses.
pub(super) fn methods(path: &str) -> &'static str {
    match path {
        HERE | EXPORT => "GET, HEAD",
        SESSIONS => "POST",
        NAME | PASSWORD | DELETE => "GET, HEAD, POST",
        _ => "",
    }
}

/// Answers a request that [`methods`] has.
pub(super) async fn answer(call: &mut Call, path: &str, method: Method) -> Result<Answer, Fault> {
    let is_post = method == Method::Post;
    match path {
        NAME if is_post => rename(call).await,
        NAME => form(call, |call, guest, profile| name_form(call, guest, &profile.name)).await,
        PASSWORD if is_post => change_password(call).await,
        PASSWORD => form(call, |call, guest, _| password_form(call, guest)).await,
        DELETE if is_post => delete(call).await,
        DELETE => confirm_delete(call).await,
        SESSIONS => end_other_sessions(call).await,
        EXPORT => export(call).await,
        _ => sheet(call).await,
    }
}

/// Who is signed in, with their profile.
async fn known(call: &Call, guest: &Guest) -> Result<Profile, Fault> {
    read(&call.env, &call.config, &guest.visitor.cookie.user, now_s()).await?.or_fault("profile")
}

/// `GET /account/profile`.
async fn sheet(call: &Call) -> Result<Answer, Fault> {
    let guest = match Guest::enter(call).await? {
        Ok(guest) => guest,
        Err(elsewhere) => return Ok(elsewhere),
    };
    let profile = known(call, &guest).await?;
    let mut page = SheetPage::new(guest.frame(call), "Your profile", "");
    page.done = match call.query_params().field("done") {
        "name" => Some("Your name is changed.".into()),
        "password" => Some("Your password is changed. You are signed out everywhere else.".into()),
        "password-and-apps" => {
            Some("Your password is changed. You are signed out everywhere else, and the apps that you connected are disconnected.".into())
        }
        "sessions" => Some("You are signed out everywhere else.".into()),
        _ => None,
    };
    if call.query_params().field("done") == "password-unfinished" {
        let text = "Your password is changed. Some apps that you connected are not disconnected yet: finish it under Connected apps.";
        page.warning = Some(text.into());
    }
    page.sections = vec![about(&guest, &profile), accounts(call, &guest), sessions(&guest, &profile), data()];
    guest.page(call, 200, &page)
}

fn about<'a>(guest: &'a Guest, profile: &'a Profile) -> Section<'a> {
    let mut facts = vec![
        Fact::text("Name", if profile.name.is_empty() { "none yet" } else { &profile.name }),
        Fact::text("E-mail address", guest.visitor.email.as_str()),
    ];
    facts.push(Fact::time("Here since", profile.since));
    if guest.visitor.staff {
        facts.push(Fact::text("Platform staff", "yes"));
    }
    let (text, actions) = if profile.has_password {
        (Vec::new(), vec![Action::link("Change name", NAME), Action::link("Change password", PASSWORD)])
    } else {
        (vec!["You sign in with another service: name, address and password are changed there.".into()], Vec::new())
    };
    Section { heading: "You".into(), text, facts, actions, ..Section::default() }
}

fn accounts<'a>(call: &Call, guest: &'a Guest) -> Section<'a> {
    let roles = &call.config.policy.authorize.consent_roles;
    let cards = guest.visitor.memberships.iter().map(|membership| Card {
        title: membership.account_name.as_str().into(),
        facts: vec![Fact::text("Your role", membership.role.as_str())],
        actions: if roles.contains(&membership.role) {
            let history = format!("/account/activity?account={}", membership.account);
            vec![Action::link("History", history).about(format!("of {}", membership.account_name))]
        } else {
            Vec::new()
        },
        ..Card::default()
    });
    Section { heading: "Accounts".into(), cards: cards.collect(), empty: "You belong to no account.".into(), ..Section::default() }
}

fn sessions<'a>(guest: &Guest, profile: &'a Profile) -> Section<'a> {
    let cards: Vec<Card<'a>> = profile
        .sessions
        .iter()
        .map(|session| Card {
            title: if session.id == guest.visitor.cookie.session { "This browser" } else { "Another browser" }.into(),
            facts: vec![Fact::time("Signed in since", session.since)],
            ..Card::default()
        })
        .collect();
    let actions = if cards.len() > 1 { vec![Action::post("Sign out everywhere else", SESSIONS)] } else { Vec::new() };
    Section { heading: "Where you are signed in".into(), cards, actions, ..Section::default() }
}

fn data<'a>() -> Section<'a> {
    Section {
        heading: "Your data".into(),
        text: vec!["A copy has everything that is stored about you here, and what you did, as a file.".into()],
        actions: vec![Action::link("Download a copy", EXPORT), Action::link("Delete your profile", DELETE).danger()],
        ..Section::default()
    }
}

/// A form for people who sign in here; for others it is not there.
async fn form(call: &Call, make: impl for<'a> Fn(&'a Call, &'a Guest, &'a Profile) -> FormPage<'a>) -> Result<Answer, Fault> {
    let guest = match Guest::enter(call).await? {
        Ok(guest) => guest,
        Err(elsewhere) => return Ok(elsewhere),
    };
    let profile = known(call, &guest).await?;
    if !profile.has_password {
        return Ok(guest.not_found(call));
    }
    guest.page(call, 200, &make(call, &guest, &profile))
}

fn name_form<'a>(call: &'a Call, guest: &'a Guest, name: &'a str) -> FormPage<'a> {
    let mut page = FormPage::new(guest.frame(call), "Change your name", NAME, "Change name");
    page.fields =
        vec![Field::line("name", "Your name", "Other members of your accounts see it.", name).with(Control::Line("text", "name"))];
    page.cancel = HERE.into();
    page
}

/// `POST /account/profile/name`.
async fn rename(call: &mut Call) -> Result<Answer, Fault> {
    let (guest, params) = match Guest::posted(call, NAME).await? {
        Ok(sent) => sent,
        Err(refused) => return Ok(refused),
    };
    if !known(call, &guest).await?.has_password {
        return Ok(guest.not_found(call));
    }
    let name = params.field("name");
    match profile::rename(call, &guest.actor(call), &guest.visitor.cookie.user, name).await {
        Ok(()) => Ok(Answer::see_other("/account/profile?done=name")),
        Err(failure) => match problems(failure) {
            Ok((status, problems)) => guest.page(call, status, &name_form(call, &guest, name).with_problems(&problems)),
            Err(failure) => guest.failed(call, failure, NAME),
        },
    }
}

fn password_field<'a>(name: &'static str, label: &'static str, hint: &'static str, autocomplete: &'static str) -> Field<'a> {
    Field::line(name, label, hint, "").with(Control::Line("password", autocomplete))
}

fn password_form<'a>(call: &'a Call, guest: &'a Guest) -> FormPage<'a> {
    let mut page = FormPage::new(guest.frame(call), "Change your password", PASSWORD, "Change password");
    page.lead = vec!["You stay signed in here and are signed out everywhere else.".into()];
    if ends_grants(call) {
        page.lead.push("The apps that you connected are disconnected too.".into());
    }
    page.fields = vec![
        password_field("current", "Current password", "", "current-password"),
        password_field(
            "new",
            "New password",
            "At least 12 characters. Four words that have nothing to do with each other are a good one.",
            "new-password",
        ),
        password_field("repeat", "New password again", "", "new-password"),
    ];
    page.cancel = HERE.into();
    page
}

fn ends_grants(call: &Call) -> bool {
    call.config.policy.login.password_change_ends == edgegrant_core::policy::PasswordChangeEnds::SessionsAndGrants
}

/// The form again, with why the password in this field proves nothing.
fn not_proven<'a>(call: &Call, guest: &Guest, mut page: FormPage<'a>, why: &NotProven, field: &'static str) -> Result<Answer, Fault> {
    let (status, wait_s, problem) = match why {
        NotProven::Wrong => (401, 0, "it is not your password".to_owned()),
        NotProven::TooMany(standing) => {
            let wait = wait_words(u64::from(standing.reset_s));
            (429, standing.reset_s, format!("it was wrong too often: wait {wait}, then try again"))
        }
    };
    if let Some(field) = page.fields.iter_mut().find(|known| known.name == field) {
        field.error = Some(problem.into());
    }
    let answer = guest.page(call, status, &page)?.because("wrong password");
    Ok(if wait_s > 0 { answer.with("retry-after", &wait_s.to_string()) } else { answer })
}

/// `POST /account/profile/password`.
async fn change_password(call: &mut Call) -> Result<Answer, Fault> {
    let (guest, params) = match Guest::posted(call, PASSWORD).await? {
        Ok(sent) => sent,
        Err(refused) => return Ok(refused),
    };
    let cookie = &guest.visitor.cookie;
    if !known(call, &guest).await?.has_password {
        return Ok(guest.not_found(call));
    }
    let (current, new) = (params.field("current"), params.field("new"));
    let problems = edgegrant_core::password::problems(new, params.field("repeat"), current, &guest.visitor.email);
    if !problems.is_empty() {
        return guest.page(call, 400, &password_form(call, &guest).with_problems(&problems));
    }
    let proven: Proven = match profile::prove(call, &cookie.user, current).await? {
        Ok(proven) => proven,
        Err(why) => return not_proven(call, &guest, password_form(call, &guest), &why, "current"),
    };
    match profile::change_password(call, &guest.actor(call), cookie, &proven, new).await {
        Ok(changed) => {
            let done = match changed.unfinished {
                0 if ends_grants(call) => "password-and-apps",
                0 => "password",
                _ => "password-unfinished",
            };
            Ok(Answer::see_other(&format!("{HERE}?done={done}")).with("set-cookie", &sealed(call, &changed.cookie)?))
        }
        Err(failure) => guest.failed(call, failure, PASSWORD),
    }
}

/// `POST /account/profile/sessions`: every other browser is signed out.
async fn end_other_sessions(call: &mut Call) -> Result<Answer, Fault> {
    let guest = match Guest::posted(call, HERE).await? {
        Ok((guest, _)) => guest,
        Err(refused) => return Ok(refused),
    };
    match profile::end_other_sessions(call, &guest.actor(call), &guest.visitor.cookie).await {
        Ok(()) => Ok(Answer::see_other("/account/profile?done=sessions")),
        Err(failure) => guest.failed(call, failure, HERE),
    }
}

/// `GET /account/profile/export`: a file with everything about the person.
async fn export(call: &Call) -> Result<Answer, Fault> {
    let guest = match Guest::enter(call).await? {
        Ok(guest) => guest,
        Err(elsewhere) => return Ok(elsewhere),
    };
    match people::export(call, &guest.actor(call), &guest.visitor.cookie.user).await {
        Ok(copy) => Ok(Answer::json(200, &copy).with("content-disposition", "attachment; filename=\"my-data.json\"").for_our_origin()),
        Err(failure) => guest.failed(call, failure, HERE),
    }
}

fn delete_form<'a>(call: &'a Call, guest: &'a Guest, has_password: bool) -> FormPage<'a> {
    let mut page = FormPage::new(guest.frame(call), "Delete your profile", DELETE, "Delete my profile");
    page.lead = vec![
        "Your name, your e-mail address, your password and your sessions are deleted. You cannot sign in any more, and nobody can undo this.".into(),
        "Apps that you connected or registered stay with their accounts. The history keeps what was done, by “a former member”.".into(),
    ];
    let field = if has_password {
        password_field("proof", "Your password", "", "current-password")
    } else {
        Field::line("proof", "Your e-mail address", "Type it, to show that you mean it.", "")
    };
    page.fields = vec![field];
    page.danger = true;
    page.cancel = HERE.into();
    page
}

/// What has to be done before.
fn kept(call: &Call, guest: &Guest, status: u16, keeps: Vec<String>) -> Result<Answer, Fault> {
    let mut page = SheetPage::new(guest.frame(call), "Delete your profile", "");
    page.up = Some(Link::other(HERE, "Your profile"));
    page.warning = Some("Your profile cannot be deleted yet: nobody else could look after what follows. Nothing was changed.".into());
    let mut actions = vec![Action::link("Connected apps", "/account/apps")];
    if page.frame.nav.keys {
        actions.push(Action::link("API keys", "/account/keys"));
    }
    page.sections = vec![Section { text: keeps.into_iter().map(Into::into).collect(), actions, ..Section::default() }];
    guest.page(call, status, &page)
}

/// `GET /account/profile/delete`.
async fn confirm_delete(call: &Call) -> Result<Answer, Fault> {
    let guest = match Guest::enter(call).await? {
        Ok(guest) => guest,
        Err(elsewhere) => return Ok(elsewhere),
    };
    let keeps = people::keeps(call, &guest.visitor.cookie.user).await?;
    if !keeps.is_empty() {
        return kept(call, &guest, 200, keeps);
    }
    let profile = known(call, &guest).await?;
    guest.page(call, 200, &delete_form(call, &guest, profile.has_password))
}

/// `POST /account/profile/delete`.
async fn delete(call: &mut Call) -> Result<Answer, Fault> {
    let (guest, params) = match Guest::posted(call, DELETE).await? {
        Ok(sent) => sent,
        Err(refused) => return Ok(refused),
    };
    let user = &guest.visitor.cookie.user;
    let has_password = known(call, &guest).await?.has_password;
    let page = delete_form(call, &guest, has_password);
    let proof = params.field("proof");
    if has_password {
        if let Err(why) = profile::prove(call, user, proof).await? {
            return not_proven(call, &guest, page, &why, "proof");
        }
    } else if normal_email(proof) != normal_email(&guest.visitor.email) {
        let problems = vec![("proof", "it is not the address that you are signed in with".to_owned())];
        return guest.page(call, 400, &page.with_problems(&problems));
    }
    match people::delete(call, &guest.actor(call), user).await {
        Ok(()) => Ok(Answer::page(200, &NoticePage::person_deleted(frame(call)))
            .with("set-cookie", &set_cookie(call, "session", "", 0))
            .with("set-cookie", &set_cookie(call, "known", "", 0))),
        Err(Failure::Refused(Refused::Conflict(_))) => kept(call, &guest, 409, people::keeps(call, user).await?),
        Err(failure) => guest.failed(call, failure, DELETE),
    }
}
