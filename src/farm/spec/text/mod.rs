//! Values with a rule of their own: each type knows what it accepts, why it refuses anything else, and its pattern in
//! the JSON Schema. A decoded value needs no further check.

mod addresses;
mod amounts;
mod backups;
mod disks;
mod fields;
mod flags;
mod images;
mod labels;
mod machines;
mod names;
mod node_labels;
pub mod pattern;
mod pods;
mod range;
mod several;
mod tag;
#[cfg(test)]
mod tests;

pub use addresses::{
    Address, CertificateName, Cidrs, DnsDomain, Endpoint, HostPort, LoadBalancerClass, Network,
};
pub use amounts::{AccessMode, GoDuration, Schedule, VolumeSize};
pub use backups::{AgeRecipient, SecretName};
pub use disks::{DiskLabel, DiskName, JournalSize};
pub use fields::Field;
pub use flags::{Flags, scalar_text};
pub use images::{ImageDigest, ImageName, ImageTag};
pub use labels::{Annotations, LabelKey, LabelValue, Labels, NodeSelector};
pub use machines::{ClientId, HostName, LeaseTime, Mac};
pub use names::{FileName, KubernetesVersion, NamePrefix, Namespace, ReleaseName};
pub use node_labels::{NodeLabelKey, TaintKey, TaintValue};
pub use pods::{PriorityClass, TopologyKey};
pub use range::{DhcpRange, Kind as RangeKind, Range};
pub use several::Several;
pub use tag::Tag;

use schemars::{Schema, json_schema};
use serde::de::{self, Deserialize, Deserializer};

use crate::values::Refusal;

/// A text with a rule.
pub trait Text: Sized {
    /// A regular expression for the whole text that accepts all that [`Text::parse`] does. It uses only what ECMA-262
    /// (with the flag `u`), Rust's and Python's regular expressions have in common.
    fn pattern() -> String;

    /// An example for messages.
    const EXAMPLE: &'static str = "";

    /// The other scalars of YAML whose text may be such a text.
    const SCALARS: &'static [&'static str] = &[];

    /// Parses the text.
    ///
    /// # Errors
    /// What is wrong with the text.
    fn parse(text: String) -> Result<Self, Refusal>;
}

fn decode<'de, T: Text, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    T::parse(String::deserialize(deserializer)?).map_err(de::Error::custom)
}

fn schema<T: Text>() -> Schema {
    let kinds: Vec<&str> = std::iter::once("string")
        .chain(T::SCALARS.iter().copied())
        .collect();
    let mut schema = json_schema!({"type": kinds, "pattern": T::pattern()});
    if !T::EXAMPLE.is_empty() {
        schema.insert("examples".to_owned(), [T::EXAMPLE].as_slice().into());
    }
    schema
}

/// Implements decoding and JSON Schema for types of texts.
macro_rules! texts {
    ($($name:ident),*) => {$(
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                $crate::farm::spec::text::decode(deserializer)
            }
        }

        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn inline_schema() -> bool {
                true
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                $crate::farm::spec::text::schema::<$name>()
            }
        }
    )*};
}
use texts;

/// Declares a text that is kept as it was written.
macro_rules! written {
    ($($(#[$meta:meta])* $name:ident;)*) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
        #[serde(transparent)]
        pub struct $name(pub(super) Box<str>);

        impl std::ops::Deref for $name {
            type Target = str;

            fn deref(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl PartialEq<str> for $name {
            fn eq(&self, text: &str) -> bool {
                &*self.0 == text
            }
        }

        $crate::farm::spec::text::texts!($name);
    )*};
}
use written;

/// Declares a text that is kept as it was written, with its parsed value.
macro_rules! both {
    ($($(#[$meta:meta])* $name:ident: $read:ty;)*) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone)]
        pub struct $name {
            text: String,
            read: $read,
        }

        impl $name {
            /// The parsed value.
            pub fn read(&self) -> &$read {
                &self.read
            }
        }

        impl std::ops::Deref for $name {
            type Target = str;

            fn deref(&self) -> &str {
                &self.text
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
                f.write_str(&self.text)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.text)
            }
        }

        $crate::farm::spec::text::texts!($name);
    )*};
}
use both;

/// The schema of one text or a list of texts, each of which may have several items separated by commas.
fn one_or_many(pattern: &str, example: &str) -> Schema {
    json_schema!({
        "anyOf": [
            {
                "type": ["string"],
                "pattern": format!("(?:{pattern})(?:, *(?:{pattern}))*"),
                "examples": [example],
            },
            {
                "type": "array",
                "items": {"type": ["string"], "pattern": pattern, "examples": [example]},
            },
        ]
    })
}
