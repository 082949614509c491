//! How progress is reported.

use clap::{Args, ValueEnum};

use crate::report::{Form, Output};

/// How it is told what happens.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub struct ProgressArgs {
    /// Print a JSON object for each event, one a line, to stdout.
    #[arg(short, long, value_enum, env = "KUBEFARM_PROGRESS_OUTPUT")]
    output: Option<Json>,
    /// Print nothing but warnings and errors.
    #[arg(short, long, env = "KUBEFARM_QUIET")]
    pub quiet: bool,
}

impl ProgressArgs {
    pub fn form(&self) -> Form {
        Form::choose(self.output.map(|Json::Json| Output::Json), self.quiet)
    }
}

/// The one form besides text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Json {
    Json,
}
