//! Numbers with a rule of their own.

use std::fmt;
use std::num::{NonZeroU16, NonZeroU32};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, de};

use crate::values::Refusal;

/// Declares a number that is not 0: what it is kept as, what it is decoded from, and why 0 is refused.
macro_rules! numbers {
    ($($(#[$meta:meta])* $name:ident($kept:ty, $number:ty): $zero:literal;)*) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
        #[serde(transparent)]
        pub struct $name($kept);

        impl $name {
            /// The number itself.
            pub fn get(self) -> $number {
                self.0.get()
            }
        }

        impl From<$name> for $number {
            fn from(number: $name) -> $number {
                number.get()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let number = <$kept>::new(<$number>::deserialize(deserializer)?);
                number
                    .map($name)
                    .ok_or_else(|| de::Error::custom(Refusal::new($zero)))
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn inline_schema() -> bool {
                true
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({"type": "integer", "minimum": 1, "maximum": <$number>::MAX})
            }
        }
    )*};
}

numbers! {
    /// A port. 0 would be any.
    Port(NonZeroU16, u16): "0 is not a port";
    /// A count of at least one.
    Count(NonZeroU32, u32): "has to be at least 1";
}
