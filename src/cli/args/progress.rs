//! How progress is reported.

use clap::{Args, ValueEnum};

use crate::report::{Output, ProgressFormat};

/// How progress is reported.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub struct ProgressArgs {
    /// Print each event as a line of JSON to stdout.
    #[arg(short, long, value_enum, env = "KUBEFARM_PROGRESS_OUTPUT")]
    output: Option<Json>,
    /// Print nothing but warnings and errors.
    #[arg(short, long, env = "KUBEFARM_QUIET")]
    pub quiet: bool,
}

impl ProgressArgs {
    pub fn format(&self) -> ProgressFormat {
        ProgressFormat::choose(self.output.map(|Json::Json| Output::Json), self.quiet)
    }
}

/// The one format besides text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Json {
    Json,
}
