//! Signing in at an identity provider: OpenID Connect Core 1.0 (code flow), Discovery 1.0, PKCE with
//! S256 (RFC 7636), the issuer in the answer (RFC 9207), RFC 9700 §4.4 (mix-up).
//!
//! What a provider says is believed for its own name space only: a person is the pair of issuer and
//! `sub`, never an e-mail address, and an account id is one of that issuer. Every check is a function
//! of its arguments; the edge shell fetches documents and lets WebCrypto check signatures.
//!
//! | module | decides |
//! |---|---|
//! | [`provider`] | what `OIDC_PROVIDERS` may say |
//! | [`discovery`] | what is taken from a provider's metadata |
//! | [`flow`] | the request, what is remembered meanwhile, which answer belongs to it |
//! | [`jwks`] | the keys that may have signed |
//! | [`id_token`] | the ID token: its form, algorithm and claims |
//! | [`identity`] | who it is, which accounts, which roles |

pub mod discovery;
pub mod flow;
pub mod id_token;
pub mod identity;
pub mod jwks;
pub mod provider;

use crate::oauth::redirect_uri::is_written_out;

/// Whether an address of a provider may be used: https without user name and fragment; plain http only
/// on this computer and only when `plain_loopback` says so.
fn address_ok(text: &str, plain_loopback: bool) -> bool {
    let plain =
        text.len() <= 2000 && text.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\'' | b'\\' | b';' | b','));
    let Ok(parsed) = url::Url::parse(text) else { return false };
    let scheme = match parsed.scheme() {
        "https" => true,
        "http" => plain_loopback && matches!(parsed.host_str(), Some("localhost" | "127.0.0.1" | "[::1]")),
        _ => false,
    };
    let bare = parsed.username().is_empty() && parsed.password().is_none() && parsed.fragment().is_none();
    plain && scheme && bare && is_written_out(text) && parsed.host_str().is_some_and(|host| !host.is_empty())
}

#[cfg(test)]
mod tests {
    use super::address_ok;

    #[test]
    fn addresses_are_https_and_plain_http_is_for_this_computer_in_development() {
        assert!(address_ok("https://login.example/a?b=c", false) && address_ok("https://login.example", false));
        for address in ["http://localhost:1/x", "http://127.0.0.1:1", "http://[::1]:1"] {
            assert!(address_ok(address, true) && !address_ok(address, false), "{address}");
        }
        for other in [
            "http://login.example/",
            "https://",
            "ftp://a/",
            "https://a@b/",
            "https://a/#x",
            "https://a/ b",
            "login.example",
            "https://a;b/",
            "https:login.example/a",
            "https:///login.example/a",
            "",
        ] {
            assert!(!address_ok(other, true), "{other}");
        }
    }
}
