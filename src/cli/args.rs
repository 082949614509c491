//! Flags that several commands share.

mod cluster;
mod farm;
mod progress;
mod types;
mod values;

pub use cluster::{AppliedArgs, ClusterArgs};
pub use farm::{FarmArgs, NameArgs};
pub use progress::{Json, ProgressArgs};
pub use types::{Endpoint, duration, object_name, span};
pub use values::{ChartArgs, ValuesArgs};
