//! Nodes of the values, with what the farm's agent saw of their machines.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::selection::Selection;
use super::{cell, csv_text, facts, pretty};
use crate::cli::failure::Failure;
use crate::farm::Farm;
use crate::nodes::boot::{Machine, Stage};
use crate::nodes::canonical_mac;
use crate::nodes::listed::Listed;
use crate::report::table;
use crate::values::Node;

/// A node, or a machine that the values do not list.
pub(super) struct Row<'a> {
    pub listed: Option<&'a Listed<'a>>,
    pub machine: Option<&'a Machine>,
}

/// The name of the farm's agent.
///
/// # Errors
/// A farm without one.
pub(super) fn agent(farm: &Farm) -> Result<&str, Failure> {
    if farm.kubernetes.enabled && farm.agent.spec.enabled {
        return Ok(&farm.agent.computed.workload.name);
    }
    let message = "this farm has no agent (kubernetes.agent.enabled), and nobody else knows how far machines are";
    Err(Failure::Usage(message.to_owned()))
}

/// The nodes that are wanted, and after them the machines that the values do not list.
pub(super) fn rows<'a>(
    nodes: &'a [Listed<'a>],
    seen: &'a BTreeMap<String, Machine>,
    selection: &Selection,
) -> Vec<Row<'a>> {
    let listed = nodes.iter().map(|node| Row {
        listed: Some(node),
        machine: of_node(node, seen),
    });
    let others = seen.values();
    let others =
        others.filter(|machine| !machine.is_listed && selection.has_unlisted(&machine.name));
    let others = others.map(|machine| Row {
        listed: None,
        machine: Some(machine),
    });
    listed.chain(others).collect()
}

/// Nodes register in lower case; one without a name is known by its MAC or its address.
fn of_node<'a>(node: &Listed<'_>, seen: &'a BTreeMap<String, Machine>) -> Option<&'a Machine> {
    if !node.name().is_empty() {
        return seen.get(&node.name().to_ascii_lowercase());
    }
    let macs = node.macs();
    let mut keys = macs.iter().filter_map(|mac| canonical_mac(mac));
    let by_mac = keys.find_map(|mac| seen.get(&mac));
    by_mac.or_else(|| {
        node.addresses()
            .iter()
            .find_map(|address| seen.get(address))
    })
}

impl Row<'_> {
    pub fn name(&self) -> String {
        let listed = self.listed.map(|node| node.name().to_owned());
        let listed = listed.filter(|name| !name.is_empty());
        let seen = self.machine.map(|machine| machine.name.clone());
        listed.or(seen).unwrap_or_else(|| "-".to_owned())
    }

    /// What it does; an image with how much of it there is.
    pub fn stage(&self) -> String {
        let Some(machine) = self.machine else {
            return "-".to_owned();
        };
        match machine.percent {
            Some(percent) => format!("{} {percent}%", machine.stage),
            None => machine.stage.to_string(),
        }
    }

    pub fn trouble(&self, now: Timestamp) -> Option<String> {
        self.machine?.trouble(now)
    }

    pub fn is_ready(&self) -> bool {
        self.machine
            .is_some_and(|machine| machine.stage == Stage::Ready)
    }

    fn cells(&self, now: Timestamp, is_wide: bool) -> Vec<String> {
        let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
        let machine = self.machine;
        let address = machine.and_then(|machine| machine.address);
        let mut cells = vec![
            self.name(),
            or_dash(self.listed.map(Listed::pool_name)),
            self.stage(),
            or_dash(machine.map(|machine| age(now, machine.since))),
            or_dash(machine.map(|machine| age(now, machine.seen))),
        ];
        if is_wide {
            let macs = self.listed.map(|node| cell(&node.macs()));
            cells.extend([
                or_dash(macs.or_else(|| machine?.mac.clone())),
                or_dash(address.map(|address| address.to_string())),
            ]);
        }
        cells.extend([
            or_dash(machine.and_then(|machine| machine.version.clone())),
            or_dash(machine.and_then(|machine| machine.release.clone())),
            self.trouble(now).unwrap_or_default(),
        ]);
        cells
    }
}

/// A table; with MACs and addresses where it is wide.
pub(super) fn as_table(rows: &[Row<'_>], now: Timestamp, is_wide: bool) -> String {
    table_of(rows.iter(), now, is_wide)
}

/// The same of rows in another order.
pub(super) fn table_of<'a>(
    rows: impl Iterator<Item = &'a Row<'a>>,
    now: Timestamp,
    is_wide: bool,
) -> String {
    let mut headers = vec!["NAME", "POOL", "STAGE", "SINCE", "SEEN"];
    if is_wide {
        headers.extend(["MACS", "ADDRESS"]);
    }
    headers.extend(["VERSION", "IMAGE", "REASON"]);
    let cells: Vec<Vec<String>> = rows.map(|row| row.cells(now, is_wide)).collect();
    table(&headers, &cells)
}

/// What the values say of the nodes, with `live` as the agent saw it; and the machines that the values do not list.
pub(super) fn as_json(rows: &[Row<'_>], tree: &Node, now: Timestamp) -> Result<String, Failure> {
    let with = |mut object: Value, key: &str, value: Value| {
        if let Some(object) = object.as_object_mut() {
            object.insert(key.to_owned(), value);
        }
        object
    };
    let live = |machine: &Machine| with(json!(machine), "reason", json!(machine.trouble(now)));
    let nodes = rows.iter().filter_map(|row| {
        let live = row.machine.map_or(Value::Null, live);
        Some(with(facts(row.listed?, tree), "live", live))
    });
    let nodes: Vec<Value> = nodes.collect();
    let others = rows.iter().filter(|row| row.listed.is_none());
    let others: Vec<Value> = others.filter_map(|row| row.machine.map(live)).collect();
    pretty(&json!({ "nodes": nodes, "unlisted": others }))
}

pub(super) fn as_csv(rows: &[Row<'_>], now: Timestamp) -> Result<String, Failure> {
    let header = [
        "name", "pool", "stage", "since", "seen", "version", "image", "reason",
    ];
    let rows = rows.iter().map(|row| {
        let machine = row.machine;
        let stage = machine.map(|machine| machine.stage.to_string());
        let time = |time: Option<Timestamp>| time.map(|time| time.to_string()).unwrap_or_default();
        [
            row.name(),
            row.listed.map(Listed::pool_name).unwrap_or_default(),
            stage.unwrap_or_default(),
            time(machine.map(|machine| machine.since)),
            time(machine.map(|machine| machine.seen)),
            machine
                .and_then(|machine| machine.version.clone())
                .unwrap_or_default(),
            machine
                .and_then(|machine| machine.release.clone())
                .unwrap_or_default(),
            row.trouble(now).unwrap_or_default(),
        ]
    });
    csv_text(header, rows)
}

/// How long ago, by its two largest units: `42s`, `3m12s`, `2h5m`, `3d4h`.
fn age(now: Timestamp, at: Timestamp) -> String {
    let seconds = now.duration_since(at).max(SignedDuration::ZERO).as_secs();
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds}s"),
        (0, 0, _) => format!("{minutes}m{}s", seconds % 60),
        (0, ..) => format!("{hours}h{}m", minutes % 60),
        _ => format!("{days}d{}h", hours % 24),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_have_two_units() {
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        for (seconds, expected) in [
            (-5, "0s"),
            (42, "42s"),
            (192, "3m12s"),
            (7500, "2h5m"),
            (273_700, "3d4h"),
        ] {
            assert_eq!(age(now, now - SignedDuration::from_secs(seconds)), expected);
        }
    }
}
