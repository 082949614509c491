//! `kubefarm agent`: what Jobs and the farm's agent run inside the cluster.

mod backup;
mod bootstrap;
mod join_token;
mod look_after_nodes;
mod prepared;
mod publish_boot_address;
mod put_back;

use std::time::Duration;

use clap::Args;

use crate::agent::JobContext;
use crate::cli::args::duration;
use crate::cli::failure::Failure;
use crate::cli::subcommands::subcommands;
use crate::cluster::{Interrupt, Observer};

const EXAMPLES: &str = "\
The rendered Jobs and Deployments run these; there is no need to run them by hand.

Examples:
  The flags of a command:
    kubefarm agent bootstrap --help";

/// Do the work of the farm's Jobs and of its agent, inside the cluster.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Agent {
    #[command(subcommand)]
    command: Command,
}

subcommands! {
    backup::Backup,
    bootstrap::Bootstrap,
    join_token::JoinToken,
    look_after_nodes::LookAfterNodes,
    publish_boot_address::PublishBootAddress,
    put_back::PutBack,
}

impl Agent {
    pub fn run(self) -> Result<(), Failure> {
        self.command.run()
    }
}

/// How long a Job tries.
#[derive(Debug, Args)]
struct TimeoutArgs {
    /// When to give up: `90s`, `5m`.
    #[arg(long, value_name = "TIME", env = "KUBEFARM_TIMEOUT", default_value = "10m", value_parser = duration)]
    timeout: Duration,
}

impl TimeoutArgs {
    fn running<'a>(&self, interrupt: Interrupt, observer: &'a dyn Observer) -> JobContext<'a> {
        JobContext {
            timeout: self.timeout,
            interrupt,
            observer,
        }
    }
}
