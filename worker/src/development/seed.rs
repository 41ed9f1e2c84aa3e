//! The development data: two accounts, three people, two or three apps, with the names and roles that
//! the preset gives them. It speaks to the bindings of a development build only, which are local.
//! Running it again changes nothing.

use edgegrant_core::app::{App, ClientType, Details, ResourceServer, ScopeReason, Status, name_key};
use edgegrant_core::credential::RESOURCE_SERVERS;
use edgegrant_core::encoding::{hex, sha256};
use edgegrant_core::keys::{SecretHash, lookup_name};
use edgegrant_core::person::hash_password;
use edgegrant_core::policy::development::DevelopmentApp;
use edgegrant_core::policy::{Development, Overrides};
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

/// The platform's management token.
pub(crate) const MANAGEMENT_TOKEN: &str = "demo-management-token";

const PASSWORD: &str = "demo-password";
const ACCOUNTS: [&str; 2] = ["a0000000000000000000000000000001", "a0000000000000000000000000000002"];

struct Person {
    id: &'static str,
    email: &'static str,
    name: &'static str,
    admin: bool,
    /// An account of the person's own, where the preset has such.
    own_account: &'static str,
}

const OWNER: Person = Person {
    id: "b0000000000000000000000000000001",
    email: "owner@demo.example",
    name: "Olivia Owner",
    admin: false,
    own_account: "a0000000000000000000000000000011",
};
const STAFF: Person = Person {
    id: "b0000000000000000000000000000002",
    email: "staff@demo.example",
    name: "Sam Staff",
    admin: false,
    own_account: "a0000000000000000000000000000012",
};
const ADMIN: Person =
    Person { id: "b0000000000000000000000000000003", email: "admin@demo.example", name: "Ada Admin", admin: true, own_account: "" };

struct Client {
    number: u32,
    id: &'static str,
    client_id: &'static str,
    secret: Option<&'static str>,
    status: Status,
    logo: &'static [u8],
}

const SPA: Client = Client {
    number: 1,
    id: "c0000000000000000000000000000001",
    client_id: "demo-spa",
    secret: None,
    status: Status::Approved,
    logo: include_bytes!("demo-spa.png"),
};
const SERVER: Client = Client {
    number: 2,
    id: "c0000000000000000000000000000002",
    client_id: "demo-server",
    secret: Some("demo-server-secret"),
    status: Status::Approved,
    logo: include_bytes!("demo-server.png"),
};
const PENDING: Client = Client {
    number: 3,
    id: "c0000000000000000000000000000003",
    client_id: "demo-pending",
    secret: Some("demo-pending-secret"),
    status: Status::Pending,
    logo: include_bytes!("demo-server.png"),
};

const RESOURCE: &str = "demo-resource";
const RESOURCE_SECRET: &str = "demo-resource-secret";
const RESOURCE_NUMBER: u32 = RESOURCE_SERVERS + 1;

/// The number behind the readable client id of the resource server.
pub(crate) fn resource_server_number_of(client_id: &str) -> Option<u32> {
    (client_id == RESOURCE).then_some(RESOURCE_NUMBER)
}

/// The number behind a readable client id of the development data.
pub(crate) fn number_of(client_id: &str) -> Option<u32> {
    [&SPA, &SERVER, &PENDING].into_iter().find(|client| client.client_id == client_id).map(|client| client.number)
}

/// The apps of the preset, each with what it is called.
fn clients(data: &Development) -> Vec<(&'static Client, &DevelopmentApp)> {
    let mut clients: Vec<(&'static Client, &DevelopmentApp)> = vec![(&SPA, &data.spa), (&SERVER, &data.server)];
    clients.extend(data.pending.as_ref().map(|pending| (&PENDING, pending)));
    clients
}

/// Fills D1 and the `App` objects.
pub(crate) async fn seed(env: &Env, config: &Config) -> Result<(), Fault> {
    let database = database(env)?;
    let data = &config.development;
    let mut batch = Vec::new();
    for (id, name) in ACCOUNTS.iter().zip(&data.accounts) {
        batch.push(account(&database, id, name)?);
    }
    for person in [&OWNER, &STAFF, &ADMIN] {
        batch.push(person_row(&database, config, person)?);
    }
    let [first, second] = ACCOUNTS;
    for (account, person, role) in
        [(first, &OWNER, &data.owner_role), (second, &OWNER, &data.owner_role), (first, &STAFF, &data.staff_role)]
    {
        batch.push(member(&database, account, person, role)?);
    }
    for person in [&OWNER, &STAFF].into_iter().filter(|_| data.own_accounts) {
        batch.push(account(&database, person.own_account, person.name)?);
        batch.push(member(&database, person.own_account, person, &data.owner_role)?);
    }
    for (client, words) in clients(data) {
        batch.extend(client_rows(&database, config, client, words)?);
    }
    batch.extend(server_rows(&database, config)?);
    crate::store::batch(&database, batch, "seed").await?;
    for (client, words) in clients(data) {
        if ask(env, client.number, &Command::Read(Vec::new())).await?.app().is_none() {
            ask(env, client.number, &Command::Write(Box::new(app(config, client, words)?))).await?;
        }
    }
    if ask(env, RESOURCE_NUMBER, &Command::Read(Vec::new())).await?.app().is_none() {
        ask(env, RESOURCE_NUMBER, &Command::Write(Box::new(resource_server(config)?))).await?;
    }
    Ok(())
}

fn account(database: &D1Database, id: &str, name: &str) -> Result<D1PreparedStatement, Fault> {
    let sql = "INSERT OR IGNORE INTO accounts (id, name, created_at) VALUES (?1, ?2, ?3)";
    statement(database, sql, &[text(id), text(name), number(now_s())])
}

fn member(database: &D1Database, account: &str, person: &Person, role: &str) -> Result<D1PreparedStatement, Fault> {
    let sql = "INSERT OR IGNORE INTO members (account_id, user_id, role) VALUES (?1, ?2, ?3)";
    statement(database, sql, &[text(account), text(person.id), text(role)])
}

fn person_row(database: &D1Database, config: &Config, person: &Person) -> Result<D1PreparedStatement, Fault> {
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
    statement(database, sql, &values)
}

fn client_rows(database: &D1Database, config: &Config, client: &Client, words: &DevelopmentApp) -> Result<Vec<D1PreparedStatement>, Fault> {
    let record = app(config, client, words)?;
    let logo = hex(&sha256(client.logo));
    let details = details(config, client, &record, words, &logo);
    let sql = "INSERT OR IGNORE INTO apps (number, client_id, name, developer, description, website, logo, status, development, created_at,
                 owner_id, account_id, client_type, details, name_key, submitted_at)
               VALUES (?1, ?2, ?3, 'Edgegrant Demo', ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)";
    let values = [
        number(u64::from(client.number)),
        text(client.client_id),
        text(&words.name),
        text(&words.description),
        text(&details.website),
        text(&logo),
        text(client.status.as_str()),
        number(u64::from(is_for_development(client))),
        number(now_s()),
        text(OWNER.id),
        text(ACCOUNTS.first().or_fault("account")?),
        text(if record.is_public() { "public" } else { "confidential" }),
        text(&serde_json::to_string(&details).or_fault("details")?),
        text(&name_key(&words.name)),
        if client.status == Status::Pending { number(now_s()) } else { JsValue::NULL },
    ];
    let bytes: JsValue = js_sys::Uint8Array::from(client.logo).buffer().into();
    Ok(vec![
        statement(database, "INSERT OR IGNORE INTO logos (sha256, media_type, bytes) VALUES (?1, 'image/png', ?2)", &[text(&logo), bytes])?,
        statement(database, sql, &values)?,
    ])
}

fn details(config: &Config, client: &Client, record: &App, words: &DevelopmentApp, logo: &str) -> Details {
    let scope = |name: &String| ScopeReason { name: name.clone(), reason: "to show what the demo can do".to_owned() };
    Details {
        name: words.name.clone(),
        description: words.description.clone(),
        website: "https://demo.example/".to_owned(),
        install_url: if client.secret.is_none() { format!("{}/demo/", config.issuer) } else { String::new() },
        logo: Some(logo.to_owned()),
        redirect_uris: record.redirect_uris.clone(),
        scopes: record.scopes.iter().map(scope).collect(),
    }
}

fn server_rows(database: &D1Database, config: &Config) -> Result<Vec<D1PreparedStatement>, Fault> {
    let server = resource_server(config)?;
    let (_, key) = config.keys.hash.newest().or_fault("hash key")?;
    let token = lookup_name(key, "management token", MANAGEMENT_TOKEN);
    Ok(vec![
        statement(
            database,
            "INSERT OR IGNORE INTO resource_servers (number, client_id, resource, name, scope, status, created_at)
             VALUES (?1, ?2, ?3, ?4, ?5, 'live', ?6)",
            &[
                number(u64::from(server.number)),
                text(&server.client_id),
                text(&server.resource),
                text(&server.name),
                text(&server.scopes.join(" ")),
                number(now_s()),
            ],
        )?,
        statement(
            database,
            "INSERT OR IGNORE INTO management_tokens (hash, label, expires_at, id, created_at) VALUES (?1, 'development', 0, 'd0000000000000000000000000000001', 0)",
            &[text(&token)],
        )?,
    ])
}

/// An API of the platform that serves every scope.
fn resource_server(config: &Config) -> Result<App, Fault> {
    let server = ResourceServer {
        resource: format!("{}/{RESOURCE}", config.issuer),
        name: "Demo API".to_owned(),
        scopes: config.policy.scopes.catalogue.iter().map(|entry| entry.name.clone()).collect(),
    };
    let secret = SecretHash::of(RESOURCE_SECRET, &config.keys.hash).or_fault("hash key")?;
    Ok(server.record(RESOURCE_NUMBER, "c0000000000000000000000000000011".to_owned(), RESOURCE.to_owned(), secret))
}

/// The server app is; the one in review shows the page's words for that instead.
fn is_for_development(client: &Client) -> bool {
    client.number == SERVER.number
}

fn app(config: &Config, client: &Client, words: &DevelopmentApp) -> Result<App, Fault> {
    let redirect_uris = match client.secret {
        None => ["demo", "react"].map(|page| format!("{}/{page}/", config.issuer)).to_vec(),
        Some(_) => vec!["http://127.0.0.1/callback".to_owned()],
    };
    let secrets = client.secret.map(|secret| SecretHash::of(secret, &config.keys.hash).or_fault("hash key")).transpose()?;
    Ok(App {
        number: client.number,
        id: client.id.to_owned(),
        client_id: client.client_id.to_owned(),
        name: words.name.clone(),
        client_type: if client.secret.is_some() { ClientType::Confidential } else { ClientType::Public },
        status: client.status,
        development: client.secret.is_some(),
        redirect_uris,
        scopes: config.policy.scopes.catalogue.iter().map(|entry| entry.name.clone()).collect(),
        secrets: secrets.into_iter().collect(),
        owner: OWNER.id.to_owned(),
        overrides: Overrides::default(),
        about: String::new(),
        suspended_from: None,
        resource: String::new(),
    })
}
