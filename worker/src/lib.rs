//! Edgegrant: an OAuth 2.0 authorization server on Cloudflare Workers.
//!
//! This crate is the edge shell around `edgegrant_core`, which decides. Map:
//!
//! | module | holds |
//! |---|---|
//! | [`routes`] | the HTTP contract, one file per endpoint |
//! | [`objects`] | the Durable Objects: load, ask the core, write once, answer |
//! | [`operations`] | what people and programs do with apps, accounts and keys |
//! | [`store`] | KV and D1: one statement, batch or key per function |
//! | [`oidc`] | identity providers: metadata, keys, exchange, signatures |
//! | [`protocol`] | the way from the pages to the protocol, which may be in another module |
//! | [`access`] | may this token or key be used now: the one check behind all resources |
//! | [`binding`] | the same check for Workers that are bound to this one |
//! | [`allowance`] | is the use within every limit: blocks of wide ones, remembered refusals |
//! | [`lease`] | copies of app records, at most 5 seconds old |
//! | [`mail`] | notices, after the answer |
//! | [`log`], [`metrics`] | what operators see: lines, counters |
//! | [`pages`] | view structs of the HTML templates |
//! | [`upstream`] | the platform's own API behind the gateway |
//! | [`refusal`] | refusals in the policy's words |
//! | [`config`], [`platform`] | settings, keys, policy; clock, randomness, address |
//!
//! No panic is reachable from input: here a panic stalls the request and takes the memory of objects
//! in the same isolate with it.

// A module of one half is built without what only the other half calls.
#![cfg_attr(not(all(feature = "portal", feature = "protocol")), allow(dead_code, unused_imports, unreachable_pub))]

mod access;
mod allowance;
mod answer;
#[cfg(feature = "protocol")]
pub mod binding;
mod call;
mod config;
#[cfg(feature = "development")]
mod development;
mod failures;
mod fault;
mod lease;
mod log;
mod mail;
mod metrics;
mod multipart;
pub mod objects;
mod oidc;
mod operations;
mod outbound;
mod pages;
mod platform;
mod protocol;
mod refusal;
mod routes;
mod store;
mod unproven;
mod upstream;

use worker::{Context, Env, Method, Request, ScheduleContext, ScheduledEvent, event, web_sys};

use crate::answer::Answer;
use crate::call::{Call, split_address};
use crate::pages::{Frame, Nav, NoticePage};

const UNNAMED: Frame<'static> = Frame {
    platform: "Edgegrant",
    account: "business account",
    themed: false,
    person: None,
    csrf: None,
    nav: Nav { develops: false, keys: false, staff: false },
};

#[event(fetch)]
async fn fetch(request: Request, env: Env, context: Context) -> worker::Result<web_sys::Response> {
    let Some(config) = config::config(&env) else {
        return Answer::page(503, &NoticePage::set_up_unfinished(UNNAMED)).into_response(false);
    };
    let address = request.inner().url();
    let Some((host, path, query)) = split_address(&address) else {
        return Answer::page(400, &NoticePage::bad_request(UNNAMED)).into_response(config.secure);
    };
    // One host: `Host` never enters an address, cookie or rate key (attack A26).
    if host != config.host {
        return Answer::page(421, &NoticePage::wrong_host(Frame::of(&config.policy.platform), &config.issuer)).into_response(config.secure);
    }
    let started_ms = platform::now_ms();
    let head = request.method() == Method::Head;
    let mut call = Call::new(request, path, query, env, std::rc::Rc::new(context), config);
    let tally = metrics::Tally::new(log::request_id(call.header("cf-ray")));
    let answer = metrics::watched(&tally, Box::pin(routes::answer(&mut call))).await;
    let duration_ms = platform::now_ms().saturating_sub(started_ms);
    log::request(&call, &answer, &tally, duration_ms);
    failures::note(&call, &answer);
    let answer = if head { answer.headers_only() } else { answer };
    let answer = answer.with("x-request-id", &tally.id);
    #[cfg(feature = "development")]
    let answer = answer.with("server-timing", &tally.server_timing(duration_ms));
    answer.into_response(call.config.secure)
}

#[cfg(feature = "portal")]
#[event(scheduled)]
async fn scheduled(_: ScheduledEvent, env: Env, _: ScheduleContext) {
    if let Some(config) = config::config(&env) {
        daily(&env, &config).await;
    }
}

/// What is done once a day. A part that fails keeps none of the others from being done.
async fn daily(env: &Env, config: &config::Config) {
    if let Err(fault) = store::sweep(env, config.policy.audit.keep_days, platform::now_s()).await {
        log::fault("daily sweep", &fault);
    }
    if let Err(fault) = store::rotation::renew(env, config).await {
        log::fault("daily rotation", &fault);
    }
    if let Err(fault) = operations::keys::sweep(env, config, platform::now_s()).await {
        log::fault("daily sweep of keys", &fault);
    }
}
