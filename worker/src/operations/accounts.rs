//! Accounts, who belongs to them, and people: made by the platform.
//!
//! A token of an account sees its account and who belongs to it. Who belongs to an account, and in which
//! role, is the platform's to say: roles decide about connections.

use edgegrant_core::app::Problem;
use edgegrant_core::password;
use edgegrant_core::person::hash_password;
use edgegrant_core::seal::{Purpose, seal};
use serde_json::{Value, json};

use super::register::is_email;
use super::{Actor, Failure, Refused, line, staff_only};
use crate::call::Call;
use crate::fault::{Fault, OrFault as _};
use crate::platform::{now_s, random, random_id};
use crate::store::accounts::{self, NewPerson, Standing};
use crate::store::{audit, database, people};

/// The name of an account that the actor may know of.
pub(crate) async fn known(call: &Call, actor: &Actor, account: &str) -> Result<String, Failure> {
    if !actor.staff && !actor.belongs_to(account) {
        return Err(Refused::NotFound.into());
    }
    people::account_name(&call.env, account).await?.ok_or(Refused::NotFound.into())
}

/// Does a statement and records it, in one batch.
async fn recorded(call: &Call, statement: worker::D1PreparedStatement, entry: audit::Entry<'_>) -> Result<(), Fault> {
    let database = database(&call.env)?;
    let batch = vec![statement, audit::entry(&database, &call.config, &entry, now_s())?];
    crate::store::batch(&database, batch, "D1 account").await?;
    Ok(())
}

/// Makes an account.
pub(crate) async fn create(call: &Call, actor: &Actor, name: &str) -> Result<Value, Failure> {
    staff_only(actor)?;
    let mut problems = Vec::new();
    let name = line("name", name, 1, 100, &mut problems);
    if !problems.is_empty() {
        return Err(Refused::Invalid(problems).into());
    }
    let (id, now) = (random_id()?, now_s());
    let statement = accounts::insert(&database(&call.env)?, &id, &name, now)?;
    recorded(call, statement, audit::Entry { account: Some(&id), ..actor.did("account created") }).await?;
    Ok(json!({ "id": id, "name": name, "created_at": now }))
}

/// Makes somebody a member, or gives a member another role.
pub(crate) async fn put_member(call: &Call, actor: &Actor, account: &str, person: &str, role: &str) -> Result<Value, Failure> {
    known(call, actor, account).await?;
    staff_only(actor)?;
    let mut problems = Vec::new();
    let role = line("role", role, 1, 40, &mut problems);
    if accounts::standing(&call.env, account, person).await? == Standing::Nobody {
        problems.push(("person", "there is nobody with this id".into()));
    }
    if !problems.is_empty() {
        return Err(Refused::Invalid(problems).into());
    }
    let statement = accounts::put_member(&database(&call.env)?, account, person, &role)?;
    let entry = audit::Entry { account: Some(account), subject: person, detail: &role, ..actor.did("member added") };
    recorded(call, statement, entry).await?;
    Ok(json!({ "account": account, "person": person, "role": role }))
}

/// From now on somebody does not belong to an account any more. What they connected stays: it is the account's.
pub(crate) async fn remove_member(call: &Call, actor: &Actor, account: &str, person: &str) -> Result<Value, Failure> {
    known(call, actor, account).await?;
    staff_only(actor)?;
    if accounts::standing(&call.env, account, person).await? != Standing::Member {
        return Err(Refused::NotFound.into());
    }
    let statement = accounts::remove_member(&database(&call.env)?, account, person)?;
    recorded(call, statement, audit::Entry { account: Some(account), subject: person, ..actor.did("member removed") }).await?;
    Ok(json!({ "account": account, "person": person, "status": "removed" }))
}

/// What is said of a person who is made.
pub(crate) struct Person {
    /// The address.
    pub(crate) email: String,
    /// The name.
    pub(crate) name: String,
    /// Without one no password signs them in.
    pub(crate) password: Option<String>,
    /// Platform staff.
    pub(crate) staff: bool,
}

/// Makes a person. The answer repeats nothing personal, so that it may be kept.
pub(crate) async fn create_person(call: &Call, actor: &Actor, new: Person) -> Result<Value, Failure> {
    staff_only(actor)?;
    let email = new.email.trim();
    let mut problems: Vec<Problem> = Vec::new();
    if !is_email(email) {
        problems.push(("email", "write an e-mail address such as ann@shop.example".into()));
    }
    let name = line("name", &new.name, 1, 100, &mut problems);
    if let Some(password) = &new.password {
        problems.extend(password::problems(password, password, "", email).into_iter().map(|(_, problem)| ("password", problem)));
    }
    if !problems.is_empty() {
        return Err(Refused::Invalid(problems).into());
    }
    let names = people::email_names(&call.config.keys, email);
    if people::by_email(&call.env, &names).await?.is_some() {
        return Err(taken());
    }
    let (id, now) = (random_id()?, now_s());
    let sealed = |column: &str, value: &str| -> Result<String, Fault> {
        let context = format!("users/{id}/{column}");
        seal(&call.config.keys.data, Purpose::PersonalData, &context, value.as_bytes(), random()?).or_fault("data key")
    };
    let password_hash = match &new.password {
        Some(password) => hash_password(password, &random()?).or_fault("password")?,
        None => String::new(),
    };
    let person = NewPerson {
        id: &id,
        email_lookup: names.first().or_fault("hash key")?,
        email_sealed: &sealed("email", email)?,
        name_sealed: &sealed("name", &name)?,
        password_hash: &password_hash,
        staff: new.staff,
    };
    let statement = accounts::insert_person(&database(&call.env)?, &person, now)?;
    let entry = audit::Entry { subject: &id, detail: if new.staff { "staff" } else { "" }, ..actor.did("person created") };
    match recorded(call, statement, entry).await {
        // Of two requests at once with one address, the database takes one.
        Err(fault) if fault.detail.contains("UNIQUE constraint failed") => Err(taken()),
        other => Ok(other.map(|()| json!({ "id": id, "staff": new.staff, "created_at": now }))?),
    }
}

fn taken() -> Failure {
    Refused::Conflict("There is a person with this e-mail address already".into()).into()
}
