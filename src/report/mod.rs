//! What a person reads on stderr.

mod diagnostics;
mod diff;
mod failures;
mod harmless;
mod progress;
mod screen;
mod style;
mod table;

pub use diagnostics::print_problems;
pub use diff::{print_changed_text, print_differences};
pub use failures::{print_apply_error, print_bootstrap_error, print_unready};
pub use harmless::readable;
pub use progress::{Output, Progress, ProgressFormat};
pub use screen::{Screen, size};
pub use style::Style;
pub use table::{columns, fitted, table};
