//! The development data: two accounts, three people, two apps. It speaks to the bindings of a
//! development build only, which are local. Running it again changes nothing.

use edgegrant_core::app::{App, ClientType, Status};
use edgegrant_core::encoding::{hex, sha256};
use edgegrant_core::keys::{SecretHash, lookup_name};
use edgegrant_core::person::hash_password;
use edgegrant_core::seal::{Purpose, seal};
use worker::wasm_bindgen::JsValue;
use worker::{D1Database, D1PreparedStatement, Env, js_sys};

use crate::config::Config;
use crate::fault::{Fault, OrFault as _};
use crate::objects::app::{Command, ask};
use crate::platform::{now_s, random};
use crate::store::{database, number, statement, text};

/// Below the sign-in form.
pub(crate) const LOGIN_HINT: &str =
    "Development: owner@demo.example, staff@demo.example or admin@demo.example, each with the password demo-password.";

const PASSWORD: &str = "demo-password";
const ACCOUNTS: [(&str, &str); 2] =
    [("a0000000000000000000000000000001", "Demo Salon"), ("a0000000000000000000000000000002", "Second Salon")];

struct Person {
    id: &'static str,
    email: &'static str,
    name: &'static str,
    admin: bool,
    roles: &'static [(usize, &'static str)],
}

const PEOPLE: [Person; 3] = [
    Person {
        id: "b0000000000000000000000000000001",
        email: "owner@demo.example",
        name: "Olivia Owner",
        admin: false,
        roles: &[(0, "owner"), (1, "owner")],
    },
    Person { id: "b0000000000000000000000000000002", email: "staff@demo.example", name: "Sam Staff", admin: false, roles: &[(0, "staff")] },
    Person { id: "b0000000000000000000000000000003", email: "admin@demo.example", name: "Ada Admin", admin: true, roles: &[] },
];

struct Client {
    number: u32,
    id: &'static str,
    client_id: &'static str,
    name: &'static str,
    description: &'static str,
    secret: Option<&'static str>,
    logo: &'static [u8],
}

const CLIENTS: [Client; 2] = [
    Client {
        number: 1,
        id: "c0000000000000000000000000000001",
        client_id: "demo-spa",
        name: "Salon Planner",
        description: "Shows your bookings on one page. The demo of this server: it runs in your browser.",
        secret: None,
        logo: include_bytes!("demo-spa.png"),
    },
    Client {
        number: 2,
        id: "c0000000000000000000000000000002",
        client_id: "demo-server",
        name: "Ledger Link",
        description: "Sends your bookings to your bookkeeping every night.",
        secret: Some("demo-server-secret"),
        logo: include_bytes!("demo-server.png"),
    },
];

/// The number behind a readable client id of the development data.
pub(crate) fn number_of(client_id: &str) -> Option<u32> {
    CLIENTS.iter().find(|client| client.client_id == client_id).map(|client| client.number)
}

/// Fills D1 and the `App` objects.
pub(crate) async fn seed(env: &Env, config: &Config) -> Result<(), Fault> {
    let database = database(env)?;
    let mut batch = Vec::new();
    for (id, name) in ACCOUNTS {
        let sql = "INSERT OR IGNORE INTO accounts (id, name, created_at) VALUES (?1, ?2, ?3)";
        batch.push(statement(&database, sql, &[text(id), text(name), number(now_s())])?);
    }
    for person in &PEOPLE {
        batch.extend(person_rows(&database, config, person)?);
    }
    for client in &CLIENTS {
        batch.extend(client_rows(&database, client)?);
    }
    batch.extend(server_rows(&database, config)?);
    database.batch(batch).await.or_fault("seed")?;
    for client in &CLIENTS {
        if ask(env, client.number, &Command::Read).await?.is_none() {
            ask(env, client.number, &Command::Write(Box::new(app(config, client)?))).await?;
        }
    }
    Ok(())
}

fn person_rows(database: &D1Database, config: &Config, person: &Person) -> Result<Vec<D1PreparedStatement>, Fault> {
    let keys = &config.keys;
    let (_, key) = keys.hash.newest().or_fault("hash key")?;
    let sealed = |column: &str, value: &str| -> Result<String, Fault> {
        let context = format!("users/{}/{column}", person.id);
        seal(&keys.data, Purpose::PersonalData, &context, value.as_bytes(), random()?).or_fault("data key")
    };
    let sql = "INSERT OR IGNORE INTO users (id, email_lookup, email_sealed, name_sealed, password_hash, platform_admin, created_at)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    let values = [
        text(person.id),
        text(&lookup_name(key, "email", person.email)),
        text(&sealed("email", person.email)?),
        text(&sealed("name", person.name)?),
        text(&hash_password(PASSWORD, &random()?).or_fault("password")?),
        number(u64::from(person.admin)),
        number(now_s()),
    ];
    let mut out = vec![statement(database, sql, &values)?];
    for (at, role) in person.roles {
        let account = ACCOUNTS.get(*at).or_fault("seed")?.0;
        let sql = "INSERT OR IGNORE INTO members (account_id, user_id, role) VALUES (?1, ?2, ?3)";
        out.push(statement(database, sql, &[text(account), text(person.id), text(role)])?);
    }
    Ok(out)
}

fn client_rows(database: &D1Database, client: &Client) -> Result<Vec<D1PreparedStatement>, Fault> {
    let logo = hex(&sha256(client.logo));
    let sql = "INSERT OR IGNORE INTO apps (number, client_id, name, developer, description, website, logo, status, development, created_at)
               VALUES (?1, ?2, ?3, 'Edgegrant Demo', ?4, 'https://demo.example/', ?5, 'approved', ?6, ?7)";
    let values = [
        number(u64::from(client.number)),
        text(client.client_id),
        text(client.name),
        text(client.description),
        text(&logo),
        number(u64::from(client.secret.is_some())),
        number(now_s()),
    ];
    let bytes: JsValue = js_sys::Uint8Array::from(client.logo).buffer().into();
    Ok(vec![
        statement(database, "INSERT OR IGNORE INTO logos (sha256, media_type, bytes) VALUES (?1, 'image/png', ?2)", &[text(&logo), bytes])?,
        statement(database, sql, &values)?,
    ])
}

fn server_rows(database: &D1Database, config: &Config) -> Result<Vec<D1PreparedStatement>, Fault> {
    let secret = SecretHash::of("demo-resource-secret", &config.keys.hash).or_fault("hash key")?;
    let (_, key) = config.keys.hash.newest().or_fault("hash key")?;
    let token = lookup_name(key, "management token", "demo-management-token");
    Ok(vec![
        statement(
            database,
            "INSERT OR IGNORE INTO resource_servers (client_id, key_id, hash, created_at) VALUES ('demo-resource', ?1, ?2, ?3)",
            &[number(u64::from(secret.key_id)), text(&secret.hash), number(now_s())],
        )?,
        statement(
            database,
            "INSERT OR IGNORE INTO management_tokens (hash, label, expires_at) VALUES (?1, 'development', 0)",
            &[text(&token)],
        )?,
    ])
}

fn app(config: &Config, client: &Client) -> Result<App, Fault> {
    let redirect_uri = match client.secret {
        None => format!("{}/demo/", config.issuer),
        Some(_) => "http://127.0.0.1/callback".to_owned(),
    };
    let secrets = client.secret.map(|secret| SecretHash::of(secret, &config.keys.hash).or_fault("hash key")).transpose()?;
    Ok(App {
        number: client.number,
        id: client.id.to_owned(),
        client_id: client.client_id.to_owned(),
        name: client.name.to_owned(),
        client_type: if client.secret.is_some() { ClientType::Confidential } else { ClientType::Public },
        status: Status::Approved,
        development: client.secret.is_some(),
        redirect_uris: vec![redirect_uri],
        scopes: config.policy.scopes.catalogue.iter().map(|entry| entry.name.clone()).collect(),
        secrets: secrets.into_iter().collect(),
    })
}
