//! The OAuth 2.0 protocol of Edgegrant: RFC 6749, 6750, 7009, 7636, 8252, 8414, 9207 and RFC 9700;
//! OpenID Connect Core and Discovery 1.0 as a client.
//!
//! Everything here is a function of its arguments: no clock, no randomness, no I/O, no `worker`,
//! no JavaScript. Time comes in as `now_ms` (milliseconds since 1970) or `now_s` (seconds), random
//! bytes as arrays. The edge shell asks these functions what to do, writes once, and answers.
//!
//! | module | decides |
//! |---|---|
//! | [`keys`], [`seal`], [`credential`] | what a key, a sealed value, a token, a code and a client id look like |
//! | [`policy`] | every number and switch on which deployments differ |
//! | [`app`] | what is known of a client, and whether it has proven itself |
//! | [`oauth`] | requests and answers of the endpoints |
//! | [`oidc`] | sign-in at the platform's identity provider |
//! | [`grant`] | token families: claim, rotation, replay, revocation, limits |
//! | [`gateway`] | what goes through to the platform's own API, and how it is signed |
//! | [`rate`] | windows that never pass their limit, with few writes |
//! | [`person`] | passwords, sessions and forms |
//! | [`calendar`] | points in time, for people and for JSON |
//! | [`foreign`] | texts of others, fit to be shown |
//! | [`notice`] | what is told by e-mail, and in which words |
//! | [`json`] | JSON into types; nothing reads JSON but through it |

pub mod app;
pub mod calendar;
pub mod credential;
pub mod encoding;
pub mod foreign;
pub mod gateway;
pub mod grant;
pub mod json;
pub mod keys;
pub mod notice;
pub mod oauth;
pub mod oidc;
pub mod password;
pub mod person;
pub mod policy;
pub mod rate;
pub mod seal;
