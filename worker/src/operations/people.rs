//! What the platform stores about a person: a copy for them, and its end.
//!
//! A person may ask for themselves, staff and the platform's management tokens for anybody; to others
//! there is no such person. When a deletion has answered, nothing of the person opens: they cannot sign
//! in, their sessions are dead, and what they did is left as what an id did. What they have allowed, and
//! the apps that they registered, stay with the accounts.

use edgegrant_core::calendar::iso;
use edgegrant_core::person::normal_email;
use serde_json::{Map, Value, json};

use super::register::open_contact;
use super::{Actor, Failure, Refused};
use crate::call::Call;
use crate::fault::{Fault, OrFault as _};
use crate::platform::now_s;
use crate::store::audit::{self, Entry, Part};
use crate::store::departure::{self, Held};
use crate::store::{people, portrait};

/// Entries of one read, and entries of a copy; older ones are left out, and the copy says so.
const ROUND: u32 = 1000;
const ENTRIES_MAX: usize = 20_000;

fn allowed(actor: &Actor, user: &str) -> Result<(), Refused> {
    if actor.staff || actor.user.as_deref() == Some(user) { Ok(()) } else { Err(Refused::NotFound) }
}

/// Opens the sealed members of a person's row.
fn opened(call: &Call, user: &str, row: &mut Value) -> Option<String> {
    let members = row.as_object_mut()?;
    for column in ["email", "name"] {
        let plain = people::open_column(&call.config.keys, user, column, members.get(column)?.as_str()?)?;
        members.insert(column.to_owned(), plain.into());
    }
    for column in ["platform_staff", "has_password"] {
        let is_one = members.get(column).and_then(Value::as_u64) == Some(1);
        members.insert(column.to_owned(), is_one.into());
    }
    members.get("email")?.as_str().map(str::to_owned)
}

/// Everything that is stored about a person, as JSON.
pub(crate) async fn export(call: &Call, actor: &Actor, user: &str) -> Result<Map<String, Value>, Failure> {
    allowed(actor, user)?;
    let mut parts = portrait::read(&call.env, user, now_s()).await?;
    let profile = parts.get_mut("profile").and_then(Value::as_array_mut).and_then(|rows| rows.pop());
    let mut profile = profile.ok_or(Refused::NotFound)?;
    let email = opened(call, user, &mut profile).or_fault("user address")?;
    parts.insert("profile".to_owned(), profile);
    let contacts: Vec<String> = contacts(call, user, &email).await?.into_iter().map(|contact| contact.client_id).collect();
    parts.insert("contact_of_apps".to_owned(), contacts.into());
    let entries = activity(call, user).await?;
    parts.insert("activity_is_complete".to_owned(), (entries.len() < ENTRIES_MAX).into());
    parts.insert("activity".to_owned(), Value::Array(entries));
    parts.insert("issued_at".to_owned(), iso(now_s() * 1000).into());
    let entry = Entry { subject: user, ..actor.did("person exported") };
    audit::record(&call.env, &call.config, &entry, now_s()).await?;
    Ok(parts)
}

/// What a person did, the newest first.
async fn activity(call: &Call, user: &str) -> Result<Vec<Value>, Fault> {
    let mut entries = Vec::new();
    let mut before = None;
    while entries.len() < ENTRIES_MAX {
        let found = audit::list(&call.env, Part::Actor(user), before, ROUND).await?;
        before = found.last().map(|entry| entry.id);
        let is_all = found.len() < ROUND as usize;
        entries.extend(found.iter().map(|entry| {
            json!({
                "at": iso(entry.at * 1000),
                "action": entry.action,
                "account": entry.account_name,
                "app": entry.app_name,
                "about": entry.subject,
                "detail": entry.detail,
                "from": entry.place(&call.config),
            })
        }));
        if is_all {
            break;
        }
    }
    Ok(entries)
}

/// The contacts of apps that are the person's address.
async fn contacts(call: &Call, user: &str, email: &str) -> Result<Vec<departure::Contact>, Fault> {
    let mut found = departure::contacts(&call.env, user).await?;
    found.retain(|contact| {
        let opened = open_contact(call, contact.number, &contact.sealed);
        opened.is_some_and(|contact| normal_email(&contact) == normal_email(email))
    });
    Ok(found)
}

/// What keeps a person from being deleted, each in words.
pub(crate) async fn keeps(call: &Call, user: &str) -> Result<Vec<String>, Fault> {
    let words = |held: &Held| match held.kind.as_str() {
        "admin" => "Nobody else is platform staff: make somebody else staff first".to_owned(),
        "connection" => format!("{} is connected to {}: disconnect it first", held.name, held.account),
        "key" => format!("{} has the API key “{}”: revoke it first", held.account, held.name),
        _ => format!("{} has the app {}: delete it first", held.account, held.name),
    };
    Ok(departure::holds(&call.env, user, now_s()).await?.iter().map(words).collect())
}

/// Takes a person out of the platform. A page asks for the password before.
pub(crate) async fn delete(call: &Call, actor: &Actor, user: &str) -> Result<(), Failure> {
    allowed(actor, user)?;
    let email = people::address(&call.env, &call.config.keys, user).await?.ok_or(Refused::NotFound)?;
    let contacts: Vec<u32> = contacts(call, user, &email).await?.iter().map(|contact| contact.number).collect();
    // Where they were is forgotten with them.
    let network = if actor.user.as_deref() == Some(user) { "" } else { &actor.network };
    let entry = Entry { network, ..actor.did("person deleted") };
    if departure::delete(&call.env, &call.config, user, &contacts, &entry, now_s()).await? {
        return Ok(());
    }
    let keeps = keeps(call, user).await?;
    let (named, more) = (keeps.iter().take(5).cloned().collect::<Vec<_>>().join("; "), keeps.len().saturating_sub(5));
    Err(Refused::Conflict(match more {
        0 => format!("Nobody else could do this afterwards. {named}"),
        more => format!("Nobody else could do this afterwards. {named}; and {more} more"),
    })
    .into())
}
