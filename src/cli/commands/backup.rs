//! `kubefarm backup`: files with backups of farms.

mod verify;

use clap::Args;

use crate::cli::failure::Failure;
use crate::cli::subcommands::subcommands;

const EXAMPLES: &str = "\
The CronJob of a farm makes them: kubernetes.etcd.backup in its values.

Examples:
  Whether a backup can be restored, with the key that it is encrypted for:
    kubefarm backup verify clusters.farm-20261201T024418Z.tar.age --identity key.txt";

/// Check backups of farms.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Backup {
    #[command(subcommand)]
    command: Command,
}

subcommands! {
    verify::Verify,
}

impl Backup {
    pub fn run(self) -> Result<(), Failure> {
        self.command.run()
    }
}
