//! Settings by tag.

use std::borrow::Cow;
use std::fmt;

use indexmap::IndexMap;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};

use super::{
    Annotations, DhcpOptionValue, DhcpOptions, LabelValue, NodeLabelKey, TaintKey, TaintValue,
    TextMap,
};

/// Settings by tag; the tag `all` applies to every node.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Tags {
    #[serde(default)]
    pub dhcp_options: IndexMap<String, Option<DhcpOptions>>,
    #[serde(default)]
    pub ltsp_options: IndexMap<String, Option<TextMap>>,
    #[serde(default)]
    pub kubernetes_labels: IndexMap<String, Option<NodeLabels>>,
    #[serde(default)]
    pub kubernetes_taints: IndexMap<String, Option<TaintList>>,
    #[serde(default)]
    pub kubernetes_annotations: IndexMap<String, Option<Annotations>>,
}

impl Tags {
    /// The options of DHCP, each with its tag and its name.
    pub fn options(&self) -> impl Iterator<Item = (&str, &str, &DhcpOptionValue)> {
        let settings = self.dhcp_options.iter();
        settings.flat_map(|(tag, options)| {
            let options = options.iter().flat_map(|options| options.iter());
            options.map(|(name, value)| (tag.as_str(), name.as_str(), value))
        })
    }
}

/// A tag's labels; null is an empty value.
pub type NodeLabels = IndexMap<NodeLabelKey, Option<LabelValue>>;

/// A tag's taints: a list, or an empty map for none, as the old charts' default wrote it.
#[derive(Debug, Clone, Default)]
pub struct TaintList(pub Vec<Taint>);

impl<'de> Deserialize<'de> for TaintList {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TaintListVisitor)
    }
}

struct TaintListVisitor;

impl<'de> Visitor<'de> for TaintListVisitor {
    type Value = TaintList;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a list of taints {key, value, effect}")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<TaintList, A::Error> {
        let mut taints = Vec::new();
        while let Some(taint) = items.next_element()? {
            taints.push(taint);
        }
        Ok(TaintList(taints))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<TaintList, A::Error> {
        match entries.next_key::<String>()? {
            None => Ok(TaintList::default()),
            Some(_) => Err(de::Error::custom("expected a list of taints, found a map")),
        }
    }
}

impl JsonSchema for TaintList {
    fn schema_name() -> Cow<'static, str> {
        "TaintList".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let taint = generator.subschema_for::<Taint>();
        json_schema!({
            "anyOf": [
                {"type": "array", "items": taint},
                {"type": "object", "maxProperties": 0},
            ]
        })
    }
}

/// A taint that nodes register with.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Taint {
    /// Its key, a label key.
    pub key: TaintKey,
    /// Its value, a label value.
    pub value: Option<TaintValue>,
    /// What happens to pods that do not tolerate it.
    pub effect: TaintEffect,
}

/// What happens to pods that do not tolerate a taint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum TaintEffect {
    NoSchedule,
    PreferNoSchedule,
    NoExecute,
}

impl fmt::Display for TaintEffect {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self {
            TaintEffect::NoSchedule => "NoSchedule",
            TaintEffect::PreferNoSchedule => "PreferNoSchedule",
            TaintEffect::NoExecute => "NoExecute",
        })
    }
}
