//! What templates read: the values themselves, with what the farm computed beside them.

use serde::Serialize;

/// A section of the values and what was computed of it, as one map. No key is in both.
#[derive(Debug, Clone, Serialize)]
pub struct With<S, C> {
    #[serde(flatten)]
    pub spec: S,
    #[serde(flatten)]
    pub computed: C,
}

impl<S, C> With<S, C> {
    pub fn new(spec: S, computed: C) -> With<S, C> {
        With { spec, computed }
    }
}
