//! Parameters of a request (RFC 6749 §3.1, §3.2): unknown ones are ignored, a protocol parameter
//! must not stand twice, an empty value counts as omitted. The same rules hold for a JSON body, where
//! a policy takes one: an object with a text for each parameter.

use core::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// The parameters of a query or form body, in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Params(Vec<(String, String)>);

/// A parameter that was sent more than once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Duplicate(pub &'static str);

impl Params {
    /// Parses `application/x-www-form-urlencoded`.
    #[must_use]
    pub fn parse(text: &[u8]) -> Self {
        Self(form_urlencoded::parse(text).map(|(name, value)| (name.into_owned(), value.into_owned())).collect())
    }

    /// Parses a JSON object whose values are texts (a number or truth value counts as its text, null as
    /// omitted). A name that stands twice stays twice, for [`Params::get`] to refuse; `None` for
    /// anything else.
    #[must_use]
    pub fn parse_json(text: &[u8]) -> Option<Self> {
        // Not through `json`, whose values hold a name once.
        let Sent::Object(members) = serde_json::from_slice(text).ok()? else { return None };
        let texts = members.into_iter().map(|(name, value)| match value {
            Sent::Text(text) => Some((name, text)),
            Sent::Object(_) | Sent::List => None,
        });
        texts.collect::<Option<_>>().map(Self)
    }

    /// Every value of a parameter.
    pub fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The value of a parameter, or `None` when it is missing or empty.
    ///
    /// # Errors
    /// When it stands there more than once, be the values empty or not.
    pub fn get(&self, name: &'static str) -> Result<Option<&str>, Duplicate> {
        let mut values = self.0.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str());
        let first = values.next();
        if values.next().is_some() {
            return Err(Duplicate(name));
        }
        Ok(first.filter(|value| !value.is_empty()))
    }

    /// The value of a form field that has no duplicate rule: the first one, empty or not.
    #[must_use]
    pub fn field(&self, name: &str) -> &str {
        self.0.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    /// Pairs in form encoding.
    #[must_use]
    pub fn encoded(pairs: &[(&str, &str)]) -> String {
        form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
    }

    /// The parameters in form encoding.
    #[must_use]
    pub fn encode(&self) -> String {
        form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.0).finish()
    }
}

/// What a JSON body holds. Every kind is named, or serde's words for what was not expected would bring the
/// machinery that writes fractions.
enum Sent {
    /// A text, number, truth value or null, as text.
    Text(String),
    /// The members of an object in their order, doubled ones included.
    Object(Vec<(String, Sent)>),
    /// No parameter is one.
    List,
}

impl<'de> Deserialize<'de> for Sent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SentVisitor)
    }
}

struct SentVisitor;

impl<'de> Visitor<'de> for SentVisitor {
    type Value = Sent;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_str<E>(self, text: &str) -> Result<Sent, E> {
        Ok(Sent::Text(text.to_owned()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Sent, E> {
        Ok(Sent::Text(number.to_string()))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Sent, E> {
        Ok(Sent::Text(number.to_string()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Sent, E> {
        Ok(Sent::Text(serde_json::Value::from(number).to_string()))
    }

    fn visit_bool<E>(self, truth: bool) -> Result<Sent, E> {
        Ok(Sent::Text(truth.to_string()))
    }

    fn visit_unit<E>(self) -> Result<Sent, E> {
        Ok(Sent::Text(String::new()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Sent, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Sent::List)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Sent, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Sent::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_is_omitted_and_twice_is_refused_az_03_az_04() {
        let params = Params::parse(b"a=1&b=&c=1&c=2&d=&d=&foo%5B%5D=1");
        assert_eq!(params.get("a"), Ok(Some("1")));
        assert_eq!(params.get("b"), Ok(None));
        assert_eq!(params.get("missing"), Ok(None));
        assert_eq!(params.get("c"), Err(Duplicate("c")));
        assert_eq!(params.get("d"), Err(Duplicate("d")));
    }

    #[test]
    fn a_json_body_follows_the_same_rules_tk_03() {
        let params = Params::parse_json(br#"{"a":"1","b":"","c":"1","c":"2","n":5,"t":true,"z":null,"extra":"x"}"#).unwrap();
        assert_eq!(params.get("a"), Ok(Some("1")));
        assert_eq!(params.get("b"), Ok(None));
        assert_eq!(params.get("c"), Err(Duplicate("c")));
        assert_eq!((params.get("n"), params.get("t"), params.get("z")), (Ok(Some("5")), Ok(Some("true")), Ok(None)));
        for bad in ["", "[]", "\"a\"", "{\"a\":{}}", "{\"a\":[\"b\"]}", "{\"a\":\"1\"", "{\"a\":\"1\"}x", "a=1", "\u{0}"] {
            assert_eq!(Params::parse_json(bad.as_bytes()), None, "{bad}");
        }
        assert_eq!(Params::parse_json(&b"[".repeat(100_000)), None);
    }

    #[test]
    fn values_survive_decoding_and_encoding_az_20() {
        let params = Params::parse("state=%20%2B%26%3D%C3%BC%22%3C".as_bytes());
        assert_eq!(params.get("state"), Ok(Some(" +&=ü\"<")));
        assert_eq!(Params::parse(params.encode().as_bytes()), params);
    }
}
