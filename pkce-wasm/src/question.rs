//! One question, one answer, both text: the whole interface to JavaScript.
//!
//! A question is a record, perhaps followed by up to two lines of text as it came from elsewhere, such
//! as a URL or what was stored. The record names what is `ask`ed and the time `now`, in milliseconds
//! since 1970. The answer is a record; one with `failure` says what went wrong.

use alloc::string::String;

use crate::error::Failure;
use crate::form::{Form, cut, number, push_plain, same};
use crate::{callback, login, metadata, pkce, tokens};

/// Answers a question. No input makes it panic, because a panic would leave the module unusable.
pub fn answer(question: &str) -> String {
    let (head, lines) = cut(question, b'\n').unwrap_or((question, ""));
    let (one, two) = cut(lines, b'\n').unwrap_or((lines, ""));
    let asked = Form(head);
    let now = number(asked.field("now")).unwrap_or(0);
    let is = |what| same(asked.field("ask"), what);
    if is("callback") {
        return landing(asked, one, two, now);
    }
    let result = if is("login") {
        login::begin(asked, one, Form(two), now)
    } else if is("tokens") {
        tokens::accept(asked, Form(one), now)
    } else if is("metadata") {
        metadata::settings(asked, Form(one))
    } else {
        pkce::pair(asked)
    };
    encode(result)
}

/// What the answer in a URL means, with the URL as it should read now; empty when there is no answer.
fn landing(asked: Form<'_>, url: &str, flow: &str, now: u64) -> String {
    let mut record = encode(callback::land(asked, url, flow, now));
    if !record.is_empty() {
        push_plain(&mut record, "clean", &callback::clean(url));
    }
    record
}

fn encode(result: Result<String, Failure>) -> String {
    result.unwrap_or_else(|Failure(record)| record)
}

#[cfg(test)]
mod tests;
