//! `kubefarm agent`: what the Jobs inside the cluster run.

mod bootstrap;
mod join_token;
mod publish_boot_address;

use std::time::Duration;

use clap::{Args, Subcommand};

use super::args::duration;
use super::{Failure, on_cluster};
use crate::agent::Running;
use crate::cluster::{Interrupt, Observer};

const EXAMPLES: &str = "\
The rendered Jobs run these; nobody else has to.

Examples:
  What a command is told:
    kubefarm agent bootstrap --help";

/// Do the work of the Jobs inside the cluster.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Agent {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Bootstrap(bootstrap::Bootstrap),
    JoinToken(join_token::JoinToken),
    PublishBootAddress(publish_boot_address::PublishBootAddress),
}

impl Agent {
    pub fn run(self) -> Result<(), Failure> {
        match self.command {
            Command::Bootstrap(command) => on_cluster(|interrupt| command.run(interrupt)),
            Command::JoinToken(command) => on_cluster(|interrupt| command.run(interrupt)),
            Command::PublishBootAddress(command) => on_cluster(|interrupt| command.run(interrupt)),
        }
    }
}

/// How patient a Job is; what it tells goes to its log.
#[derive(Debug, Args)]
struct Patience {
    /// When to give up: `90s`, `5m`.
    #[arg(long, value_name = "TIME", env = "KUBEFARM_TIMEOUT", default_value = "10m", value_parser = duration)]
    timeout: Duration,
}

impl Patience {
    fn running<'a>(&self, interrupt: Interrupt, observer: &'a dyn Observer) -> Running<'a> {
        Running {
            timeout: self.timeout,
            interrupt,
            observer,
        }
    }
}
