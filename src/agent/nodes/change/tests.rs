use super::*;

/// A Node as a kubelet registers it with `--node-labels=rack=1`, to which the agent applied what is in `ours`.
fn node(labels: Json, ours: Json, annotations: Json, taints: Json) -> Seen {
    let keys = |texts: &Json| -> serde_json::Map<String, Json> {
        let keys = texts.as_object().unwrap().keys();
        keys.map(|key| (format!("f:{key}"), json!({}))).collect()
    };
    let node: Result<Node, _> = serde_json::from_value(json!({
        "metadata": {
            "name": "a",
            "resourceVersion": "7",
            "labels": labels,
            "annotations": annotations,
            "managedFields": [
                {"manager": KUBELET, "operation": "Update", "fieldsV1": {"f:metadata": {
                    "f:labels": {".": {}, "f:rack": {}, "f:kubernetes.io/hostname": {}},
                }}},
                {"manager": MANAGER, "operation": "Apply", "fieldsV1": {"f:metadata": {"f:labels": keys(&ours)}}},
                {"manager": "someone", "operation": "Update", "fieldsV1": {"f:metadata": {
                    "f:labels": {"f:theirs": {}, "f:shared": {}},
                }}},
            ],
        },
        "spec": {"taints": taints},
        "status": {"addresses": [
            {"type": "InternalIP", "address": "10.0.0.1"}, {"type": "Hostname", "address": "a"},
        ]},
    }));
    Seen::of(&node.unwrap())
}

fn wanted(labels: Json, taints: Json) -> NodeSettings {
    let settings = json!({"labels": labels, "annotations": {}, "taints": taints, "ranges": []});
    serde_json::from_value(settings).unwrap()
}

fn operations(change: &Change) -> Vec<String> {
    let operations = change.patch.as_ref().and_then(Json::as_array);
    let operations = operations.into_iter().flatten();
    operations
        .map(|operation| {
            format!(
                "{} {}",
                operation["op"].as_str().unwrap(),
                operation["path"].as_str().unwrap()
            )
        })
        .collect()
}

#[test]
fn a_node_that_has_all_is_left_alone() {
    let node = node(
        json!({"rack": "1", "theirs": "x"}),
        json!({"rack": ""}),
        json!({}),
        json!([]),
    );
    let change = Change::new(&node, &wanted(json!({"rack": "1"}), json!([])));
    assert!(change.is_empty(), "{change}");
    assert_eq!(node.addresses, ["10.0.0.1".parse::<IpAddr>().unwrap()]);
}

/// It registered with its labels: they become the agent's, so that it can take them away one day.
#[test]
fn what_a_node_registered_with_is_taken_over() {
    let node = node(json!({"rack": "1"}), json!({}), json!({}), json!([]));
    let change = Change::new(&node, &wanted(json!({"rack": "1"}), json!([])));
    assert_eq!(operations(&change), [""; 0]);
    assert_eq!(
        change.apply.unwrap()["metadata"]["labels"],
        json!({"rack": "1"})
    );
}

#[test]
fn a_label_that_left_the_values_is_taken_away() {
    let labels = json!({"rack": "1", "shared": "x", "example.org/a~b": "1", "theirs": "x"});
    let ours = json!({"rack": "", "shared": "", "example.org/a~b": "", "gone": ""});
    let node = node(labels, ours, json!({}), json!([]));
    let change = Change::new(&node, &wanted(json!({"new": "1"}), json!([])));
    // Not `shared`, which somebody else set too, and not what is gone already.
    let expected = [
        "test /metadata/resourceVersion",
        "remove /metadata/labels/example.org~1a~0b",
        "remove /metadata/labels/rack",
    ];
    assert_eq!(operations(&change), expected);
    assert_eq!(
        change.to_string(),
        "labels and annotations applied; removed example.org/a~b, rack"
    );
    assert_eq!(
        change.apply.unwrap()["metadata"]["labels"],
        json!({"new": "1"})
    );
}

#[test]
fn a_label_that_somebody_changed_is_applied_again() {
    let node = node(
        json!({"rack": "2"}),
        json!({"rack": ""}),
        json!({}),
        json!([]),
    );
    let change = Change::new(&node, &wanted(json!({"rack": "1"}), json!([])));
    assert!(change.apply.is_some());
}

#[test]
fn taints_of_others_stay() {
    let there = json!([
        {"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"},
        {"key": "old", "value": "1", "effect": "NoExecute", "timeAdded": "2026-01-01T00:00:00Z"},
        {"key": "dedicated", "value": "cpu", "effect": "NoExecute", "timeAdded": "2026-01-01T00:00:00Z"},
        {"key": "old", "effect": "NoSchedule"},
    ]);
    let record = json!({TAINTS: "old:NoExecute,dedicated:NoExecute"});
    let node = node(json!({}), json!({}), record, there);
    let farms = json!([{"key": "dedicated", "value": "gpu", "effect": "NoExecute"}]);
    let change = Change::new(&node, &wanted(json!({}), farms));
    let expected = [
        "test /metadata/resourceVersion",
        "add /spec/taints",
        "add /metadata/annotations/kubefarm.io~1taints",
    ];
    assert_eq!(operations(&change), expected);
    let patch = change.patch.unwrap();
    assert_eq!(
        patch[1]["value"],
        json!([
            {"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"},
            {"key": "old", "effect": "NoSchedule"},
            {"key": "dedicated", "value": "gpu", "effect": "NoExecute", "timeAdded": "2026-01-01T00:00:00Z"},
        ])
    );
    assert_eq!(patch[2]["value"], "dedicated:NoExecute");
}

#[test]
fn the_last_taint_and_its_record_are_removed() {
    let there = json!([{"key": "old", "effect": "NoSchedule"}]);
    let seen = node(
        json!({}),
        json!({}),
        json!({TAINTS: "old:NoSchedule"}),
        there,
    );
    let change = Change::new(&seen, &wanted(json!({}), json!([])));
    let expected = [
        "test /metadata/resourceVersion",
        "remove /spec/taints",
        "remove /metadata/annotations/kubefarm.io~1taints",
    ];
    assert_eq!(operations(&change), expected);
    assert_eq!(change.to_string(), "taints now: none");
    // Of a Node without annotations nothing can be added to them.
    let seen = node(json!({}), json!({}), json!({}), json!([]));
    let farms = json!([{"key": "k", "effect": "NoSchedule"}]);
    let change = Change::new(&seen, &wanted(json!({}), farms));
    let expected = [
        "test /metadata/resourceVersion",
        "add /spec/taints",
        "add /metadata/annotations",
        "add /metadata/annotations/kubefarm.io~1taints",
    ];
    assert_eq!(operations(&change), expected);
    // The same taints in another order, recorded: nothing to do.
    let there = json!([{"key": "k", "effect": "NoSchedule"}, {"key": "x", "effect": "NoSchedule"}]);
    let seen = node(json!({}), json!({}), json!({TAINTS: "k:NoSchedule"}), there);
    let farms = json!([{"key": "k", "effect": "NoSchedule"}]);
    assert!(Change::new(&seen, &wanted(json!({}), farms)).is_empty());
}
