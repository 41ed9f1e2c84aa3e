//! Registration of an app: checked whole, numbered, written to its object, listed.
//!
//! The number is taken first, by a row that no list shows; then the object is written; then the row
//! becomes the listing. A fault in between leaves a number that is never used, and nothing else.

use edgegrant_core::app::{App, ClientType, Details, Problem, Status};
use edgegrant_core::credential::client_id;
use edgegrant_core::notice::{Notice, is_address};
use edgegrant_core::policy::{Overrides, Review};
use edgegrant_core::seal::{Purpose, open, seal};

use super::{Actor, Failure, Refused, invalid, line, told};
use crate::call::Call;
use crate::fault::{Fault, OrFault as _};
use crate::objects::app::{Command, ask};
use crate::platform::{now_s, random, random_id};
use crate::store::apps::{self, Begun, Listing};
use crate::store::{audit, database};

pub(super) fn contact_context(app: u32) -> String {
    format!("apps/{app}/contact")
}

/// The contact's address as it is stored.
pub(super) fn seal_contact(call: &Call, app: u32, contact: &str) -> Result<String, Fault> {
    let data = &call.config.keys.data;
    seal(data, Purpose::PersonalData, &contact_context(app), contact.trim().as_bytes(), random()?).or_fault("data key")
}

/// The contact's address.
pub(crate) fn contact(call: &Call, app: &apps::Listed) -> String {
    open_contact(call, app.number, app.contact_sealed.as_deref().unwrap_or_default()).unwrap_or_default()
}

/// The contact's address of the app with this number.
pub(super) fn open_contact(call: &Call, app: u32, sealed: &str) -> Option<String> {
    let opened = open(&call.config.keys.data, Purpose::PersonalData, &contact_context(app), sealed);
    opened.and_then(|bytes| String::from_utf8(bytes).ok())
}

/// Whether a text can be an e-mail address: one `@` between two parts without space or control.
pub(crate) fn is_email(text: &str) -> bool {
    is_address(text.trim())
}

/// Everything that is wrong with details and contact.
pub(super) fn check(call: &Call, details: &Details, client_type: ClientType, contact: Option<&str>) -> Vec<Problem> {
    let mut problems = details.problems(&call.config.policy, client_type);
    if contact.is_some_and(|contact| !is_email(contact)) {
        problems.push(("contact", "write an e-mail address that somebody reads, such as dev@app.example".into()));
    }
    problems
}

/// What a registration says.
pub(crate) struct Registration {
    /// The account whose developers manage the app; `None`: staff.
    pub(crate) account: Option<String>,
    /// The account's name: who makes the app.
    pub(crate) developer: String,
    /// Its details.
    pub(crate) details: Details,
    /// Public or confidential; `None` was not said.
    pub(crate) client_type: Option<ClientType>,
    /// The contact's address.
    pub(crate) contact: String,
}

/// Everything that is wrong with a registration.
pub(crate) fn problems(call: &Call, registration: &Registration) -> Vec<Problem> {
    let client_type = registration.client_type.unwrap_or(ClientType::Confidential);
    let mut problems = check(call, &registration.details.clone().tidied(), client_type, Some(&registration.contact));
    if registration.client_type.is_none() {
        problems.push(("client_type", "choose where the app runs".into()));
    }
    problems
}

/// Registers an app; it waits for review where the policy has one.
pub(crate) async fn register(call: &Call, actor: &Actor, registration: Registration) -> Result<App, Failure> {
    let apps_policy = &call.config.policy.apps;
    if !actor.may_develop(call, registration.account.as_deref()) {
        return Err(Refused::NotAllowed("Your role in this account does not allow it to register apps").into());
    }
    let mut problems = problems(call, &registration);
    let developer = line("developer", &registration.developer, 1, 100, &mut problems);
    if !problems.is_empty() {
        return Err(Refused::Invalid(problems).into());
    }
    let client_type = registration.client_type.unwrap_or(ClientType::Confidential);
    let details = Details { logo: None, ..registration.details.tidied() };
    let id = random_id()?;
    let begun = Begun {
        place: &format!("registering {id}"),
        account: registration.account.as_deref(),
        developer: &developer,
        owner: actor.user.as_deref(),
        details: &details,
        client_type: if client_type == ClientType::Public { "public" } else { "confidential" },
        most: apps_policy.per_account_max,
    };
    let Some(number) = apps::begin(&call.env, &begun, now_s()).await? else { return Err(not_begun(call, &details.name).await?) };
    let status = if apps_policy.review == Review::None { Status::Approved } else { Status::Pending };
    let app = App {
        number,
        id,
        client_id: client_id(&call.config.keys.grant_id, number),
        name: details.name.clone(),
        client_type,
        status,
        development: false,
        redirect_uris: details.redirect_uris.clone(),
        scopes: details.scope_names(),
        secrets: Vec::new(),
        owner: actor.user.clone().unwrap_or_default(),
        overrides: Overrides::default(),
        about: details.fingerprint(),
        suspended_from: None,
        resource: String::new(),
    };
    ask(&call.env, number, &Command::Write(Box::new(app.clone()))).await?;
    let listing = Listing {
        details: &details,
        revision: None,
        submitted_at: (status == Status::Pending).then(now_s),
        reason: "",
        contact_sealed: Some(&seal_contact(call, number, &registration.contact)?),
    };
    let statement = apps::relist(&database(&call.env)?, &app, &listing)?;
    super::apps::recorded(call, vec![statement], audit::Entry { app: Some(number), ..actor.did("app registered") }).await?;
    if app.status == Status::Pending {
        told::done(call, begun.account, &app, Notice::AppSubmitted((&app).into()));
    }
    Ok(app)
}

async fn not_begun(call: &Call, name: &str) -> Result<Failure, Fault> {
    if apps::is_imitation(&call.env, name, 0, now_s()).await? {
        return Ok(invalid("name", "another app's name looks like this one: choose a name of your own"));
    }
    let most = call.config.policy.apps.per_account_max;
    Ok(Refused::Conflict(format!("This account has {most} apps, as many as it may have: delete one first")).into())
}
