//! Labels and annotations.

use std::borrow::Cow;
use std::ops::{Deref, DerefMut};

use indexmap::IndexMap;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize};

use super::{Text, pattern, written};
use crate::farm::spec::TextMap;
use crate::farm::syntax::{is_label_key, is_label_value};
use crate::values::Refusal;

const KEYS: &str = "letters, digits, `-`, `_` and `.`, at most 63, after a DNS name and a slash if needed: example.org/team";
const VALUES: &str =
    "letters, digits, `-`, `_` and `.`, at most 63, a letter or digit at both ends";

written! {
    /// A label's key: `example.org/team`.
    LabelKey;
    /// A label's value, which may be empty.
    LabelValue;
    /// The key of a label for components: not `app`, by which they find their own pods.
    OwnLabelKey;
    /// An annotation's key: that of a label, with capitals in the prefix as well (apimachinery, ValidateAnnotations).
    AnnotationKey;
}

impl Text for LabelKey {
    fn pattern() -> String {
        format!("(?:{}/)?{}", pattern::lower_dns_name(), pattern::QUALIFIED)
    }

    fn parse(text: String) -> Result<Self, Refusal> {
        if is_label_key(&text) {
            return Ok(LabelKey(text.into()));
        }
        Err(Refusal::new(format!("`{text}` is not a label key")).help(KEYS))
    }
}

impl Text for OwnLabelKey {
    fn pattern() -> String {
        format!("(?!app$){}", LabelKey::pattern())
    }

    fn parse(text: String) -> Result<Self, Refusal> {
        if text == "app" {
            let refusal = Refusal::new("the label `app` is how a component finds its own pods");
            return Err(refusal.help(
                "it is the object's name; set app.kubernetes.io/name, or a label of another name",
            ));
        }
        LabelKey::parse(text).map(|LabelKey(key)| OwnLabelKey(key))
    }
}

impl Text for LabelValue {
    const SCALARS: &'static [&'static str] = &["number", "boolean"];

    fn pattern() -> String {
        format!("(?:{})?", pattern::QUALIFIED)
    }

    fn parse(text: String) -> Result<Self, Refusal> {
        if is_label_value(&text) {
            return Ok(LabelValue(text.into()));
        }
        Err(Refusal::new(format!("`{text}` is not a label value")).help(VALUES))
    }
}

impl Text for AnnotationKey {
    fn pattern() -> String {
        format!("(?:{}/)?{}", pattern::dns_name(), pattern::QUALIFIED)
    }

    fn parse(text: String) -> Result<Self, Refusal> {
        if is_label_key(&text.to_ascii_lowercase()) {
            return Ok(AnnotationKey(text.into()));
        }
        Err(Refusal::new(format!("`{text}` is not an annotation key")).help(KEYS))
    }
}

impl From<LabelValue> for String {
    fn from(value: LabelValue) -> String {
        value.0.into()
    }
}

/// Declares a map of texts whose keys and values have rules.
macro_rules! maps {
    ($($(#[$meta:meta])* $name:ident: $key:ident, $value:ident;)*) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
        #[serde(transparent)]
        pub struct $name(TextMap);

        impl Deref for $name {
            type Target = TextMap;

            fn deref(&self) -> &TextMap {
                &self.0
            }
        }

        /// For entries of our own.
        impl DerefMut for $name {
            fn deref_mut(&mut self) -> &mut TextMap {
                &mut self.0
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let map = IndexMap::<$key, $value>::deserialize(deserializer)?;
                let texts = map.into_iter().map(|(key, value)| (key.0.into(), value.into()));
                Ok($name(texts.collect()))
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn inline_schema() -> bool {
                true
            }

            fn json_schema(generator: &mut SchemaGenerator) -> Schema {
                json_schema!({
                    "type": "object",
                    "propertyNames": {"pattern": format!("^(?:{})$", $key::pattern())},
                    "additionalProperties": generator.subschema_for::<$value>(),
                })
            }
        }
    )*};
}

maps! {
    /// Labels of a component's objects.
    Labels: OwnLabelKey, LabelValue;
    /// Labels that a node has to have.
    NodeSelector: LabelKey, LabelValue;
    /// Annotations of a component's objects.
    Annotations: AnnotationKey, String;
}
