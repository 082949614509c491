//! `kubefarm completions`: completion scripts for shells.

use clap::Args;
use clap_complete::Shell;

use super::{Failure, write_stdout};

const EXAMPLES: &str = "\
Examples:
  kubefarm completions bash > /etc/bash_completion.d/kubefarm
  kubefarm completions zsh > \"${fpath[1]}/_kubefarm\"";

/// Print a completion script for a shell.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Completions {
    /// The shell.
    #[arg(value_enum)]
    shell: Shell,
}

impl Completions {
    pub fn run(self, mut command: clap::Command) -> Result<(), Failure> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut command, "kubefarm", &mut script);
        write_stdout(&script)
    }
}
