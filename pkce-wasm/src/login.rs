//! The start of a login: the authorization request (RFC 6749 §4.1.1, RFC 7636 §4.3).

use alloc::string::String;

use crate::error::{Code, Failure};
use crate::form::{Form, base64url, cut, decimal, decoded, push, push_plain, same};
use crate::pkce;

/// Random bytes one login needs: the verifier's and 192 bits for the state.
pub const RANDOM_BYTES: usize = pkce::VERIFIER_BYTES + STATE_BYTES;
const STATE_BYTES: usize = 24;

/// Parameters that belong to this module and that an app cannot set.
const RESERVED: [&str; 7] = ["client_id", "code_challenge", "code_challenge_method", "redirect_uri", "response_type", "scope", "state"];

/// Makes the authorization request.
///
/// `wishes` is a record with `issuer`, `client_id` and `redirect_uri`, perhaps `scope`, `return_to`
/// and `iss` (`0`: this server sends no `iss`); `extra` is a form of further parameters. The result
/// is a record with the `query` of the request, its `state`, the `verifier`, and the `flow`: what
/// has to be remembered until the answer comes.
pub fn begin<'a>(wishes: &'a str, extra: &'a str, random: &[u8; RANDOM_BYTES], now: u64) -> Result<String, Failure<'a>> {
    let wishes = Form(wishes);
    let (Some(for_verifier), Some(for_state)) = (random.first_chunk(), random.last_chunk::<STATE_BYTES>()) else {
        return Err(Code::Unsupported.into());
    };
    let verifier = pkce::verifier(for_verifier);
    let state = base64url(for_state);

    let mut query = String::new();
    let mut flow = String::new();
    push(&mut query, "response_type", "code");
    for name in &["client_id", "redirect_uri", "issuer"] {
        if wishes.field(name).is_empty() {
            return Err(Failure::about(Code::ConfigInvalid, name));
        }
    }
    if !is_local_path(wishes.field("return_to")) {
        return Err(Failure::about(Code::ConfigInvalid, "return_to"));
    }
    for name in &["client_id", "redirect_uri", "scope", "issuer", "iss", "return_to"] {
        let value = wishes.field(name);
        if !value.is_empty() {
            push(&mut flow, name, value);
            if RESERVED.contains(name) {
                push(&mut query, name, value);
            }
        }
    }
    push(&mut query, "state", &state);
    push(&mut query, "code_challenge", &pkce::challenge(&verifier));
    push(&mut query, "code_challenge_method", "S256");
    for pair in Form(extra) {
        let (name, value) = cut(pair, b'=').unwrap_or((pair, ""));
        if RESERVED.iter().any(|reserved| same(name, reserved)) {
            return Err(Failure::about(Code::ConfigInvalid, name));
        }
        push(&mut query, name, value);
    }
    push(&mut flow, "state", &state);
    push(&mut flow, "verifier", &verifier);
    push(&mut flow, "created_at", &decimal(now));

    let mut record = String::new();
    push_plain(&mut record, "query", &query);
    push_plain(&mut record, "flow", &flow);
    push(&mut record, "state", &state);
    push(&mut record, "verifier", &verifier);
    Ok(record)
}

/// Whether a text, escaped, is empty or can only lead back into the app's own origin. `//host` and
/// `/\host` leave it, and so does either with a tab or a line break inside, which URL parsers remove.
fn is_local_path(escaped: &str) -> bool {
    let mut bytes = decoded(escaped).flatten();
    escaped.is_empty()
        || bytes.next() == Some(b'/') && !matches!(bytes.next(), Some(b'/' | b'\\')) && decoded(escaped).flatten().all(|byte| byte >= b' ')
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use alloc::vec::Vec;

    pub(crate) const WISHES: &str = "issuer=https%3A%2F%2Fas.example&client_id=demo+%26+spa\
        &redirect_uri=https%3A%2F%2Fapp.example%2Fcallback&scope=account%3Aread+bookings%3Aread\
        &return_to=%2Forders%3Fpage%3D2%23top&iss=1";

    fn plain(escaped: &str) -> String {
        String::from_utf8(decoded(escaped).map(Option::unwrap).collect::<Vec<_>>()).unwrap()
    }

    /// The flow of a login that `random` was rolled for.
    pub(crate) fn flow_of(wishes: &str, random: u8, now: u64) -> (String, String) {
        let record = begin(wishes, "", &[random; RANDOM_BYTES], now).unwrap();
        let record = Form(&record);
        (plain(record.field("state")), plain(record.field("flow")))
    }

    fn query_of(wishes: &str, extra: &str) -> String {
        let record = begin(wishes, extra, &[7; RANDOM_BYTES], 1_000).unwrap();
        plain(Form(&record).field("query"))
    }

    fn with(name: &str, value: &str) -> String {
        let mut wishes = String::from("issuer=x&client_id=y&redirect_uri=z");
        push_plain(&mut wishes, name, value);
        wishes
    }

    #[test]
    fn asks_for_a_code_with_s256() {
        let record = begin(WISHES, "", &[7; RANDOM_BYTES], 1_000).unwrap();
        let record = Form(&record);
        let query = plain(record.field("query"));
        let parameter = |name| plain(Form(&query).unique(name).unwrap().unwrap());
        assert_eq!(parameter("response_type"), "code");
        assert_eq!(parameter("client_id"), "demo & spa");
        assert_eq!(parameter("redirect_uri"), "https://app.example/callback");
        assert_eq!(parameter("scope"), "account:read bookings:read");
        assert_eq!(parameter("state"), record.field("state"));
        assert_eq!(parameter("code_challenge_method"), "S256");
        assert_eq!(parameter("code_challenge"), pkce::challenge(record.field("verifier")));
        assert_eq!(Form(&query).count(), 7);
        assert_eq!((record.field("verifier").len(), record.field("state").len()), (43, 32));
    }

    #[test]
    fn stored_layout_is_pinned() {
        let (state, flow) = flow_of(WISHES, 0, 7);
        assert_eq!(state, "A".repeat(32));
        let text = "client_id=demo+%26+spa&redirect_uri=https%3A%2F%2Fapp.example%2Fcallback\
                    &scope=account%3Aread+bookings%3Aread&issuer=https%3A%2F%2Fas.example&iss=1\
                    &return_to=%2Forders%3Fpage%3D2%23top&state=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
                    &verifier=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA&created_at=7";
        assert_eq!(flow, text);
    }

    #[test]
    fn state_and_verifier_share_no_randomness() {
        let mut random = [0; RANDOM_BYTES];
        let first = begin(WISHES, "", &random, 0).unwrap();
        random[RANDOM_BYTES - 1] = 1;
        let second = begin(WISHES, "", &random, 0).unwrap();
        assert_eq!(Form(&first).field("verifier"), Form(&second).field("verifier"));
        assert_ne!(Form(&first).field("state"), Form(&second).field("state"));
    }

    #[test]
    fn what_every_login_needs() {
        for name in ["issuer", "client_id", "redirect_uri"] {
            let failure = Failure::about(Code::ConfigInvalid, name);
            let renamed = WISHES.replace(name, "other");
            assert_eq!(begin(&renamed, "", &[0; RANDOM_BYTES], 0), Err(failure));
        }
    }

    #[test]
    fn extra_parameters_are_sent_and_reserved_ones_refused() {
        assert!(query_of(WISHES, "prompt=login&login_hint=a%40b").ends_with("&prompt=login&login_hint=a%40b"));
        for name in RESERVED {
            for name in [name.to_owned(), name.replacen('c', "%63", 1)] {
                let extra = "x=y&".to_owned() + &name + "=x";
                let failure = Failure::about(Code::ConfigInvalid, &name);
                assert_eq!(begin(WISHES, &extra, &[0; RANDOM_BYTES], 0), Err(failure));
            }
        }
    }

    #[test]
    fn return_to_stays_in_the_app() {
        let accepts = |path| begin(&with("return_to", path), "", &[0; RANDOM_BYTES], 0).is_ok();
        for path in ["", "/", "/orders?page=2#top", "/a//b", "/é"] {
            assert!(accepts(path), "{path}");
        }
        for path in ["orders", "//evil.example", "/\\evil.example", "/\t/evil.example", "https://evil.example"] {
            assert!(!accepts(path), "{path}");
        }
    }
}
