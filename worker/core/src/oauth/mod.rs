//! Requests and answers of the OAuth endpoints, one file per concern.

pub mod authorize;
pub mod bearer;
pub mod client_auth;
pub mod error;
pub mod metadata;
pub mod params;
pub mod pkce;
pub mod redirect_uri;
pub mod scope;
pub mod token;
