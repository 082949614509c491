//! `kubefarm pki init`: certificates and keys in a folder.

use std::path::PathBuf;

use clap::Args;

use crate::cli::args::FarmArgs;
use crate::cli::failure::Failure;
use crate::pki::Intent;

const EXAMPLES: &str = "\
Only the owner may read the folder (0700, files 0600), and it is for one farm. Run
again, the command issues certificates that are missing, due, or no longer match
the values, and keeps all others byte for byte. A certificate authority is never
replaced.

Examples:
  A folder from which a pipeline renders complete Secrets:
    kubefarm pki init --pki-dir pki -f values.yaml
    kubefarm render --pki-dir pki -f values.yaml";

/// Create the certificates and keys of a farm in a folder, or complete existing ones.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Init {
    /// The folder; created if it does not exist.
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
            Ok(super::print_changes(&self.pki_dir, &completed)?)
        }
    }
}
