//! `kubefarm pki init`: certificates and keys in a folder.

use std::path::PathBuf;

use clap::Args;

use crate::cli::args::FarmArgs;
use crate::cli::failure::Failure;
use crate::pki::Intent;

const EXAMPLES: &str = "\
The folder is for its owner only (0700, files 0600), and for one farm. Run again,
the command issues what is missing, due, or no longer as the values want it, and
keeps everything else byte for byte. A certificate authority is never replaced.

Examples:
  What a pipeline renders complete Secrets from:
    kubefarm pki init --pki-dir pki -f values.yaml
    kubefarm render --pki-dir pki -f values.yaml";

/// Make the certificates and keys of a farm in a folder, or complete those that are there.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Init {
    /// The folder, made where there is none.
    #[arg(long, value_name = "DIR", env = "KUBEFARM_PKI_DIR")]
    pki_dir: PathBuf,
    #[command(flatten)]
    farm: FarmArgs,
    /// Print nothing but warnings and errors.
    #[arg(short, long, env = "KUBEFARM_QUIET", help_heading = "Output")]
    quiet: bool,
}

impl Init {
    pub fn run(self) -> Result<(), Failure> {
        let farm = super::checked(&self.farm)?;
        let completed = super::write(&self.pki_dir, &farm, &Intent::default())?;
        if self.quiet {
            Ok(())
        } else {
            Ok(super::tell(&self.pki_dir, &completed)?)
        }
    }
}
