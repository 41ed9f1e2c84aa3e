//! The metadata of a server (RFC 8414, OpenID Connect Discovery 1.0, RFC 9207 §3).

use alloc::string::String;

use crate::error::{Code, Failure};
use crate::form::{Form, push, same};

/// Reads metadata, of which `body` holds the fields that are texts or booleans, for `issuer` in `asked`.
///
/// The issuer must be the same text (RFC 8414 §3.3). The result is a record with `issuer`,
/// `authorization_endpoint`, `token_endpoint`, perhaps `revocation_endpoint`, and `iss`: `1` when the
/// server says that it names itself in every answer, else `0`.
pub fn settings<'a>(asked: Form<'a>, body: Form<'a>) -> Result<String, Failure> {
    let issuer = asked.field("issuer");
    if issuer.is_empty() || !same(body.field("issuer"), issuer) {
        return Err(Code::IssuerMismatch.into());
    }
    let mut record = String::new();
    push(&mut record, "issuer", issuer);
    for name in &["authorization_endpoint", "token_endpoint", "revocation_endpoint"] {
        let value = body.field(name);
        if !value.is_empty() {
            push(&mut record, name, value);
        } else if !same(name, "revocation_endpoint") {
            return Err(Failure::about(Code::InvalidResponse, name));
        }
    }
    let named = same(body.field("authorization_response_iss_parameter_supported"), "true");
    push(&mut record, "iss", if named { "1" } else { "0" });
    Ok(record)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ASKED: Form<'_> = Form("issuer=https%3A%2F%2Fas.example");

    #[test]
    fn a_server_describes_itself() {
        let body = "issuer=https://as.example&authorization_endpoint=a&token_endpoint=t&scopes=x";
        let record = "issuer=https%3A%2F%2Fas.example&authorization_endpoint=a&token_endpoint=t";
        assert_eq!(settings(ASKED, Form(body)).unwrap(), record.to_owned() + "&iss=0");
        let more = body.to_owned() + "&revocation_endpoint=r&authorization_response_iss_parameter_supported=true";
        assert_eq!(settings(ASKED, Form(&more)).unwrap(), record.to_owned() + "&revocation_endpoint=r&iss=1");
    }

    #[test]
    fn rfc8414_3_3_another_issuer_is_refused() {
        for issuer in ["https://as.example/", "https://AS.example", "", "https://evil.example"] {
            let body = "authorization_endpoint=a&token_endpoint=t&issuer=".to_owned() + issuer;
            assert_eq!(settings(ASKED, Form(&body)).unwrap_err(), Code::IssuerMismatch.into(), "{issuer}");
        }
        assert_eq!(settings(Form(""), Form("token_endpoint=t")).unwrap_err(), Code::IssuerMismatch.into());
    }

    #[test]
    fn a_server_without_the_endpoints_of_a_login_is_no_use() {
        for name in ["authorization_endpoint", "token_endpoint"] {
            let body = "issuer=https://as.example&authorization_endpoint=a&token_endpoint=t".replace(name, "other");
            assert_eq!(settings(ASKED, Form(&body)).unwrap_err(), Failure::about(Code::InvalidResponse, name));
        }
    }
}
