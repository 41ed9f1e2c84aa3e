//! JSON into types. Read JSON only through here: a text is parsed to a [`Value`] once, and one small
//! deserializer takes any type from there. Reading with `serde_json::from_str`, or rows of a database
//! with another format's reader, would make the compiler write every type once more: tens of kilobytes
//! of the module.
//!
//! What it is stricter in than `serde_json`: a structure is an object, never a list of its fields, and
//! an enumeration is the text of a variant without fields. Of a name that stands twice the last value
//! counts. What is wrong is told in serde's words, with the names that are known.

use core::fmt;

use serde::de::{
    self, DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, Expected, MapAccess, SeqAccess, Unexpected, VariantAccess, Visitor,
};
use serde::ser::Serialize;
use serde_json::{Value, map};

/// Why a text or value is not of its type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error(Box<str>);

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl core::error::Error for Error {}

impl de::Error for Error {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(message.to_string().into())
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        wrong("type", found, expected)
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        wrong("value", found, expected)
    }
}

/// In serde's words, without the machinery that writes fractions.
fn wrong(what: &str, found: Unexpected<'_>, expected: &dyn Expected) -> Error {
    let found = match found {
        Unexpected::Bool(value) => format!("boolean `{value}`"),
        Unexpected::Unsigned(value) => format!("integer `{value}`"),
        Unexpected::Signed(value) => format!("integer `{value}`"),
        Unexpected::Float(_) => "floating point number".to_owned(),
        Unexpected::Str(text) => format!("string {text:?}"),
        Unexpected::Unit => "null".to_owned(),
        Unexpected::Seq => "sequence".to_owned(),
        Unexpected::Map => "map".to_owned(),
        _ => "something else".to_owned(),
    };
    Error(format!("invalid {what}: {found}, expected {expected}").into())
}

/// Parses a text.
///
/// # Errors
/// Where it is not JSON.
pub fn parse(text: &[u8]) -> Result<Value, Error> {
    serde_json::from_slice(text).map_err(|error| Error(error.to_string().into()))
}

/// Reads a text as a type.
///
/// # Errors
/// Where it is not JSON, or what of it is not as the type wants it.
pub fn read<T: DeserializeOwned>(text: &[u8]) -> Result<T, Error> {
    from_value(&parse(text)?)
}

/// Reads a value as a type.
///
/// # Errors
/// What of it is not as the type wants it.
pub fn from_value<T: DeserializeOwned>(value: &Value) -> Result<T, Error> {
    T::deserialize(Part::Value(value))
}

/// A type as a value, by way of its text: so that each type is written in one way only.
#[must_use]
pub fn to_value<T: Serialize>(value: &T) -> Value {
    serde_json::to_vec(value).ok().and_then(|text| parse(&text).ok()).unwrap_or_default()
}

/// A value, or the name of a member.
#[derive(Clone, Copy)]
enum Part<'a> {
    Value(&'a Value),
    Name(&'a str),
}

impl<'a> Part<'a> {
    fn found(self) -> Unexpected<'a> {
        match self {
            Self::Name(text) => Unexpected::Str(text),
            Self::Value(value) => match value {
                Value::Null => Unexpected::Unit,
                Value::Bool(value) => Unexpected::Bool(*value),
                Value::Number(number) => match (number.as_u64(), number.as_i64()) {
                    (Some(number), _) => Unexpected::Unsigned(number),
                    (_, Some(number)) => Unexpected::Signed(number),
                    _ => Unexpected::Float(0.0),
                },
                Value::String(text) => Unexpected::Str(text),
                Value::Array(_) => Unexpected::Seq,
                Value::Object(_) => Unexpected::Map,
            },
        }
    }

    #[inline(never)]
    fn is_not(self, expected: &dyn Expected) -> Error {
        wrong("type", self.found(), expected)
    }

    /// Not an integer, or one that the type does not hold.
    fn is_no_number(self, expected: &dyn Expected) -> Error {
        match self.found() {
            found @ (Unexpected::Signed(_) | Unexpected::Unsigned(_)) => wrong("value", found, expected),
            found => wrong("type", found, expected),
        }
    }

    const fn is_null(self) -> bool {
        matches!(self, Self::Value(Value::Null))
    }

    fn text(self, expected: &dyn Expected) -> Result<&'a str, Error> {
        match self {
            Self::Name(text) => Ok(text),
            Self::Value(Value::String(text)) => Ok(text),
            Self::Value(_) => Err(self.is_not(expected)),
        }
    }

    fn unsigned(self, expected: &dyn Expected) -> Result<u64, Error> {
        match self {
            Self::Value(Value::Number(number)) => number.as_u64(),
            _ => None,
        }
        .ok_or_else(|| self.is_no_number(expected))
    }

    fn signed(self, expected: &dyn Expected) -> Result<i64, Error> {
        match self {
            Self::Value(Value::Number(number)) => number.as_i64(),
            _ => None,
        }
        .ok_or_else(|| self.is_no_number(expected))
    }

    fn items(self, expected: &dyn Expected) -> Result<&'a [Value], Error> {
        match self {
            Self::Value(Value::Array(items)) => Ok(items),
            _ => Err(self.is_not(expected)),
        }
    }

    fn members(self, expected: &dyn Expected) -> Result<Members<'a>, Error> {
        match self {
            Self::Value(Value::Object(members)) => Ok(Members { rest: members.iter(), value: None }),
            _ => Err(self.is_not(expected)),
        }
    }
}

macro_rules! numbers {
    ($read:ident, $visit:ident: $($name:ident)*) => {$(
        fn $name<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            match self.$read(&visitor) {
                Ok(number) => visitor.$visit(number),
                Err(error) => Err(error),
            }
        }
    )*};
}

macro_rules! texts {
    ($($name:ident)*) => {$(
        fn $name<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            match self.text(&visitor) {
                Ok(text) => visitor.visit_str(text),
                Err(error) => Err(error),
            }
        }
    )*};
}

impl<'de> Deserializer<'de> for Part<'_> {
    type Error = Error;

    numbers! { unsigned, visit_u64: deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 }
    numbers! { signed, visit_i64: deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 }
    texts! { deserialize_str deserialize_string deserialize_char deserialize_identifier }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let value = match self {
            Self::Name(text) => return visitor.visit_str(text),
            Self::Value(value) => value,
        };
        match value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Number(number) => match (number.as_u64(), number.as_i64()) {
                (Some(number), _) => visitor.visit_u64(number),
                (_, Some(number)) => visitor.visit_i64(number),
                _ => visitor.visit_f64(number.as_f64().unwrap_or_default()),
            },
            Value::String(text) => visitor.visit_str(text),
            Value::Array(_) => self.deserialize_seq(visitor),
            Value::Object(_) => self.deserialize_map(visitor),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self {
            Self::Value(Value::Bool(value)) => visitor.visit_bool(*value),
            _ => Err(self.is_not(&visitor)),
        }
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_f64(visitor)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self {
            Self::Value(Value::Number(number)) => visitor.visit_f64(number.as_f64().unwrap_or_default()),
            _ => Err(self.is_not(&visitor)),
        }
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_byte_buf(visitor)
    }

    /// A list of numbers, as D1 returns a BLOB.
    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let bytes: Option<Vec<u8>> =
            self.items(&visitor)?.iter().map(|item| item.as_u64().and_then(|number| u8::try_from(number).ok())).collect();
        match bytes {
            Some(bytes) => visitor.visit_byte_buf(bytes),
            None => Err(self.is_not(&visitor)),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.is_null() { visitor.visit_unit() } else { Err(self.is_not(&visitor)) }
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.items(&visitor) {
            Ok(items) => visitor.visit_seq(Items(items.iter())),
            Err(error) => Err(error),
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(self, _: &'static str, _: usize, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.members(&visitor) {
            Ok(members) => visitor.visit_map(members),
            Err(error) => Err(error),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(self, _: &'static str, _: &'static [&'static str], visitor: V) -> Result<V::Value, Error> {
        self.deserialize_map(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(self, _: &'static str, _: &'static [&'static str], visitor: V) -> Result<V::Value, Error> {
        visitor.visit_enum(self)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }
}

/// The items of a list.
struct Items<'a>(core::slice::Iter<'a, Value>);

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        self.0.next().map(|value| seed.deserialize(Part::Value(value))).transpose()
    }
}

/// The members of an object.
struct Members<'a> {
    rest: map::Iter<'a>,
    value: Option<&'a Value>,
}

impl<'a> Members<'a> {
    #[inline(never)]
    fn next(&mut self) -> Option<Part<'a>> {
        let (name, value) = self.rest.next()?;
        self.value = Some(value);
        Some(Part::Name(name))
    }
}

impl<'de> MapAccess<'de> for Members<'_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        self.next().map(|name| seed.deserialize(name)).transpose()
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Error> {
        seed.deserialize(Part::Value(self.value.unwrap_or(&Value::Null)))
    }
}

impl<'de> EnumAccess<'de> for Part<'_> {
    type Error = Error;
    type Variant = Unit;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Unit), Error> {
        Ok((seed.deserialize(self)?, Unit))
    }
}

/// A variant without fields; of the others, none is read.
struct Unit;

impl<'de> VariantAccess<'de> for Unit {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, _: T) -> Result<T::Value, Error> {
        Err(fields())
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value, Error> {
        Err(fields())
    }

    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], _: V) -> Result<V::Value, Error> {
        Err(fields())
    }
}

fn fields() -> Error {
    Error("a variant with fields is not read from JSON".into())
}

#[cfg(test)]
mod tests;
