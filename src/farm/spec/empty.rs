//! Empty values are null for templates, so that their keys are left out.

use indexmap::IndexMap;
use serde::{Serialize, Serializer};

use super::{Annotations, Labels, NodeSelector};

/// A value that can be empty.
pub trait Empty {
    fn is_empty(&self) -> bool;
}

impl<T> Empty for Option<T> {
    fn is_empty(&self) -> bool {
        self.is_none()
    }
}

impl<T> Empty for Vec<T> {
    fn is_empty(&self) -> bool {
        self.is_empty()
    }
}

impl<V> Empty for IndexMap<String, V> {
    fn is_empty(&self) -> bool {
        self.is_empty()
    }
}

impl Empty for serde_json::Map<String, serde_json::Value> {
    fn is_empty(&self) -> bool {
        self.is_empty()
    }
}

/// Maps of texts that have rules.
macro_rules! maps {
    ($($name:ident),*) => {$(
        impl Empty for $name {
            fn is_empty(&self) -> bool {
                IndexMap::is_empty(self)
            }
        }
    )*};
}
maps!(Annotations, Labels, NodeSelector);

/// For `#[serde(serialize_with)]`.
///
/// # Errors
/// Those of the serializer.
pub fn null_if_empty<T: Empty + Serialize, S: Serializer>(
    value: &T,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    if value.is_empty() {
        serializer.serialize_none()
    } else {
        value.serialize(serializer)
    }
}
