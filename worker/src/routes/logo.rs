//! `GET /logo/{sha256}`: app logos from our own origin, never hot-linked, with nothing that could run
//! (attack A40).

use edgegrant_core::encoding::array_from_hex;
use serde::Deserialize;

use crate::answer::Answer;
use crate::call::Call;
use crate::fault::Fault;
use crate::pages::NoticePage;
use crate::store::{database, rows, text};

#[derive(Deserialize)]
struct Row {
    media_type: String,
    #[serde(with = "serde_bytes")]
    bytes: Vec<u8>,
}

/// One D1 read, cached by the browser for ever: the name is the content's hash.
pub(crate) async fn answer(call: &Call) -> Result<Answer, Fault> {
    let name = call.path.strip_prefix("/logo/").unwrap_or_default();
    let missing = || Answer::page(404, &NoticePage::not_found(super::frame(call)));
    if array_from_hex::<32>(name).is_none() {
        return Ok(missing());
    }
    let found: Vec<Row> = rows(&database(&call.env)?, "SELECT media_type, bytes FROM logos WHERE sha256 = ?1", &[text(name)]).await?;
    let Some(row) = found.into_iter().next() else { return Ok(missing()) };
    Ok(Answer::bytes(&row.media_type, row.bytes)
        .with("cache-control", "public, max-age=31536000, immutable")
        .with("content-security-policy", "default-src 'none'; sandbox"))
}
