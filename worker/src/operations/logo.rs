//! Logos: uploaded, or fetched once from the developer's address; checked by their own bytes, kept under
//! their hash, served from our origin (attack A40). A changed logo is a change that people's trust rests
//! on: it goes through the edit, and so to review.

use edgegrant_core::app::{LOGO_MAX, logo_type};
use edgegrant_core::encoding::{hex, sha256};
use worker::{Headers, Method, Url};

use super::apps::{Edited, edit};
use super::{Actor, Failure, invalid};
use crate::call::Call;
use crate::outbound::{self, NoAnswer};
use crate::store::apps::{self, Listed};

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
    match outbound::send(address, Method::Get, Headers::new(), None, LOGO_MAX).await {
        Ok((200, bytes)) => Ok(bytes),
        Ok((status, _)) => Err(wrong(&format!("the address answered with status {status}: name the image's own address"))),
        Err(NoAnswer::TooLarge) => Err(wrong("the image is larger than 64 KB")),
        Err(NoAnswer::Unreachable) => Err(wrong("the address did not answer within 5 seconds: upload the image instead")),
    }
}

/// Whether the server may ask an address: nothing of its own network, nothing with credentials.
fn may_fetch(address: &str) -> bool {
    let Ok(url) = Url::parse(address) else { return false };
    #[cfg(feature = "development")]
    if url.host_str() == Some("127.0.0.1") {
        return true;
    }
    // A dot at the end changes nothing of what a name means.
    let public = |name: &str| {
        let name = name.trim_end_matches('.');
        name.contains('.') && ![".local", ".localhost", ".internal"].iter().any(|own| name.ends_with(own))
    };
    let named = matches!(url.host(), Some(worker::url::Host::Domain(name)) if public(name));
    url.scheme() == "https" && named && url.port().is_none() && url.username().is_empty() && url.password().is_none()
}
