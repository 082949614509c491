//! Layers of values files and flags become one tree in which every leaf remembers where it was written.
//!
//! This room knows YAML, Helm's merge rules and Helm's `--set` grammar. It knows nothing of Kubernetes.

pub mod changed;
mod comments;
pub mod decode;
pub mod layers;
pub mod merge;
pub mod nearest;
pub mod problem;
pub mod scalar;
pub mod secret;
pub mod set;
pub mod tree;
pub mod write;
pub mod yaml;

pub use changed::changed;
pub use comments::comments;
pub use decode::{NUMBER_AS_TEXT, Refusal, decode, decode_with_gaps, rewritten};
pub use layers::{Defaults, Input, Loaded, load, load_with_removed, load_with_stdin, put_at_nulls};
pub use merge::Removed;
pub use nearest::{nearest, slip};
pub use problem::{Problem, Severity};
pub use tree::{Entry, Map, Node, Origin, Path, Segment, Value};
pub use write::{to_yaml, to_yaml_with_comments};
