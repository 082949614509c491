//! `kubefarm etcd`: the database of a child cluster.

mod defrag;
mod snapshot;
mod status;

use clap::Args;

use crate::cli::failure::Failure;
use crate::cli::subcommands::subcommands;

const EXAMPLES: &str = "\
Examples:
  How the members of a farm's etcd are:
    kubefarm etcd status farm -n clusters

  Give back to the disk what is free in their databases:
    kubefarm etcd defrag farm -n clusters";

/// Look after the etcd of a farm.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Etcd {
    #[command(subcommand)]
    command: Command,
}

subcommands! {
    status::Status,
    defrag::Defrag,
    snapshot::Snapshot,
}

impl Etcd {
    pub fn run(self) -> Result<(), Failure> {
        self.command.run()
    }
}
