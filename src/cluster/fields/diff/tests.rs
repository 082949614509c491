use proptest::prelude::*;
use serde_json::json;

use super::*;

fn object(json: Json) -> Map<String, Json> {
    match json {
        Json::Object(map) => map,
        other => panic!("no object: {other}"),
    }
}

fn live() -> Map<String, Json> {
    object(json!({
        "kind": "StatefulSet",
        "apiVersion": "apps/v1",
        "metadata": {
            "name": "etcd", "namespace": "farm", "uid": "1", "resourceVersion": "2", "generation": 3,
            "selfLink": "x", "creationTimestamp": "t", "managedFields": [{ "manager": "kubefarm" }],
            "labels": { "b": "1", "a": "2" },
            "annotations": { "kubectl.kubernetes.io/last-applied-configuration": "{}" },
        },
        "spec": { "replicas": 1, "list": [{ "z": 1, "a": 2 }] },
        "status": { "replicas": 1 },
    }))
}

fn secret(data: Json) -> Map<String, Json> {
    object(json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "s", "namespace": "farm" },
        "data": data,
    }))
}

fn texts(before: &Map<String, Json>, after: &Map<String, Json>) -> [String; 2] {
    let difference = difference(Some(before), Some(after)).unwrap();
    [difference.before, difference.after]
}

#[test]
fn what_the_cluster_writes_is_left_out() {
    let expected = json!({
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": { "labels": { "a": "2", "b": "1" }, "name": "etcd", "namespace": "farm" },
        "spec": { "list": [{ "a": 2, "z": 1 }], "replicas": 1 },
    });
    // As text, since the order counts.
    let found = Json::Object(comparable(&live()));
    assert_eq!(found.to_string(), expected.to_string());
}

#[test]
fn other_annotations_stay() {
    let mut object = live();
    object["metadata"]["annotations"]["x"] = json!("y");
    assert_eq!(
        comparable(&object)["metadata"]["annotations"],
        json!({ "x": "y" })
    );
}

#[test]
fn objects_that_only_the_cluster_changed_do_not_differ() {
    let mut after = live();
    after["metadata"]["resourceVersion"] = json!("9");
    after["status"] = json!({});
    assert_eq!(difference(Some(&live()), Some(&after)), None);
    assert_eq!(difference(None, None), None);
}

#[test]
fn a_difference_names_the_object_and_has_both_texts() {
    let mut after = live();
    after["spec"]["replicas"] = json!(3);
    let update = difference(Some(&live()), Some(&after)).unwrap();
    assert_eq!(update.key.to_string(), "StatefulSet farm/etcd");
    assert_eq!(update.key.group, "apps");
    assert_eq!(update.change, Change::Update);
    assert_eq!(
        update.before.replace("replicas: 1", "replicas: 3"),
        update.after
    );
    assert!(update.after.contains("replicas: 3\n"));
    let create = difference(None, Some(&after)).unwrap();
    assert_eq!(
        (create.change, create.before.as_str()),
        (Change::Create, "")
    );
    assert_eq!(create.after, update.after);
    let delete = difference(Some(&live()), None).unwrap();
    assert_eq!((delete.change, delete.after.as_str()), (Change::Delete, ""));
    assert_eq!(delete.before, update.before);
}

#[test]
fn of_secrets_one_sees_which_value_changes() {
    let before = secret(json!({ "same": "YQ==", "changed": "Yg==", "gone": "Yw==" }));
    let after = secret(json!({ "same": "YQ==", "changed": "ZA==", "added": "ZQ==" }));
    let [before, after] = texts(&before, &after);
    let expected_before =
        "data:\n  changed: \"<secret, old>\"\n  gone: \"<secret>\"\n  same: \"<secret>\"\n";
    let expected_after =
        "data:\n  added: \"<secret>\"\n  changed: \"<secret, new>\"\n  same: \"<secret>\"\n";
    assert!(before.contains(expected_before), "{before}");
    assert!(after.contains(expected_after), "{after}");
}

#[test]
fn secrets_of_odd_shapes_are_masked_whole() {
    let [before, after] = texts(&secret(json!("hunter2")), &secret(json!(["hunter3"])));
    assert!(before.contains("data: \"<secret, old>\""), "{before}");
    assert!(after.contains("data: \"<secret, new>\""), "{after}");
}

#[test]
fn annotations_that_repeat_a_secret_are_masked() {
    let mut before = secret(json!({ "password": "aHVudGVyIjI=" }));
    before["metadata"]["annotations"] = json!({
        "original": "{\"data\":{\"password\":\"aHVudGVyIjI=\"}}",
        "given": "{\"stringData\":{\"password\":\"hunter\\\"2\"}}",
        "harmless": "x",
    });
    let mut after = before.clone();
    after["metadata"]["annotations"]["harmless"] = json!("y");
    after["metadata"]["annotations"]["original"] = json!("{}");
    let [before, after] = texts(&before, &after);
    assert!(
        !before.contains("hunter") && !before.contains("aHVu"),
        "{before}"
    );
    assert!(before.contains("given: \"<secret>\""), "{before}");
    assert!(before.contains("original: \"<secret, old>\""), "{before}");
    assert!(after.contains("original: \"<secret, new>\""), "{after}");
    assert!(
        before.contains("harmless: x") && after.contains("harmless: \"y\""),
        "{after}"
    );
}

#[test]
fn configmaps_are_not_masked() {
    let mut before = secret(json!({ "a": "b" }));
    before["kind"] = json!("ConfigMap");
    let created = difference(None, Some(&before)).unwrap();
    assert!(
        created.after.contains("data:\n  a: b\n"),
        "{}",
        created.after
    );
}

/// Long enough not to be in a text by chance.
fn values() -> impl Strategy<Value = String> {
    "[ -~\n\u{e0}-\u{ff}]{6,30}".prop_map(|text| format!("☠{text}☠"))
}

proptest! {
    #[test]
    fn no_secret_is_ever_in_a_text(
        old in prop::option::of(values()),
        new in prop::option::of(values()),
        field in prop::sample::select(vec!["data", "stringData"]),
        encoded in any::<bool>(),
        nested in any::<bool>(),
    ) {
        let write = |value: &String| if encoded { STANDARD.encode(value) } else { value.clone() };
        let side = |value: &Option<String>| value.as_ref().map(|value| {
            let mut object = secret(json!({}));
            let written = write(value);
            let entries = if nested { json!({ "k": [written] }) } else { json!({ "k": written }) };
            object.insert(field.to_owned(), entries);
            let annotations = json!({
                "kubectl.kubernetes.io/last-applied-configuration": Json::Object(object.clone()).to_string(),
                "copy": if nested { String::new() } else { Json::Object(object.clone()).to_string() },
            });
            object["metadata"]["annotations"] = annotations;
            object
        });
        let (before, after) = (side(&old), side(&new));
        let Some(difference) = difference(before.as_ref(), after.as_ref()) else {
            prop_assert_eq!(old, new);
            return Ok(());
        };
        let text = difference.before + &difference.after;
        for value in [old, new].iter().flatten() {
            prop_assert!(!text.contains('☠'), "{}", text);
            // Of the base64 text, the part that holds more than the first sign.
            prop_assert!(!text.contains(&STANDARD.encode(value)[..8]), "{}", text);
        }
    }
}
