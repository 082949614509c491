//! What the farm's Nodes have to have in the child cluster, as the farm's agent reads it.
//!
//! Nodes name their settings by what these contain, so that a half-updated set of objects never gives a Node those of
//! another.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::IpAddr;
use std::sync::Arc;

use indexmap::IndexMap;
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::boot::PART_SIZE;
use super::spec::{Mac, Machine, NodePool, NodePools, Tags, TaintEffect};
use super::split::{Limits, split};
use super::tag_settings::variable_suffix;
use crate::hexadecimal::hexadecimal;

/// The settings of Nodes that have the same tags.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NodeSettings {
    pub labels: BTreeMap<String, String>,
    pub annotations: BTreeMap<String, String>,
    pub taints: Vec<NodeTaint>,
    /// The first and the last address of each range that is leased to machines which are not listed.
    pub ranges: Vec<(IpAddr, IpAddr)>,
}

/// A taint, as a Node has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NodeTaint {
    pub key: String,
    #[serde(default)]
    pub value: String,
    pub effect: TaintEffect,
}

/// What the agent does with all Nodes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AgentSettings {
    /// Drain and remove those that the values do not have: only where the machines of all objects have this
    /// [`checksum`]. A farm that is half applied lacks some.
    pub remove_nodes_unlike: Option<String>,
}

/// A sum over the texts of machines, in whichever order: of SHA-256, the first 64 bits of each.
pub fn checksum<'a>(machines: impl Iterator<Item = &'a str>) -> String {
    let part = |machine: &str| {
        let digest = Sha256::digest(machine);
        digest
            .iter()
            .take(8)
            .fold(0_u64, |sum, byte| (sum << 8) | u64::from(*byte))
    };
    let sum = machines.map(part).fold(0, u64::wrapping_add);
    format!("{sum:016x}")
}

/// Settings by their digest.
pub type SettingsByDigest = IndexMap<String, NodeSettings>;

/// The listed machines by the digest of their settings, each as [`ListedMachine`] reads it.
pub type MachinesByDigest = Vec<(String, Vec<String>)>;

/// A machine that the values list. As a text, which there may be many of: `NAME ADDRESSES MACS`, the latter two with
/// commas, and `-` for what the values do not say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListedMachine {
    /// The name of its Node.
    pub name: Option<String>,
    pub addresses: Vec<IpNet>,
    /// In lower case. An octet may be `*`, which stands for any.
    pub macs: Vec<String>,
}

impl ListedMachine {
    /// Reads the text; what is not an address in it is left out.
    pub fn read(text: &str) -> ListedMachine {
        let mut fields = text.split(' ').map(|field| match field {
            "-" => "",
            field => field,
        });
        let mut items = || fields.next().into_iter().flat_map(|field| field.split(','));
        let name = items().next().filter(|name| !name.is_empty());
        let name = name.map(str::to_owned);
        let network = |text: &str| match text.parse::<IpAddr>() {
            Ok(address) => Some(address.into()),
            Err(_) => text.parse().ok(),
        };
        let addresses = items().filter_map(network).collect();
        let macs = items().filter(|mac| !mac.is_empty());
        ListedMachine {
            name,
            addresses,
            macs: macs.map(str::to_owned).collect(),
        }
    }
}

/// The text of a machine; `None` for one that nothing tells from others.
fn text(machine: &Machine) -> Option<String> {
    let name = machine.name.as_deref().unwrap_or_default();
    // The kubelet registers with its host name in lower case.
    let mut text = if name.is_empty() {
        "-".to_owned()
    } else {
        name.to_ascii_lowercase()
    };
    let addresses = machine.addresses();
    let addresses = addresses.filter_map(|address| {
        let network = address.network()?;
        let is_one = network.prefix_len() == network.max_prefix_len();
        Some(if is_one {
            network.addr().to_string()
        } else {
            network.to_string()
        })
    });
    let is_known = list(&mut text, addresses) | !name.is_empty();
    list(&mut text, machine.macs().map(Mac::ltsp_name));
    is_known.then_some(text)
}

/// Adds a field, and says whether there is anything in it.
fn list<T: std::fmt::Display>(text: &mut String, items: impl Iterator<Item = T>) -> bool {
    let mut separator = ' ';
    for item in items {
        // A String takes any text.
        let _ = write!(text, "{separator}{item}");
        separator = ',';
    }
    let is_empty = separator == ' ';
    if is_empty {
        text.push_str(" -");
    }
    !is_empty
}

/// Some of the machines, which share an object.
#[derive(Debug, Clone, Serialize)]
pub struct MachinesPart {
    /// What the object's name ends in; null of the first part.
    pub suffix: Option<String>,
    /// JSON of [`MachinesByDigest`].
    pub machines: String,
}

/// A machine's text, and the digest of its settings.
pub type Listed = (Arc<str>, String);

/// The settings of all pools, and their machines.
pub fn of_pools(pools: &NodePools, tags: &Tags) -> (SettingsByDigest, Vec<Listed>) {
    let mut by_digest = SettingsByDigest::new();
    let mut listed: Vec<Listed> = Vec::new();
    for (_, pool) in pools.own() {
        let settings = of_pool(pool, tags);
        let digest: Arc<str> = digest(&settings).into();
        let machines = pool.nodes.iter().filter_map(|machine| text(machine));
        listed.extend(machines.map(|machine| (Arc::clone(&digest), machine)));
        by_digest.insert(digest.to_string(), settings);
    }
    (by_digest, listed)
}

/// The settings of a pool's nodes: of two labels with one key that of the tag which the kubelet reads last.
fn of_pool(pool: &NodePool, tags: &Tags) -> NodeSettings {
    let mut names: Vec<&str> = pool.tags.iter().map(|tag| &**tag).collect();
    names.retain(|tag| *tag != "all");
    names.sort_by_key(|tag| variable_suffix(tag));
    let mut settings = NodeSettings::default();
    for tag in std::iter::once("all").chain(names) {
        for (key, value) in tags
            .kubernetes_labels
            .get(tag)
            .into_iter()
            .flatten()
            .flatten()
        {
            let value = value.as_deref().unwrap_or_default();
            settings.labels.insert(key.to_string(), value.to_owned());
        }
        for annotations in tags.kubernetes_annotations.get(tag).into_iter().flatten() {
            let annotations = annotations.iter();
            settings
                .annotations
                .extend(annotations.map(|(key, value)| (key.clone(), value.clone())));
        }
        let taints = tags.kubernetes_taints.get(tag).into_iter().flatten();
        settings
            .taints
            .extend(taints.flat_map(|list| &list.0).map(|taint| NodeTaint {
                key: taint.key.to_string(),
                value: taint.value.as_deref().unwrap_or_default().to_owned(),
                effect: taint.effect,
            }));
    }
    settings.ranges = pool.ranges().filter_map(|range| range.leased()).collect();
    settings
}

/// The first half of SHA-256, in hexadecimal digits.
fn digest(settings: &NodeSettings) -> String {
    let text = serde_json::to_vec(settings).unwrap_or_default();
    let mut digest = hexadecimal(Sha256::digest(text));
    digest.truncate(32);
    digest
}

/// The machines in parts that fit into objects.
pub fn parts(listed: &[Listed]) -> Vec<MachinesPart> {
    // In JSON with quotes and a comma; digests stand before many machines.
    let size = |(_, machine): &Listed| machine.len() + 3;
    let ranges = split(
        listed,
        size,
        |(_, machine)| key(machine),
        Limits::up_to(PART_SIZE),
    );
    let part = |range: std::ops::Range<usize>| {
        let is_first = range.start == 0;
        let listed = listed.get(range).unwrap_or_default();
        let mut by_digest = MachinesByDigest::new();
        for (digest, machine) in listed {
            match by_digest.last_mut() {
                Some((last, machines)) if **last == **digest => machines.push(machine.clone()),
                _ => by_digest.push((digest.to_string(), vec![machine.clone()])),
            }
        }
        let first = listed.first().map_or("", |(_, machine)| key(machine));
        MachinesPart {
            suffix: (!is_first).then(|| super::boot::part_suffix(first)),
            machines: serde_json::to_string(&by_digest).unwrap_or_default(),
        }
    };
    ranges.into_iter().map(part).collect()
}

/// What a machine keeps when others change: its name, or all of it.
fn key(machine: &str) -> &str {
    match machine.split_once(' ') {
        Some((name, _)) if name != "-" => name,
        _ => machine,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn settings_of(
        pools: serde_json::Value,
        tags: serde_json::Value,
    ) -> (SettingsByDigest, Vec<MachinesPart>) {
        let pools: NodePools = serde_json::from_value(pools).unwrap();
        let tags: Tags = serde_json::from_value(tags).unwrap();
        let (settings, listed) = of_pools(&pools, &tags);
        (settings, parts(&listed))
    }

    #[test]
    fn a_node_has_what_its_tags_say_and_all() {
        let (by_digest, parts) = settings_of(
            json!([{
                "nodes": [
                    {"name": "R1N01"}, {"mac": "02:00:00:00:00:01"},
                    {"mac": "06-02:00:00:00:00:0A,02:00:00:00:*:*", "ip": "10.0.0.1,[fd00::50/124],::11"},
                ],
                "tags": ["b-x", "a"],
            }]),
            json!({
                "kubernetesLabels": {
                    "all": {"x": "all", "y": "all"}, "b-x": {"x": "b"}, "a": {"x": "a", "z": null},
                    "other": {"w": "1"},
                },
                "kubernetesAnnotations": {"a": {"n": "1"}},
                "kubernetesTaints": {"all": [{"key": "k", "effect": "NoSchedule"}]},
            }),
        );
        let (digest, settings) = by_digest.first().unwrap();
        let labels = [("x", "b"), ("y", "all"), ("z", "")];
        assert!(
            settings
                .labels
                .iter()
                .map(|(key, value)| (key.as_str(), value.as_str()))
                .eq(labels)
        );
        assert_eq!(settings.annotations["n"], "1");
        assert_eq!(settings.taints.len(), 1);
        assert_eq!(settings.ranges, []);
        assert_eq!(parts.len(), 1);
        assert_eq!(parts[0].suffix, None);
        let unnamed = "- 10.0.0.1,fd00::50/124 02:00:00:00:00:0a,02:00:00:00:*:*";
        let expected = format!("[[\"{digest}\",[\"r1n01 - -\",\"{unnamed}\"]]]");
        assert_eq!(parts[0].machines, expected);
        let read = ListedMachine::read(unnamed);
        assert_eq!((read.name, read.addresses.len()), (None, 2));
        assert_eq!(read.macs, ["02:00:00:00:00:0a", "02:00:00:00:*:*"]);
        let named = ListedMachine {
            name: Some("r1n01".to_owned()),
            ..ListedMachine::default()
        };
        assert_eq!(ListedMachine::read("r1n01 - -"), named);
    }

    /// Nodes sort their variables by bytes, where capitals come before `_`.
    #[test]
    fn of_two_tags_the_one_that_nodes_read_last_counts() {
        let (by_digest, _) = settings_of(
            json!([{"nodes": [{"name": "a"}], "tags": ["a_b", "ab"]}]),
            json!({"kubernetesLabels": {"a_b": {"x": "a_b"}, "ab": {"x": "ab"}}}),
        );
        assert_eq!(by_digest.first().unwrap().1.labels["x"], "a_b");
    }

    #[test]
    fn ranges_for_any_machine_count() {
        let (by_digest, parts) = settings_of(
            json!([
                {"range": "10.0.0.10,10.0.0.20,255.255.255.0"},
                {"range": "10.0.1.0,static,255.255.255.0", "nodes": [{"name": "a"}]},
            ]),
            json!({}),
        );
        let ranges: Vec<_> = by_digest
            .values()
            .map(|settings| settings.ranges.clone())
            .collect();
        let ends = ("10.0.0.10".parse().unwrap(), "10.0.0.20".parse().unwrap());
        assert_eq!(ranges, [vec![ends], vec![]]);
        assert_eq!(parts.len(), 1);
    }

    #[test]
    fn many_nodes_are_in_parts_that_fit() {
        let nodes: Vec<_> = (0..100_000)
            .map(|number| json!({"name": format!("n{number:06}")}))
            .collect();
        let (_, parts) = settings_of(json!([{"nodes": nodes}]), json!({}));
        assert!(parts.len() > 1);
        assert!(
            parts
                .iter()
                .all(|part| part.machines.len() < PART_SIZE + 1024)
        );
        let names = parts.iter().flat_map(|part| {
            let names: MachinesByDigest = serde_json::from_str(&part.machines).unwrap();
            names.into_iter().flat_map(|(_, names)| names)
        });
        assert_eq!(names.count(), 100_000);
        assert!(parts[1..].iter().all(|part| part.suffix.is_some()));
    }
}
