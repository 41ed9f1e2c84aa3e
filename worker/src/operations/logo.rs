//! Logos: uploaded, or fetched once from the developer's address; checked by their own bytes, kept under
//! their hash, served from our origin (attack A40). A changed logo is a change that people's trust rests
//! on: it goes through the edit, and so to review.

use edgegrant_core::app::{LOGO_MAX, logo_type};
use edgegrant_core::encoding::{hex, sha256};
use futures_util::StreamExt as _;
use worker::{AbortSignal, Fetch, Url, web_sys};

use super::apps::{Edited, edit};
use super::{Actor, Failure, invalid};
use crate::call::Call;
use crate::store::apps::{self, Listed};

/// Everything of a fetch, in milliseconds.
const FETCH_MS: u32 = 5_000;

/// Makes an image the app's logo.
pub(crate) async fn set(call: &Call, actor: &Actor, app: &Listed, bytes: &[u8]) -> Result<Edited, Failure> {
    let media_type = logo_type(bytes).map_err(|problem| invalid("logo", problem))?;
    let name = hex(&sha256(bytes));
    apps::keep_logo(&call.env, &name, media_type, bytes).await?;
    let mut details = app.revision()?.unwrap_or(app.details()?);
    details.logo = Some(name);
    edit(call, actor, app, details, None).await
}

/// Fetches an image from an address: https on its own port, no redirect, five seconds, cut while reading.
pub(crate) async fn fetch(address: &str) -> Result<Vec<u8>, Failure> {
    let wrong = |problem: &str| invalid("address", problem);
    if !may_fetch(address) {
        return Err(wrong("use an https address with a public host name, without port and user name"));
    }
    let init = web_sys::RequestInit::new();
    init.set_redirect(web_sys::RequestRedirect::Manual);
    init.set_cache(web_sys::RequestCache::NoStore);
    let no_answer = |_| wrong("the address did not answer within 5 seconds: upload the image instead");
    let request = web_sys::Request::new_with_str_and_init(address, &init).map_err(|error| no_answer(error.into()))?.into();
    // The signal ends the reading of the body too.
    let signal = AbortSignal::from(web_sys::AbortSignal::timeout_with_u32(FETCH_MS));
    let mut response = Fetch::Request(request).send_with_signal(&signal).await.map_err(no_answer)?;
    if response.status_code() != 200 {
        return Err(wrong(&format!("the address answered with status {}: name the image's own address", response.status_code())));
    }
    let mut stream = response.stream().map_err(no_answer)?;
    let mut bytes = Vec::new();
    while let Some(chunk) = stream.next().await {
        bytes.extend_from_slice(&chunk.map_err(no_answer)?);
        if bytes.len() > LOGO_MAX {
            return Err(wrong("the image is larger than 64 KB"));
        }
    }
    Ok(bytes)
}

/// Whether the server may ask an address: nothing of its own network, nothing with credentials.
fn may_fetch(address: &str) -> bool {
    let Ok(url) = Url::parse(address) else { return false };
    #[cfg(feature = "development")]
    if url.host_str() == Some("127.0.0.1") {
        return true;
    }
    let named = matches!(url.host(), Some(worker::url::Host::Domain(name)) if name.contains('.') && !name.ends_with(".local") && !name.ends_with(".internal"));
    url.scheme() == "https" && named && url.port().is_none() && url.username().is_empty() && url.password().is_none()
}
