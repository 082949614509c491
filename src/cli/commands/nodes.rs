//! `kubefarm nodes`: the machines of a farm.

mod claim;
mod import;
mod list;
mod live;
mod logs;
mod selection;
mod show;
mod watch;

use clap::Args;

use crate::cli::failure::Failure;
use crate::cli::subcommands::subcommands;
use crate::nodes::listed::Listed;
use crate::values::{Node, Path};

const EXAMPLES: &str = "\
Examples:
  The nodes in the values, and what one of them gets:
    kubefarm nodes list -f values.yaml
    kubefarm nodes show r1n01 -f values.yaml

  A rack that boots, and what the servers saw of a machine that does not:
    kubefarm nodes watch 'r1*' -f values.yaml
    kubefarm nodes logs r1n01 -f values.yaml

  A machine that booted into the catch-all farm, into a values file:
    kubefarm nodes claim 02:00:00:40:07:0a --as r1n07 --into claimed.yaml

  Machines from a table, as a layer of values:
    kubefarm nodes import --format csv machines.csv > machines.yaml";

/// List, show, watch, claim and import the nodes of a farm.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Nodes {
    #[command(subcommand)]
    command: Command,
}

subcommands! {
    list::List,
    show::Show,
    watch::Watch,
    logs::Logs,
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

/// A table for spreadsheets (RFC 4180).
fn csv_text<const N: usize>(
    header: [&str; N],
    rows: impl Iterator<Item = [String; N]>,
) -> Result<String, Failure> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let failed = |error: csv::Error| Failure::Other(error.into());
    writer.write_record(header).map_err(failed)?;
    for row in rows {
        writer.write_record(row).map_err(failed)?;
    }
    let bytes = writer
        .into_inner()
        .map_err(|error| Failure::Other(anyhow::anyhow!("{error}")))?;
    String::from_utf8(bytes).map_err(|error| Failure::Other(error.into()))
}

/// Several texts in a cell of a table.
fn cell(texts: &[String]) -> String {
    if texts.is_empty() {
        "-".to_owned()
    } else {
        texts.join(" ")
    }
}

/// What the values say of a node.
fn facts(node: &Listed<'_>, tree: &Node) -> serde_json::Value {
    serde_json::json!({
        "name": node.machine.name,
        "pool": node.pool_name(),
        "macs": node.macs(),
        "addresses": node.addresses(),
        "tags": node.tags(),
        "clientID": node.machine.client_id,
        "leaseTime": node.lease_time(),
        "ignored": node.pool.ignore,
        "writtenAt": place(tree, &node.path()),
    })
}
