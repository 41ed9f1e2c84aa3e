//! Redirect URIs: what may be registered, what matches, how parameters are added.
//!
//! Matching is exact string comparison (RFC 9700 §2.1, §4.1.3). The one exception is the port of the
//! loopback literals `127.0.0.1` and `[::1]`, for public clients and apps marked as for development
//! (RFC 8252 §7.3); `localhost` by name is compared exactly.

const LOOPBACK: [&str; 2] = ["http://127.0.0.1", "http://[::1]"];

/// Splits a loopback URI into its literal and what follows the port.
fn loopback(uri: &str) -> Option<(&'static str, &str)> {
    LOOPBACK.into_iter().find_map(|literal| {
        let rest = uri.strip_prefix(literal)?;
        let rest = match rest.strip_prefix(':') {
            None => rest,
            Some(rest) => {
                let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
                let (port, rest) = rest.split_at_checked(end)?;
                let in_range = port.len() <= 5 && port.parse::<u32>().is_ok_and(|port| (1..=65_535).contains(&port));
                in_range.then_some(rest)?
            }
        };
        (rest.is_empty() || rest.starts_with('/') || rest.starts_with('?')).then_some((literal, rest))
    })
}

/// Whether a requested URI is the registered one.
#[must_use]
pub fn matches(registered: &str, requested: &str, any_loopback_port: bool) -> bool {
    if registered == requested {
        return true;
    }
    any_loopback_port && loopback(registered).is_some_and(|known| loopback(requested) == Some(known)) && is_clean(requested)
}

/// Printable ASCII without what could break out of a header or a policy: space, quotes, `;` `,` `\`
/// and the like.
pub(crate) fn is_clean(uri: &str) -> bool {
    uri.bytes().all(|byte| {
        byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\'' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}' | b';' | b',')
    })
}

/// Checks a URI that somebody wants to register (RFC 6749 §3.1.2, RFC 9700 §2.6, RFC 8252 §7 and §8.4).
///
/// # Errors
/// A sentence that says what to change.
pub fn check_registration(uri: &str) -> Result<(), &'static str> {
    if uri.len() > 2000 {
        return Err("use at most 2000 characters");
    }
    if !is_clean(uri) {
        return Err("use printable ASCII without spaces, quotes, ';', ',', backslashes and braces");
    }
    if uri.contains('#') {
        return Err("remove the fragment: a redirect URI has no '#' (RFC 6749 section 3.1.2)");
    }
    // With an answer behind it, it must be a URI still: `x.y://@` is none then.
    let complete = |uri: &str| url::Url::parse(uri).map_err(|_| "write a complete URI with scheme, host and path");
    let parsed = complete(uri).and_then(|parsed| complete(&with_params(uri, &[("code", "c")])).map(|_| parsed))?;
    if !parsed.username().is_empty() || parsed.password().is_some() {
        return Err("remove the user name and password");
    }
    if parsed.query_pairs().any(|(name, _)| matches!(&*name, "code" | "state" | "iss" | "error" | "error_description")) {
        return Err("remove code, state, iss and error from the query: the answer adds them");
    }
    if uri.contains('*') {
        return Err("name each redirect URI in full: there are no wildcards");
    }
    match parsed.scheme() {
        "https" | "http" if !is_written_out(uri) => Err("write two slashes and the host after the scheme: https://host/path"),
        "https" if parsed.host_str().is_none_or(str::is_empty) => Err("name the host"),
        "https" if !has_path(uri) => Err("add a path, at least '/' (RFC 9700 section 2.1)"),
        "https" => Ok(()),
        "http" if is_loopback_host(&parsed) && has_path(uri) => Ok(()),
        "http" if is_loopback_host(&parsed) => Err("add a path, at least '/'"),
        "http" => Err("use https; plain http is for 127.0.0.1, [::1] and localhost only (RFC 9700 section 2.6)"),
        scheme if scheme.contains('.') => Ok(()),
        _ => Err("use https, or a private-use scheme with a dot such as com.example.app:/callback (RFC 8252 section 7.1)"),
    }
}

fn has_path(uri: &str) -> bool {
    uri.split_once("://").is_some_and(|(_, rest)| rest.contains('/'))
}

/// Whether scheme and host are written out. `https:host` and `https:///host` are read as an address of a
/// host too, and the first of them in a `Location` as a path of this server.
pub(crate) fn is_written_out(uri: &str) -> bool {
    let rest = uri.split_once(':').map_or("", |(_, rest)| rest);
    rest.strip_prefix("//").is_some_and(|host| !host.starts_with('/'))
}

/// Whether its host is this computer.
pub(crate) fn is_loopback_host(uri: &url::Url) -> bool {
    matches!(uri.host_str(), Some("127.0.0.1" | "[::1]" | "localhost"))
}

/// The URI with parameters added to its query, which is kept byte for byte (RFC 6749 §3.1.2).
#[must_use]
pub fn with_params(uri: &str, params: &[(&str, &str)]) -> String {
    let separator = match uri.split_once('?') {
        None => "?",
        Some((_, "")) => "",
        Some((_, query)) if query.ends_with('&') => "",
        Some(_) => "&",
    };
    let added = form_urlencoded::Serializer::new(String::new()).extend_pairs(params).finish();
    format!("{uri}{separator}{added}")
}

/// Scheme, host and port of a URI, or only the scheme when it has no host: for a policy header and
/// for the comparison with an `Origin`.
#[must_use]
pub fn origin(uri: &str) -> Option<String> {
    let parsed = url::Url::parse(uri).ok()?;
    match parsed.origin() {
        origin @ url::Origin::Tuple(..) => Some(origin.ascii_serialization()),
        url::Origin::Opaque(_) => Some(format!("{}:", parsed.scheme())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_the_very_string_matches_az_07() {
        let registered = "https://app.example/cb";
        assert!(matches(registered, registered, true));
        for other in [
            "https://app.example/CB",
            "https://app.example/cb/",
            "https://app.example:443/cb",
            "https://app.example/cb?extra=1",
            "https://app.example/Wrong",
            "https://app.example/cb#f",
            "https://user@app.example/cb",
            "https://x.app.example/cb",
            "https://app.example/..%2fcb",
            "https://app.example/%2e%2e/cb",
            "https://app.example/%252Fcb",
            "https://app.example/;/../../cb",
            "https://app.example/cb%3B",
            "https://app.example/cb%0A%0D",
            "https://app.example\\cb",
            "https://app.example/cb\t",
            "https://äpp.example/cb",
            "https://xn--pp-eka.example/cb",
            "//app.example/cb",
            "https://app.example/%63b",
            "https://app.example/cb?code=attacker",
            "http://app.example/cb",
            "HTTPS://app.example/cb",
            "https://APP.example/cb",
            "https://app.example/cb ",
            " https://app.example/cb",
            "https://app.example",
            "https://app.example/",
            "https://app.example/c",
            "https://app.example/cbx",
            "https://app.example//cb",
            "https://app.example/./cb",
            "https://app.example/cb?",
            "https://app.example/cb&",
            "https://app.example.evil.example/cb",
            "https://evil.example/https://app.example/cb",
            "https://app.example%2f@evil.example/cb",
            "https://app.example@evil.example/cb",
            "https://app.example:444/cb",
            "https:app.example/cb",
            "https:/app.example/cb",
            "javascript:alert(1)",
            "",
        ] {
            assert!(!matches(registered, other, true), "{other}");
        }
    }

    #[test]
    fn only_the_loopback_port_is_free_az_12() {
        let registered = "http://127.0.0.1/cb";
        assert!(matches(registered, "http://127.0.0.1:49152/cb", true));
        assert!(matches("http://[::1]:80/cb?x=1", "http://[::1]:5/cb?x=1", true));
        assert!(!matches(registered, "http://127.0.0.1:49152/cb", false), "confidential, not for development");
        for other in [
            "http://127.0.0.1:49152/other",
            "http://127.0.0.2:1/cb",
            "http://localhost:1/cb",
            "http://127.0.0.1:0/cb",
            "http://127.0.0.1:65536/cb",
            "http://127.0.0.1:/cb",
            "http://127.0.0.1:1@evil.example/cb",
            "http://127.0.0.1:x/cb",
            "http://127.0.0.1.evil.example/cb",
            "http://127.0.0.1:000080/cb",
            "http://[::1]:1/cb",
            "https://127.0.0.1:1/cb",
            "http://127.0.0.1:1\\cb",
            "http://127.0.0.1:+80/cb",
        ] {
            assert!(!matches(registered, other, true), "{other}");
        }
        assert!(!matches("http://localhost/cb", "http://localhost:5/cb", true));
    }

    #[test]
    fn registration_says_what_to_change_az_10_az_11_az_13_cl_02() {
        for good in [
            "https://a.example/",
            "https://xn--pp-eka.example/cb",
            "https://a.example/cb?x=1",
            "http://127.0.0.1/cb",
            "http://localhost:8787/demo/",
            "http://[::1]/cb",
            "com.example.app:/cb",
        ] {
            assert_eq!(check_registration(good), Ok(()), "{good}");
        }
        for bad in [
            "https://a.example/cb#f",
            "http://a.example/cb",
            "http://x.local/cb",
            "https://a.example",
            "https://*.a.example/cb",
            "myapp:/cb",
            "javascript:alert(1)//",
            "data:text/html,x",
            "vbscript:x",
            "blob:https://a/x",
            "file:///etc/passwd",
            "https://a.example/cb?code=1",
            "https://a.example/cb;x",
            "https://a.example/ü",
            "https://u:p@a.example/cb",
            "/cb",
            "",
            "https:///cb d",
            "http://127.0.0.1",
            "https:a.example/b://c/",
            "https:/a.example/b://c/",
            "https:///a.example/cb",
            "http:127.0.0.1/b://c/",
            "com.example.app://@",
        ] {
            assert!(check_registration(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_registered_query_is_kept_az_08() {
        assert_eq!(with_params("https://a/cb", &[("code", "x y")]), "https://a/cb?code=x+y");
        assert_eq!(with_params("https://a/cb?x=%20", &[("code", "1")]), "https://a/cb?x=%20&code=1");
        assert_eq!(with_params("https://a/cb?", &[("code", "1")]), "https://a/cb?code=1");
        assert_eq!(origin("https://a.example:8443/cb").as_deref(), Some("https://a.example:8443"));
        assert_eq!(origin("com.example.app:/cb").as_deref(), Some("com.example.app:"));
    }
}
