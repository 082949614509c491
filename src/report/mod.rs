//! What a person reads on stderr.

mod diagnostics;
mod diff;
mod failures;
mod progress;
mod table;

pub use diagnostics::{Style, print_problems, readable};
pub use diff::print_differences;
pub use failures::{print_apply_error, print_bootstrap_error, print_unready};
pub use progress::{Form, Output, Progress};
pub use table::{columns, fitted, table};
