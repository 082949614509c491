//! What has to be changed of a Node, so that it has what the values say; what others set stays.
//!
//! Labels and annotations are applied: the field manager's own entry in `managedFields` is the record of what the agent
//! set before. The kubelet owns the labels that a node registered with as well, so that an apply without them would not
//! take them away: those are removed one by one. Taints are one field as a whole (`Node.spec.taints` is an atomic list),
//! and what the agent set of them is written into an annotation.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::IpAddr;

use k8s_openapi::api::core::v1::{Node, Taint};
use serde_json::{Value as Json, json};

use crate::agent::farm_agent::MANAGER;
use crate::farm::node_settings::{NodeSettings, NodeTaint};

/// The annotation with the taints that the agent set: `KEY:EFFECT,…`.
const TAINTS: &str = "kubefarm.io/taints";
/// The field manager of the kubelet, and of the labels that a node registers with.
const KUBELET: &str = "kubelet";

/// What is known of a Node.
#[derive(Debug)]
pub(super) struct Seen {
    pub name: String,
    pub version: String,
    labels: Texts,
    annotations: Texts,
    taints: Vec<Taint>,
    pub addresses: Vec<IpAddr>,
}

/// Labels or annotations.
#[derive(Debug, Default)]
struct Texts {
    texts: BTreeMap<String, String>,
    /// Those that the agent applied.
    ours: BTreeSet<String>,
    /// Those that somebody owns who is neither the agent nor the kubelet.
    others: BTreeSet<String>,
}

impl Texts {
    /// Those that the agent applied, the values do not have, and nobody else wants.
    fn stale<'a>(
        &'a self,
        wanted: &'a BTreeMap<String, String>,
    ) -> impl Iterator<Item = &'a String> {
        let stale = self.ours.iter();
        stale.filter(|key| {
            !wanted.contains_key(*key)
                && !self.others.contains(*key)
                && self.texts.contains_key(*key)
        })
    }

    /// Whether all is there and ours, and no more is.
    fn is(&self, wanted: &BTreeMap<String, String>) -> bool {
        let is_there = |(key, value): (&String, &String)| self.texts.get(key) == Some(value);
        wanted.iter().all(is_there) && self.ours.iter().eq(wanted.keys())
    }
}

impl Seen {
    pub fn of(node: &Node) -> Seen {
        let metadata = &node.metadata;
        let mut labels = Texts {
            texts: metadata.labels.clone().unwrap_or_default(),
            ..Texts::default()
        };
        let mut annotations = Texts {
            texts: metadata.annotations.clone().unwrap_or_default(),
            ..Texts::default()
        };
        for entry in metadata.managed_fields.iter().flatten() {
            let fields = entry.fields_v1.as_ref().map(|fields| &fields.0);
            let is_apply = entry.operation.as_deref() == Some("Apply");
            for (kind, texts) in [
                ("f:labels", &mut labels),
                ("f:annotations", &mut annotations),
            ] {
                let keys =
                    fields.and_then(|fields| fields.get("f:metadata")?.get(kind)?.as_object());
                let keys = keys.into_iter().flat_map(|keys| keys.keys());
                let keys = keys
                    .filter_map(|key| key.strip_prefix("f:"))
                    .map(str::to_owned);
                match entry.manager.as_deref() {
                    Some(MANAGER) if is_apply => texts.ours.extend(keys),
                    Some(MANAGER | KUBELET) => {}
                    _ => texts.others.extend(keys),
                }
            }
        }
        let addresses = node
            .status
            .iter()
            .flat_map(|status| status.addresses.iter().flatten());
        let addresses = addresses.filter(|address| address.type_ == "InternalIP");
        Seen {
            name: metadata.name.clone().unwrap_or_default(),
            version: metadata.resource_version.clone().unwrap_or_default(),
            labels,
            annotations,
            taints: node
                .spec
                .iter()
                .flat_map(|spec| spec.taints.clone().unwrap_or_default())
                .collect(),
            addresses: addresses
                .filter_map(|address| address.address.parse().ok())
                .collect(),
        }
    }

    /// Whether `other` is a later version of the same Node (resource versions of one kind can be compared as numbers:
    /// KEP-5504).
    pub fn is_older_than(&self, other: &Seen) -> bool {
        let number = |seen: &Seen| seen.version.parse::<u64>().ok();
        number(self)
            .zip(number(other))
            .is_some_and(|(this, other)| this < other)
    }

    /// The taints that the agent set before: keys and effects.
    fn own_taints(&self) -> BTreeSet<(&str, &str)> {
        let record = self
            .annotations
            .texts
            .get(TAINTS)
            .map_or("", String::as_str);
        record
            .split(',')
            .filter_map(|taint| taint.rsplit_once(':'))
            .collect()
    }
}

/// What has to be sent.
#[derive(Debug)]
pub(super) struct Change {
    pub name: String,
    /// JSON Patch (RFC 6902): what an apply does not do.
    pub patch: Option<Json>,
    /// For server-side apply.
    pub apply: Option<Json>,
    removed: Vec<String>,
    taints: Option<Vec<String>>,
}

impl Change {
    pub fn new(node: &Seen, wanted: &NodeSettings) -> Change {
        let mut operations = Vec::new();
        let mut removed = Vec::new();
        for (kind, texts, wanted) in [
            ("labels", &node.labels, &wanted.labels),
            ("annotations", &node.annotations, &wanted.annotations),
        ] {
            for key in texts.stale(wanted) {
                operations.push(json!({"op": "remove", "path": pointer(kind, key)}));
                removed.push(key.clone());
            }
        }
        let taints = taints(node, &wanted.taints);
        if let Some(taints) = &taints {
            operations.extend(taint_operations(node, taints, &wanted.taints));
        }
        if !operations.is_empty() {
            // Not of a Node that somebody changed meanwhile.
            let version =
                json!({"op": "test", "path": "/metadata/resourceVersion", "value": node.version});
            operations.insert(0, version);
        }
        let is_applied = node.labels.is(&wanted.labels) && node.annotations.is(&wanted.annotations);
        let apply = json!({
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": node.name, "labels": wanted.labels, "annotations": wanted.annotations},
        });
        Change {
            name: node.name.clone(),
            patch: (!operations.is_empty()).then_some(Json::Array(operations)),
            apply: (!is_applied).then_some(apply),
            removed,
            taints: taints.map(|taints| taints.iter().map(text).collect()),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.patch.is_none() && self.apply.is_none()
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let mut parts = Vec::new();
        if self.apply.is_some() {
            parts.push("labels and annotations applied".to_owned());
        }
        if !self.removed.is_empty() {
            parts.push(format!("removed {}", self.removed.join(", ")));
        }
        if let Some(taints) = &self.taints {
            let taints = if taints.is_empty() {
                "none".to_owned()
            } else {
                taints.join(", ")
            };
            parts.push(format!("taints now: {taints}"));
        }
        f.write_str(&parts.join("; "))
    }
}

/// The taints that the Node has to have, unless it has them and the record says so: those of others, then the farm's.
fn taints(node: &Seen, wanted: &[NodeTaint]) -> Option<Vec<Taint>> {
    let own = node.own_taints();
    let is_wanted = |taint: &Taint| wanted.iter().any(|wanted| is_same(taint, wanted));
    let others = node.taints.iter().filter(|taint| {
        !is_wanted(taint) && !own.contains(&(taint.key.as_str(), taint.effect.as_str()))
    });
    let farms = wanted.iter().map(|wanted| {
        let found = node.taints.iter().find(|taint| is_same(taint, wanted));
        let value = Some(wanted.value.clone()).filter(|value| !value.is_empty());
        Taint {
            key: wanted.key.clone(),
            value,
            effect: wanted.effect.to_string(),
            // When NoExecute began, which tolerations count from.
            time_added: found.and_then(|taint| taint.time_added.clone()),
        }
    });
    let all: Vec<Taint> = others.cloned().chain(farms).collect();
    let as_texts = |taints: &[Taint]| taints.iter().map(text).collect::<BTreeSet<String>>();
    let is_recorded = node
        .annotations
        .texts
        .get(TAINTS)
        .map_or("", String::as_str)
        == record(wanted);
    (as_texts(&all) != as_texts(&node.taints) || !is_recorded).then_some(all)
}

fn taint_operations(node: &Seen, taints: &[Taint], wanted: &[NodeTaint]) -> Vec<Json> {
    let mut operations = Vec::new();
    if !taints.is_empty() {
        operations.push(json!({"op": "add", "path": "/spec/taints", "value": taints}));
    } else if !node.taints.is_empty() {
        operations.push(json!({"op": "remove", "path": "/spec/taints"}));
    }
    let place = pointer("annotations", TAINTS);
    let record = record(wanted);
    if !record.is_empty() {
        if node.annotations.texts.is_empty() {
            operations.push(json!({"op": "add", "path": "/metadata/annotations", "value": {}}));
        }
        operations.push(json!({"op": "add", "path": place, "value": record}));
    } else if node.annotations.texts.contains_key(TAINTS) {
        operations.push(json!({"op": "remove", "path": place}));
    }
    operations
}

fn record(wanted: &[NodeTaint]) -> String {
    let taints: Vec<String> = wanted
        .iter()
        .map(|taint| format!("{}:{}", taint.key, taint.effect))
        .collect();
    taints.join(",")
}

/// Of two taints with one key and one effect a Node has only one.
fn is_same(taint: &Taint, wanted: &NodeTaint) -> bool {
    taint.key == wanted.key && taint.effect == wanted.effect.to_string()
}

/// `key=value:Effect`, as kubectl writes it.
fn text(taint: &Taint) -> String {
    match taint.value.as_deref() {
        None | Some("") => format!("{}:{}", taint.key, taint.effect),
        Some(value) => format!("{}={value}:{}", taint.key, taint.effect),
    }
}

/// A place in the metadata, as a JSON Pointer (RFC 6901).
fn pointer(kind: &str, key: &str) -> String {
    let key = key.replace('~', "~0").replace('/', "~1");
    format!("/metadata/{kind}/{key}")
}

#[cfg(test)]
mod tests;
