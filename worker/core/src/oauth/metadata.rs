//! Authorization server metadata (RFC 8414). Lists without elements are left out (§3.2); every
//! address that is named answers.

use serde::Serialize;

use super::client_auth::INTROSPECTION_AUTH;
use crate::policy::{AuthMethod, Policy};

/// The metadata document.
#[derive(Debug, Serialize)]
pub struct Metadata<'a> {
    issuer: &'a str,
    authorization_endpoint: String,
    token_endpoint: String,
    revocation_endpoint: String,
    introspection_endpoint: String,
    response_types_supported: [&'static str; 1],
    response_modes_supported: [&'static str; 1],
    grant_types_supported: [&'static str; 2],
    code_challenge_methods_supported: [&'static str; 1],
    token_endpoint_auth_methods_supported: Vec<AuthMethod>,
    revocation_endpoint_auth_methods_supported: Vec<AuthMethod>,
    introspection_endpoint_auth_methods_supported: &'static [AuthMethod],
    scopes_supported: Vec<&'a str>,
    authorization_response_iss_parameter_supported: bool,
}

impl<'a> Metadata<'a> {
    /// The document of a deployment.
    #[must_use]
    pub fn new(issuer: &'a str, policy: &'a Policy) -> Self {
        let first = |paths: &[String]| format!("{issuer}{}", paths.first().map_or("", String::as_str));
        let mut methods = policy.token.auth_methods.clone();
        // Public clients name themselves under every policy.
        if !methods.contains(&AuthMethod::None) {
            methods.push(AuthMethod::None);
        }
        Self {
            issuer,
            authorization_endpoint: first(&policy.routes.authorize),
            token_endpoint: first(&policy.routes.token),
            revocation_endpoint: first(&policy.routes.revoke),
            introspection_endpoint: first(&policy.routes.introspect),
            response_types_supported: ["code"],
            response_modes_supported: ["query"],
            grant_types_supported: ["authorization_code", "refresh_token"],
            code_challenge_methods_supported: ["S256"],
            token_endpoint_auth_methods_supported: methods.clone(),
            revocation_endpoint_auth_methods_supported: methods,
            introspection_endpoint_auth_methods_supported: INTROSPECTION_AUTH,
            scopes_supported: policy.scopes.catalogue.iter().map(|entry| entry.name.as_str()).collect(),
            authorization_response_iss_parameter_supported: true,
        }
    }
}
