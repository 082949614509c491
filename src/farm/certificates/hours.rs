//! How long certificates are good for.

use serde::Serialize;

/// A time span, written as Go writes durations: `8760h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hours(pub u32);

impl Serialize for Hours {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{}h", self.0))
    }
}
