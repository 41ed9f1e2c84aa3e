//! Sessions of browsers: the cookie, its renewal, and the way to the sign-in page.
//!
//! The cookie is sealed and names a row, so that signing out ends that browser and a password change
//! ends all (attack A30). Its idle life is in the cookie, which is renewed as pages are shown.

use edgegrant_core::oauth::redirect_uri;
use edgegrant_core::oidc::provider::Provider;
use edgegrant_core::person::{ProviderSession, SessionCookie};
use edgegrant_core::seal::{Purpose, open_value, seal_value};

use crate::answer::Answer;
use crate::call::Call;
use crate::fault::{Fault, OrFault as _};
use crate::platform::{now_s, random};
use crate::store::people::{self, Visitor};

/// A cookie of this age is sealed anew, in seconds.
const RENEW_AFTER_S: u64 = 600;

/// `__Host-` binds a cookie to this host and to https; a plain-http issuer is on this computer.
pub(super) fn cookie_name(call: &Call, name: &str) -> String {
    if call.config.secure { format!("__Host-edgegrant_{name}") } else { format!("edgegrant_{name}") }
}

/// A `Set-Cookie` value (AZ-42).
pub(super) fn set_cookie(call: &Call, name: &str, value: &str, max_age_s: u64) -> String {
    let secure = if call.config.secure { "; Secure" } else { "" };
    format!("{}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={max_age_s}{secure}", cookie_name(call, name))
}

/// What the browser's session cookie says, when it is ours and not over. No storage.
pub(super) fn session_cookie(call: &Call) -> Option<SessionCookie> {
    let config = &call.config;
    let text = call.cookie(&cookie_name(call, "session"))?;
    let cookie: SessionCookie = open_value(&config.keys.seal, Purpose::Session, &config.issuer, &text)?;
    let trusted = cookie.provider.is_none() || provider_of(call, &cookie).is_some();
    (trusted && !cookie.over(&config.policy, now_s())).then_some(cookie)
}

/// The provider that a session began at, if it is one that the deployment trusts today.
pub(super) fn provider_of<'a>(call: &'a Call, cookie: &SessionCookie) -> Option<&'a Provider> {
    let ProviderSession { issuer, .. } = cookie.provider.as_ref()?;
    call.config.providers.iter().find(|provider| provider.issuer == *issuer)
}

/// What `form-action` must allow for a redirect to an address of a provider, and for its own redirects
/// after it: any https, or the very origin of one on this computer.
pub(super) fn provider_source(address: &str) -> Option<String> {
    if address.starts_with("https:") { Some("https:".to_owned()) } else { redirect_uri::origin(address) }
}

/// Lets the sign-out form of a page be answered with a redirect to where the session with the provider
/// ends.
pub(super) fn with_sign_out(call: &Call, answer: Answer) -> Answer {
    let source = || provider_source(&session_cookie(call)?.provider?.end_session?);
    if answer.is_page() { source().into_iter().fold(answer, |answer, source| answer.form_action_too(&source)) } else { answer }
}

/// Seals a session for the browser.
pub(super) fn sealed(call: &Call, cookie: &SessionCookie) -> Result<String, Fault> {
    let config = &call.config;
    let text = seal_value(&config.keys.seal, Purpose::Session, &config.issuer, cookie, random()?).or_fault("seal")?;
    Ok(set_cookie(call, "session", &text, u64::from(cookie.life_s(&config.policy))))
}

/// Who is signed in, with one D1 read and none without a cookie.
pub(super) async fn visitor(call: &Call, app: Option<u32>) -> Result<Option<Visitor>, Fault> {
    let Some(cookie) = session_cookie(call) else { return Ok(None) };
    people::visitor(&call.env, &call.config.keys, cookie, app, now_s()).await
}

/// Renews the cookie with an answer to somebody who is signed in.
pub(super) fn renewed(call: &Call, visitor: &Visitor, answer: Answer) -> Result<Answer, Fault> {
    let now = now_s();
    if now.saturating_sub(visitor.cookie.seen_s) < RENEW_AFTER_S {
        return Ok(answer);
    }
    let cookie = SessionCookie { seen_s: now, ..visitor.cookie.clone() };
    Ok(answer.with("set-cookie", &sealed(call, &cookie)?))
}

/// The sign-in page's address that comes back to a path of ours.
pub(super) fn login_address(return_to: &str) -> String {
    redirect_uri::with_params("/login", &[("return_to", return_to)])
}

/// Sends somebody to the sign-in page and back.
pub(super) fn to_login(return_to: &str) -> Answer {
    Answer::see_other(&login_address(return_to)).because("not signed in")
}

/// A path of ours to return to; anything that a browser could read as another host is not.
pub(super) fn own_path(text: &str) -> Option<&str> {
    let plain = text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    (plain && text.starts_with('/') && !text.starts_with("//")).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::own_path;

    #[test]
    fn only_paths_of_ours_are_returned_to() {
        assert!(own_path("/oauth/authorize?client_id=a%20b").is_some());
        for other in ["", "https://evil.example/", "//evil.example", "/\\evil.example", "/a\\b", "/a\nb", "evil", "/ü", "/\t/evil.example"]
        {
            assert!(own_path(other).is_none(), "{other}");
        }
    }
}
