//! The samples are what kube-apiserver 1.37 answered. The Deployment was applied by kubefarm, with `annotations: {}` and
//! one container; then others set the revision annotation, the image, and by subresources replicas and status.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

fn object(json: Json) -> Map<String, Json> {
    match json {
        Json::Object(map) => map,
        other => panic!("no object: {other}"),
    }
}

fn deployment() -> Map<String, Json> {
    serde_json::from_str(include_str!("samples/deployment.json")).unwrap()
}

fn secret() -> Map<String, Json> {
    serde_json::from_str(include_str!("samples/secret.json")).unwrap()
}

fn entry(manager: &str, operation: &str, fields: Json) -> Json {
    json!({
        "apiVersion": "v1", "fieldsType": "FieldsV1", "fieldsV1": fields, "manager": manager,
        "operation": operation, "time": "2026-01-01T00:00:00Z",
    })
}

/// With values at `spec`, and kubefarm's fields there.
fn applied(spec: Json, fields: Json) -> Map<String, Json> {
    let fields = json!({ "f:spec": fields });
    object(json!({
        "spec": spec,
        "metadata": { "managedFields": [entry("kubefarm", "Apply", fields)] },
    }))
}

/// Changes what is at a JSON pointer.
fn with(object: &Map<String, Json>, pointer: &str, value: Json) -> Map<String, Json> {
    let mut changed = Json::Object(object.clone());
    *changed.pointer_mut(pointer).expect(pointer) = value;
    self::object(changed)
}

#[test]
fn of_a_deployment_only_what_was_applied_and_not_taken_is_owned() {
    let expected = json!({
        "metadata": { "labels": { "app": "web" } },
        "spec": {
            "selector": { "matchLabels": { "app": "web" } },
            "template": {
                "metadata": { "labels": { "app": "web" } },
                "spec": {
                    "containers": [{
                        "args": ["--a=1", "--b"],
                        "env": [
                            { "name": "A", "value": "1" },
                            { "name": "B", "valueFrom": {
                                "fieldRef": { "apiVersion": "v1", "fieldPath": "metadata.name" },
                            } },
                        ],
                        "name": "server",
                        "ports": [{ "containerPort": 80, "name": "http", "protocol": "TCP" }],
                        "resources": { "limits": { "memory": "128Mi" } },
                        "volumeMounts": [{ "mountPath": "/tmp", "name": "tmp" }],
                    }],
                    "initContainers": [{ "image": "i1", "name": "one" }],
                    "securityContext": {},
                    "tolerations": [{ "key": "a", "operator": "Exists" }],
                    "volumes": [
                        { "emptyDir": {}, "name": "tmp" },
                        { "configMap": { "items": [{ "key": "a", "path": "b" }], "name": "web" },
                          "name": "c" },
                    ],
                },
            },
        },
    });
    assert_eq!(owned(&deployment(), "kubefarm"), expected);
    let image = json!({ "image": "nginx:2", "name": "server" });
    assert_eq!(
        owned(&deployment(), "scaler"),
        json!({}),
        "owns by a subresource only"
    );
    assert_eq!(
        owned(&deployment(), "kubectl-set"),
        json!({}),
        "owns by Update only"
    );
    let mut object = deployment();
    let entries = object["metadata"]["managedFields"].as_array_mut().unwrap();
    entries[4]["operation"] = json!("Apply");
    assert_eq!(
        owned(&object, "kubectl-set")["spec"]["template"]["spec"]["containers"],
        json!([image])
    );
}

#[test]
fn the_keys_are_sorted() {
    let object = applied(
        json!({ "b": 1, "a": { "d": 1, "c": 2 } }),
        json!({ "f:b": {}, "f:a": {} }),
    );
    let text = owned(&object, "kubefarm").to_string();
    assert_eq!(text, r#"{"spec":{"a":{"c":2,"d":1},"b":1}}"#);
}

#[test]
fn items_are_found_by_value_by_place_and_by_several_keys() {
    let spec = json!({
        "set": ["x", "y", 3, true], "list": ["p", "q", "r"],
        "ports": [{ "port": 80, "protocol": "UDP", "n": 1 }, { "port": 80, "protocol": "TCP", "n": 2 }],
    });
    let fields = json!({
        "f:set": { "v:\"y\"": {}, "v:3": {}, "v:true": {}, "v:\"gone\"": {} },
        "f:list": { "i:0": {}, "i:2": {}, "i:9": {} },
        "f:ports": { "k:{\"port\":80,\"protocol\":\"TCP\"}": { "f:n": {} } },
    });
    let expected = json!({
        "set": ["y", 3, true], "list": ["p", "r"],
        "ports": [{ "n": 2, "port": 80, "protocol": "TCP" }],
    });
    assert_eq!(owned(&applied(spec, fields), "kubefarm")["spec"], expected);
}

#[test]
fn fields_that_are_gone_or_of_another_shape_are_left_out() {
    let spec = json!({ "scalar": 1, "list": [{ "name": "a" }] });
    let fields = json!({
        "f:gone": {}, "f:scalar": { "f:x": {} }, "f:list": { "f:x": {}, "k:nonsense": {}, "z:1": {} },
        "f:odd": 1, "nonsense": {},
    });
    assert_eq!(owned(&applied(spec, fields), "kubefarm"), json!({}));
}

#[test]
fn of_a_map_whose_fields_others_own_only_the_map_is_owned() {
    let mut object = applied(
        json!({ "shared": { "theirs": 1 }, "items": [{ "name": "a" }], "whole": { "x": 1 } }),
        json!({ "f:shared": {}, "f:items": {}, "f:whole": {} }),
    );
    let theirs = json!({ "f:spec": {
        "f:shared": { ".": {}, "f:theirs": {} }, "f:items": { "k:{\"name\":\"a\"}": {} }, "f:whole": {},
    } });
    let entries = object["metadata"]["managedFields"].as_array_mut().unwrap();
    entries.push(entry("other", "Update", theirs));
    let expected = json!({ "shared": {}, "items": [], "whole": { "x": 1 } });
    assert_eq!(owned(&object, "kubefarm")["spec"], expected);
}

#[test]
fn an_object_nobody_applied_has_nothing() {
    assert_eq!(owned(&object(json!({ "spec": 1 })), "kubefarm"), json!({}));
    let broken = object(json!({ "metadata": { "managedFields": ["x", {}, null] } }));
    assert_eq!(owned(&broken, "kubefarm"), json!({}));
    assert!(owners_besides(&broken, "kubefarm").is_empty());
}

#[test]
fn the_digest_follows_owned_fields_and_nothing_else() {
    let before = digest(&deployment(), "kubefarm");
    assert_eq!(before.len(), 64);
    let server = "/spec/template/spec/containers/0";
    for (pointer, value) in [
        ("/spec/replicas", json!(7)),
        ("/status/replicas", json!(7)),
        (&format!("{server}/image"), json!("nginx:3")),
        ("/metadata/annotations", json!({ "x": "y" })),
        ("/metadata/labels", json!({ "x": "y", "app": "web" })),
    ] {
        let changed = with(&deployment(), pointer, value);
        assert_eq!(digest(&changed, "kubefarm"), before, "{pointer}");
    }
    for (pointer, value) in [
        ("/metadata/labels/app", json!("x")),
        (&format!("{server}/args"), json!(["--a=1"])),
        (&format!("{server}/env/0/value"), json!("2")),
        (&format!("{server}/ports"), json!([])),
        ("/metadata/managedFields", json!([])),
    ] {
        let changed = with(&deployment(), pointer, value);
        assert_ne!(digest(&changed, "kubefarm"), before, "{pointer}");
    }
}

#[test]
fn of_a_secret_the_digest_knows_keys_but_no_values() {
    let data = json!({ "password": "aHVudGVyMg==", "token": "c2VjcmV0" });
    assert_eq!(owned(&secret(), "kubefarm")["data"], data, "stringData too");
    let before = digest(&secret(), "kubefarm");
    let changed = with(&secret(), "/data/password", json!("b3RoZXI="));
    assert_eq!(digest(&changed, "kubefarm"), before);
    let foreign = json!({ "password": "aHVudGVyMg==", "token": "c2VjcmV0", "more": "eA==" });
    assert_eq!(
        digest(&with(&secret(), "/data", foreign), "kubefarm"),
        before
    );
    for left in ["password", "token"] {
        let changed = with(&secret(), "/data", json!({ left: data[left] }));
        assert_ne!(digest(&changed, "kubefarm"), before, "without the other");
    }
    let retyped = with(&secret(), "/metadata/finalizers", json!(["kubefarm.io/a"]));
    assert_ne!(digest(&retyped, "kubefarm"), before);
}

#[test]
fn other_owners_are_named_once() {
    assert_eq!(
        owners_besides(&deployment(), "kubefarm"),
        ["kube-controller-manager", "kubectl-set"]
    );
    assert_eq!(
        owners_besides(&deployment(), "kubectl-set"),
        ["kube-controller-manager", "kubefarm"]
    );
}

#[test]
fn moved_entries_become_one() {
    let mut helm = entry(
        "helm",
        "Update",
        json!({ "f:a": { "f:x": {} }, "f:whole": {}, "f:l": { ".": {}, "f:p": {} } }),
    );
    helm["apiVersion"] = json!("v1beta1");
    helm["time"] = json!("2026-02-01T00:00:00Z");
    let ours = entry(
        "kubefarm",
        "Apply",
        json!({ "f:a": { "f:y": {} }, "f:whole": { "f:z": {} }, "f:l": { "f:q": {} } }),
    );
    let other = entry("other", "Update", json!({ "f:a": {} }));
    let mut status = entry("helm", "Update", json!({ "f:status": {} }));
    status["subresource"] = json!("status");
    let before = [status.clone(), helm, other.clone(), ours.clone()];
    let after = moved(&before, &["helm", "Helm"], "kubefarm");
    let merged = json!({
        "apiVersion": "v1", "fieldsType": "FieldsV1", "manager": "kubefarm", "operation": "Apply",
        "time": "2026-02-01T00:00:00Z",
        "fieldsV1": {
            "f:a": { "f:x": {}, "f:y": {} },
            "f:whole": { ".": {}, "f:z": {} },
            "f:l": { ".": {}, "f:p": {}, "f:q": {} },
        },
    });
    assert_eq!(after, [status, other, merged]);
    assert_eq!(moved(&before, &["absent"], "kubefarm"), before);
    assert_eq!(moved(&after, &["helm"], "kubefarm"), after, "twice is once");
}

#[test]
fn without_an_entry_of_ours_the_newest_gives_the_version() {
    let old = entry("helm", "Update", json!({ "f:a": {} }));
    let mut new = entry("helm", "Apply", json!({ "f:b": {} }));
    new["apiVersion"] = json!("v2");
    new["time"] = json!("2026-03-01T00:00:00Z");
    let after = moved(&[new, old], &["helm"], "kubefarm");
    assert_eq!(after.len(), 1);
    assert_eq!(after[0]["apiVersion"], "v2");
    assert_eq!(after[0]["time"], "2026-03-01T00:00:00Z");
    assert_eq!(after[0]["fieldsV1"], json!({ "f:a": {}, "f:b": {} }));
}

/// A value of every shape that fields can describe.
#[derive(Debug, Clone)]
enum Tree {
    Leaf(i32),
    Whole(Vec<i32>),
    Set(BTreeSet<String>),
    Map(BTreeMap<String, Tree>),
    /// A list of maps that differ by `name`.
    Named(BTreeMap<String, BTreeMap<String, Tree>>),
}

fn trees() -> impl Strategy<Value = Tree> {
    let key = "[a-z.:\"/]{1,4}";
    let leaf = prop_oneof![
        any::<i32>().prop_map(Tree::Leaf),
        prop::collection::vec(any::<i32>(), 0..3).prop_map(Tree::Whole),
        prop::collection::btree_set(key, 0..4).prop_map(Tree::Set),
    ];
    leaf.prop_recursive(4, 40, 5, move |inner| {
        let map = prop::collection::btree_map(key, inner, 0..5);
        prop_oneof![
            map.clone().prop_map(Tree::Map),
            prop::collection::btree_map(key, map, 0..4).prop_map(Tree::Named),
        ]
    })
}

fn value(tree: &Tree) -> Json {
    let map = |map: &BTreeMap<String, Tree>| -> Map<String, Json> {
        map.iter()
            .map(|(key, tree)| (key.clone(), value(tree)))
            .collect()
    };
    match tree {
        Tree::Leaf(number) => json!(number),
        Tree::Whole(list) => json!(list),
        Tree::Set(set) => json!(set),
        Tree::Map(entries) => Json::Object(map(entries)),
        Tree::Named(items) => {
            let items = items.iter().map(|(name, entries)| {
                let mut item = map(entries);
                item.insert("name".to_owned(), json!(name));
                item.sort_keys();
                Json::Object(item)
            });
            items.collect()
        }
    }
}

/// Fields of the leaves for which `mine` says so; `None` where there is none.
fn fields_of(tree: &Tree, mine: &mut impl FnMut() -> bool) -> Option<Json> {
    let mut fields = Fields::new();
    match tree {
        Tree::Set(set) if !set.is_empty() => {
            let items = set.iter().filter(|_| mine());
            fields.extend(items.map(|item| (format!("v:{}", json!(item)), json!({}))));
        }
        Tree::Map(entries) if !entries.is_empty() => fields = fields_of_map(entries, mine),
        Tree::Named(items) if !items.is_empty() => {
            for (name, entries) in items {
                let mut item = fields_of_map(entries, mine);
                if mine() {
                    item.insert(".".to_owned(), json!({}));
                    item.insert("f:name".to_owned(), json!({}));
                }
                if !item.is_empty() {
                    fields.insert(format!("k:{}", json!({ "name": name })), Json::Object(item));
                }
            }
        }
        _ => return mine().then(|| json!({})),
    }
    (!fields.is_empty()).then_some(Json::Object(fields))
}

fn fields_of_map(entries: &BTreeMap<String, Tree>, mine: &mut impl FnMut() -> bool) -> Fields {
    let mut fields = Fields::new();
    for (key, tree) in entries {
        if let Some(beneath) = fields_of(tree, mine) {
            fields.insert(format!("f:{key}"), beneath);
        }
    }
    fields
}

proptest! {
    #[test]
    fn who_owns_everything_owns_the_object(tree in trees()) {
        let fields = fields_of(&tree, &mut || true).unwrap();
        let spec = value(&tree);
        let object = applied(spec.clone(), fields);
        prop_assert_eq!(&owned(&object, "kubefarm")["spec"], &spec);
    }

    #[test]
    fn what_two_own_together_is_moved_to_one(tree in trees(), draws in prop::collection::vec(any::<bool>(), 1..20)) {
        let sides = [true, false].map(|side| {
            let mut draws = draws.iter().cycle();
            let fields = fields_of(&tree, &mut || draws.next() == Some(&side));
            fields.map_or(json!({}), |fields| json!({ "f:spec": fields }))
        });
        let [ours, helms] = sides;
        let entries = [entry("kubefarm", "Apply", ours), entry("helm", "Update", helms)];
        let spec = value(&tree);
        let object = object(json!({
            "spec": spec,
            "metadata": { "managedFields": moved(&entries, &["helm"], "kubefarm") },
        }));
        prop_assert_eq!(&owned(&object, "kubefarm")["spec"], &spec);
    }
}
