//! Lists: `limit` and an opaque `cursor`. A cursor is the position behind the last item, not a number of
//! items, so that what is added or removed meanwhile neither repeats nor hides another one.

use edgegrant_core::encoding::{base64url, from_base64url};

use super::{Stop, problem};
use crate::answer::Answer;
use crate::call::Call;
use crate::store::Item;

/// Numbers of rows stay far below it.
const BEFORE_ALL: u64 = 1 << 52;

/// Where a list begins and how much of it is asked for.
pub(super) struct Page {
    position: String,
    most: u32,
}

fn refused(what: &str) -> Stop {
    Stop::Answer(problem(400, what))
}

fn not_ours() -> Stop {
    refused("cursor: not one that this list gave")
}

impl Page {
    /// From `cursor` and `limit`.
    pub(super) fn of(call: &Call) -> Result<Self, Stop> {
        let query = call.query_params();
        let most = match query.field("limit") {
            "" => 50,
            text => text.parse().ok().filter(|most| (1..=200).contains(most)).ok_or_else(|| refused("limit: 1 to 200"))?,
        };
        let bytes = from_base64url(query.field("cursor")).ok_or_else(not_ours)?;
        let position = String::from_utf8(bytes).ok().filter(|text| text.len() <= 64).ok_or_else(not_ours)?;
        Ok(Self { position, most })
    }

    /// One more than is shown: whether the list goes on.
    pub(super) const fn most(&self) -> u32 {
        self.most + 1
    }

    /// The id behind which a list of ids goes on; empty at its beginning.
    pub(super) fn after(&self) -> &str {
        &self.position
    }

    /// The number before which a falling list of numbers goes on.
    pub(super) fn before(&self) -> Result<u64, Stop> {
        if self.position.is_empty() { Ok(BEFORE_ALL) } else { number(&self.position) }
    }

    /// Second and number behind which a list in order of time goes on.
    pub(super) fn since(&self) -> Result<(u64, u64), Stop> {
        if self.position.is_empty() {
            return Ok((0, 0));
        }
        let (second, number_) = self.position.split_once('.').ok_or_else(not_ours)?;
        Ok((number(second)?, number(number_)?))
    }

    /// The answer, from one item more than is shown.
    pub(super) fn answer(&self, mut items: Vec<Item>) -> Answer {
        let shown = self.most as usize;
        let last = items.get(shown.saturating_sub(1)).filter(|_| items.len() > shown);
        let next = last.map_or_else(|| "null".to_owned(), |item| format!("\"{}\"", base64url(item.key.as_bytes())));
        items.truncate(shown);
        let items: Vec<String> = items.into_iter().map(|item| item.json).collect();
        Answer::json_text(200, format!("{{\"items\":[{}],\"next_cursor\":{next}}}", items.join(",")))
    }
}

fn number(text: &str) -> Result<u64, Stop> {
    text.parse().ok().filter(|number| *number <= BEFORE_ALL).ok_or_else(not_ours)
}
