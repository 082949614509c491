//! What a person reads on stderr.

mod diagnostics;

pub use diagnostics::{Style, print_problems};
