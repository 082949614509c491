//! `kubefarm man`: manual pages.

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use clap_mangen::Man as Page;

use super::{Failure, write_stdout};

const EXAMPLES: &str = "\
Examples:
  kubefarm man | man -l -
  kubefarm man --output-dir /usr/local/share/man/man1";

/// Print the manual page, or write one for every command.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Man {
    /// Write a page for every command into DIR, which has to exist.
    #[arg(long, value_name = "DIR", env = "KUBEFARM_OUTPUT_DIR")]
    output_dir: Option<PathBuf>,
}

impl Man {
    pub fn run(self, command: clap::Command) -> Result<(), Failure> {
        if let Some(dir) = &self.output_dir {
            clap_mangen::generate_to(command, dir)
                .with_context(|| format!("cannot write manual pages into {}", dir.display()))?;
            return Ok(());
        }
        let mut page = Vec::new();
        Page::new(command).render(&mut page)?;
        write_stdout(&page)
    }
}
