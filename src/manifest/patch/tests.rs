use indexmap::IndexMap;
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::manifest::parse;
use crate::values::decode;
use crate::values::yaml;

fn deployment() -> Object {
    let text = "\
apiVersion: apps/v1
kind: Deployment
metadata: {name: farm-api, namespace: space, labels: {app: farm-api}}
spec:
  replicas: 1
  template:
    metadata: {labels: {app: farm-api}}
    spec:
      nodeSelector: {a: b}
      tolerations: [{key: x}]
      containers:
      - name: api
        image: one
        args: [a, b]
        env: [{name: A, value: '1'}, {name: B, value: '2'}]
        ports: [{name: dns, containerPort: 53}, {name: dns-tcp, containerPort: 53}]
      - {name: sidecar, image: two}
";
    parse("x/templates/api.yaml", text).unwrap().remove(0)
}

/// Applies one patch, given as YAML; the problems as text.
fn patched(target: &str, patch: &str) -> Result<Json, Vec<String>> {
    let text = format!("patches:\n  mine:\n    target: {target}\n    patch: {patch}\n");
    patched_by(&text)
}

fn patched_by(text: &str) -> Result<Json, Vec<String>> {
    let tree = yaml::parse("values.yaml", text).unwrap().remove(0);
    let patches = Path::from("patches");
    let (patches, problems) =
        decode::<IndexMap<String, Patch>>(tree.get(&patches).expect("patches"));
    assert!(problems.is_empty(), "{problems:?}");
    let mut objects = [deployment()];
    let problems = apply(
        patches.as_ref().unwrap(),
        Side::Admin,
        &[],
        &mut objects,
        &tree,
    );
    if !problems.is_empty() {
        return Err(problems.iter().map(Problem::to_string).collect());
    }
    let [object] = objects;
    Ok(Json::Object(object.content))
}

const API: &str = "{kind: Deployment, name: farm-api}";

fn pod(object: &Json) -> &Json {
    &object["spec"]["template"]["spec"]
}

#[test]
fn maps_merge_null_removes_and_plain_lists_are_replaced() {
    let object = patched(
        API,
        "{spec: {replicas: 3, template: {spec: {nodeSelector: null, tolerations: [{key: z, value: null}], runtimeClassName: kata}}}}",
    );
    let object = object.unwrap();
    assert_eq!(object["spec"]["replicas"], 3);
    assert_eq!(pod(&object)["tolerations"], json!([{"key": "z"}]));
    assert_eq!(pod(&object)["runtimeClassName"], "kata");
    assert!(pod(&object).get("nodeSelector").is_none());
}

#[test]
fn items_are_merged_by_their_key() {
    let object = patched(
        API,
        "{spec: {template: {spec: {containers: [{name: api, image: three, args: [c], env: [{name: B, value: '3'}, {name: C, value: '4'}]}, {name: new}]}}}}",
    );
    let containers = pod(&object.unwrap())["containers"].clone();
    let api = &containers[0];
    assert_eq!(
        (&api["image"], &api["args"]),
        (&json!("three"), &json!(["c"]))
    );
    let env = json!([
        {"name": "A", "value": "1"}, {"name": "B", "value": "3"}, {"name": "C", "value": "4"},
    ]);
    assert_eq!(api["env"], env);
    assert_eq!(containers[1], json!({"name": "sidecar", "image": "two"}));
    assert_eq!(containers[2], json!({"name": "new"}));
}

#[test]
fn instructions_delete_and_replace() {
    let containers = |patch: &str| {
        let patch = format!("{{spec: {{template: {{spec: {{containers: [{patch}]}}}}}}}}");
        patched(API, &patch).map(|object| pod(&object)["containers"].clone())
    };
    let found = containers("{name: sidecar, $patch: delete}").unwrap();
    assert_eq!(found.as_array().unwrap().len(), 1);
    let found = containers("{$patch: replace}, {name: only}").unwrap();
    assert_eq!(found, json!([{"name": "only"}]));
    let found = containers("{name: api, $patch: replace, image: x}").unwrap();
    assert_eq!(found[0], json!({"name": "api", "image": "x"}));
    let whole = patched(
        API,
        "{spec: {template: {spec: {nodeSelector: {$patch: replace, c: d}}}}}",
    );
    assert_eq!(pod(&whole.unwrap())["nodeSelector"], json!({"c": "d"}));
    for (patch, expected) in [
        (
            "{name: gone, $patch: delete}",
            "no item of the object has name \"gone\"",
        ),
        ("{image: x}", "an item of this list needs `name`"),
        ("api", "an item of this list needs `name`"),
        ("{name: api, $patch: remove}", "expected \"delete\""),
        ("{name: api, $retainKeys: [image]}", "not supported"),
        (
            "{name: api, ports: [{containerPort: 53, hostPort: 53}]}",
            "several items of the object have containerPort 53",
        ),
    ] {
        let problems = containers(patch).unwrap_err().join("\n");
        assert!(problems.contains(expected), "{patch}: {problems}");
        assert!(problems.starts_with("values.yaml:4:"), "{problems}");
        assert!(
            problems.contains("Deployment space/farm-api: "),
            "{problems}"
        );
    }
}

#[test]
fn operations_follow_rfc_6902() {
    let object = patched(
        API,
        "[{op: test, path: /spec/replicas, value: 1}, {op: replace, path: /spec/replicas, value: 2}, {op: add, path: /spec/template/spec/containers/0/args/-, value: c}, {op: add, path: /spec/paused, value: null}]",
    );
    let object = object.unwrap();
    assert_eq!(object["spec"]["replicas"], 2);
    assert!(object["spec"].get("paused").is_none());
    assert_eq!(
        pod(&object)["containers"][0]["args"],
        json!(["a", "b", "c"])
    );
    let problem = patched(
        API,
        "[{op: remove, path: /spec/replicas}, {op: remove, path: /spec/none}]",
    );
    assert_eq!(
        problem.unwrap_err(),
        [
            "values.yaml:4:68: error: patches.mine.patch[1].path: Deployment space/farm-api: \
             the object has no such place"
        ]
    );
}

#[test]
fn identity_and_labels_cannot_be_changed() {
    for (patch, place) in [
        ("{metadata: {name: other}}", "patch.metadata.name"),
        ("{metadata: {namespace: null}}", "patch.metadata.namespace"),
        ("{kind: Job}", "patch.kind"),
        ("{metadata: {labels: null}}", "patch.metadata.labels"),
        (
            "{metadata: {labels: {app: x}}}",
            "patch.metadata.labels.app",
        ),
        (
            "{spec: {template: {metadata: {labels: {app: x}}}}}",
            "patch.spec.template.metadata.labels.app",
        ),
        (
            "{metadata: {labels: {applyset.kubernetes.io/part-of: x}}}",
            "patch.metadata.labels.applyset\\.kubernetes\\.io/part-of",
        ),
        ("{$patch: delete}", "patch.$patch"),
        ("[{op: replace, path: '', value: 7}]", "patch"),
        ("[{op: remove, path: /kind}]", "patch"),
    ] {
        let problems = patched(API, patch).unwrap_err();
        let place = format!("error: patches.mine.{place}: ");
        assert!(problems[0].contains(&place), "{patch}: {problems:?}");
    }
    // The same identity is allowed, and so are other labels.
    let fine =
        "{apiVersion: apps/v1, kind: Deployment, metadata: {name: farm-api, labels: {x: z}}}";
    assert_eq!(patched(API, fine).unwrap()["metadata"]["labels"]["x"], "z");
}

#[test]
fn targets_are_found_by_kind_name_and_namespace() {
    let fine = "{metadata: {annotations: {a: b}}}";
    for target in [
        "{kind: deployment, name: '*'}",
        "{kind: '*', name: farm-*}",
        "{kind: Deployment, name: farm-api, namespace: sp*}",
    ] {
        let object = patched(target, fine).unwrap();
        assert_eq!(object["metadata"]["annotations"]["a"], "b", "{target}");
    }
    for (target, expected) in [
        (
            "{kind: Deployment, name: farm-apu}",
            "target: no rendered object is a Deployment `farm-apu` (did you mean \"farm-api\"?)",
        ),
        (
            "{kind: Deploymet, name: '*'}",
            "target: no rendered object is a Deploymet `*` (did you mean the kind \"Deployment\"?)",
        ),
        (
            "{kind: Deployment, name: farm-api, namespace: x}",
            "target: no rendered object is a Deployment `farm-api` in the namespace `x`",
        ),
    ] {
        let problems = patched(target, fine).unwrap_err();
        assert_eq!(
            problems,
            [format!("values.yaml:3:13: error: patches.mine.{expected}")]
        );
    }
    // A patch for the other cluster is ignored.
    let object = patched("{kind: None, name: none, cluster: child}", fine).unwrap();
    assert_eq!(object, Json::Object(deployment().content));
}

#[test]
fn every_wrong_patch_is_reported_and_later_patches_see_earlier_ones() {
    let text = "\
patches:
  a: {target: {kind: Deployment, name: farm-api}, patch: {kind: x}}
  b: {target: {kind: Deployment, name: none}, patch: {}}
";
    assert_eq!(patched_by(text).unwrap_err().len(), 2);
    let text = "\
patches:
  a: {target: {kind: Deployment, name: farm-api}, patch: {spec: {replicas: 4}}}
  b: {target: {kind: Deployment, name: farm-api}, patch: [{op: move, from: /spec/replicas, path: /spec/revisionHistoryLimit}]}
";
    let spec = patched_by(text).unwrap()["spec"].clone();
    assert_eq!(spec["revisionHistoryLimit"], 4);
    assert!(spec.get("replicas").is_none());
}

#[test]
fn a_changed_job_has_another_name() {
    let job = |spec: &str| {
        let text = format!(
            "apiVersion: batch/v1\nkind: Job\nmetadata: {{name: farm-boot-abcdefghij}}\nspec: {spec}\n"
        );
        parse("x", &text).unwrap().remove(0)
    };
    let named = |jobs: &[&str], spec: &str, patch: &str| {
        let text =
            format!("patches: {{a: {{target: {{kind: Job, name: farm-boot-*}}, patch: {patch}}}}}");
        let tree = yaml::parse("values.yaml", &text).unwrap().remove(0);
        let (patches, _) =
            decode::<IndexMap<String, Patch>>(tree.get(&Path::from("patches")).unwrap());
        let jobs: Vec<String> = jobs.iter().map(|&job| job.to_owned()).collect();
        let mut objects = [job(spec)];
        let problems = apply(
            patches.as_ref().unwrap(),
            Side::Admin,
            &jobs,
            &mut objects,
            &tree,
        );
        assert!(problems.is_empty(), "{problems:?}");
        objects[0].name().to_owned()
    };
    let patch = "{spec: {backoffLimit: 3}}";
    let renamed = named(&["farm-boot"], "{x: 1}", patch);
    assert!(
        renamed.starts_with("farm-boot-") && renamed.len() == 20,
        "{renamed}"
    );
    assert_ne!(renamed, "farm-boot-abcdefghij");
    assert_eq!(named(&["farm-boot"], "{x: 1}", patch), renamed);
    assert_ne!(named(&["farm-boot"], "{x: 2}", patch), renamed);
    // Changed labels keep the name, and so do Jobs without a hash in their names.
    let label = "{metadata: {labels: {x: z}}}";
    assert_eq!(
        named(&["farm-boot"], "{x: 1}", label),
        "farm-boot-abcdefghij"
    );
    assert_eq!(named(&["other"], "{x: 1}", patch), "farm-boot-abcdefghij");
}

fn any_json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        (0..9).prop_map(Json::from),
        "[ab]{0,2}".prop_map(Json::from),
    ];
    leaf.prop_recursive(4, 24, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Json::from),
            prop::collection::btree_map("[abc]", inner, 0..3)
                .prop_map(|map| Json::Object(map.into_iter().collect())),
        ]
    })
}

/// RFC 7386, section 2, word for word.
fn rfc_7386(target: &mut Json, patch: &Json) {
    let Json::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    let Json::Object(target) = target else { return };
    for (name, value) in patch {
        if value.is_null() {
            target.remove(name);
        } else {
            rfc_7386(target.entry(name.clone()).or_insert(Json::Null), value);
        }
    }
}

proptest! {
    /// Without lists that Kubernetes merges by a key, a patch is a JSON merge patch.
    #[test]
    fn without_keyed_lists_it_is_a_merge_patch(data in any_json(), change in any_json()) {
        let content = json!({"kind": "Certificate", "spec": data});
        let Json::Object(content) = content else { return Ok(()) };
        let mut object = Object::new("", content);
        let mut expected = Json::Object(object.content.clone());
        let patch = json!({"spec": change});
        rfc_7386(&mut expected, &patch);
        let Json::Object(patch) = patch else { return Ok(()) };
        merge::merge(&mut object, &patch).unwrap();
        prop_assert_eq!(Json::Object(object.content), expected);
    }
}
