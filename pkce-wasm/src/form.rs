//! The text codecs of the protocol: `application/x-www-form-urlencoded` (RFC 6749 appendix B) and
//! base64url without padding (RFC 4648 §5).
//!
//! A form is also how every record crosses to JavaScript and waits in storage: both sides have this
//! codec anyway. Values stay escaped as they came; they are compared by what they mean and handed
//! on as they are, so nothing is decoded twice and almost nothing is copied.

use alloc::string::String;

/// A query, or a record.
#[derive(Clone, Copy, Debug)]
pub struct Form<'a>(pub &'a str);

/// A parameter that must not be repeated is (RFC 6749 §3.1).
#[derive(Debug, PartialEq, Eq)]
pub struct Repeated;

impl<'a> Form<'a> {
    /// The escaped value of `name`. Parameters of other names are not looked at: a page has its own.
    pub fn unique(self, name: &str) -> Result<Option<&'a str>, Repeated> {
        let mut found = None;
        for pair in self {
            let (key, value) = cut(pair, b'=').unwrap_or((pair, ""));
            if same(key, name) {
                if found.is_some() {
                    return Err(Repeated);
                }
                found = Some(value);
            }
        }
        Ok(found)
    }

    /// The escaped value of a field of a record of ours; empty when there is none.
    pub fn field(self, name: &str) -> &'a str {
        self.unique(name).ok().flatten().unwrap_or("")
    }
}

/// The pairs, each whole and escaped.
impl<'a> Iterator for Form<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        while !self.0.is_empty() {
            let (pair, rest) = cut(self.0, b'&').unwrap_or((self.0, ""));
            self.0 = rest;
            if !pair.is_empty() {
                return Some(pair);
            }
        }
        None
    }
}

/// Splits a text at the first `mark`, an ASCII character. The searches and slices of the standard
/// library bring their panics along; this has none.
pub fn cut(text: &str, mark: u8) -> Option<(&str, &str)> {
    let place = text.bytes().position(|byte| byte == mark)?;
    Some((text.get(..place)?, text.get(place + 1..)?))
}

/// Splits a URL into what stands before the query, the query, and the fragment without its `#`.
pub fn split_url(url: &str) -> (&str, Form<'_>, Option<&str>) {
    let (rest, fragment) = match cut(url, b'#') {
        Some((rest, fragment)) => (rest, Some(fragment)),
        None => (url, None),
    };
    let (base, query) = cut(rest, b'?').unwrap_or((rest, ""));
    (base, Form(query), fragment)
}

/// Decodes an escaped text, once. A broken escape is `None`, which equals nothing.
pub fn decoded(escaped: &str) -> Decoded<'_> {
    Decoded(escaped.as_bytes())
}

/// See [`decoded`].
pub struct Decoded<'a>(&'a [u8]);

impl Iterator for Decoded<'_> {
    type Item = Option<u8>;

    fn next(&mut self) -> Option<Option<u8>> {
        let (byte, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(match (byte, rest) {
            (b'+', _) => Some(b' '),
            (b'%', [high, low, rest @ ..]) => {
                self.0 = rest;
                digit(*high).zip(digit(*low)).map(|(high, low)| (high << 4) | low)
            }
            (b'%', _) => None,
            _ => Some(*byte),
        })
    }
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).map(|digit| digit as u8)
}

/// Whether two escaped texts mean the same.
pub fn same(one: &str, other: &str) -> bool {
    let mut others = decoded(other);
    decoded(one).all(|byte| byte.is_some() && others.next() == Some(byte)) && others.next().is_none()
}

/// Whether two escaped texts mean the same but for the case of their ASCII letters.
pub fn same_lowercase(one: &str, other: &str) -> bool {
    let lower = |byte: Option<u8>| byte.map(|byte| byte.to_ascii_lowercase());
    let mut others = decoded(other).map(lower);
    decoded(one).map(lower).all(|byte| byte.is_some() && others.next() == Some(byte)) && others.next().is_none()
}

/// Appends a pair whose value is escaped already.
pub fn push(form: &mut String, name: &str, escaped: &str) {
    if !form.is_empty() {
        form.push('&');
    }
    form.push_str(name);
    form.push('=');
    form.push_str(escaped);
}

/// Appends a pair, escaping its value; everything unreserved (RFC 3986 §2.3) stays readable.
pub fn push_plain(form: &mut String, name: &str, plain: &str) {
    push(form, name, "");
    for byte in plain.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            form.push(char::from(byte));
        } else {
            form.push('%');
            form.push(hex(byte >> 4));
            form.push(hex(byte & 15));
        }
    }
}

fn hex(nibble: u8) -> char {
    char::from(if nibble < 10 { b'0' + nibble } else { b'A' - 10 + nibble })
}

/// Encodes bytes as base64url without padding.
pub fn base64url(bytes: impl IntoIterator<Item = u8>) -> String {
    let mut text = String::new();
    let mut bits = 0_u32;
    let mut held = 0_u32;
    for byte in bytes {
        bits = (bits << 8) | u32::from(byte);
        held += 8;
        while held >= 6 {
            held -= 6;
            text.push(symbol(bits >> held));
        }
    }
    if held > 0 {
        text.push(symbol(bits << (6 - held)));
    }
    text
}

fn symbol(bits: u32) -> char {
    let value = (bits & 63) as u8;
    char::from(match value {
        0..=25 => b'A' + value,
        26..=51 => b'a' - 26 + value,
        52..=61 => value - 4,
        62 => b'-',
        _ => b'_',
    })
}

/// A number in decimal digits.
pub fn decimal(number: u64) -> String {
    let mut text = if number < 10 { String::new() } else { decimal(number / 10) };
    text.push(char::from(b'0' + (number % 10) as u8));
    text
}

/// The number of a text of decimal digits.
pub fn number(text: &str) -> Option<u64> {
    let digits = |number: u64, byte: u8| byte.is_ascii_digit().then(|| (number.wrapping_mul(10)).wrapping_add(u64::from(byte - b'0')));
    if text.is_empty() || text.len() > 18 { None } else { text.bytes().try_fold(0, digits) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64url_of_every_length() {
        let vectors = [("", ""), ("f", "Zg"), ("fo", "Zm8"), ("foo", "Zm9v"), ("foob", "Zm9vYg")];
        for (plain, encoded) in vectors {
            assert_eq!(base64url(plain.bytes()), encoded);
        }
        assert_eq!(base64url([0xfb, 0xff, 0xfe]), "-__-");
    }

    #[test]
    fn escaped_values_mean_what_was_put_in() {
        let value = "a b+c&d=e%f#g?h/é\u{1F511}~";
        let mut form = String::new();
        push(&mut form, "first", "1");
        push_plain(&mut form, "second", value);
        let escaped = Form(&form).unique("second").unwrap().unwrap();
        let bytes: Option<Vec<u8>> = decoded(escaped).collect();
        assert_eq!(String::from_utf8(bytes.unwrap()).unwrap(), value);
        assert!(form.is_ascii());
    }

    #[test]
    fn compared_by_meaning_after_exactly_one_decoding() {
        assert!(same("https%3A%2F%2fas.example", "https://as.example"));
        assert!(same("a+b", "a%20b"));
        assert!(!same("a%252Fb", "a/b"));
        assert!(!same("a", "ab"));
        assert!(!same("ab", "a"));
        assert!(same("", ""));
    }

    #[test]
    fn broken_escapes_equal_nothing() {
        for broken in ["%", "%4", "%zz", "%+1", "a%"] {
            assert!(!same(broken, broken), "{broken}");
        }
    }

    #[test]
    fn repeated_parameters_are_found_also_when_the_name_is_escaped() {
        assert_eq!(Form("a=1&b=2&a=3").unique("a"), Err(Repeated));
        assert_eq!(Form("a=1&%61=3").unique("a"), Err(Repeated));
        assert_eq!(Form("a=1&q=100%&q=2").unique("a"), Ok(Some("1")));
        assert_eq!(Form("").unique("a"), Ok(None));
        assert_eq!(Form("&&a&").unique("a"), Ok(Some("")));
    }

    #[test]
    fn rfc3986_urls_are_split_in_order() {
        let parts = |url| {
            let (base, query, fragment) = split_url(url);
            (base, query.0, fragment)
        };
        assert_eq!(parts("https://a/b?c=d#e?f"), ("https://a/b", "c=d", Some("e?f")));
        assert_eq!(parts("https://a/b#e"), ("https://a/b", "", Some("e")));
        assert_eq!(parts("https://a/b"), ("https://a/b", "", None));
    }

    #[test]
    fn numbers() {
        for value in [0, 9, 10, 1_700_000_000_123, 999_999_999_999_999_999] {
            assert_eq!(decimal(value), value.to_string());
            assert_eq!(number(&decimal(value)), Some(value));
        }
        for text in ["", "-1", "1.5", "x", "1e3", "9999999999999999999"] {
            assert_eq!(number(text), None, "{text}");
        }
    }
}
