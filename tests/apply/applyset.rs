//! A farm is an ApplySet (KEP-3659) that other tools see, and keep their hands off.

use serde_json::Value;

use crate::apply::site::{Charts, Site};
use crate::apply::{GENERIC, NEARLY_NOTHING, assert_failed};
use crate::support::run;

const PART_OF: &str = "applyset.kubernetes.io/part-of";

/// `applyset-<43 characters of URL-safe base64>-v1`
fn is_id(text: &str) -> bool {
    let hash = text
        .strip_prefix("applyset-")
        .and_then(|rest| rest.strip_suffix("-v1"));
    hash.is_some_and(|hash| {
        let is_safe = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        hash.len() == 43 && hash.bytes().all(is_safe)
    })
}

/// The kind as an ApplySet names it: `Deployment.apps`.
fn group_kind(object: &Value) -> String {
    let version = object["apiVersion"].as_str().expect("a version");
    let kind = object["kind"].as_str().expect("a kind");
    match version.split_once('/') {
        Some((group, _)) => format!("{kind}.{group}"),
        None => kind.to_owned(),
    }
}

#[test]
fn members_and_record_are_as_the_proposal_says() {
    let Some(site) = Site::new("applyset") else {
        return;
    };
    site.run(&format!("apply -q {GENERIC}")).success();
    let mut live = site.live();
    let record = live.remove("ConfigMap/kubefarm-farm").expect("the record");
    let metadata = &record["metadata"];
    let id = metadata["labels"]["applyset.kubernetes.io/id"].as_str();
    let id = id.expect("an id");
    assert!(is_id(id), "{id}");
    let annotation = |name: &str| {
        let value = &metadata["annotations"][format!("applyset.kubernetes.io/{name}")];
        value.as_str().map(str::to_owned)
    };
    let tooling = annotation("tooling").expect("the tooling");
    assert!(tooling.starts_with("kubefarm/v"), "{tooling}");
    assert_eq!(annotation("additional-namespaces"), None);
    let listed = annotation("contains-group-kinds").expect("the kinds");
    let listed: Vec<&str> = listed.split(',').collect();
    assert!(listed.is_sorted(), "{listed:?}");

    live.retain(|name, _| !name.starts_with("PersistentVolumeClaim/etcd-data-"));
    // A CronJob that has been due already has made a Job, which is not ours.
    live.retain(|_, object| object["metadata"]["ownerReferences"].is_null());
    let mut kinds: Vec<String> = live.values().map(group_kind).collect();
    kinds.sort();
    kinds.dedup();
    assert_eq!(listed, kinds);
    for (name, object) in &live {
        assert_eq!(object["metadata"]["labels"][PART_OF], *id, "{name}");
    }
}

#[test]
fn kubectl_does_not_touch_it() {
    let Some(site) = Site::new("kubectl") else {
        return;
    };
    let charts =
        Charts::new("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: extra}\ndata: {a: b}\n");
    site.run(&format!("apply -q {NEARLY_NOTHING} {}", charts.flag()))
        .success();
    let before = site.settled_versions();
    let object = site.namespace.clone() + ".json";
    let file = site.cluster.folder().join(object);
    let theirs = r#"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"theirs"}}"#;
    std::fs::write(&file, theirs).expect("written");
    let mut command = site.cluster.command("kubectl", site.cluster.kubeconfig());
    command
        .args(["apply", "--server-side", "--prune", "--filename"])
        .arg(&file)
        .args(["--applyset=configmap/kubefarm-farm", "-n", &site.namespace])
        .env("KUBECTL_APPLYSET", "true");
    let refused = run(&mut command);
    assert_failed(&refused, 1, &["is managed by tooling \"kubefarm\""]);
    assert_eq!(site.versions(), before);
}

#[test]
fn another_farms_object_is_not_taken() {
    let Some(site) = Site::new("foreign") else {
        return;
    };
    let text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: extra}\ndata: {a: b}\n";
    let charts = Charts::new(text);
    let apply = |name: &str| format!("apply {NEARLY_NOTHING} {} --name {name}", charts.flag());
    site.run(&apply("first")).success();
    let before = site.settled_versions();
    for flags in ["", "--force-conflicts --adopt --replace"] {
        let refused = site.run(&format!("{} {flags}", apply("second")));
        let says = format!(
            "ConfigMap {}/extra: belongs to another farm",
            site.namespace
        );
        assert_failed(&refused, 1, &[&says, "nothing was changed"]);
    }
    assert_eq!(site.versions(), before);
}

#[test]
fn a_map_of_somebody_else_with_the_records_name_is_left_alone() {
    let Some(site) = Site::new("occupied") else {
        return;
    };
    site.kubectl("create configmap kubefarm-farm --from-literal=a=b")
        .success();
    let before = site.settled_versions();
    let refused = site.run(&format!("apply {NEARLY_NOTHING}"));
    let says = "ConfigMap kubefarm-farm exists and is not a record of a farm";
    assert_failed(&refused, 1, &[says]);
    assert_eq!(site.versions(), before);
}
