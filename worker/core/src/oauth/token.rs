//! Token requests and answers (RFC 6749 §4.1.3, §5, §6).

use serde::Serialize;

use super::error::{ErrorCode, Refusal};
use super::params::Params;
use super::scope::ScopeSet;

/// A token request after its client has proven itself.
#[derive(Clone, PartialEq, Eq)]
pub enum TokenRequest {
    /// RFC 6749 §4.1.3.
    Code {
        /// The code's text.
        code: String,
        /// The redirect URI, when sent.
        redirect_uri: Option<String>,
        /// RFC 7636 §4.5.
        verifier: Option<String>,
    },
    /// RFC 6749 §6.
    Refresh {
        /// The refresh token's text.
        token: String,
        /// A narrower scope, when asked for.
        scope: Option<ScopeSet>,
    },
}

impl TokenRequest {
    /// Reads a request.
    ///
    /// # Errors
    /// `invalid_request`, `unsupported_grant_type` or `invalid_scope`.
    pub fn parse(params: &Params) -> Result<Self, Refusal> {
        let missing = |name: &str| Refusal::new(ErrorCode::InvalidRequest, format!("{name} is missing"));
        match params.get("grant_type")? {
            Some("authorization_code") => Ok(Self::Code {
                code: params.get("code")?.ok_or_else(|| missing("code"))?.to_owned(),
                redirect_uri: params.get("redirect_uri")?.map(str::to_owned),
                verifier: params.get("code_verifier")?.map(str::to_owned),
            }),
            Some("refresh_token") => Ok(Self::Refresh {
                token: params.get("refresh_token")?.ok_or_else(|| missing("refresh_token"))?.to_owned(),
                scope: params.get("scope")?.map(ScopeSet::parse).transpose()?,
            }),
            Some(_) => {
                let description = "grant_type must be authorization_code or refresh_token";
                Err(Refusal::new(ErrorCode::UnsupportedGrantType, description))
            }
            None => Err(missing("grant_type")),
        }
    }
}

/// A successful answer (RFC 6749 §5.1).
#[derive(Debug, Serialize)]
pub struct TokenAnswer<'a> {
    /// The access token.
    pub access_token: String,
    /// `Bearer`, in the policy's spelling.
    pub token_type: &'a str,
    /// Seconds that the access token still lives.
    pub expires_in: u64,
    /// The refresh token to keep.
    pub refresh_token: String,
    /// What the access token may do: always sent.
    pub scope: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(body: &str) -> Option<ErrorCode> {
        TokenRequest::parse(&Params::parse(body.as_bytes())).err().map(|refusal| refusal.error)
    }

    #[test]
    fn what_is_missing_doubled_or_not_served_is_named_tk_28_tk_29_tk_30() {
        assert_eq!(error("grant_type=authorization_code&code=x"), None);
        assert_eq!(error("grant_type=refresh_token&refresh_token=x&scope=a&client_secret="), None);
        for (body, code) in [
            ("", ErrorCode::InvalidRequest),
            ("grant_type=password&username=a&password=b", ErrorCode::UnsupportedGrantType),
            ("grant_type=client_credentials", ErrorCode::UnsupportedGrantType),
            ("grant_type=authorization_code", ErrorCode::InvalidRequest),
            ("grant_type=authorization_code&code=", ErrorCode::InvalidRequest),
            ("grant_type=authorization_code&code=a&code=a", ErrorCode::InvalidRequest),
            ("grant_type=refresh_token", ErrorCode::InvalidRequest),
            ("grant_type=refresh_token&refresh_token=x&scope=%22", ErrorCode::InvalidScope),
            ("grant_type=refresh_token&grant_type=refresh_token&refresh_token=x", ErrorCode::InvalidRequest),
        ] {
            assert_eq!(error(body), Some(code), "{body}");
        }
    }
}
