//! What every parser that meets the network must hold, whatever bytes it is given.
//!
//! A target takes bytes and panics when something does not hold. `npm run fuzz` drives each with
//! libFuzzer; the unit test replays what was found before (`corpus/`) and a bounded number of changes of it.

mod browser;
mod credential;
mod oauth;
mod oidc;
mod policy;
mod resource;

/// A function that must not panic.
pub type Target = fn(&[u8]);

/// Every target, by the name of its folder under `corpus/`.
pub const TARGETS: [(&str, Target); 14] = [
    ("form", oauth::form),
    ("json", oauth::json),
    ("authorize", oauth::authorize),
    ("basic", oauth::basic),
    ("redirect_uri", oauth::redirect_uri),
    ("scope", oauth::scope),
    ("token", credential::token),
    ("code", credential::code),
    ("cookie", credential::cookie),
    ("bearer", resource::bearer_header),
    ("path", resource::path),
    ("policy", policy::policy),
    ("metadata", oidc::metadata),
    ("callback", browser::question),
];

/// Bytes as text, broken sequences replaced, as the edge reads headers and bodies.
fn text(data: &[u8]) -> String {
    String::from_utf8_lossy(data).into_owned()
}

#[cfg(test)]
mod tests;
