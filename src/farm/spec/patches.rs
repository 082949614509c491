//! Changes to rendered objects for which there is no value.

use std::borrow::Cow;
use std::fmt;

use json_patch::PatchOperation;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};

use super::Fragment;

/// A change to rendered objects.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
pub struct Patch {
    /// Which objects are changed. It is an error if there are none.
    pub target: Target,
    /// A map: fields to set, null to remove one; lists that Kubernetes merges by a key (containers, volumes and
    /// variables by name) are merged so, and other lists replaced. A list: the operations of a JSON patch (RFC 6902).
    pub patch: Change,
}

/// Which objects a patch changes.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
pub struct Target {
    /// `admin`: objects of the admin cluster; `child`: those that the bootstrap Job applies inside the child.
    #[serde(default)]
    pub cluster: Side,
    /// Their kind, in any case; `*` stands for any text.
    pub kind: String,
    /// Their name; `*` stands for any text.
    pub name: String,
    /// Their namespace; `*` stands for any text. Unset: any.
    pub namespace: Option<String>,
}

/// The cluster that objects are for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Side {
    #[default]
    Admin,
    Child,
}

/// The change of a patch.
#[derive(Debug, Clone)]
pub enum Change {
    /// Fields that are merged over the object.
    Merge(Fragment),
    /// Operations, one after the other (RFC 6902).
    Operations(Vec<PatchOperation>),
}

impl<'de> Deserialize<'de> for Change {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ChangeVisitor)
    }
}

struct ChangeVisitor;

impl<'de> Visitor<'de> for ChangeVisitor {
    type Value = Change;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a map of fields to merge, or a list of JSON patch operations")
    }

    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<Change, A::Error> {
        Fragment::deserialize(MapAccessDeserializer::new(entries)).map(Change::Merge)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Change, A::Error> {
        Vec::deserialize(SeqAccessDeserializer::new(items)).map(Change::Operations)
    }
}

impl JsonSchema for Change {
    fn schema_name() -> Cow<'static, str> {
        "Change".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "anyOf": [
                {"description": "Fields to set, or null to remove one.", "type": "object"},
                {
                    "description": "Operations of a JSON patch (RFC 6902).",
                    "type": "array",
                    "items": {"type": "object"},
                },
            ]
        })
    }
}
