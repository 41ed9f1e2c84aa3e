//! Development only: seeds, routes that shift the clock, published keys. A deployment is built
//! without the feature `development`, and a test searches its module for these strings.

pub(crate) mod clock;
pub(crate) mod keys;
pub(crate) mod seed;

use crate::answer::Answer;
use crate::call::Call;
use crate::fault::Fault;

/// Answers `POST /__dev/…`.
pub(crate) async fn answer(call: &mut Call) -> Result<Answer, Fault> {
    match call.path.as_str() {
        "/__dev/seed" => seed::seed(&call.env, &call.config).await?,
        "/__dev/clock" => {
            let params = call.form(crate::call::PAGE_FORM_MAX).await?.unwrap_or_default();
            clock::shift(params.field("offset_ms").parse().unwrap_or(0));
        }
        _ => return Ok(Answer::json(404, &serde_json::json!({ "error": "there is no such development route" }))),
    }
    Ok(Answer::json(200, &serde_json::json!({})))
}
