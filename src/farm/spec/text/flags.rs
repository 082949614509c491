//! Command-line flags.

use std::borrow::Cow;
use std::fmt;
use std::ops::{Deref, DerefMut};

use indexmap::IndexMap;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Text, written};
use crate::values::{NUMBER_AS_TEXT, Refusal};

/// Command-line flags without their leading dashes. A list repeats the flag, `null` removes a default one.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Flags(IndexMap<String, Value>);

impl Flags {
    /// A flag's value as it is written into the command line; `None` for a flag that is not set, null, which leaves it
    /// out, and for a list.
    pub fn text(&self, flag: &str) -> Option<String> {
        scalar_text(self.get(flag)?)
    }
}

/// A scalar as it is written into a command line.
pub fn scalar_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(on) => Some(on.to_string()),
        _ => None,
    }
}

impl Deref for Flags {
    type Target = IndexMap<String, Value>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl DerefMut for Flags {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0
    }
}

impl<'a> IntoIterator for &'a Flags {
    type Item = (&'a String, &'a Value);
    type IntoIter = indexmap::map::Iter<'a, String, Value>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

/// Flags of our own.
impl<const N: usize> From<[(String, Value); N]> for Flags {
    fn from(flags: [(String, Value); N]) -> Flags {
        Flags(flags.into())
    }
}

impl<'de> Deserialize<'de> for Flags {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let flags = IndexMap::<FlagName, FlagValue>::deserialize(deserializer)?;
        let flags = flags
            .into_iter()
            .map(|(name, value)| (name.0.into(), value.0));
        Ok(Flags(flags.collect()))
    }
}

impl JsonSchema for Flags {
    fn schema_name() -> Cow<'static, str> {
        "Flags".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let scalar = json_schema!({"type": ["string", "number", "boolean", "null"]});
        json_schema!({
            "type": "object",
            "propertyNames": {"pattern": format!("^{}$", FlagName::pattern())},
            "additionalProperties": {"anyOf": [scalar, {"type": "array", "items": scalar}]},
        })
    }
}

written! {
    /// A flag's name.
    FlagName;
}

impl Text for FlagName {
    fn pattern() -> String {
        "[A-Za-z0-9][A-Za-z0-9_.-]*".to_owned()
    }

    fn parse(text: String) -> Result<Self, Refusal> {
        let is_plain = text.starts_with(|first: char| first.is_ascii_alphanumeric())
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
        if is_plain {
            return Ok(FlagName(text.into()));
        }
        let refusal = Refusal::new(format!("`{text}` is not a flag"));
        Err(refusal.help("write its name without the leading dashes"))
    }
}

/// A scalar, or a list of scalars.
struct FlagValue(Value);

impl<'de> Deserialize<'de> for FlagValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = deserializer.deserialize_newtype_struct(NUMBER_AS_TEXT, FlagValueVisitor)?;
        Ok(FlagValue(value))
    }
}

struct FlagValueVisitor;

impl<'de> Visitor<'de> for FlagValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a scalar, or a list of scalars")
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, scalar: D) -> Result<Value, D::Error> {
        scalar.deserialize_any(self)
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(FlagValue(item)) = items.next_element()? {
            if item.is_array() {
                return Err(de::Error::custom(NOT_SCALAR));
            }
            list.push(item);
        }
        Ok(list.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, _: A) -> Result<Value, A::Error> {
        Err(de::Error::custom(NOT_SCALAR))
    }
}

const NOT_SCALAR: &str = "a flag's value is a scalar, or a list of scalars to repeat it";
