//! Requests and answers of the OAuth endpoints, one file per concern.

pub mod authorize;
pub mod bearer;
pub mod client_auth;
pub mod consent;
pub mod error;
pub mod metadata;
pub mod params;
pub mod pkce;
pub mod redirect_uri;
pub mod resource_error;
pub mod scope;
pub mod token;
pub mod token_error;
