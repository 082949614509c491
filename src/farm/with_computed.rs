//! The values that templates read, with computed keys beside them.

use serde::Serialize;

/// A section of the values and the keys computed from it, as one map. No key is in both.
#[derive(Debug, Clone, Serialize)]
pub struct WithComputed<S, C> {
    #[serde(flatten)]
    pub spec: S,
    #[serde(flatten)]
    pub computed: C,
}

impl<S, C> WithComputed<S, C> {
    pub fn new(spec: S, computed: C) -> WithComputed<S, C> {
        WithComputed { spec, computed }
    }
}
