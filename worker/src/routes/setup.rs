//! `GET, POST /admin/setup`: the first administrator, made with the secret `SETUP_TOKEN`.
//!
//! Somebody who is signed in becomes the administrator; where nobody has an account yet, the form makes
//! the first person. The page is there only while the secret is set and there is no administrator, and
//! the statement that makes one says so again. The token is 256 random bits, compared in constant time:
//! nobody guesses it, so tries are not counted, and nothing is hashed for a wrong one.

use edgegrant_core::encoding::array_from_base64url;
use edgegrant_core::keys::same;
use edgegrant_core::oauth::params::Params;
use edgegrant_core::person::{hash_password, normal_email};

use super::guest::Guest;
use super::{Place, frame, not_served, page_form};
use crate::answer::Answer;
use crate::call::Call;
use crate::fault::{Fault, OrFault as _};
use crate::pages::{Control, Field, FormPage, NoticePage};
use crate::platform::{now_s, random, random_id};
use crate::store::setup::{self, First, Standing};

/// Its address.
pub(super) const HERE: &str = "/admin/setup";
const PASSWORD_MIN: usize = 12;
const PASSWORD_MAX: usize = 1024;

type Problems = Vec<(&'static str, String)>;

/// How things stand while the page is there.
async fn open(call: &Call) -> Result<Option<Standing>, Fault> {
    if call.config.setup_token.is_none() {
        return Ok(None);
    }
    Ok(Some(setup::standing(&call.env).await?).filter(|standing| *standing != Standing::Admin))
}

/// As if the page were not there.
fn closed(call: &Call) -> Answer {
    not_served(call, "", Place::Page)
}

/// Who would become the administrator: `None` is the first person, who is yet to be made.
async fn candidate(call: &Call, standing: Standing) -> Result<Result<Option<Guest>, Answer>, Fault> {
    Ok(match Guest::enter(call).await? {
        Ok(guest) => Ok(Some(guest)),
        Err(_) if standing == Standing::Nobody && call.config.policy.login.password => Ok(None),
        Err(elsewhere) => Err(elsewhere),
    })
}

/// `GET /admin/setup`.
pub(crate) async fn form(call: &Call) -> Result<Answer, Fault> {
    let Some(standing) = open(call).await? else { return Ok(closed(call)) };
    Ok(match candidate(call, standing).await? {
        Ok(guest) => page(call, 200, guest.as_ref(), "", &[]),
        Err(elsewhere) => elsewhere,
    })
}

fn page(call: &Call, status: u16, guest: Option<&Guest>, email: &str, problems: &[(&'static str, String)]) -> Answer {
    let frame = guest.map_or_else(|| frame(call), |guest| guest.frame(call));
    let mut page = FormPage::new(frame, "Set up the first administrator", HERE, "Become the administrator");
    let password = |autocomplete| Control::Line("password", autocomplete);
    page.fields.push(Field::line("token", "Set-up token", "The value of the secret SETUP_TOKEN.", "").with(password("off")));
    if guest.is_none() {
        page.lead.push("Nobody has an account here yet: this makes the first one.".into());
        page.fields.push(Field::line("email", "E-mail address", "", email).with(Control::Line("email", "username")));
        let hint = format!("At least {PASSWORD_MIN} characters.");
        page.fields.push(Field::line("password", "Password", hint, "").with(password("new-password")));
    } else {
        page.lead.push("You, as you are signed in now, become the administrator.".into());
    }
    Answer::page(status, &page.with_problems(problems))
}

/// `POST /admin/setup`.
pub(crate) async fn submit(call: &mut Call) -> Result<Answer, Fault> {
    let params = match page_form(call).await? {
        Ok(params) => params,
        Err(refused) => return Ok(refused),
    };
    let Some(standing) = open(call).await? else { return Ok(closed(call)) };
    let guest = match candidate(call, standing).await? {
        Ok(Some(_)) => match Guest::sent(call, HERE, params.field("csrf")).await? {
            Ok(guest) => Some(guest),
            Err(refused) => return Ok(refused),
        },
        // The token itself says that whoever sends the form means it.
        Ok(None) => None,
        Err(elsewhere) => return Ok(elsewhere),
    };
    if !token_ok(call, params.field("token")) {
        let problem = [("token", "This is not the token.".to_owned())];
        return Ok(page(call, 403, guest.as_ref(), params.field("email"), &problem).because("wrong set-up token"));
    }
    let done = match &guest {
        Some(guest) => setup::become_admin(&call.env, &call.config, &guest.visitor.cookie.user, &call.network(), now_s()).await?,
        None => match first_person(call, &params).await? {
            Ok(done) => done,
            Err(problems) => return Ok(page(call, 400, None, params.field("email"), &problems)),
        },
    };
    // Somebody else was faster.
    if !done {
        return Ok(closed(call));
    }
    crate::log::event("first administrator set up");
    Ok(Answer::page(200, &NoticePage::set_up(frame(call))))
}

fn token_ok(call: &Call, text: &str) -> bool {
    let presented = array_from_base64url::<32>(text.trim());
    presented.zip(call.config.setup_token).is_some_and(|(presented, token)| same(&presented, &token))
}

async fn first_person(call: &Call, params: &Params) -> Result<Result<bool, Problems>, Fault> {
    let (email, password) = (normal_email(params.field("email")), params.field("password"));
    let mut problems = Problems::new();
    let plain = email.len() <= 254 && !email.contains(|c: char| c.is_control() || c.is_whitespace());
    if !plain || !email.split_once('@').is_some_and(|(name, host)| !name.is_empty() && !host.is_empty()) {
        problems.push(("email", "Write an e-mail address.".to_owned()));
    }
    if password.chars().count() < PASSWORD_MIN || password.len() > PASSWORD_MAX {
        problems.push(("password", format!("Use {PASSWORD_MIN} to {PASSWORD_MAX} characters.")));
    }
    if !problems.is_empty() {
        return Ok(Err(problems));
    }
    let hash = hash_password(password, &random()?).or_fault("password")?;
    let first = First { user: &random_id()?, email: &email, password_hash: &hash };
    Ok(Ok(setup::first_person(&call.env, &call.config, &first, &call.network(), now_s()).await?))
}
