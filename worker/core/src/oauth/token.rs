//! Token requests and answers (RFC 6749 §4.1.3, §5, §6).

use serde::Serialize;

use super::params::Params;
use super::scope::ScopeSet;
use super::token_error::{TokenError, TokenRefusal};
use crate::policy::{Member, Policy};

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

/// What else a token request may be.
#[derive(Clone, Copy, Debug)]
pub struct Transport<'a> {
    /// Sent to an address for refreshes.
    pub at_refresh: bool,
    /// A refresh token from the header, where the policy allows one.
    pub header: Option<&'a str>,
}

impl TokenRequest {
    /// Reads a request.
    ///
    /// # Errors
    /// What is missing, doubled or not served.
    pub fn parse(params: &Params, policy: &Policy, transport: Transport<'_>) -> Result<Self, TokenRefusal> {
        match params.get("grant_type")? {
            Some("refresh_token") => Self::refresh(params, policy, transport.header),
            Some(other) if transport.at_refresh => Err(TokenRefusal::quoting(TokenError::GrantTypeAtRefresh, other)),
            Some("authorization_code") => Ok(Self::Code {
                code: params.get("code")?.ok_or(TokenError::CodeMissing)?.to_owned(),
                redirect_uri: params.get("redirect_uri")?.map(str::to_owned),
                verifier: params.get("code_verifier")?.map(str::to_owned),
            }),
            Some(other) => Err(TokenRefusal::quoting(TokenError::GrantTypeUnknown, other)),
            None if transport.at_refresh => Err(TokenError::GrantTypeMissingAtRefresh.into()),
            None => Err(TokenError::GrantTypeMissing.into()),
        }
    }

    fn refresh(params: &Params, policy: &Policy, header: Option<&str>) -> Result<Self, TokenRefusal> {
        let token = match (params.get("refresh_token")?, header) {
            (Some(_), Some(_)) => return Err(TokenError::RefreshTokenTwice.into()),
            (Some(token), None) | (None, Some(token)) => token.to_owned(),
            (None, None) => return Err(TokenError::RefreshTokenMissing.into()),
        };
        let scope = params.get("scope")?.map(|text| ScopeSet::parse(text, policy.scopes.separator)).transpose();
        let scope = scope.map_err(|bad| TokenRefusal::quoting(TokenError::ScopeMalformed, bad))?;
        Ok(Self::Refresh { token, scope: scope.filter(|scope| !scope.is_empty()) })
    }
}

/// A successful answer (RFC 6749 §5.1), with the members that the policy sends.
#[derive(Debug, Serialize)]
pub struct TokenAnswer<'a> {
    access_token: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_type: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_in: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<&'a str>,
}

/// What there is to answer with.
#[derive(Debug)]
pub struct Tokens<'a> {
    /// The access token.
    pub access: String,
    /// The refresh token to keep.
    pub refresh: String,
    /// Seconds that the access token still lives.
    pub expires_in: u64,
    /// What the access token may do.
    pub scope: &'a str,
    /// Whether that is not what was asked for: then it is told whatever the policy says (§5.1).
    pub scope_differs: bool,
}

impl<'a> TokenAnswer<'a> {
    /// The answer with these members.
    #[must_use]
    pub fn new(tokens: Tokens<'a>, members: &[Member], token_type: &'a str) -> Self {
        let sent = |member| members.contains(&member);
        Self {
            access_token: tokens.access,
            token_type: sent(Member::TokenType).then_some(token_type),
            expires_in: sent(Member::ExpiresIn).then_some(tokens.expires_in),
            refresh_token: sent(Member::RefreshToken).then_some(tokens.refresh),
            scope: (sent(Member::Scope) || tokens.scope_differs).then_some(tokens.scope),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::error::ErrorCode;
    use crate::policy::tests::default_policy;

    fn parse(body: &str, at_refresh: bool, header: Option<&str>) -> Result<TokenRequest, TokenError> {
        let params = Params::parse(body.as_bytes());
        TokenRequest::parse(&params, &default_policy(), Transport { at_refresh, header }).map_err(|refusal| refusal.error)
    }

    fn error(body: &str) -> Option<ErrorCode> {
        parse(body, false, None).err().map(|error| error.wire().error)
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

    #[test]
    fn an_address_for_refreshes_takes_nothing_else_and_one_token_a47() {
        let refresh = "grant_type=refresh_token";
        assert!(parse(refresh, true, Some("x")).is_ok());
        assert_eq!(parse(&format!("{refresh}&refresh_token=x"), true, Some("x")).err(), Some(TokenError::RefreshTokenTwice));
        assert_eq!(parse("grant_type=authorization_code&code=x", true, None).err(), Some(TokenError::GrantTypeAtRefresh));
    }

    #[test]
    fn a_scope_that_differs_is_told_whatever_the_policy_says() {
        let answer = |scope_differs| {
            let tokens = Tokens { access: "a".into(), refresh: "r".into(), expires_in: 5, scope: "s", scope_differs };
            serde_json::to_string(&TokenAnswer::new(tokens, &[Member::RefreshToken], "Bearer")).unwrap()
        };
        assert_eq!(answer(false), r#"{"access_token":"a","refresh_token":"r"}"#);
        assert_eq!(answer(true), r#"{"access_token":"a","refresh_token":"r","scope":"s"}"#);
    }
}
