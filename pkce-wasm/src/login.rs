//! The start of a login: the authorization request (RFC 6749 §4.1.1, RFC 7636 §4.3).

use alloc::string::String;

use crate::callback::LIFETIME_MS;
use crate::error::{Code, Failure};
use crate::form::{Form, cut, decimal, decoded, number, push, push_plain, same};
use crate::pkce::{self, VERIFIER_LENGTH};

/// Characters of a state; each carries 6 random bits.
const STATE_LENGTH: usize = 32;
/// How many logins may wait at the same time in one browser, the new one included.
const MOST_SLOTS: usize = 5;

/// Parameters that belong to this module and that an app cannot set.
const RESERVED: [&str; 7] = ["client_id", "code_challenge", "code_challenge_method", "redirect_uri", "response_type", "scope", "state"];

/// Makes the authorization request.
///
/// `asked` is a record with `issuer`, `client_id`, `redirect_uri`, a random `verifier` and `state`,
/// perhaps `scope`, `return_to` and `iss` (`0`: this server sends no `iss`); `extra` is a form of further
/// parameters; `slots` holds when each pending login was started, by its state. The result is a record
/// with the `query` of the request, its `state`, the `verifier`, the `flow`: what has to be remembered
/// until the answer comes, and the slots to `drop`.
pub fn begin<'a>(asked: Form<'a>, extra: &'a str, slots: Form<'_>, now: u64) -> Result<String, Failure> {
    let verifier = pkce::random(asked, "verifier", VERIFIER_LENGTH)?;
    let state = pkce::random(asked, "state", STATE_LENGTH)?;

    let mut query = String::new();
    let mut flow = String::new();
    push(&mut query, "response_type", "code");
    for name in &["client_id", "redirect_uri", "issuer"] {
        if asked.field(name).is_empty() {
            return Err(Failure::about(Code::ConfigInvalid, name));
        }
    }
    if !is_local_path(asked.field("return_to")) {
        return Err(Failure::about(Code::ConfigInvalid, "return_to"));
    }
    for name in &["client_id", "redirect_uri", "scope", "issuer", "iss", "return_to"] {
        let value = asked.field(name);
        if !value.is_empty() {
            push(&mut flow, name, value);
            if RESERVED.contains(name) {
                push(&mut query, name, value);
            }
        }
    }
    push(&mut query, "state", state);
    push(&mut query, "code_challenge", &pkce::challenge(verifier));
    push(&mut query, "code_challenge_method", "S256");
    for pair in Form(extra) {
        let (name, value) = cut(pair, b'=').unwrap_or((pair, ""));
        if RESERVED.iter().any(|reserved| same(name, reserved)) {
            return Err(Failure::about(Code::ConfigInvalid, name));
        }
        push(&mut query, name, value);
    }
    push(&mut flow, "state", state);
    push(&mut flow, "verifier", verifier);
    push(&mut flow, "created_at", &decimal(now));

    let mut record = String::new();
    push_plain(&mut record, "query", &query);
    push_plain(&mut record, "flow", &flow);
    push(&mut record, "state", state);
    push(&mut record, "verifier", verifier);
    push(&mut record, "drop", &stale(slots, now));
    Ok(record)
}

/// The names of the slots that are too old, or too many with the one to come, each with a space behind it. One from far ahead
/// was made before the clock was set back.
fn stale(slots: Form<'_>, now: u64) -> String {
    let mut names = String::new();
    for (place, (name, created_at)) in dated(slots).enumerate() {
        let newer = |(other, (_, other_at)): &(usize, (&str, u64))| (*other_at, *other) > (created_at, place);
        if dated(slots).enumerate().filter(newer).count() >= MOST_SLOTS - 1 || now.abs_diff(created_at) > LIFETIME_MS {
            names.push_str(name);
            names.push('+');
        }
    }
    names
}

/// The slots, each with when it was made; with one that does not say, at the beginning of time.
fn dated(slots: Form<'_>) -> impl Iterator<Item = (&str, u64)> {
    slots.filter_map(|pair| cut(pair, b'=')).map(|(name, created_at)| (name, number(created_at).unwrap_or(0)))
}

/// Whether a text, escaped, is empty or can only lead back into the app's own origin. `//host` and
/// `/\host` leave it, and so does either with a tab or a line break inside, which URL parsers remove.
fn is_local_path(escaped: &str) -> bool {
    decoded(escaped).enumerate().all(|(place, byte)| match (place, byte) {
        (0, byte) => byte == Some(b'/'),
        (1, Some(b'/' | b'\\')) => false,
        (_, byte) => byte >= Some(b' '),
    })
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

    /// A question for a login for which `random` was rolled all the way.
    fn question(wishes: &str, random: char) -> String {
        let rolled = |length| random.to_string().repeat(length);
        [wishes, "&verifier=", &rolled(43), "&state=", &rolled(32)].concat()
    }

    fn begin_with<'a>(question: &'a str, extra: &'a str) -> Result<String, Failure> {
        begin(Form(question), extra, Form(""), 1_000)
    }

    /// The state and the flow of a login for which `random` was rolled all the way.
    pub(crate) fn flow_of(wishes: &str, random: char, now: u64) -> (String, String) {
        let record = begin(Form(&question(wishes, random)), "", Form(""), now).unwrap();
        let record = Form(&record);
        (plain(record.field("state")), plain(record.field("flow")))
    }

    fn query_of(wishes: &str, extra: &str) -> String {
        let record = begin_with(&question(wishes, 'H'), extra).unwrap_or_else(|failure| panic!("{failure:?}"));
        plain(Form(&record).field("query"))
    }

    fn with(name: &str, value: &str) -> String {
        let mut wishes = String::from("issuer=x&client_id=y&redirect_uri=z");
        push_plain(&mut wishes, name, value);
        wishes
    }

    #[test]
    fn asks_for_a_code_with_s256() {
        let question = question(WISHES, 'H');
        let record = begin_with(&question, "").unwrap();
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
        let (state, flow) = flow_of(WISHES, 'A', 7);
        assert_eq!(state, "A".repeat(32));
        let text = "client_id=demo+%26+spa&redirect_uri=https%3A%2F%2Fapp.example%2Fcallback\
                    &scope=account%3Aread+bookings%3Aread&issuer=https%3A%2F%2Fas.example&iss=1\
                    &return_to=%2Forders%3Fpage%3D2%23top&state=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
                    &verifier=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA&created_at=7";
        assert_eq!(flow, text);
    }

    #[test]
    fn without_enough_randomness_there_is_no_login() {
        let question = question(WISHES, 'H');
        for broken in [question.replacen('H', "", 1), question + "H"] {
            assert_eq!(begin_with(&broken, ""), Err(Code::Unsupported.into()));
        }
    }

    #[test]
    fn pending_logins_are_dropped_after_ten_minutes_and_beyond_five() {
        let now = 10_000_000;
        let dropped = |slots: &str| {
            let question = question(WISHES, 'H');
            let record = begin(Form(&question), "", Form(slots), now).unwrap();
            Form(&record).field("drop").to_owned()
        };
        assert_eq!(dropped(""), "");
        assert_eq!(dropped("a=9999999&b=9400000&c=9399999&d=&e=x"), "c+d+e+");
        assert_eq!(dropped("a=9999991&b=9999992&c=9999993&d=9999994"), "");
        assert_eq!(dropped("a=9999991&b=9999995&c=9999993&d=9999994&e=9999992"), "a+");
        assert_eq!(dropped("a=9999991&b=9999991&c=9999991&d=9999991&e=9999991&f=9999991"), "a+b+");
        assert_eq!(dropped("ahead=10600000&far=10600001"), "far+");
    }

    #[test]
    fn what_every_login_needs() {
        for name in ["issuer", "client_id", "redirect_uri"] {
            let failure = Failure::about(Code::ConfigInvalid, name);
            let renamed = question(&WISHES.replace(name, "other"), 'H');
            assert_eq!(begin_with(&renamed, ""), Err(failure));
        }
    }

    #[test]
    fn extra_parameters_are_sent_and_reserved_ones_refused() {
        assert!(query_of(WISHES, "prompt=login&login_hint=a%40b").ends_with("&prompt=login&login_hint=a%40b"));
        for name in RESERVED {
            for name in [name.to_owned(), name.replacen('c', "%63", 1)] {
                let extra = "x=y&".to_owned() + &name + "=x";
                let failure = Failure::about(Code::ConfigInvalid, &name);
                assert_eq!(begin_with(&question(WISHES, 'H'), &extra), Err(failure));
            }
        }
    }

    #[test]
    fn return_to_stays_in_the_app() {
        let accepts = |path| begin_with(&question(&with("return_to", path), 'H'), "").is_ok();
        for path in ["", "/", "/orders?page=2#top", "/a//b", "/é"] {
            assert!(accepts(path), "{path}");
        }
        for path in ["orders", "//evil.example", "/\\evil.example", "/\t/evil.example", "https://evil.example"] {
            assert!(!accepts(path), "{path}");
        }
    }
}
