//! The token response (RFC 6749 §5.1, RFC 9449 §5).

use alloc::string::String;

use crate::error::{Code, Failure};
use crate::form::{Form, decimal, number, push, same_lowercase};

/// Reads a success of the token endpoint, of which `body` holds the fields that are texts or numbers.
///
/// `asked` is a record with what the request had: perhaps `refresh_token` and `scope`, and `dpop` when
/// the tokens have to be bound to a key. The result is a record with `access_token`, `token_type`, and
/// perhaps `expires_at` in milliseconds since 1970, `refresh_token` and `scope`.
pub fn accept<'a>(asked: Form<'a>, body: Form<'a>, now: u64) -> Result<String, Failure> {
    let invalid = |field| Failure::about(Code::InvalidResponse, field);
    let access_token = body.field("access_token");
    if access_token.is_empty() {
        return Err(invalid("access_token"));
    }
    // Never a silent downgrade: who asked for a bound token takes no other (RFC 9449 §5).
    let token_type = if asked.field("dpop").is_empty() { "Bearer" } else { "DPoP" };
    if !same_lowercase(body.field("token_type"), token_type) {
        return Err(invalid("token_type"));
    }
    let mut record = String::new();
    push(&mut record, "access_token", access_token);
    push(&mut record, "token_type", token_type);
    let seconds = body.field("expires_in");
    if !seconds.is_empty() {
        // A fraction of a second is nobody's life.
        let whole = crate::form::cut(seconds, b'.').map_or(seconds, |(whole, _)| whole);
        let seconds = number(whole).ok_or(invalid("expires_in"))?;
        push(&mut record, "expires_at", &decimal(now.saturating_add(seconds.saturating_mul(1000))));
    }
    // A server that does not rotate sends no new refresh token, so the one in use stays (§6); one that
    // grants what was asked for may leave out the scope.
    for name in &["refresh_token", "scope"] {
        let came = body.field(name);
        let value = if came.is_empty() { asked.field(name) } else { came };
        if !value.is_empty() {
            push(&mut record, name, value);
        }
    }
    Ok(record)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &str = "access_token=at&token_type=bearer&expires_in=60&refresh_token=new&scope=a+b";

    fn read<'a>(asked: &'a str, body: &'a str) -> Result<String, Failure> {
        accept(Form(asked), Form(body), 5_000)
    }

    #[test]
    fn a_success_becomes_tokens_with_an_end() {
        let record = "access_token=at&token_type=Bearer&expires_at=65000&refresh_token=new&scope=a+b";
        assert_eq!(read("", BODY).unwrap(), record);
        assert_eq!(read("", "access_token=at&token_type=BEARER").unwrap(), "access_token=at&token_type=Bearer");
    }

    #[test]
    fn what_the_server_leaves_out_stays_as_asked() {
        let record = read("refresh_token=old&scope=a", "access_token=at&token_type=Bearer").unwrap();
        assert_eq!(record, "access_token=at&token_type=Bearer&refresh_token=old&scope=a");
    }

    #[test]
    fn a_bound_token_is_taken_by_who_asked_for_one_and_by_nobody_else() {
        let bound = "access_token=at&token_type=dpop";
        assert_eq!(read("dpop=1", bound).unwrap(), "access_token=at&token_type=DPoP");
        for (asked, body) in [("dpop=1", BODY), ("", bound)] {
            assert_eq!(read(asked, body).unwrap_err(), Failure::about(Code::InvalidResponse, "token_type"));
        }
    }

    #[test]
    fn a_broken_success_is_refused_with_the_field() {
        for (body, field) in [
            ("", "access_token"),
            ("access_token=&token_type=Bearer", "access_token"),
            ("access_token=a&access_token=b&token_type=Bearer", "access_token"),
            ("access_token=at", "token_type"),
            ("access_token=at&token_type=mac", "token_type"),
            ("access_token=at&token_type=bearerx", "token_type"),
            ("access_token=at&token_type=Bearer&expires_in=-1", "expires_in"),
            ("access_token=at&token_type=Bearer&expires_in=soon", "expires_in"),
        ] {
            assert_eq!(read("", body).unwrap_err(), Failure::about(Code::InvalidResponse, field), "{body}");
        }
    }

    #[test]
    fn lives_without_end_do_not_overflow() {
        let record = read("", "access_token=at&token_type=Bearer&expires_in=999999999999999999").unwrap();
        assert!(record.contains("expires_at=18446744073709551615"));
        assert!(read("", "access_token=at&token_type=Bearer&expires_in=59.9").unwrap().contains("expires_at=64000"));
    }
}
