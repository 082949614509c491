//! Lines of dnsmasq's configuration that users write for a pool.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;

use indexmap::IndexMap;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};

use super::{Field, Range, Text as _};
use crate::farm::syntax::dnsmasq_value_fault;
use crate::values::Refusal;

/// The option whose value is a range.
const RANGE: &str = "dhcp-range";

/// Options of dnsmasq with their values, one line each.
#[derive(Debug, Clone, Default)]
pub struct Lines(IndexMap<String, Line>);

impl Deref for Lines {
    type Target = IndexMap<String, Line>;

    fn deref(&self) -> &IndexMap<String, Line> {
        &self.0
    }
}

/// What stands behind an option's name; `?` stands for the release's tag.
#[derive(Debug, Clone)]
pub struct Line {
    fields: Vec<Field>,
    range: Option<Range>,
}

impl Line {
    /// What stands between the commas, without space around it.
    pub fn fields(&self) -> impl Iterator<Item = &str> {
        self.fields.iter().map(|field| &**field)
    }

    /// The range that it is; `None` with other options.
    pub fn range(&self) -> Option<&Range> {
        self.range.as_ref()
    }

    /// Reads the value of the option `key`.
    ///
    /// # Errors
    /// What would make another line of it, or what dnsmasq would not take as a range.
    pub fn parse(key: &str, text: &str) -> Result<Line, Refusal> {
        let fields = text.split(',').map(|field| field.trim_matches(' '));
        let fields: Result<Vec<Field>, Refusal> =
            fields.map(|field| Field::parse(field.to_owned())).collect();
        let fields = fields?;
        let longest_tag = "x".repeat(63);
        if let Some(fault) = dnsmasq_value_fault(&text.replace('?', &longest_tag)) {
            return Err(Refusal::new(fault));
        }
        let range = (key == RANGE).then(|| Range::parse(text)).transpose()?;
        Ok(Line { fields, range })
    }
}

impl<'de> Deserialize<'de> for Lines {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(LinesVisitor)
    }
}

struct LinesVisitor;

impl<'de> Visitor<'de> for LinesVisitor {
    type Value = Lines;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a map")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Lines, A::Error> {
        let mut lines = IndexMap::new();
        while let Some(key) = entries.next_key::<String>()? {
            let line = entries.next_value_seed(OfKey(&key))?;
            lines.insert(key, line);
        }
        Ok(Lines(lines))
    }
}

/// The value of the option that is called so.
struct OfKey<'a>(&'a str);

impl<'de> de::DeserializeSeed<'de> for OfKey<'_> {
    type Value = Line;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Line, D::Error> {
        let text = String::deserialize(deserializer)?;
        Line::parse(self.0, &text).map_err(de::Error::custom)
    }
}

impl JsonSchema for Lines {
    fn schema_name() -> Cow<'static, str> {
        "Lines".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<IndexMap<String, String>>()
    }
}
