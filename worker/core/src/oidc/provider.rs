//! The providers of a deployment: `OIDC_PROVIDERS`, a JSON list.
//!
//! Read by hand rather than by derive, so that a problem names the very key and never a value: the
//! list holds client secrets.

use serde_json::{Map, Value};

use super::address_ok;

/// An identity provider that people may sign in at.
pub struct Provider {
    /// Part of its addresses here: `/login/{id}`.
    pub id: String,
    /// What its button says.
    pub name: String,
    /// Its issuer, exactly as in its metadata and ID tokens.
    pub issuer: String,
    /// What it calls this deployment.
    pub client_id: String,
    /// The secret, unless this deployment is a public client there.
    pub client_secret: Option<String>,
    /// The scopes that are asked for.
    pub scopes: String,
    /// Where its ID token lists accounts.
    pub accounts: Option<AccountClaims>,
    /// What in its ID token makes an administrator of the platform.
    pub staff: Option<StaffClaim>,
}

/// The claim that lists a person's accounts, and the members of its entries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountClaims {
    /// The claim: a list of objects.
    pub claim: String,
    /// Member with the account's id.
    pub id: String,
    /// Member with its name.
    pub name: String,
    /// Member with the person's role in it.
    pub role: String,
}

/// A claim that is this value, or a list with it.
#[derive(Clone, Debug, PartialEq)]
pub struct StaffClaim {
    /// The claim.
    pub claim: String,
    /// The value: a text or `true`.
    pub value: Value,
}

const KEYS: [&str; 7] = ["id", "name", "issuer", "client_id", "client_secret", "scopes", "claims"];
const CLAIM_KEYS: [&str; 5] = ["accounts", "account_id", "account_name", "role", "staff"];
const PROVIDERS_MAX: usize = 20;

impl Provider {
    /// Reads the list. `plain_loopback` lets issuers on this computer be http, for development.
    ///
    /// # Errors
    /// The key and what is allowed; never a value.
    pub fn list(text: &str, plain_loopback: bool) -> Result<Vec<Self>, String> {
        let value: Value = serde_json::from_str(text).map_err(|_| " is not JSON: allowed is a list of providers".to_owned())?;
        let entries = value.as_array().filter(|entries| entries.len() <= PROVIDERS_MAX);
        let entries = entries.ok_or_else(|| format!(": allowed is a list of at most {PROVIDERS_MAX} providers"))?;
        let mut providers: Vec<Self> = Vec::new();
        for (at, entry) in entries.iter().enumerate() {
            let provider = Self::read(&Object::of(entry, format!("[{at}]"), &KEYS)?, plain_loopback)?;
            if providers.iter().any(|known| known.id == provider.id) {
                return Err(format!("[{at}].id: allowed is each id once"));
            }
            if providers.iter().any(|known| known.issuer == provider.issuer) {
                return Err(format!("[{at}].issuer: allowed is each issuer once"));
            }
            providers.push(provider);
        }
        Ok(providers)
    }

    fn read(object: &Object<'_>, plain_loopback: bool) -> Result<Self, String> {
        let id = object.required("id", "1 to 32 of a-z 0-9 and -")?;
        let path_safe = id.len() <= 32 && id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        object.require(path_safe, "id", "1 to 32 of a-z 0-9 and -")?;
        let issuer = object.required("issuer", ISSUER)?;
        object.require(address_ok(issuer, plain_loopback) && !issuer.contains('?') && issuer.len() <= 500, "issuer", ISSUER)?;
        let scopes = object.text("scopes")?.unwrap_or("openid email profile");
        object.require(scopes.split(' ').any(|scope| scope == "openid"), "scopes", "names separated by spaces, openid among them")?;
        let (accounts, staff) = match object.members.get("claims") {
            None => (None, None),
            Some(value) => claims(&Object::of(value, format!("{}.claims", object.path), &CLAIM_KEYS)?)?,
        };
        Ok(Self {
            id: id.to_owned(),
            name: object.required("name", "the provider's name, for its button")?.to_owned(),
            issuer: issuer.to_owned(),
            client_id: object.required("client_id", "the client id that the provider gave")?.to_owned(),
            client_secret: object.text("client_secret")?.map(str::to_owned),
            scopes: scopes.to_owned(),
            accounts,
            staff,
        })
    }

    /// Where this provider sends people back to.
    #[must_use]
    pub fn redirect_uri(&self, origin: &str) -> String {
        format!("{origin}/login/{}/callback", self.id)
    }
}

const ISSUER: &str = "an https address without query, exactly as the provider's metadata says it";

fn claims(object: &Object<'_>) -> Result<(Option<AccountClaims>, Option<StaffClaim>), String> {
    let member = |key, usual: &str| object.text(key).map(|text| text.unwrap_or(usual).to_owned());
    let accounts = AccountClaims {
        claim: member("accounts", "")?,
        id: member("account_id", "id")?,
        name: member("account_name", "name")?,
        role: member("role", "role")?,
    };
    let staff = match object.members.get("staff") {
        None => None,
        Some(value) => {
            let staff = Object::of(value, format!("{}.staff", object.path), &["claim", "value"])?;
            let value = staff.members.get("value").filter(|value| value.as_str().is_some_and(|text| !text.is_empty()) || **value == true);
            let value = value.ok_or_else(|| staff.problem("value", "a text that is not empty, or true"))?;
            Some(StaffClaim { claim: staff.required("claim", "the name of a claim")?.to_owned(), value: value.clone() })
        }
    };
    Ok(((!accounts.claim.is_empty()).then_some(accounts), staff))
}

/// An object of the list with the path to it.
struct Object<'a> {
    path: String,
    members: &'a Map<String, Value>,
}

impl<'a> Object<'a> {
    fn of(value: &'a Value, path: String, known: &[&str]) -> Result<Self, String> {
        let Some(members) = value.as_object() else { return Err(format!("{path}: allowed is an object")) };
        match members.keys().find(|key| !known.contains(&key.as_str())) {
            // A secret in the place of a key would be told too.
            Some(_) => Err(format!("{path} has an unknown key: allowed are {}", known.join(", "))),
            None => Ok(Self { path, members }),
        }
    }

    fn problem(&self, key: &str, allowed: &str) -> String {
        format!("{}.{key}: allowed is {allowed}", self.path)
    }

    fn require(&self, holds: bool, key: &str, allowed: &str) -> Result<(), String> {
        if holds { Ok(()) } else { Err(self.problem(key, allowed)) }
    }

    fn text(&self, key: &str) -> Result<Option<&'a str>, String> {
        match self.members.get(key) {
            None => Ok(None),
            Some(Value::String(text)) if !text.trim().is_empty() && text.len() <= 2000 && !text.contains(char::is_control) => {
                Ok(Some(text))
            }
            Some(_) => Err(self.problem(key, "a text that is not empty")),
        }
    }

    fn required(&self, key: &str, allowed: &str) -> Result<&'a str, String> {
        self.text(key)?.ok_or_else(|| self.problem(key, allowed))
    }
}

#[cfg(test)]
pub(super) mod tests {
    use serde_json::json;

    use super::*;

    /// A provider with every key.
    pub(in crate::oidc) fn provider() -> Provider {
        let list = json!([{
            "id": "acme", "name": "Acme", "issuer": "https://login.acme.example", "client_id": "edge", "client_secret": "s3cret",
            "claims": { "accounts": "accounts", "staff": { "claim": "groups", "value": "staff" } },
        }]);
        Provider::list(&list.to_string(), false).ok().unwrap().remove(0)
    }

    #[test]
    fn what_is_not_said_has_usual_values() {
        let acme = provider();
        assert_eq!(acme.scopes, "openid email profile");
        assert_eq!(acme.redirect_uri("https://auth.example"), "https://auth.example/login/acme/callback");
        let usual = AccountClaims { claim: "accounts".into(), id: "id".into(), name: "name".into(), role: "role".into() };
        assert_eq!(acme.accounts, Some(usual));
        let bare = json!([{ "id": "a", "name": "A", "issuer": "https://a.example/", "client_id": "x" }]).to_string();
        let bare = Provider::list(&bare, false).ok().unwrap().remove(0);
        assert!(bare.accounts.is_none() && bare.staff.is_none() && bare.client_secret.is_none());
    }

    #[test]
    fn a_problem_names_its_key_and_no_value() {
        let good = json!({ "id": "a", "name": "A", "issuer": "https://a.example", "client_id": "x" });
        let with = |key: &str, value: Value| {
            let mut entry = good.clone();
            entry[key] = value;
            json!([entry])
        };
        let cases = [
            (json!({}), "list"),
            (json!([1]), "[0]: allowed is an object"),
            (json!([{}]), "[0].id: "),
            (with("id", json!("A b-SECRET")), "[0].id: "),
            (with("id", json!("a/b")), "[0].id: "),
            (with("issuer", json!("http://a-SECRET.example")), "[0].issuer: "),
            (with("issuer", json!("https://a.example?x=SECRET")), "[0].issuer: "),
            (with("client_id", json!(7)), "[0].client_id: "),
            (with("client_secret", json!("")), "[0].client_secret: "),
            (with("client_sceret", json!("SECRET")), "[0] has an unknown key"),
            (with("scopes", json!("email SECRET")), "[0].scopes: "),
            (with("claims", json!({ "acounts": "x" })), "[0].claims has an unknown key"),
            (with("claims", json!({ "role": 1 })), "[0].claims.role: "),
            (with("claims", json!({ "staff": { "claim": "x", "value": "" } })), "[0].claims.staff.value: "),
            (with("claims", json!({ "staff": { "claim": "x", "value": false } })), "[0].claims.staff.value: "),
            (with("claims", json!({ "staff": { "value": "SECRET" } })), "[0].claims.staff.claim: "),
            (json!([good, good]), "[1].id: allowed is each id once"),
            (json!([good, { "id": "b", "name": "B", "issuer": "https://a.example", "client_id": "x" }]), "[1].issuer: "),
        ];
        for (list, key) in cases {
            let problem = Provider::list(&list.to_string(), false).err().unwrap();
            assert!(problem.contains(key) && !problem.contains("SECRET"), "{list}: {problem}");
        }
        assert!(Provider::list("[", false).is_err());
    }

    #[test]
    fn plain_http_is_for_this_computer_in_development() {
        let list = json!([{ "id": "a", "name": "A", "issuer": "http://localhost:3000", "client_id": "x" }]).to_string();
        assert!(Provider::list(&list, true).is_ok() && Provider::list(&list, false).is_err());
    }
}
