//! The HTTP contract: which function answers which path. Where an endpoint is, the policy says.
//!
//! Protocol routes are matched first and never fall through. A fault becomes 503 in the form that the
//! route's callers understand.

mod account;
mod activity;
mod admin;
mod authorize;
mod client;
mod decision;
mod developers;
#[cfg(feature = "protocol")]
mod gateway;
mod guest;
mod health;
mod introspect;
mod keys;
mod login;
mod logo;
mod manage;
mod marketplace;
mod me;
mod metadata;
mod profile;
mod provider;
pub(crate) mod resource_metadata;
mod revoke;
mod setup;
mod sign_in;
mod token;

use std::pin::Pin;

use edgegrant_core::oauth::params::Params;
use edgegrant_core::oauth::resource_error::ResourceError;
use edgegrant_core::oauth::token_error::TokenError;
use edgegrant_core::policy::Endpoint;
use edgegrant_core::policy::endpoints::MeMethod;
use worker::Method;

use crate::answer::Answer;
use crate::call::{BadBody, Call, PAGE_FORM_MAX};
use crate::fault::Fault;
use crate::pages::{Frame, NoticePage};
use crate::refusal;

const METADATA: &str = "/.well-known/oauth-authorization-server";

/// What is at a path, by who reads the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// An endpoint whose address the policy decides.
    Endpoint(Endpoint),
    /// Metadata documents.
    WellKnown,
    /// Below `/api/`, or beside `me`: nothing else is there.
    Api,
    /// The management API.
    Manage,
    /// A page, or nothing.
    Page,
}

impl Place {
    fn of(call: &Call, path: &str) -> Self {
        match call.config.policy.endpoint(path) {
            Some(endpoint) => Self::Endpoint(endpoint),
            None if path.starts_with("/.well-known/") => Self::WellKnown,
            None if call.config.policy.is_of_api(path) => Self::Api,
            None if path.starts_with("/manage/") => Self::Manage,
            None => Self::Page,
        }
    }

    /// Whether scripts of other origins call it (attack A23).
    const fn is_cross_origin(self) -> bool {
        match self {
            Self::Endpoint(endpoint) => !matches!(endpoint, Endpoint::Authorize | Endpoint::Decision | Endpoint::Introspect),
            Self::WellKnown | Self::Api => true,
            Self::Manage | Self::Page => false,
        }
    }

    /// A fault of ours in the form that its callers understand.
    fn fault(self, call: &Call) -> Answer {
        match self {
            Self::Endpoint(Endpoint::Token | Endpoint::Refresh | Endpoint::Revoke) => refusal::token(call, TokenError::Fault),
            Self::Endpoint(Endpoint::Introspect) => refusal::introspection(TokenError::Fault),
            Self::Endpoint(Endpoint::Me) | Self::Api | Self::WellKnown => refusal::resource(call, ResourceError::Fault, ""),
            Self::Manage => manage::problem(503, "A part of the server did not answer: try again").with("retry-after", "1"),
            Self::Endpoint(_) | Self::Page => {
                Answer::page(503, &NoticePage::try_again(frame(call), again(call).as_deref())).with("retry-after", "1")
            }
        }
    }
}

/// The frame of pages for nobody in particular.
fn frame(call: &Call) -> Frame<'_> {
    Frame::of(&call.config.policy.platform)
}

/// The parameters of a form of our own pages, or the page that refuses it.
async fn page_form(call: &mut Call) -> Result<Result<Params, Answer>, Fault> {
    Ok(call.form(PAGE_FORM_MAX).await?.map_err(|bad| not_readable(call, bad)))
}

/// The page about a form that is not read.
fn not_readable(call: &Call, bad: BadBody) -> Answer {
    let status = match bad {
        BadBody::MediaType => 415,
        BadBody::TooLarge => 413,
        BadBody::Malformed => 400,
    };
    Answer::page(status, &NoticePage::bad_request(frame(call))).because("form not readable")
}

/// Answers a call.
pub(crate) async fn answer(call: &mut Call) -> Answer {
    let path = call.path.clone();
    let place = Place::of(call, &path);
    match dispatch(call, &path, place).await {
        Ok(answer) => sign_in::with_sign_out(call, in_own_window(&path, answer)),
        Err(fault) => {
            crate::log::fault("request", &fault);
            let answer = place.fault(call).because("fault");
            if place.is_cross_origin() { call.readable_anywhere(answer) } else { answer }
        }
    }
}

/// The pages of people, developers and staff are out of reach of a window that opened them.
fn in_own_window(path: &str, answer: Answer) -> Answer {
    let is_ours = ["/account", "/developers", "/admin"].into_iter().any(|start| below(path, start).is_some());
    if is_ours && answer.is_page() { answer.in_own_window() } else { answer }
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

/// What answers a request, behind a pointer: as a part of one future the answers of all routes would be compiled into
/// one function, which packs badly, and take the memory of the largest.
type Answering<'a> = Pin<Box<dyn Future<Output = Result<Answer, Fault>> + 'a>>;

async fn dispatch(call: &mut Call, path: &str, place: Place) -> Result<Answer, Fault> {
    // The gateway knows the methods of each of its paths.
    #[cfg(feature = "protocol")]
    if place == Place::Api && call.config.upstream.is_some() {
        let answering: Answering<'_> = Box::pin(gateway::answer(call));
        return answering.await;
    }
    // HEAD works wherever GET does (RFC 9110 §9.1); the body is left out on the way out.
    let method = match call.method() {
        // The management API knows the methods of each of its addresses; TRACE is one of none.
        _ if call.has_foreign_method() && path.starts_with("/manage/v1/") => Method::Trace,
        _ if call.has_foreign_method() => return Ok(not_served(call, path, place)),
        Method::Head => Method::Get,
        method => method,
    };
    match place {
        #[cfg(feature = "protocol")]
        Place::Endpoint(endpoint) => at_endpoint(call, path, endpoint, method).await,
        #[cfg(feature = "portal")]
        _ if is_portal(path) => in_portal(call, path, place, method).await,
        #[cfg(feature = "protocol")]
        _ if !is_portal(path) => in_protocol(call, path, place, method).await,
        _ => Ok(not_served(call, path, place)),
    }
}

/// Whether the portal answers: it has the addresses of this file, and what is below them. The entry of a
/// deployment has the same list.
fn is_portal(path: &str) -> bool {
    include_str!("portal.txt").lines().any(|start| below(path, start).is_some())
}

#[cfg(feature = "protocol")]
async fn in_protocol(call: &mut Call, path: &str, place: Place, method: Method) -> Result<Answer, Fault> {
    let answering: Answering<'_> = match (path, method) {
        (METADATA, Method::Get) => return Ok(metadata::answer(call)),
        (METADATA, Method::Options) => return Ok(Answer::preflight("GET")),
        (path, method) if serves(resource_metadata::methods(call, path), &method) => return Ok(resource_metadata::answer(call, &method)),
        ("/login", Method::Get) => Box::pin(login::form(call)),
        ("/login", Method::Post) => Box::pin(login::submit(call)),
        (path, Method::Post) if provider::is_start(path) => Box::pin(provider::start(call, path)),
        (path, Method::Get) if provider::is_callback(path) => Box::pin(provider::callback(call, path)),
        ("/logout", Method::Post) => Box::pin(login::sign_out(call)),
        ("/account/apps", Method::Get) => Box::pin(account::list(call)),
        ("/account/apps/disconnect", Method::Get) => Box::pin(account::confirm(call)),
        ("/account/apps/disconnect", Method::Post) => Box::pin(account::disconnect(call)),
        (path, method) if serves(profile::methods(path), &method) => Box::pin(profile::answer(call, path, method)),
        (health::HERE, Method::Get) => Box::pin(health::answer(call)),
        ("/platform.css", Method::Get) => return Ok(style_sheet(call)),
        (path, Method::Get) if path.starts_with("/logo/") => Box::pin(logo::answer(call)),
        #[cfg(feature = "development")]
        (path, method) if path.starts_with("/__dev/") => Box::pin(crate::development::answer(call, method)),
        (path, _) => return Ok(not_served(call, path, place)),
    };
    answering.await
}

#[cfg(feature = "portal")]
async fn in_portal(call: &mut Call, path: &str, place: Place, method: Method) -> Result<Answer, Fault> {
    let answering: Answering<'_> = match (path, method) {
        (setup::HERE, Method::Get) => Box::pin(setup::form(call)),
        (setup::HERE, Method::Post) => Box::pin(setup::submit(call)),
        (path, method) if serves(activity::methods(path), &method) => Box::pin(activity::answer(call, path)),
        ("/marketplace", Method::Get) => Box::pin(marketplace::list_apps(call)),
        (path, method) if serves(below(path, "/developers").map_or("", developers::methods), &method) => {
            developers::answer(call, below(path, "/developers").unwrap_or_default(), method == Method::Post)
        }
        (path, method) if serves(below(path, "/admin").map_or("", admin::methods), &method) => {
            admin::answer(call, below(path, "/admin").unwrap_or_default(), method == Method::Post)
        }
        (path, method) if serves(keys::methods(call, path), &method) => Box::pin(keys::answer(call, path, method)),
        (path, method) if path.starts_with("/manage/v1/") => Box::pin(manage::answer(call, method)),
        (path, _) => return Ok(not_served(call, path, place)),
    };
    answering.await
}

/// What follows a prefix that ends at a segment.
fn below<'a>(path: &'a str, prefix: &str) -> Option<&'a str> {
    path.strip_prefix(prefix).filter(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Whether a list of methods has this one.
fn serves(methods: &str, method: &Method) -> bool {
    methods.split(", ").any(|known| known == method.as_ref())
}

#[cfg(feature = "protocol")]
async fn at_endpoint(call: &mut Call, path: &str, endpoint: Endpoint, method: Method) -> Result<Answer, Fault> {
    let answering: Answering<'_> = match (endpoint, method) {
        (Endpoint::Authorize, Method::Get | Method::Post) => Box::pin(authorize::answer(call)),
        (Endpoint::Decision, Method::Post) => Box::pin(decision::answer(call)),
        (Endpoint::Token | Endpoint::Refresh, Method::Post) => Box::pin(token::answer(call, endpoint)),
        (Endpoint::Revoke, Method::Post) => Box::pin(revoke::answer(call)),
        (Endpoint::Introspect, Method::Post) => Box::pin(introspect::answer(call)),
        (Endpoint::Token | Endpoint::Refresh | Endpoint::Revoke, Method::Options) => return Ok(Answer::preflight("POST")),
        (Endpoint::Me, Method::Get) if me_takes(call, MeMethod::Get) => Box::pin(me::answer(call)),
        (Endpoint::Me, Method::Post) if me_takes(call, MeMethod::Post) => Box::pin(me::answer(call)),
        (Endpoint::Me, Method::Options) => return Ok(Answer::preflight(me_methods(call))),
        _ => return Ok(not_served(call, path, Place::Endpoint(endpoint))),
    };
    answering.await
}

fn me_takes(call: &Call, method: MeMethod) -> bool {
    call.config.policy.me.methods.contains(&method)
}

fn me_methods(call: &Call) -> &'static str {
    match (me_takes(call, MeMethod::Get), me_takes(call, MeMethod::Post)) {
        (true, true) => "GET, POST",
        (true, false) => "GET",
        _ => "POST",
    }
}

/// `GET /platform.css`: the policy's colour on top of the pages' style sheet.
fn style_sheet(call: &Call) -> Answer {
    match &call.config.style_sheet {
        Some(text) => Answer::bytes("text/css; charset=utf-8", text.clone().into_bytes()).with("cache-control", "public, max-age=300"),
        None => not_served(call, "", Place::Page),
    }
}

/// The methods of a known address.
fn allowed(call: &Call, path: &str, place: Place) -> &'static str {
    match place {
        Place::Endpoint(Endpoint::Authorize) => "GET, HEAD, POST",
        Place::Endpoint(Endpoint::Decision) => "POST",
        Place::Endpoint(Endpoint::Token | Endpoint::Refresh | Endpoint::Revoke) => "POST, OPTIONS",
        Place::Endpoint(Endpoint::Introspect) => "POST",
        Place::Endpoint(Endpoint::Me) => match me_methods(call) {
            "GET, POST" => "GET, HEAD, POST, OPTIONS",
            "GET" => "GET, HEAD, OPTIONS",
            _ => "POST, OPTIONS",
        },
        Place::WellKnown if path == METADATA => "GET, HEAD, OPTIONS",
        Place::WellKnown => resource_metadata::methods(call, path),
        Place::Page => match path {
            "/login" | "/account/apps/disconnect" => "GET, HEAD, POST",
            setup::HERE if call.config.setup_token.is_some() => "GET, HEAD, POST",
            "/logout" => "POST",
            "/account/apps" => "GET, HEAD",
            "/marketplace" | health::HERE => "GET, HEAD",
            _ if path.starts_with("/logo/") => "GET, HEAD",
            path if !keys::methods(call, path).is_empty() => keys::methods(call, path),
            _ if !activity::methods(path).is_empty() => activity::methods(path),
            _ if !profile::methods(path).is_empty() => profile::methods(path),
            _ => below(path, "/developers")
                .map(developers::methods)
                .or_else(|| below(path, "/admin").map(admin::methods))
                .unwrap_or_else(|| provider::methods(call, path)),
        },
        _ => "",
    }
}

/// 405 with `Allow` for a known path, else 404.
fn not_served(call: &Call, path: &str, place: Place) -> Answer {
    let allowed = allowed(call, path, place);
    let known = !allowed.is_empty();
    let (token_error, resource_error) = (TokenError::Method, if known { ResourceError::Method } else { ResourceError::NotFound });
    let answer = match place {
        Place::Endpoint(Endpoint::Token | Endpoint::Refresh | Endpoint::Revoke) => refusal::token(call, token_error),
        Place::Endpoint(Endpoint::Introspect) => refusal::introspection(token_error),
        Place::Endpoint(Endpoint::Me) | Place::Api | Place::WellKnown => refusal::resource(call, resource_error, ""),
        Place::Manage => manage::problem(404, "There is nothing at this address"),
        Place::Endpoint(_) | Place::Page if known => Answer::page(405, &NoticePage::method_not_allowed(frame(call), allowed)),
        Place::Endpoint(_) | Place::Page => Answer::page(404, &NoticePage::not_found(frame(call))),
    };
    let answer = if place.is_cross_origin() { call.readable_anywhere(answer) } else { answer };
    if known { answer.with("allow", allowed) } else { answer }
}

#[cfg(test)]
mod tests {
    use super::is_portal;

    #[test]
    fn the_portal_has_the_addresses_of_its_list_and_what_is_below_them() {
        for path in ["/account/keys/new", "/account/activity.csv", "/admin/setup", "/developers", "/marketplace", "/manage/v1/apps"] {
            assert!(is_portal(path), "{path}");
        }
        for path in [
            "/",
            "/login",
            "/login/acme",
            "/logout",
            "/account/apps",
            "/account/keysx",
            "/logo/x",
            "/oauth/token",
            "/accounts",
            "/administrator",
            "/api/v1/me",
        ] {
            assert!(!is_portal(path), "{path}");
        }
    }
}
