//! What the farm's Nodes have to have in the child cluster, as the farm's agent reads it.
//!
//! Nodes name their settings by what these contain, so that a half-updated set of objects never gives a Node those of
//! another.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::boot::PART_SIZE;
use super::spec::{NodePool, NodePools, Tags, TaintEffect};
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

/// Settings by their digest.
pub type SettingsByDigest = IndexMap<String, NodeSettings>;

/// Names of Nodes by the digest of their settings.
pub type NamesByDigest = Vec<(String, Vec<String>)>;

/// Some of the Nodes, which share an object.
#[derive(Debug, Clone, Serialize)]
pub struct NamesPart {
    /// What the object's name ends in; null of the first part.
    pub suffix: Option<String>,
    /// JSON of [`NamesByDigest`].
    pub names: String,
}

/// The settings of all pools, and the Nodes in parts that fit into objects.
pub fn of_pools(pools: &NodePools, tags: &Tags) -> (SettingsByDigest, Vec<NamesPart>) {
    let mut by_digest = SettingsByDigest::new();
    let mut named: Vec<(Arc<str>, String)> = Vec::new();
    for (_, pool) in pools.own() {
        let settings = of_pool(pool, tags);
        let digest: Arc<str> = digest(&settings).into();
        let names = pool.nodes.iter().filter_map(|node| node.name.as_deref());
        // The kubelet registers with its host name in lower case.
        let names = names.map(|name| (Arc::clone(&digest), name.to_ascii_lowercase()));
        named.extend(names);
        by_digest.insert(digest.to_string(), settings);
    }
    let parts = parts(&named);
    (by_digest, parts)
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

fn parts(named: &[(Arc<str>, String)]) -> Vec<NamesPart> {
    // In JSON with quotes and a comma; digests stand before many names.
    let size = |(_, name): &(Arc<str>, String)| name.len() + 3;
    let ranges = split(named, size, |(_, name)| name, Limits::up_to(PART_SIZE));
    let part = |range: std::ops::Range<usize>| {
        let is_first = range.start == 0;
        let named = named.get(range).unwrap_or_default();
        let mut by_digest = NamesByDigest::new();
        for (digest, name) in named {
            match by_digest.last_mut() {
                Some((last, names)) if **last == **digest => names.push(name.clone()),
                _ => by_digest.push((digest.to_string(), vec![name.clone()])),
            }
        }
        let first = named.first().map_or("", |(_, name)| name.as_str());
        NamesPart {
            suffix: (!is_first).then(|| super::boot::part_suffix(first)),
            names: serde_json::to_string(&by_digest).unwrap_or_default(),
        }
    };
    ranges.into_iter().map(part).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn settings_of(
        pools: serde_json::Value,
        tags: serde_json::Value,
    ) -> (SettingsByDigest, Vec<NamesPart>) {
        let pools: NodePools = serde_json::from_value(pools).unwrap();
        let tags: Tags = serde_json::from_value(tags).unwrap();
        of_pools(&pools, &tags)
    }

    #[test]
    fn a_node_has_what_its_tags_say_and_all() {
        let (by_digest, parts) = settings_of(
            json!([{"nodes": [{"name": "R1N01"}, {"mac": "02:00:00:00:00:01"}], "tags": ["b-x", "a"]}]),
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
        assert_eq!(parts[0].names, format!("[[\"{digest}\",[\"r1n01\"]]]"));
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
        assert!(parts.iter().all(|part| part.names.len() < PART_SIZE + 1024));
        let names = parts.iter().flat_map(|part| {
            let names: NamesByDigest = serde_json::from_str(&part.names).unwrap();
            names.into_iter().flat_map(|(_, names)| names)
        });
        assert_eq!(names.count(), 100_000);
        assert!(parts[1..].iter().all(|part| part.suffix.is_some()));
    }
}
