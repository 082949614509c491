//! Pieces of a pod.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserializer, Visitor};
use serde::{Deserialize, Serialize};

use super::{Fragment, TaintEffect};
use crate::values::{NUMBER_AS_TEXT, Refusal};

/// A toleration of the taints of nodes (Kubernetes `Toleration`).
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Toleration {
    /// The key of the taints. Unset, with the operator `Exists`: all of them.
    pub key: Option<String>,
    /// How the value is compared. Unset: `Equal`.
    pub operator: Option<TolerationOperator>,
    /// The value of the taints.
    pub value: Option<String>,
    /// The effect of the taints. Unset: all of them.
    pub effect: Option<TaintEffect>,
    /// How long the pod stays on a node with such a taint of the effect `NoExecute`. Unset: for ever.
    pub toleration_seconds: Option<i64>,
}

/// How a toleration's value is compared with a taint's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum TolerationOperator {
    Exists,
    Equal,
    Lt,
    Gt,
}

/// A variable of a container's environment (Kubernetes `EnvVar`).
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EnvVar {
    /// Its name.
    pub name: String,
    /// Its value. Unset: the empty text, or what `valueFrom` gives.
    pub value: Option<EnvValue>,
    /// Where its value is read, as in a pod: `{secretKeyRef: {name: proxy, key: password}}`.
    pub value_from: Option<Fragment>,
}

/// The value of a variable. Only text: a number `1.10` would become `1.1`.
#[derive(Debug, Clone, Serialize)]
#[serde(transparent)]
pub struct EnvValue(String);

impl<'de> Deserialize<'de> for EnvValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(NUMBER_AS_TEXT, EnvValueVisitor)
    }
}

struct EnvValueVisitor;

impl<'de> Visitor<'de> for EnvValueVisitor {
    type Value = EnvValue;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, inner: D) -> Result<EnvValue, D::Error> {
        inner.deserialize_any(self)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<EnvValue, E> {
        Ok(EnvValue(text.to_owned()))
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<EnvValue, E> {
        Err(not_text())
    }

    fn visit_u64<E: de::Error>(self, _: u64) -> Result<EnvValue, E> {
        Err(not_text())
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<EnvValue, E> {
        Err(not_text())
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<EnvValue, E> {
        Err(not_text())
    }
}

fn not_text<E: de::Error>() -> E {
    E::custom(Refusal::new("Kubernetes accepts only text here").help("quote it"))
}

impl JsonSchema for EnvValue {
    fn schema_name() -> Cow<'static, str> {
        "EnvValue".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string"})
    }
}
