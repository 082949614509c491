//! `kubefarm man`: manual pages.

use std::path::{Path, PathBuf};
use std::{fs, io};

use anyhow::Context;
use clap::Args;
use clap_mangen::Man as Page;

use super::whole;
use crate::cli::failure::Failure;
use crate::cli::stdout::write_stdout;

const EXAMPLES: &str = "\
Examples:
  kubefarm man | man -l -
  kubefarm man --output-dir /usr/local/share/man/man1";

/// Print the manual page, or write one for every command.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Man {
    /// Write a page for every command into DIR, which has to exist.
    #[arg(long, value_name = "DIR", env = "KUBEFARM_MAN_OUTPUT_DIR")]
    output_dir: Option<PathBuf>,
}

impl Man {
    pub fn run(self) -> Result<(), Failure> {
        if let Some(dir) = &self.output_dir {
            return write_all(whole(), dir)
                .with_context(|| format!("cannot write manual pages into {}", dir.display()))
                .map_err(Failure::Other);
        }
        let mut page = Vec::new();
        Page::new(whole()).render(&mut page)?;
        write_stdout(&page)
    }
}

/// Writes every page beside its place first, so that what is there, which may be a link, is replaced and not written to.
fn write_all(command: clap::Command, dir: &Path) -> io::Result<()> {
    let half = dir.join(format!(".kubefarm-man-{}", std::process::id()));
    fs::create_dir(&half)?;
    let written = clap_mangen::generate_to(command, &half).and_then(|()| {
        for page in fs::read_dir(&half)? {
            let page = page?;
            fs::rename(page.path(), dir.join(page.file_name()))?;
        }
        Ok(())
    });
    // The first error is the one to report.
    let removed = fs::remove_dir_all(&half);
    written.and(removed)
}
