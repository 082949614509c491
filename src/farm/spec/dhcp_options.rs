//! Options of DHCP that nodes with a tag are given.

use std::borrow::Cow;
use std::ops::Deref;

use indexmap::IndexMap;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::{self, Deserialize, Deserializer};

use super::{Field, OneOrMany, Several};
use crate::farm::syntax::dnsmasq_value_fault;
use crate::values::Refusal;

/// Options by their names, as they were written.
#[derive(Debug, Clone, Default)]
pub struct DhcpOptions(IndexMap<String, DhcpOptionValue>);

impl Deref for DhcpOptions {
    type Target = IndexMap<String, DhcpOptionValue>;

    fn deref(&self) -> &IndexMap<String, DhcpOptionValue> {
        &self.0
    }
}

/// An option's value.
#[derive(Debug, Clone)]
pub struct DhcpOptionValue {
    /// The option as dnsmasq takes it: a number, or `option:NAME`.
    pub key: String,
    pub fields: Several<Field>,
}

impl DhcpOptionValue {
    /// Whether it says to send no option of its kind: an empty text, or an empty list.
    pub fn is_nothing(&self) -> bool {
        self.fields.is_empty() || self.fields.is_empty_text()
    }

    /// All fields in one text.
    pub fn joined(&self) -> String {
        joined(&self.fields)
    }

    /// Whether it is option `number` of IPv4, which is also called `name`.
    pub fn is(&self, number: u8, name: &str) -> bool {
        let own = self.key.strip_prefix("option:");
        self.key.parse() == Ok(number) || own.is_some_and(|own| own.eq_ignore_ascii_case(name))
    }
}

fn joined(fields: &Several<Field>) -> String {
    let fields: Vec<&str> = fields.iter().map(|field| &**field).collect();
    fields.join(",")
}

/// An option's key as dnsmasq takes it: a number, or `option:NAME`.
fn option_key(key: &str) -> String {
    match key.strip_prefix("option:").unwrap_or(key) {
        // dnsmasq fills this option itself and has no name for it; only its number sets it.
        name if name.eq_ignore_ascii_case("broadcast") => "28".to_owned(),
        number if number.bytes().all(|byte| byte.is_ascii_digit()) => number.to_owned(),
        name if name.contains(':') => name.to_owned(),
        name => format!("option:{name}"),
    }
}

impl<'de> Deserialize<'de> for DhcpOptions {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let values = IndexMap::<String, Value>::deserialize(deserializer)?;
        let options = values.into_iter().map(|(name, Value(fields))| {
            let key = option_key(&name);
            (name, DhcpOptionValue { key, fields })
        });
        Ok(DhcpOptions(options.collect()))
    }
}

/// Fields that fit into a line.
struct Value(Several<Field>);

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let fields = Several::deserialize(deserializer)?;
        match dnsmasq_value_fault(&joined(&fields)) {
            None => Ok(Value(fields)),
            Some(fault) => Err(de::Error::custom(Refusal::new(fault))),
        }
    }
}

impl JsonSchema for DhcpOptions {
    fn schema_name() -> Cow<'static, str> {
        "DhcpOptions".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<IndexMap<String, OneOrMany>>()
    }
}
