//! Paths that have one meaning (RFC 3986 §2.2, §2.3, §3.3, §6.2.2).
//!
//! Servers disagree about encoded slashes, backslashes, dot segments, empty segments and parameters
//! after `;`: one of them would match a rule on one path and another execute a different one. Such a
//! path is not forwarded. What remains may still be spelled in several ways (case, needless encoding,
//! a slash at its end); rules compare one spelling of it, and the path travels as it was sent.

use std::borrow::Cow;

/// The value of two hexadecimal digits.
fn hex(high: Option<u8>, low: Option<u8>) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    u8::try_from(digit(high?)? * 16 + digit(low?)?).ok()
}

const fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// What may stand in a path as it is: RFC 3986's `pchar` and `/`, without `;`, which some servers take
/// for the begin of parameters and leave out.
const fn is_plain(byte: u8) -> bool {
    is_unreserved(byte) || matches!(byte, b'/' | b':' | b'@' | b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b'=')
}

/// What may stand in a path encoded.
const fn is_encodable(byte: u8) -> bool {
    !matches!(byte, b'/' | b'\\' | b';' | 0..=0x1f | 0x7f)
}

/// Each byte of a path and whether it was encoded; `None` where a byte is that may not stand there.
fn decoded(path: &str) -> Option<Vec<(u8, bool)>> {
    let mut out = Vec::with_capacity(path.len());
    let mut bytes = path.bytes();
    while let Some(byte) = bytes.next() {
        let is_encoded = byte == b'%';
        let byte = if is_encoded { hex(bytes.next(), bytes.next())? } else { byte };
        if !(if is_encoded { is_encodable(byte) } else { is_plain(byte) }) {
            return None;
        }
        out.push((byte, is_encoded));
    }
    Some(out)
}

/// The one spelling in which a path is compared: without ASCII case, nothing encoded that need not be,
/// no slash at its end. `None` for a path that is not forwarded.
#[must_use]
pub fn comparable(path: &str) -> Option<String> {
    let decoded = decoded(path)?;
    // Overlong sequences are no UTF-8, and some servers read a slash or a dot in them.
    let bytes: Vec<u8> = decoded.iter().map(|(byte, _)| *byte).collect();
    core::str::from_utf8(&bytes).ok()?;
    let mut out = String::with_capacity(path.len());
    for (byte, is_encoded) in decoded {
        if is_encoded && !is_unreserved(byte) {
            out.push_str(&format!("%{byte:02x}"));
        } else {
            out.push(char::from(byte.to_ascii_lowercase()));
        }
    }
    let has_dots = out.split('/').any(|segment| matches!(segment, "." | ".."));
    if has_dots || !out.starts_with('/') || out.contains("//") {
        return None;
    }
    if out.len() > 1 && out.ends_with('/') {
        out.pop();
    }
    Some(out)
}

/// A query as the platform sends it: what an address may not hold as it is, and the apostrophe, are
/// encoded (the special-query percent-encode set of the WHATWG URL Standard). Everything else, and so
/// every query that RFC 3986 knows but for apostrophes, is as it came; the signature is about this.
#[must_use]
pub fn sent_query(query: &str) -> Cow<'_, str> {
    let is_kept = |byte: u8| matches!(byte, b'!'..=b'~') && !matches!(byte, b'"' | b'#' | b'<' | b'>' | b'\'');
    if query.bytes().all(is_kept) {
        return Cow::Borrowed(query);
    }
    let encoded = query.bytes().fold(String::new(), |mut out, byte| {
        if is_kept(byte) {
            out.push(char::from(byte))
        } else {
            out.push_str(&format!("%{byte:02X}"))
        }
        out
    });
    Cow::Owned(encoded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_with_two_meanings_is_not_forwarded_a24() {
        for bad in [
            "",
            "api/x",
            "/api/a%2fb",
            "/api/a%2Fb",
            "/api/a%5cb",
            "/api/a%5Cb",
            "/api/a\\b",
            "/api/../x",
            "/api/./x",
            "/api/..",
            "/api/.",
            "/api/%2e%2e/x",
            "/api/%2E./x",
            "/api/.%2e",
            "/api//x",
            "//api/x",
            "/api/x//",
            "/api/x;a=b",
            "/api/..;/x",
            "/api/x%3ba",
            "/api/x%3Ba",
            "/api/x\0",
            "/api/x%00",
            "/api/x%0a",
            "/api/x%1f",
            "/api/x%7f",
            "/api/x\u{7f}",
            "/api/x y",
            "/api/é",
            "/api/x%",
            "/api/x%2",
            "/api/x%zz",
            "/api/x%+2",
            "/api/%c0%af",
            "/api/%e0%80%af",
            "/api/%ff",
            "/api/a\"b",
            "/api/a<b",
            "/api/a{b}",
            "/api/a|b",
            "/api/a^b",
            "/api/a`b",
            "/api/a[b]",
            "/api/a?b",
            "/api/a#b",
        ] {
            assert_eq!(comparable(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn all_spellings_of_a_path_compare_equal() {
        for (sent, compared) in [
            ("/api/v1/bookings", "/api/v1/bookings"),
            ("/API/v1/Bookings", "/api/v1/bookings"),
            ("/api/v1/book%69ngs", "/api/v1/bookings"),
            ("/api/v1/book%49NGS/", "/api/v1/bookings"),
            ("/api/v1/%7Eme", "/api/v1/~me"),
            ("/api/v1/%7eme", "/api/v1/~me"),
            ("/api/v1/a%20b", "/api/v1/a%20b"),
            ("/api/v1/%C3%A9", "/api/v1/%c3%a9"),
            ("/api/v1/a%3Ab", "/api/v1/a%3ab"),
            ("/api/v1/a:b@c+d,e=f!g*h", "/api/v1/a:b@c+d,e=f!g*h"),
            ("/api/v1/...", "/api/v1/..."),
            ("/api/v1/.well", "/api/v1/.well"),
            ("/api/v1/100%25", "/api/v1/100%25"),
            ("/", "/"),
        ] {
            assert_eq!(comparable(sent).as_deref(), Some(compared), "{sent}");
        }
    }

    #[test]
    fn a_query_is_as_the_platform_sends_it() {
        for kept in ["", "a=b&c=%27%2f;d[]=|{}^`\\", "a?b/../c//"] {
            assert!(matches!(sent_query(kept), Cow::Borrowed(same) if same == kept), "{kept}");
        }
        assert_eq!(sent_query("name='x' \"<é>"), "name=%27x%27%20%22%3C%C3%A9%3E");
    }
}
