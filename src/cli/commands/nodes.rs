//! `kubefarm nodes`: the machines of a farm.

mod claim;
mod import;
mod list;
mod show;

use clap::Args;

use crate::cli::failure::Failure;
use crate::cli::subcommands::subcommands;
use crate::values::{Node, Path};

const EXAMPLES: &str = "\
Examples:
  The nodes in the values, and what one of them gets:
    kubefarm nodes list -f values.yaml
    kubefarm nodes show r1n01 -f values.yaml

  A machine that booted into the catch-all farm, into a values file:
    kubefarm nodes claim 02:00:00:40:07:0a --as r1n07 --into claimed.yaml

  Machines from a table, as a layer of values:
    kubefarm nodes import --format csv machines.csv > machines.yaml";

/// List, show, claim and import the nodes of a farm.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Nodes {
    #[command(subcommand)]
    command: Command,
}

subcommands! {
    list::List,
    show::Show,
    claim::Claim,
    import::Import,
}

impl Nodes {
    pub fn run(self) -> Result<(), Failure> {
        self.command.run()
    }
}

/// Where a value is written.
fn place(tree: &Node, path: &Path) -> String {
    tree.origin_at(path).to_string()
}

/// JSON for other programs.
fn pretty(value: &serde_json::Value) -> Result<String, Failure> {
    let text = serde_json::to_string_pretty(value).map_err(anyhow::Error::from)?;
    Ok(text + "\n")
}

/// Several texts in a cell of a table.
fn cell(texts: &[String]) -> String {
    if texts.is_empty() {
        "-".to_owned()
    } else {
        texts.join(" ")
    }
}
