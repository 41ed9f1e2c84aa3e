use super::*;
use crate::login::tests::{WISHES, flow_of};

const CLIENT: &str = "issuer=https%3A%2F%2Fas.example&client_id=demo%20%26%20spa\
    &place=https%3A%2F%2Fapp.example%2Fcallback";
const ISS: &str = "&iss=https%3A%2F%2Fas.example";
const START: u64 = 1_000;

fn code_of(Failure(record): &Failure) -> String {
    Form(record).field("failure").to_owned()
}

fn is_spent(Failure(record): &Failure) -> bool {
    Form(record).field("spent") == "1"
}

struct Pending {
    state: String,
    flow: String,
}

fn pending() -> Pending {
    let (state, flow) = flow_of(WISHES, 'H', START);
    Pending { state, flow }
}

impl Pending {
    /// The URL of an answer; `S` stands for the state.
    fn url(&self, query: &str) -> String {
        let query = query.replace("=S", &("=".to_owned() + &self.state));
        "https://app.example/callback?".to_owned() + &query
    }

    fn land(&self, query: &str) -> Result<String, String> {
        land(Form(CLIENT), &self.url(query), &self.flow, START + 1).map_err(|failure| code_of(&failure))
    }

    fn spent_by(&self, query: &str) -> bool {
        match land(Form(CLIENT), &self.url(query), &self.flow, START + 1) {
            Ok(record) => !record.is_empty(),
            Err(failure) => is_spent(&failure),
        }
    }
}

fn good() -> String {
    "code=c&state=S".to_owned() + ISS
}

#[test]
fn a_good_answer_gives_the_code_and_the_flow() {
    let pending = pending();
    let record = pending.land(&good()).unwrap();
    assert_eq!(record, pending.flow + "&code=c");
}

#[test]
fn a_second_visit_finds_no_flow() {
    let url = pending().url(&good());
    assert_eq!(land(Form(CLIENT), &url, "", START).unwrap_err(), Code::StateUnknown.into());
}

#[test]
fn no_answer_is_nothing() {
    for query in ["", "page=2", "state=unknown", "iss=x", "state="] {
        assert_eq!(pending().land(query), Ok(String::new()), "{query}");
    }
}

#[test]
fn another_page_may_have_parameters_of_the_same_name() {
    for query in ["code=SALE10", "code=SALE10&state=ohio", "error=404"] {
        let url = "https://app.example/shop?".to_owned() + query;
        assert_eq!(land(Form(CLIENT), &url, "", START), Ok(String::new()), "{query}");
    }
    let pending = pending();
    let url = pending.url(&good()).replace("/callback", "/app-shell");
    assert!(land(Form(CLIENT), &url, &pending.flow, START).unwrap().ends_with("&code=c"));
}

#[test]
fn forged_answers_do_not_spend_a_pending_login() {
    let forged = [
        ("code=evil&state=guess&iss=https%3A%2F%2Fas.example", Code::StateUnknown),
        ("code=evil", Code::StateMissing),
        ("error=access_denied", Code::StateMissing),
        ("code=evil&state=", Code::StateMissing),
        ("code=evil&state=S&state=S", Code::InvalidResponse),
        ("code=evil&state=%zz", Code::StateUnknown),
        ("code=evil&state=S&iss=https%3A%2F%2Fevil.example", Code::IssuerMismatch),
        ("code=evil&state=S", Code::IssuerMissing),
        ("error=access_denied&error_description=call+me&state=S", Code::IssuerMissing),
    ];
    let pending = pending();
    for (query, code) in forged {
        assert_eq!(pending.land(query), Err(code.name().to_owned()), "{query}");
        assert!(!pending.spent_by(query), "{query}");
    }
    assert!(pending.spent_by(&good()));
}

#[test]
fn rfc9207_2_4_issuer_is_compared_as_a_string_after_one_decoding() {
    let others = ["https://as.example/", "https://AS.example", "https://as.example:443", "https%253A%252F%252Fas.example", ""];
    for iss in others {
        let query = "code=c&state=S&iss=".to_owned() + iss;
        assert_eq!(pending().land(&query), Err(Code::IssuerMismatch.name().to_owned()), "{iss}");
    }
    let twice = "code=c&state=S&iss=https://as.example&iss=https://as.example";
    assert_eq!(pending().land(twice), Err(Code::InvalidResponse.name().to_owned()));
    assert!(pending().land("code=c&state=S&iss=https://as.example").is_ok());
}

#[test]
fn a_server_without_iss_is_believed_only_when_configured_so_and_a_wrong_iss_never() {
    let (state, flow) = flow_of(&WISHES.replace("iss=1", "iss=0"), 'H', START);
    let lenient = Pending { state, flow };
    assert_eq!(lenient.land("code=c&state=S&iss=x"), Err(Code::IssuerMismatch.name().to_owned()));
    assert!(lenient.land("code=c&state=S").unwrap().ends_with("&code=c"));
}

#[test]
fn a_flow_of_another_issuer_or_client_is_not_this_client_s() {
    let pending = pending();
    let url = pending.url(&good());
    for (name, other) in [("as.example", "other.example"), ("demo", "other")] {
        let client = CLIENT.replace(name, other);
        let failure = land(Form(&client), &url, &pending.flow, START).unwrap_err();
        assert_eq!(failure, Code::StateUnknown.into());
    }
}

#[test]
fn ten_minutes_and_a_clock_that_ran_backwards() {
    let pending = pending();
    let code_at = |query: &str, now| {
        let url = pending.url(query);
        land(Form(CLIENT), &url, &pending.flow, now).err().map(|failure| (code_of(&failure), is_spent(&failure)))
    };
    assert_eq!(code_at(&good(), START + LIFETIME_MS), None);
    assert_eq!(code_at(&good(), 0), None);
    // Too late comes before error and code, and spends the flow.
    for answer in ["code=c&state=S", "error=access_denied&state=S"] {
        let late = code_at(&(answer.to_owned() + ISS), START + LIFETIME_MS + 1);
        assert_eq!(late, Some((Code::StateExpired.name().to_owned(), true)));
    }
}

#[test]
fn errors_of_the_server_come_with_their_words_and_the_way_back() {
    let pending = pending();
    let url = pending.url(&("error=access_denied&error_description=not+today&code=c&state=S".to_owned() + ISS));
    let failure = land(Form(CLIENT), &url, &pending.flow, START).unwrap_err();
    let Failure(record) = failure;
    let expected = "failure=authorization_denied&subject=access_denied&description=not+today\
                    &spent=1&return_to=%2Forders%3Fpage%3D2%23top";
    assert_eq!(record, expected);
    let query = "error=server_error&state=S".to_owned() + ISS;
    assert_eq!(pending.land(&query), Err(Code::AuthorizationError.name().to_owned()));
}

#[test]
fn neither_code_nor_error() {
    for (query, code) in
        [("state=S", Code::CodeMissing), ("code=&state=S", Code::CodeMissing), ("code=a&code=b&state=S", Code::InvalidResponse)]
    {
        assert_eq!(pending().land(&(query.to_owned() + ISS)), Err(code.name().to_owned()), "{query}");
    }
}

#[test]
fn overlapping_flows_do_not_meet() {
    let (other_state, other_flow) = flow_of(WISHES, 'I', START);
    let other = Pending { state: other_state, flow: other_flow };
    assert_eq!(other.land(&good()).unwrap(), other.flow.clone() + "&code=c");
    let url = pending().url(&good());
    let crossed = land(Form(CLIENT), &url, &other.flow, START).unwrap_err();
    assert_eq!(crossed, Code::StateUnknown.into());
}

#[test]
fn foreign_text_in_the_slot_is_no_flow() {
    for text in ["{}", "state", "state=S", "\u{1F511}"] {
        let failure = land(Form(CLIENT), &pending().url(&good()), text, START).map_err(|failure| code_of(&failure));
        assert_eq!(failure, Err(Code::StateUnknown.name().to_owned()), "{text}");
    }
}

#[test]
fn cleaning_keeps_everything_else() {
    let cases = [
        ("https://a/b?code=c&state=s&iss=i&error=e&error_description=d&error_uri=u", "https://a/b"),
        ("https://a/b?x=%zz&code=c&y#frag?code=1", "https://a/b?x=%zz&y#frag?code=1"),
        ("https://a/b?c%6fde=c", "https://a/b"),
        ("https://a/b#f", "https://a/b#f"),
    ];
    for (url, cleaned) in cases {
        assert_eq!(clean(url), cleaned);
    }
}
