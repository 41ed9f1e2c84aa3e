//! The answer of the authorization server (RFC 6749 §4.1.2, RFC 9207).
//!
//! The order of the checks is the protection: present, flow by state, issuer, age, error, code.
//! Nothing of the answer is believed or shown before state and issuer are right, and a flow is
//! spent only by an answer that passed both.

use alloc::string::String;

use crate::error::{Code, Failure};
use crate::form::{Form, cut, number, push, same, split_url};

/// How long a person may take between leaving the app and coming back, in milliseconds.
pub const LIFETIME_MS: u64 = 10 * 60 * 1000;

const PARAMETERS: [&str; 6] = ["code", "state", "iss", "error", "error_description", "error_uri"];

/// Reads the answer in `url` for a client: a record with `issuer`, `client_id` and `place`, the
/// redirect URI up to its query.
///
/// `flow` is what was remembered under the answer's state, or empty. The result is empty when there
/// is no answer for this client, else a record with the `code` and the fields of the flow.
pub fn land<'a>(client: Form<'a>, url: &'a str, flow: &'a str, now: u64) -> Result<String, Failure> {
    let (place, query, _) = split_url(url);
    match find(client, query, Form(flow)) {
        Ok(()) => {}
        // Another page may have parameters of the same name: only the redirect URI's page complains.
        Err(code) if same(place, client.field("place")) && is_answer(query) => return Err(code.into()),
        Err(_) => return Ok(String::new()),
    }
    let flow = Form(flow);
    check_issuer(query, flow)?;
    let code = match read(query, flow, now) {
        Ok(code) => code,
        // A flow that has come so far is spent; the app still learns where it wanted to go.
        Err(Failure(mut record)) => {
            push(&mut record, "spent", "1");
            push(&mut record, "return_to", flow.field("return_to"));
            return Err(Failure(record));
        }
    };
    let mut record = String::from(flow.0);
    push(&mut record, "code", code);
    Ok(record)
}

fn is_answer(mut query: Form<'_>) -> bool {
    query.any(|pair| is_named(pair, &["code", "error"]))
}

fn is_named(pair: &str, names: &[&str]) -> bool {
    let (key, _) = cut(pair, b'=').unwrap_or((pair, ""));
    names.iter().any(|name| same(key, name))
}

/// Whether the flow is the one of the answer's state. One of another issuer or client is not.
fn find(client: Form<'_>, query: Form<'_>, flow: Form<'_>) -> Result<(), Code> {
    let state = query.unique("state").map_err(|_| Code::InvalidResponse)?.unwrap_or("");
    let agrees = |name| same(flow.field(name), client.field(name));
    if state.is_empty() {
        Err(Code::StateMissing)
    } else if same(state, flow.field("state")) && agrees("issuer") && agrees("client_id") {
        Ok(())
    } else {
        Err(Code::StateUnknown)
    }
}

/// RFC 9207 §2.4: simple string comparison with the issuer that the login was started with.
fn check_issuer(query: Form<'_>, flow: Form<'_>) -> Result<(), Code> {
    match query.unique("iss").map_err(|_| Code::InvalidResponse)? {
        Some(iss) if same(iss, flow.field("issuer")) => Ok(()),
        Some(_) => Err(Code::IssuerMismatch),
        None if flow.field("iss") == "0" => Ok(()),
        None => Err(Code::IssuerMissing),
    }
}

fn read<'a>(query: Form<'a>, flow: Form<'a>, now: u64) -> Result<&'a str, Failure> {
    let created_at = number(flow.field("created_at")).unwrap_or(0);
    // A clock that ran backwards counts as zero time.
    if now.saturating_sub(created_at) > LIFETIME_MS {
        return Err(Code::StateExpired.into());
    }
    if let Some(error) = query.unique("error")? {
        let denied = same(error, "access_denied");
        let code = if denied { Code::AuthorizationDenied } else { Code::AuthorizationError };
        let Failure(mut record) = Failure::about(code, error);
        push(&mut record, "description", query.field("error_description"));
        return Err(Failure(record));
    }
    match query.unique("code")? {
        Some(code) if !code.is_empty() => Ok(code),
        _ => Err(Code::CodeMissing.into()),
    }
}

/// The URL without the parameters of an answer; everything else stays byte for byte.
pub fn clean(url: &str) -> String {
    let (base, query, fragment) = split_url(url);
    let mut cleaned = String::from(base);
    let mut separator = "?";
    for pair in query {
        if !is_named(pair, &PARAMETERS) {
            cleaned.push_str(separator);
            cleaned.push_str(pair);
            separator = "&";
        }
    }
    if let Some(fragment) = fragment {
        cleaned.push('#');
        cleaned.push_str(fragment);
    }
    cleaned
}

#[cfg(test)]
mod tests;
