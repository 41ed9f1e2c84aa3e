//! Client authentication (RFC 6749 §2.3, OAuth 2.1 §2.4): Basic, secret in the body, or none, exactly
//! one per request.

use super::params::Params;
use super::token_error::{TokenError, TokenRefusal};
use crate::encoding::from_base64;
use crate::policy::AuthMethod;

/// How resource servers prove themselves at the introspection endpoint, whatever a policy says of apps.
pub const INTROSPECTION_AUTH: &[AuthMethod] = &[AuthMethod::ClientSecretBasic, AuthMethod::ClientSecretPost];

/// What a request says about its client.
#[derive(Clone, PartialEq, Eq)]
pub struct Presented {
    /// The client id.
    pub client_id: String,
    /// The secret, when one was sent.
    pub secret: Option<String>,
    /// How it came.
    pub method: AuthMethod,
}

impl core::fmt::Debug for Presented {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Presented").field("client_id", &self.client_id).field("method", &self.method).finish_non_exhaustive()
    }
}

/// Reads the client from the `Authorization` header and the body.
///
/// # Errors
/// Two methods at once, two different ids, a parameter twice; or no client named, or an
/// `Authorization` header that cannot be read.
pub fn presented(authorization: Option<&str>, params: &Params) -> Result<Presented, TokenRefusal> {
    let body_id = params.get("client_id")?;
    let body_secret = params.get("client_secret")?;
    match (authorization, body_id, body_secret) {
        (Some(_), _, Some(_)) => Err(TokenError::AuthTwice.into()),
        (Some(header), body_id, None) => {
            let (id, secret) = basic(header).ok_or(TokenError::AuthHeader)?;
            if body_id.is_some_and(|other| other != id) {
                return Err(TokenError::ClientIdsDiffer.into());
            }
            let secret = Some(secret).filter(|secret| !secret.is_empty());
            Ok(Presented { client_id: id, secret, method: AuthMethod::ClientSecretBasic })
        }
        (None, Some(id), Some(secret)) => {
            Ok(Presented { client_id: id.to_owned(), secret: Some(secret.to_owned()), method: AuthMethod::ClientSecretPost })
        }
        (None, Some(id), None) => Ok(Presented { client_id: id.to_owned(), secret: None, method: AuthMethod::None }),
        (None, None, _) => Err(TokenError::ClientIdMissing.into()),
    }
}

/// Id and secret of a Basic header, both form-decoded (RFC 6749 §2.3.1). Ids and secrets are minted
/// from an alphabet in which the raw and the encoded form are the same.
fn basic(header: &str) -> Option<(String, String)> {
    let (scheme, value) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(from_base64(value.trim())?).ok()?;
    let (id, secret) = text.split_once(':')?;
    let decode = |half: &str| {
        form_urlencoded::parse(format!("{}=", half.replace('&', "%26").replace('=', "%3D")).as_bytes())
            .next()
            .map(|(name, _)| name.into_owned())
    };
    let id = decode(id).filter(|id| !id.is_empty())?;
    Some((id, decode(secret).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine as _;

    fn header(text: &str) -> String {
        format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(text))
    }

    fn ask(authorization: Option<&str>, body: &str) -> Result<(String, Option<String>, AuthMethod), TokenError> {
        let found = presented(authorization, &Params::parse(body.as_bytes()));
        found.map(|p| (p.client_id, p.secret, p.method)).map_err(|refusal| refusal.error)
    }

    #[test]
    fn the_three_methods_are_told_apart_tk_18_tk_19_tk_24() {
        assert_eq!(ask(Some(&header("id:sec%2Dret")), ""), Ok(("id".into(), Some("sec-ret".into()), AuthMethod::ClientSecretBasic)));
        assert_eq!(
            ask(Some(&header("id:a:b&c=d")), "client_id=id"),
            Ok(("id".into(), Some("a:b&c=d".into()), AuthMethod::ClientSecretBasic))
        );
        assert_eq!(ask(None, "client_id=id&client_secret=s"), Ok(("id".into(), Some("s".into()), AuthMethod::ClientSecretPost)));
        assert_eq!(ask(None, "client_id=id&client_secret="), Ok(("id".into(), None, AuthMethod::None)));
    }

    #[test]
    fn two_methods_at_once_are_a_bad_request_tk_20() {
        for (authorization, body, error) in [
            (Some(header("a:b")), "client_secret=b", TokenError::AuthTwice),
            (Some(header("a:b")), "client_id=other", TokenError::ClientIdsDiffer),
            (None, "client_id=a&client_id=b", TokenError::ParameterTwice),
        ] {
            assert_eq!(ask(authorization.as_deref(), body), Err(error), "{body}");
        }
    }

    #[test]
    fn unreadable_headers_name_no_client() {
        for bad in ["Basic", "Basic !!", "Bearer abc", &header("no-colon"), &header(":secret"), "Basic /w=="] {
            assert_eq!(ask(Some(bad), ""), Err(TokenError::AuthHeader), "{bad}");
        }
        assert_eq!(ask(None, ""), Err(TokenError::ClientIdMissing));
    }
}
