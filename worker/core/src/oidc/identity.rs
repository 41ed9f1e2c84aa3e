//! Who an ID token is about: the person, the accounts, the roles, whether platform staff.
//!
//! `sub` identifies (OpenID Connect Core §5.7); address and name are for people to read.

use serde_json::{Map, Value};

use super::provider::Provider;

/// Somebody as a provider describes them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// `sub`: with the issuer, the person.
    pub subject: String,
    /// What pages call the person: the e-mail address, else another name.
    pub address: String,
    /// The person's name.
    pub name: String,
    /// The accounts; each id once.
    pub accounts: Vec<Account>,
    /// Whether the claim that makes platform staff is there.
    pub staff: bool,
}

/// An account in the provider's name space.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The provider's id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The person's role in it.
    pub role: String,
}

/// More accounts than this are refused rather than cut off.
const ACCOUNTS_MAX: usize = 500;
const ACCOUNTS_MALFORMED: &str = "accounts claim malformed";

impl Identity {
    /// Reads the claims of a token that was checked.
    ///
    /// # Errors
    /// Fixed words for the log. What cannot be read is never taken for "no accounts": that would take
    /// roles away.
    pub fn read(claims: &Map<String, Value>, provider: &Provider) -> Result<Self, &'static str> {
        let subject = claims.get("sub").and_then(Value::as_str).filter(|sub| !sub.is_empty() && sub.len() <= 255);
        let words = |name: &str| claims.get(name).and_then(Value::as_str).map(|text| shortened(text, 254)).filter(|text| !text.is_empty());
        let name = words("name");
        let address = words("email").or_else(|| words("preferred_username")).or_else(|| name.clone());
        Ok(Self {
            subject: subject.ok_or("ID token without sub")?.to_owned(),
            address: address.unwrap_or_else(|| format!("somebody of {}", provider.name)),
            name: name.unwrap_or_default(),
            accounts: accounts(claims, provider)?,
            staff: provider.staff.as_ref().is_some_and(|staff| match claims.get(&staff.claim) {
                Some(Value::Array(values)) => values.contains(&staff.value),
                value => value == Some(&staff.value),
            }),
        })
    }
}

fn shortened(text: &str, most: usize) -> String {
    text.trim().chars().take(most).collect()
}

fn accounts(claims: &Map<String, Value>, provider: &Provider) -> Result<Vec<Account>, &'static str> {
    let Some(names) = &provider.accounts else { return Ok(Vec::new()) };
    let entries = match claims.get(&names.claim) {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Array(entries)) if entries.len() <= ACCOUNTS_MAX => entries,
        Some(_) => return Err(ACCOUNTS_MALFORMED),
    };
    let mut accounts: Vec<Account> = Vec::new();
    for entry in entries {
        let text = |name: &str| entry.get(name).and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty());
        // Ids are numbers at some.
        let number = || entry.get(&names.id).filter(|id| id.is_u64()).map(ToString::to_string);
        let id = text(&names.id).map(str::to_owned).or_else(number).filter(|id| id.len() <= 255);
        let role = text(&names.role).filter(|role| role.len() <= 100);
        let (Some(id), Some(role)) = (id, role) else { return Err(ACCOUNTS_MALFORMED) };
        let name = shortened(text(&names.name).unwrap_or(&id), 200);
        if accounts.iter().any(|known| known.id == id) {
            return Err("accounts claim with an account twice");
        }
        accounts.push(Account { id, name, role: role.to_owned() });
    }
    Ok(accounts)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::provider::tests::provider;
    use super::*;

    fn read(claims: &Value) -> Result<Identity, &'static str> {
        Identity::read(claims.as_object().unwrap(), &provider())
    }

    #[test]
    fn accounts_and_roles_come_from_the_claim_that_lists_them() {
        let found = read(&json!({
            "sub": "7", "email": " Ann@Acme.example ", "name": "Ann",
            "accounts": [{ "id": "s1", "name": "Salon One", "role": "owner", "more": 1 }, { "id": 42, "role": "staff" }],
        }));
        let account = |id: &str, name: &str, role: &str| Account { id: id.into(), name: name.into(), role: role.into() };
        let expected = Identity {
            subject: "7".into(),
            address: "Ann@Acme.example".into(),
            name: "Ann".into(),
            accounts: vec![account("s1", "Salon One", "owner"), account("42", "42", "staff")],
            staff: false,
        };
        assert_eq!(found, Ok(expected));
    }

    #[test]
    fn somebody_without_accounts_or_address_is_somebody() {
        let found = read(&json!({ "sub": "7" })).unwrap();
        assert_eq!((found.accounts.len(), found.address.as_str()), (0, "somebody of Acme"));
        assert_eq!(read(&json!({ "sub": "7", "preferred_username": "ann" })).unwrap().address, "ann");
        for sub in [json!(null), json!(""), json!(7), json!("x".repeat(256))] {
            assert!(read(&json!({ "sub": sub })).is_err());
        }
    }

    #[test]
    fn what_cannot_be_read_is_refused_not_left_out() {
        let entry = json!({ "id": "a", "name": "A", "role": "owner" });
        for accounts in [
            json!({}),
            json!("a"),
            json!(["a"]),
            json!([{ "id": "a" }]),
            json!([{ "role": "owner" }]),
            json!([{ "id": -1, "role": "owner" }]),
            json!([{ "id": "a", "role": "" }]),
            json!([entry, entry]),
            json!(vec![entry.clone(); 501]),
        ] {
            assert!(read(&json!({ "sub": "7", "accounts": accounts })).is_err(), "{accounts}");
        }
        assert!(read(&json!({ "sub": "7", "accounts": null })).is_ok());
    }

    #[test]
    fn staff_is_who_has_the_very_value() {
        for groups in [json!("staff"), json!(["x", "staff"])] {
            assert!(read(&json!({ "sub": "7", "groups": groups })).unwrap().staff);
        }
        for groups in [json!("Staff"), json!(["staff "]), json!(true), json!([["staff"]]), json!({ "staff": true }), json!(null)] {
            assert!(!read(&json!({ "sub": "7", "groups": groups })).unwrap().staff, "{groups}");
        }
        let mut without = provider();
        without.staff = None;
        let claims = json!({ "sub": "7", "groups": "staff" });
        assert!(!Identity::read(claims.as_object().unwrap(), &without).unwrap().staff);
    }
}
