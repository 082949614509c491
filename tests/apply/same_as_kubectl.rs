//! `render | kubectl apply --server-side` and `apply` give the same objects.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::apply::GENERIC;
use crate::apply::site::Site;

const PART_OF: &str = "applyset.kubernetes.io/part-of";

/// What the cluster chooses by itself, and what says who wrote what when.
const CHOSEN: [&str; 9] = [
    "uid",
    "resourceVersion",
    "creationTimestamp",
    "managedFields",
    "clusterIPs",
    "nodePort",
    "healthCheckNodePort",
    "status",
    // Jobs get it as a label and a selector.
    "batch.kubernetes.io/controller-uid",
];

/// The object without what differs from one time to the next, at any depth.
fn stripped(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let kept = map.iter().filter(|(key, value)| {
                let is_chosen = CHOSEN.contains(&key.as_str()) || *key == "controller-uid";
                // Headless is asked for, an address is given.
                let is_address = *key == "clusterIP" && *value != "None";
                !is_chosen && !is_address && *key != PART_OF
            });
            let kept = kept.map(|(key, value)| (key.clone(), stripped(value)));
            Value::Object(kept.collect::<Map<String, Value>>())
        }
        Value::Array(items) => items.iter().map(stripped).collect(),
        other => other.clone(),
    }
}

fn stripped_all(site: &Site) -> BTreeMap<String, Value> {
    let live = site.live().into_iter();
    live.map(|(name, object)| (name, stripped(&object)))
        .collect()
}

#[test]
fn the_live_objects_are_the_same() {
    let Some(site) = Site::new("same") else {
        return;
    };
    let farm = format!("{GENERIC} -f examples/advanced_network/values.yaml -f values/ha.yaml");
    let yaml = site.run(&format!("render {farm}")).success();
    let apply = ["apply", "--server-side", "--filename=-"];
    site.cluster.kubectl_with_stdin(&apply, &yaml).success();
    site.settled_versions();
    let by_kubectl = stripped_all(&site);

    let namespace = &site.namespace;
    let delete = ["delete", "namespace", namespace, "--timeout=60s"];
    site.cluster.kubectl(&delete).success();
    site.cluster
        .kubectl(&["create", "namespace", namespace])
        .success();
    let applied = site.run(&format!("apply {farm}"));
    assert_eq!(applied.code(), 0, "{}", applied.stderr);
    site.settled_versions();
    let mut by_us = stripped_all(&site);
    let record = by_us.remove("ConfigMap/kubefarm-farm");
    assert!(record.is_some(), "the farm has no record");
    for (name, object) in &by_kubectl {
        assert_eq!(by_us.get(name), Some(object), "{name}");
    }
    assert_eq!(by_us.len(), by_kubectl.len());
}
