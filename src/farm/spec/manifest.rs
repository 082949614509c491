//! Objects of the user's own, for the child cluster or beside the farm.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};

use super::Fragment;
use crate::values::write::map_to_yaml;

/// One of the user's manifests.
#[derive(Debug, Clone)]
pub enum ExtraManifest {
    /// YAML text, one or several documents. A list of objects becomes such a text.
    Text(String),
    /// One Kubernetes object.
    Object(Fragment),
}

impl<'de> Deserialize<'de> for ExtraManifest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ExtraManifestVisitor)
    }
}

struct ExtraManifestVisitor;

impl<'de> Visitor<'de> for ExtraManifestVisitor {
    type Value = ExtraManifest;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("an object, a list of objects, or YAML text")
    }

    fn visit_str<E>(self, text: &str) -> Result<ExtraManifest, E> {
        Ok(ExtraManifest::Text(text.to_owned()))
    }

    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<ExtraManifest, A::Error> {
        Fragment::deserialize(MapAccessDeserializer::new(entries)).map(ExtraManifest::Object)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<ExtraManifest, A::Error> {
        let mut documents = Vec::new();
        while let Some(object) = items.next_element::<Fragment>()? {
            documents.push(map_to_yaml(&object));
        }
        Ok(ExtraManifest::Text(documents.join("---\n")))
    }
}

impl JsonSchema for ExtraManifest {
    fn schema_name() -> Cow<'static, str> {
        "ExtraManifest".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "anyOf": [
                {"description": "YAML text, one or several documents.", "type": "string"},
                {"description": "One Kubernetes object.", "type": "object"},
                {
                    "description": "Several Kubernetes objects.",
                    "type": "array",
                    "items": {"type": "object"},
                },
            ]
        })
    }
}
