//! `kubefarm nodes list`: the nodes in the values, and how far they are.

use clap::{Args, ValueEnum};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::selection::Selection;
use super::{cell, csv_text, facts, live, place, pretty};
use crate::cli::args::{ClusterArgs, FarmArgs};
use crate::cli::failure::{Failure, report};
use crate::cli::on_cluster::on_cluster;
use crate::cli::stdout::write_stdout;
use crate::cluster::Interrupt;
use crate::cluster::state::Machines;
use crate::farm::Farm;
use crate::nodes::listed::{Listed, OpenRange, listed, open_ranges};
use crate::report::table;
use crate::values::Node;

const EXAMPLES: &str = "\
Examples:
  The nodes of a farm, by address:
    kubefarm nodes list -f values.yaml --sort-by address

  Those of the first rack with a tag:
    kubefarm nodes list 'r1*' --tag storage -f values.yaml

  How far each machine is, as the farm's agent saw it:
    kubefarm nodes list -f values.yaml --live

  Every MAC, for a script; a table for a spreadsheet, which kubefarm nodes
  import --format csv reads again:
    kubefarm nodes list -f values.yaml -o json | jq --raw-output '.nodes[].macs[]'
    kubefarm nodes list -f values.yaml -o csv > nodes.csv";

/// List the nodes in the values: pool, MACs, addresses and tags; or how far each of them is.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct List {
    #[command(flatten)]
    selection: Selection,
    #[command(flatten)]
    farm: FarmArgs,
    /// How far each machine is, as the farm's agent saw it: stage, since when, when it was last seen, version of the
    /// kubelet, release of the image, and why it does not go on. Machines that the values do not list come last.
    #[arg(long, env = "KUBEFARM_LIVE", help_heading = "Cluster")]
    live: bool,
    #[command(flatten)]
    cluster: ClusterArgs,
    /// The order.
    #[arg(long, value_enum, default_value_t = Order::Name, env = "KUBEFARM_SORT_BY", help_heading = "Output")]
    sort_by: Order,
    /// The format; wide: with client identifiers, lease times and places.
    #[arg(short, long, value_enum, default_value_t = Format::Table, env = "KUBEFARM_NODES_OUTPUT", help_heading = "Output")]
    output: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Order {
    Name,
    Pool,
    Mac,
    Address,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Table,
    Wide,
    Json,
    Csv,
}

impl List {
    pub fn run(self) -> Result<(), Failure> {
        let (farm, warnings, tree) = self.farm.check_with_places()?;
        report(&warnings)?;
        let pools = &farm.node_pools;
        self.selection.check(pools)?;
        let mut nodes = listed(pools);
        nodes.retain(|node| self.selection.has(node));
        self.sort(&mut nodes);
        let text = if self.live {
            on_cluster(|interrupt| self.live(&farm, &nodes, &tree, interrupt))?
        } else {
            let mut ranges = open_ranges(pools);
            // Whoever asks for some nodes does not ask for ranges.
            ranges.retain(|range| self.selection.has_all_of(&range.pool));
            match self.output {
                Format::Table => as_table(&nodes, &ranges, None),
                Format::Wide => as_table(&nodes, &ranges, Some(&tree)),
                Format::Json => as_json(&nodes, &ranges, &tree)?,
                Format::Csv => as_csv(&nodes)?,
            }
        };
        write_stdout(text.as_bytes())
    }

    async fn live(
        &self,
        farm: &Farm,
        nodes: &[Listed<'_>],
        tree: &Node,
        interrupt: Interrupt,
    ) -> Result<String, Failure> {
        let agent = live::agent(farm)?;
        let api = self.cluster.open(interrupt).await?;
        let mut machines = Machines::new(&api, &farm.release.namespace, agent);
        machines.refresh().await?;
        let rows = live::rows(nodes, machines.seen(), &self.selection);
        let now = Timestamp::now();
        match self.output {
            Format::Table => Ok(live::as_table(&rows, now, false)),
            Format::Wide => Ok(live::as_table(&rows, now, true)),
            Format::Json => live::as_json(&rows, tree, now),
            Format::Csv => live::as_csv(&rows, now),
        }
    }

    /// Sorts; nodes without what is sorted by come last, in the order of the values.
    fn sort(&self, nodes: &mut [Listed<'_>]) {
        match self.sort_by {
            Order::Name => nodes.sort_by_key(|node| (node.name().is_empty(), node.name())),
            Order::Pool => nodes.sort_by_cached_key(|node| (node.pool_name(), node.name())),
            Order::Mac => nodes.sort_by_cached_key(|node| {
                let mac = node.machine.macs().next().map(|mac| mac.ltsp_name());
                (mac.is_none(), mac)
            }),
            Order::Address => nodes.sort_by_key(|node| {
                let address = node.first_address();
                (address.is_none(), address)
            }),
        }
    }
}

/// The table, and below it the ranges; with places where `places` is given.
fn as_table(nodes: &[Listed<'_>], ranges: &[OpenRange], places: Option<&Node>) -> String {
    let mut headers = vec!["NAME", "POOL", "MACS", "ADDRESSES", "TAGS"];
    if places.is_some() {
        headers.extend(["CLIENT ID", "LEASE", "WRITTEN AT"]);
    }
    let rows = nodes.iter().map(|node| row(node, places));
    let mut text = table(&headers, &rows.collect::<Vec<_>>());
    if !ranges.is_empty() {
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str("Any other machine gets an address from:\n");
        let rows = ranges
            .iter()
            .map(|range| vec![range.pool.clone(), range.range.clone()]);
        text.push_str(&table(&["POOL", "RANGE"], &rows.collect::<Vec<_>>()));
    }
    text
}

fn row(node: &Listed<'_>, places: Option<&Node>) -> Vec<String> {
    let or_dash = |text: &str| if text.is_empty() { "-" } else { text }.to_owned();
    let mut pool = node.pool_name();
    if node.pool.ignore {
        pool.push_str(" (ignored)");
    }
    let tags: Vec<String> = node.tags().iter().map(ToString::to_string).collect();
    let mut cells = vec![
        or_dash(node.name()),
        pool,
        cell(&node.macs()),
        cell(&node.addresses()),
        cell(&tags),
    ];
    if let Some(tree) = places {
        let id = node.machine.client_id.as_deref().unwrap_or_default();
        cells.extend([
            or_dash(id),
            node.lease_time().to_owned(),
            place(tree, &node.path()),
        ]);
    }
    cells
}

fn as_json(nodes: &[Listed<'_>], ranges: &[OpenRange], tree: &Node) -> Result<String, Failure> {
    let nodes: Vec<Value> = nodes.iter().map(|node| facts(node, tree)).collect();
    let ranges: Vec<Value> = ranges
        .iter()
        .map(|range| json!({ "pool": range.pool, "range": range.range }))
        .collect();
    pretty(&json!({ "nodes": nodes, "openRanges": ranges }))
}

fn as_csv(nodes: &[Listed<'_>]) -> Result<String, Failure> {
    let rows = nodes.iter().map(|node| {
        let tags: Vec<&str> = node.tags().iter().map(|tag| &**tag).collect();
        [
            node.name().to_owned(),
            node.macs().join(" "),
            node.addresses().join(" "),
            node.pool_name(),
            tags.join(" "),
        ]
    });
    csv_text(["name", "mac", "ip", "pool", "tags"], rows)
}
