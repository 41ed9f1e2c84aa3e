//! The HTTP contract: which function answers which path.
//!
//! Protocol routes are matched first and never fall through. A fault becomes 503 in the form that the
//! route's callers understand.

mod account;
mod authorize;
mod client;
mod decision;
mod login;
mod logo;
mod manage;
mod me;
mod metadata;
mod revoke;
mod sign_in;
mod token;

use edgegrant_core::oauth::params::Params;
use worker::Method;

use crate::answer::Answer;
use crate::call::{Call, PAGE_FORM_MAX};
use crate::fault::Fault;
use crate::pages::{Frame, NoticePage};

/// Who reads the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reader {
    /// A person in a browser.
    Person,
    /// A program: JSON.
    Program,
}

/// The frame of pages for nobody in particular.
fn frame(call: &Call) -> Frame<'_> {
    Frame { platform: &call.config.policy.platform.name, person: None, csrf: None }
}

/// The parameters of a form of our own pages.
async fn page_form(call: &mut Call) -> Result<Result<Params, Answer>, Fault> {
    client::form_within(call, PAGE_FORM_MAX).await
}

/// Endpoints that scripts of other origins call (design section 5, attack A23).
fn is_cross_origin(path: &str) -> bool {
    matches!(path, "/oauth/token" | "/oauth/revoke") || path.starts_with("/.well-known/") || path.starts_with("/api/")
}

/// Answers a call.
pub(crate) async fn answer(call: &mut Call) -> Answer {
    let path = call.path.clone();
    let reader = reader_of(&path);
    match dispatch(call, &path).await {
        Ok(answer) => answer,
        Err(fault) => {
            crate::log::fault("request", &fault);
            let answer = match reader {
                Reader::Program if is_cross_origin(&path) => Answer::unavailable().readable_anywhere(),
                Reader::Program => Answer::unavailable(),
                Reader::Person => Answer::page(503, &NoticePage::try_again(frame(call), again(call).as_deref())).with("retry-after", "1"),
            };
            answer.because("fault")
        }
    }
}

/// What "try again" opens: the page that was asked for, or the one of ours that held the form; never
/// the form itself.
fn again(call: &Call) -> Option<String> {
    if call.method() == Method::Get {
        return Some(call.path_and_query());
    }
    let from = call.header("referer")?;
    sign_in::own_path(from.strip_prefix(call.config.issuer.as_str())?).map(str::to_owned)
}

/// A form that cannot be read, as a page with the status that `refused` has.
fn unreadable(call: &Call, refused: &Answer) -> Answer {
    Answer::page(refused.status, &NoticePage::bad_request(frame(call))).because("form not readable")
}

fn reader_of(path: &str) -> Reader {
    let programs = ["/oauth/token", "/oauth/revoke", "/.well-known/", "/api/", "/manage/"];
    if programs.iter().any(|start| path.starts_with(start)) { Reader::Program } else { Reader::Person }
}

async fn dispatch(call: &mut Call, path: &str) -> Result<Answer, Fault> {
    if call.has_foreign_method() {
        return Ok(not_served(call, path));
    }
    // HEAD works wherever GET does (RFC 9110 §9.1); the body is left out on the way out.
    let method = if call.method() == Method::Head { Method::Get } else { call.method() };
    match (path, method) {
        ("/oauth/authorize", Method::Get | Method::Post) => authorize::answer(call).await,
        ("/oauth/authorize/decision", Method::Post) => decision::answer(call).await,
        ("/oauth/token", Method::Post) => token::answer(call).await,
        ("/oauth/revoke", Method::Post) => revoke::answer(call).await,
        ("/oauth/token" | "/oauth/revoke", Method::Options) => Ok(Answer::preflight("POST")),
        ("/.well-known/oauth-authorization-server", Method::Get) => Ok(metadata::answer(call)),
        ("/.well-known/oauth-authorization-server", Method::Options) => Ok(Answer::preflight("GET")),
        ("/api/v1/me", Method::Get | Method::Post) => me::answer(call).await,
        ("/api/v1/me", Method::Options) => Ok(Answer::preflight("GET, POST")),
        ("/login", Method::Get) => login::form(call).await,
        ("/login", Method::Post) => login::submit(call).await,
        ("/logout", Method::Post) => login::sign_out(call).await,
        ("/account/apps", Method::Get) => account::list(call).await,
        ("/account/apps/disconnect", Method::Get) => account::confirm(call).await,
        ("/account/apps/disconnect", Method::Post) => account::disconnect(call).await,
        (path, Method::Get) if path.starts_with("/logo/") => logo::answer(call).await,
        (path, Method::Post) if path.starts_with("/manage/v1/apps/") => manage::answer(call).await,
        #[cfg(feature = "development")]
        (path, Method::Post) if path.starts_with("/__dev/") => crate::development::answer(call).await,
        (path, _) => Ok(not_served(call, path)),
    }
}

/// 405 with `Allow` for a known path, else 404.
fn not_served(call: &Call, path: &str) -> Answer {
    let allowed = match path {
        "/oauth/authorize" | "/login" | "/account/apps/disconnect" => "GET, HEAD, POST",
        "/oauth/authorize/decision" | "/logout" => "POST",
        "/oauth/token" | "/oauth/revoke" => "POST, OPTIONS",
        "/.well-known/oauth-authorization-server" => "GET, HEAD, OPTIONS",
        "/api/v1/me" => "GET, HEAD, POST, OPTIONS",
        "/account/apps" => "GET, HEAD",
        _ if path.starts_with("/logo/") => "GET, HEAD",
        _ if path.starts_with("/manage/v1/apps/") => "POST",
        _ => "",
    };
    let status = if allowed.is_empty() { 404 } else { 405 };
    let answer = match (reader_of(path), status) {
        (Reader::Program, _) => {
            let what = if status == 404 { "there is nothing at this address" } else { "this method is not served here" };
            let answer = Answer::json(status, &serde_json::json!({ "error": "invalid_request", "error_description": what }));
            if is_cross_origin(path) { answer.readable_anywhere() } else { answer }
        }
        (Reader::Person, 404) => Answer::page(404, &NoticePage::not_found(frame(call))),
        (Reader::Person, _) => Answer::page(405, &NoticePage::method_not_allowed(frame(call), allowed)),
    };
    if status == 405 { answer.with("allow", allowed) } else { answer }
}
