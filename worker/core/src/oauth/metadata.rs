//! Authorization server metadata (RFC 8414). Lists without elements are left out (§3.2); every
//! address that is named answers.

use serde::Serialize;

use crate::policy::{AuthMethod, Policy};

/// The metadata document.
#[derive(Debug, Serialize)]
pub struct Metadata<'a> {
    issuer: &'a str,
    authorization_endpoint: String,
    token_endpoint: String,
    revocation_endpoint: String,
    response_types_supported: [&'static str; 1],
    response_modes_supported: [&'static str; 1],
    grant_types_supported: [&'static str; 2],
    code_challenge_methods_supported: [&'static str; 1],
    token_endpoint_auth_methods_supported: &'a [AuthMethod],
    revocation_endpoint_auth_methods_supported: &'a [AuthMethod],
    scopes_supported: Vec<&'a str>,
    authorization_response_iss_parameter_supported: bool,
}

impl<'a> Metadata<'a> {
    /// The document of a deployment.
    #[must_use]
    pub fn new(issuer: &'a str, policy: &'a Policy) -> Self {
        Self {
            issuer,
            authorization_endpoint: format!("{issuer}/oauth/authorize"),
            token_endpoint: format!("{issuer}/oauth/token"),
            revocation_endpoint: format!("{issuer}/oauth/revoke"),
            response_types_supported: ["code"],
            response_modes_supported: ["query"],
            grant_types_supported: ["authorization_code", "refresh_token"],
            code_challenge_methods_supported: ["S256"],
            token_endpoint_auth_methods_supported: &policy.token.auth_methods,
            revocation_endpoint_auth_methods_supported: &policy.token.auth_methods,
            scopes_supported: policy.scopes.catalogue.iter().map(|entry| entry.name.as_str()).collect(),
            authorization_response_iss_parameter_supported: true,
        }
    }
}
