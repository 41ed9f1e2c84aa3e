//! People of identity providers: one D1 batch of two reads, then one batch that records the whole
//! sign-in, or nothing of it.
//!
//! A person is found by issuer and `sub` only. Accounts, names and roles are what the provider says now;
//! only memberships in accounts of that provider are touched, so nobody gains or loses anything
//! elsewhere.

use edgegrant_core::keys::lookup_name;
use edgegrant_core::oidc::identity::Identity;
use edgegrant_core::person::SessionCookie;
use edgegrant_core::seal::{Purpose, seal};
use serde_json::json;
use worker::wasm_bindgen::JsValue;
use worker::{D1Database, D1PreparedStatement, Env};

use super::audit::{self, Entry};
use super::{Pair, database, number, statement, text};
use crate::config::Config;
use crate::fault::{Fault, OrFault as _};
use crate::platform::{random, random_id};

/// A sign-in to record.
pub(crate) struct SignIn<'a> {
    /// The provider's issuer.
    pub(crate) issuer: &'a str,
    /// What its ID token says.
    pub(crate) identity: &'a Identity,
    /// The new session; person and epoch are filled in.
    pub(crate) cookie: SessionCookie,
    /// When its row may go, in seconds.
    pub(crate) expires_s: u64,
    /// The caller's address, for the audit.
    pub(crate) network: String,
    /// The browser's session until now.
    pub(crate) old: Option<String>,
}

/// What is known of the person (id and epoch) and the accounts (their look-up names).
struct Known {
    person: Option<Pair>,
    accounts: Vec<Pair>,
}

/// The names under which something of an issuer may be stored: one per hash key, the newest first.
fn names(config: &Config, purpose: &str, issuer: &str, value: &str) -> Vec<String> {
    // No issuer holds a line break, so no two pairs give the same text.
    let value = format!("{issuer}\n{value}");
    config.keys.hash.iter().map(|(_, key)| lookup_name(key, purpose, &value)).collect()
}

const SUBJECT: &str = "provider subject";
const ACCOUNT: &str = "provider account";

/// Records a sign-in and gives the session as it is now.
pub(crate) async fn sign_in(env: &Env, config: &Config, sign_in: &SignIn<'_>) -> Result<SessionCookie, Fault> {
    let database = database(env)?;
    let known = read(&database, config, sign_in).await?;
    let is_new = known.person.is_none();
    match record(&database, config, sign_in, known).await {
        // Two first sign-ins at once: one finds what the other has made.
        Err(_) if is_new => {
            let known = read(&database, config, sign_in).await?;
            record(&database, config, sign_in, known).await
        }
        outcome => outcome,
    }
}

async fn read(database: &D1Database, config: &Config, sign_in: &SignIn<'_>) -> Result<Known, Fault> {
    let subjects = names(config, SUBJECT, sign_in.issuer, &sign_in.identity.subject);
    let accounts = &sign_in.identity.accounts;
    let accounts: Vec<String> = accounts.iter().flat_map(|account| names(config, ACCOUNT, sign_in.issuer, &account.id)).collect();
    let person = "SELECT i.user_id AS text, u.epoch AS number FROM identities i JOIN users u ON u.id = i.user_id
                  WHERE i.issuer = ?1 AND i.subject_lookup IN (SELECT value FROM json_each(?2))";
    let lookups = "SELECT external_lookup AS text, 0 AS number FROM provider_accounts
                   WHERE issuer = ?1 AND external_lookup IN (SELECT value FROM json_each(?2))";
    let batch = vec![
        statement(database, person, &[text(sign_in.issuer), text(&json!(subjects).to_string())])?,
        statement(database, lookups, &[text(sign_in.issuer), text(&json!(accounts).to_string())])?,
    ];
    let results = super::batch(database, batch, "D1 identity").await?;
    let [people, accounts] = results.as_slice() else { return Err(Fault::at("D1 identity")) };
    Ok(Known {
        person: super::rows_of::<Pair>(people, "D1 identity")?.into_iter().next(),
        accounts: super::rows_of::<Pair>(accounts, "D1 identity")?,
    })
}

async fn record(database: &D1Database, config: &Config, sign_in: &SignIn<'_>, known: Known) -> Result<SessionCookie, Fault> {
    let is_new = known.person.is_none();
    let person = match known.person {
        Some(person) => person,
        None => Pair { text: random_id()?, number: 0 },
    };
    let mut batch = person_statements(database, config, sign_in, &person.text, is_new)?;
    let accounts = accounts_json(config, sign_in, &known.accounts)?;
    batch.extend(account_statements(database, sign_in, &person.text, &accounts)?);
    let cookie = SessionCookie { user: person.text, epoch: person.number, ..sign_in.cookie.clone() };
    batch.extend(super::people::session_statements(database, &cookie, sign_in.expires_s, sign_in.old.as_deref())?);
    super::batch(database, batch, "D1 sign-in").await?;
    Ok(cookie)
}

/// The person's rows. What the staff claim gave, a sign-in without it takes back; what somebody else
/// gave (the set-up, another administrator) stays.
fn person_statements(
    database: &D1Database,
    config: &Config,
    sign_in: &SignIn<'_>,
    user: &str,
    is_new: bool,
) -> Result<Vec<D1PreparedStatement>, Fault> {
    let identity = sign_in.identity;
    let now = number(sign_in.cookie.created_s);
    let sealed = |column: &str, value: &str| -> Result<JsValue, Fault> {
        let context = format!("users/{user}/{column}");
        Ok(text(&seal(&config.keys.data, Purpose::PersonalData, &context, value.as_bytes(), random()?).or_fault("data key")?))
    };
    let (email, name, staff) = (sealed("email", &identity.address)?, sealed("name", &identity.name)?, number(u64::from(identity.staff)));
    let mut batch = Vec::new();
    if is_new {
        let lookup = text(names(config, SUBJECT, sign_in.issuer, &identity.subject).first().or_fault("hash key")?);
        let insert = "INSERT INTO users (id, email_lookup, email_sealed, name_sealed, password_hash, created_at)
                      VALUES (?1, ?2, ?3, ?4, '', ?5)";
        batch.push(statement(database, insert, &[text(user), lookup.clone(), email.clone(), name.clone(), now.clone()])?);
        let insert = "INSERT INTO identities (issuer, subject_lookup, user_id, created_at) VALUES (?1, ?2, ?3, ?4)";
        batch.push(statement(database, insert, &[text(sign_in.issuer), lookup, text(user), now.clone()])?);
    }
    let entry = "INSERT INTO audit (at, actor, action, place_sealed)
                 SELECT ?1, ?2, CASE ?3 WHEN 1 THEN 'became_admin' ELSE 'no_longer_admin' END, ?4
                 FROM identities WHERE user_id = ?2 AND staff <> ?3";
    batch.push(statement(database, entry, &[now.clone(), text(user), staff.clone(), audit::place(config, &sign_in.network)?])?);
    let update = "UPDATE users SET email_sealed = ?2, name_sealed = ?3, platform_admin = CASE
                    WHEN ?4 = 1 THEN 1
                    WHEN (SELECT staff FROM identities WHERE user_id = ?1) = 1 THEN 0
                    ELSE platform_admin END
                  WHERE id = ?1";
    batch.push(statement(database, update, &[text(user), email, name, staff.clone()])?);
    batch.push(statement(database, "UPDATE identities SET staff = ?2 WHERE user_id = ?1", &[text(user), staff])?);
    let entry = Entry { actor: user, action: "staff signed in", network: &sign_in.network, ..Entry::default() };
    let is_staff = ("EXISTS (SELECT 1 FROM users WHERE id = ?9 AND platform_admin = 1)", [text(user)]);
    batch.push(audit::entry_if(database, config, &entry, sign_in.cookie.created_s, (is_staff.0, &is_staff.1))?);
    Ok(batch)
}

/// The accounts for the statements: each with its look-up name and an id of ours in case it is new.
fn accounts_json(config: &Config, sign_in: &SignIn<'_>, known: &[Pair]) -> Result<String, Fault> {
    let mut entries = Vec::new();
    for account in &sign_in.identity.accounts {
        let names = names(config, ACCOUNT, sign_in.issuer, &account.id);
        let stored = names.iter().find(|name| known.iter().any(|lookup| lookup.text == **name));
        let lookup = stored.or(names.first()).or_fault("hash key")?;
        entries.push(json!({ "lookup": lookup, "id": random_id()?, "name": account.name, "role": account.role }));
    }
    Ok(json!(entries).to_string())
}

fn account_statements(database: &D1Database, sign_in: &SignIn<'_>, user: &str, accounts: &str) -> Result<Vec<D1PreparedStatement>, Fault> {
    const LISTED: &str = "SELECT value ->> 'lookup' AS lookup, value ->> 'id' AS id, value ->> 'name' AS name, value ->> 'role' AS role
                          FROM json_each(?1)";
    const NEW: &str = "NOT EXISTS (SELECT 1 FROM provider_accounts p WHERE p.issuer = ?2 AND p.external_lookup = e.lookup)";
    let two = |sql: &str| statement(database, sql, &[text(accounts), text(sign_in.issuer)]);
    let three = |sql: &str, value: JsValue| statement(database, sql, &[text(accounts), text(sign_in.issuer), value]);
    // `NEW` holds until the second statement has run, which needs the rows of the first.
    let insert_accounts = format!("INSERT INTO accounts (id, name, created_at) SELECT e.id, e.name, ?3 FROM ({LISTED}) e WHERE {NEW}");
    let link = format!(
        "INSERT INTO provider_accounts (issuer, external_lookup, account_id) SELECT ?2, e.lookup, e.id FROM ({LISTED}) e WHERE {NEW}"
    );
    let mine = format!("({LISTED}) e JOIN provider_accounts p ON p.issuer = ?2 AND p.external_lookup = e.lookup");
    let rename = format!(
        "UPDATE accounts SET name = c.name FROM (SELECT p.account_id, e.name FROM {mine}) c
         WHERE accounts.id = c.account_id AND accounts.name <> c.name"
    );
    let leave = format!(
        "DELETE FROM members WHERE user_id = ?3 AND account_id IN (SELECT account_id FROM provider_accounts WHERE issuer = ?2)
         AND account_id NOT IN (SELECT p.account_id FROM {mine})"
    );
    let join = format!(
        "INSERT INTO members (account_id, user_id, role) SELECT p.account_id, ?3, e.role FROM {mine} WHERE true
         ON CONFLICT (user_id, account_id) DO UPDATE SET role = excluded.role"
    );
    Ok(vec![
        three(&insert_accounts, number(sign_in.cookie.created_s))?,
        two(&link)?,
        two(&rename)?,
        three(&leave, text(user))?,
        three(&join, text(user))?,
    ])
}
