//! `kubefarm nodes show`: everything that is known of a node.

use clap::Args;
use serde_json::{Value, json};

use super::{cell, facts, place, pretty};
use crate::cli::args::{FarmArgs, Json};
use crate::cli::failure::{Failure, report};
use crate::cli::stdout::write_stdout;
use crate::nodes::dhcp::{Granted, granted};
use crate::nodes::listed::{Listed, listed};
use crate::nodes::ltsp::{Boot, Shown, boots};
use crate::report::table;
use crate::values::{Node, nearest};

const EXAMPLES: &str = "\
Examples:
  What a node gets from DHCP and from LTSP, by its name or any of its MACs:
    kubefarm nodes show r1n01 -f values.yaml
    kubefarm nodes show 0200.0040.010A -f values.yaml

  The labels that it will have:
    kubefarm nodes show r1n01 -f values.yaml -o json | jq '.boots[].labels'";

/// Stands for an address that is not in the values.
const PUBLISHED: &str = "{address}";

/// Show everything that the values mean for a node: DHCP, labels, taints and settings of LTSP.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Show {
    /// The node's name, or one of its MACs in any spelling.
    #[arg(value_name = "NODE")]
    node: String,
    #[command(flatten)]
    farm: FarmArgs,
    /// Print JSON.
    #[arg(
        short,
        long,
        value_enum,
        env = "KUBEFARM_NODE_OUTPUT",
        help_heading = "Output"
    )]
    output: Option<Json>,
}

impl Show {
    pub fn run(self) -> Result<(), Failure> {
        let (outcome, tree) = self.farm.render_with_places()?;
        report(&outcome.warnings)?;
        let nodes = listed(&outcome.farm.node_pools);
        let called = nodes.iter().filter(|node| node.is_called(&self.node));
        // Pools that are ignored may have a name of this farm's nodes.
        let Some(node) = called.min_by_key(|node| node.pool.ignore) else {
            return Err(no_node(&self.node, &nodes));
        };
        let dhcp = granted(&outcome.farm.dhcp.leases, node);
        let boots = boots(&outcome, node, &self.node);
        let text = match self.output {
            Some(Json::Json) => as_json(node, &dhcp, &boots, &tree)?,
            None => as_text(node, &dhcp, &boots, &tree),
        };
        write_stdout(text.as_bytes())
    }
}

/// The failure for a node that the values do not have, with the one that was probably meant.
pub(super) fn no_node(wanted: &str, nodes: &[Listed<'_>]) -> Failure {
    let names: Vec<String> = nodes.iter().flat_map(Listed::ways_to_call_it).collect();
    let hint = match nearest(wanted, names.iter().map(String::as_str)) {
        Some(near) => format!("did you mean {near}?"),
        None => format!(
            "kubefarm nodes list shows all {} of these values",
            nodes.len()
        ),
    };
    Failure::Usage(format!("there is no node {wanted:?}; {hint}"))
}

fn as_json(
    node: &Listed<'_>,
    dhcp: &Granted,
    boots: &[Boot],
    tree: &Node,
) -> Result<String, Failure> {
    let mut whole = facts(node, tree);
    let lines = dhcp.lines.iter();
    let lines: Vec<Value> = lines
        .map(|line| json!({ "line": line.text, "needs": line.needs }))
        .collect();
    let options = dhcp.options.iter();
    let options: Vec<Value> = options
        .map(|option| json!({ "option": option.key, "values": option.values, "needs": option.needs }))
        .collect();
    let dhcp = json!({ "host": dhcp.host, "tags": dhcp.tags, "lines": lines, "options": options });
    let boots: Vec<Value> = boots.iter().map(boot_as_json).collect();
    if let Value::Object(map) = &mut whole {
        map.insert("dhcp".to_owned(), dhcp);
        map.insert("boots".to_owned(), boots.into());
    }
    pretty(&whole)
}

fn boot_as_json(boot: &Boot) -> Value {
    let settings = boot.evaluated.settings.iter();
    let settings = settings.map(|(name, setting)| {
        let (value, is_secret) = match setting.shown(name) {
            Shown::Secret => (None, true),
            Shown::Computed => (None, false),
            Shown::Value(value) => (Some(value), false),
        };
        let mut fields = json!({ "name": name, "value": value, "section": setting.section });
        if let Value::Object(map) = &mut fields {
            if is_secret {
                map.insert("secret".to_owned(), true.into());
            } else if value.is_none() {
                map.insert("shell".to_owned(), setting.raw.as_str().into());
            }
        }
        fields
    });
    json!({
        "macs": boot.macs,
        "labels": boot.labels(),
        "taints": boot.taints(),
        "settings": settings.collect::<Vec<_>>(),
        "scripts": boot.evaluated.scripts,
    })
}

fn as_text(node: &Listed<'_>, dhcp: &Granted, boots: &[Boot], tree: &Node) -> String {
    let mut text = about(node, tree);
    if node.pool.ignore {
        text.push_str("\nIts pool is ignored: it belongs to another farm, which boots it.\n");
    }
    text.push_str(&dhcp_as_text(dhcp));
    for boot in boots {
        text.push_str(&boot_as_text(boot, boots.len() > 1));
    }
    text
}

fn about(node: &Listed<'_>, tree: &Node) -> String {
    let tags: Vec<String> = node.tags().iter().map(ToString::to_string).collect();
    let id = node.machine.client_id.as_deref().unwrap_or("-");
    let name = node.machine.name.as_deref().unwrap_or("-");
    let facts = [
        ("NAME", name.to_owned()),
        ("POOL", node.pool_name()),
        ("TAGS", cell(&tags)),
        ("MACS", cell(&node.macs())),
        ("ADDRESSES", cell(&node.addresses())),
        ("CLIENT ID", id.to_owned()),
        ("LEASE", node.lease_time().to_owned()),
        ("WRITTEN AT", place(tree, &node.path())),
    ];
    let mut facts = facts
        .map(|(fact, value)| vec![fact.to_owned(), value])
        .into_iter();
    // The first line is a header like any table's.
    let first = facts.next().unwrap_or_default();
    let first: Vec<&str> = first.iter().map(String::as_str).collect();
    table(&first, &facts.collect::<Vec<_>>())
}

fn dhcp_as_text(dhcp: &Granted) -> String {
    let Some(host) = &dhcp.host else {
        return "\nDHCP: this farm's server does not know it.\n".to_owned();
    };
    let mut text = format!("\nDHCP, tags {}:\n", cell(&dhcp.tags));
    let lines = dhcp
        .lines
        .iter()
        .map(|line| vec![line.text.clone(), cell(&line.needs)]);
    let lines = [vec![host.clone(), "-".to_owned()]]
        .into_iter()
        .chain(lines);
    text.push_str(&table(
        &["LINE", "IF THE REQUEST HAS"],
        &lines.collect::<Vec<_>>(),
    ));
    if !dhcp.options.is_empty() {
        text.push('\n');
        let rows = dhcp.options.iter().map(|option| {
            let needs = cell(&option.needs);
            vec![option.key.clone(), option.values.join(","), needs]
        });
        let headers = ["OPTION", "VALUE", "IF THE REQUEST HAS"];
        let options = table(&headers, &rows.collect::<Vec<_>>());
        text.push_str(&options);
        if options.contains(PUBLISHED) {
            text.push_str("{address} is that of the boot server: a Job writes it once the load balancer has chosen one.\n");
        }
    }
    text
}

fn boot_as_text(boot: &Boot, is_one_of_several: bool) -> String {
    let mut text = String::new();
    if is_one_of_several {
        text.push_str(&format!("\nWhere it boots with {}:\n", cell(&boot.macs)));
    }
    let labels = boot
        .labels()
        .into_iter()
        .map(|(key, value)| vec!["label".to_owned(), format!("{key}={value}")]);
    let taints = boot
        .taints()
        .into_iter()
        .map(|taint| vec!["taint".to_owned(), taint]);
    let marks: Vec<Vec<String>> = labels.chain(taints).collect();
    let settings = boot.evaluated.settings.iter().map(|(name, setting)| {
        let value = match setting.shown(name) {
            Shown::Secret => "<secret>".to_owned(),
            Shown::Computed => format!("the shell computes {}", setting.raw),
            Shown::Value(value) => value.to_owned(),
        };
        vec![name.clone(), format!("[{}]", setting.section), value]
    });
    let settings = table(
        &["SETTING", "SECTION", "VALUE"],
        &settings.collect::<Vec<_>>(),
    );
    for part in [table(&["NODE", "VALUE"], &marks), settings] {
        if !part.is_empty() {
            text.push('\n');
            text.push_str(&part);
        }
    }
    let scripts = &boot.evaluated.scripts;
    if !scripts.is_empty() {
        text.push_str(&format!(
            "\nScripts that run, in /etc/ltsp: {}\n",
            cell(scripts)
        ));
    }
    text
}
