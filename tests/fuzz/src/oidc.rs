//! What an identity provider sends.

use edgegrant_core::oidc::discovery::Metadata;
use edgegrant_core::oidc::id_token::IdToken;
use edgegrant_core::oidc::jwks::Jwks;

use crate::text;

/// Metadata names its issuer and leads to https; keys and tokens may be anything.
pub fn metadata(data: &[u8]) {
    const ISSUER: &str = "https://login.example";
    if let Ok(metadata) = Metadata::parse(data, ISSUER, false) {
        for address in [&metadata.authorization_endpoint, &metadata.token_endpoint, &metadata.jwks_uri] {
            assert!(address.to_ascii_lowercase().starts_with("https://"), "{address}");
        }
    }
    let _ = Jwks::parse(data);
    let _ = IdToken::parse(&text(data));
}
