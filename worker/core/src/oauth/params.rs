//! Parameters of a request (RFC 6749 §3.1, §3.2): unknown ones are ignored, a protocol parameter
//! must not stand twice, an empty value counts as omitted.

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

    /// The parameters in form encoding.
    #[must_use]
    pub fn encode(&self) -> String {
        form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.0).finish()
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
    fn values_survive_decoding_and_encoding_az_20() {
        let params = Params::parse("state=%20%2B%26%3D%C3%BC%22%3C".as_bytes());
        assert_eq!(params.get("state"), Ok(Some(" +&=ü\"<")));
        assert_eq!(Params::parse(params.encode().as_bytes()), params);
    }
}
