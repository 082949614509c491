//! Taking over what Helm installed.

use std::fs;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::apply::site::Site;
use crate::apply::{GENERIC, NEARLY_NOTHING, assert_failed, done};

/// A chart that holds what we render, with more replicas of the scheduler and with more labels and fields than that.
fn chart(site: &Site, values: &str) -> TempDir {
    let rendered = site
        .run(&format!("render -o json {GENERIC} {values}"))
        .success();
    let rendered: Value = serde_json::from_str(&rendered).expect("JSON");
    let folder = tempfile::tempdir().expect("a folder");
    let templates = folder.path().join("templates");
    fs::create_dir(&templates).expect("made");
    let meta = "apiVersion: v2\nname: old\nversion: 0.1.0\n";
    fs::write(folder.path().join("Chart.yaml"), meta).expect("written");
    for (number, object) in rendered["items"]
        .as_array()
        .expect("items")
        .iter()
        .enumerate()
    {
        let mut object = object.clone();
        object["metadata"]["labels"]["chart"] = json!("old");
        if let Some(labels) = object["metadata"]["labels"].as_object_mut() {
            labels.remove("app.kubernetes.io/managed-by");
        }
        if object["kind"] == "ConfigMap" {
            object["data"]["old.txt"] = json!("old");
        }
        if object["metadata"]["name"] == "kubefarm-kubernetes-scheduler"
            && object["kind"] == "Deployment"
        {
            object["spec"]["replicas"] = json!(4);
            object["spec"]["minReadySeconds"] = json!(7);
        }
        // Nothing in it is for Helm's template engine.
        let text = object.to_string().replace("{{", "{{ \"{{\" }}");
        fs::write(templates.join(format!("{number}.yaml")), text).expect("written");
    }
    folder
}

/// The managers of an object itself.
fn managers(object: &Value) -> Vec<&str> {
    let entries = object["metadata"]["managedFields"].as_array();
    let whole = entries
        .into_iter()
        .flatten()
        .filter(|entry| entry["subresource"].is_null());
    whole
        .filter_map(|entry| entry["manager"].as_str())
        .collect()
}

#[test]
fn a_release_that_helm_applied_is_taken_over() {
    takes_over("--server-side=true");
}

#[test]
fn a_release_that_helm_3_or_its_like_updated_is_taken_over() {
    takes_over("--server-side=false");
}

/// Takes over what Helm installed in one of its two ways.
#[track_caller]
fn takes_over(way: &str) {
    let Some(site) = Site::new("adopt") else {
        return;
    };
    let chart = chart(&site, "");
    let chart = chart.path().to_str().expect("UTF-8");
    let namespace = &site.namespace;
    let install = ["install", "old", chart, "--namespace", namespace, way];
    site.cluster.helm(&install).success();
    let before = site.settled_versions();
    let scheduler = "deployment/kubefarm-kubernetes-scheduler";
    assert!(managers(&site.get(scheduler)).contains(&"helm"));

    let apply = format!("apply {GENERIC}");
    let refused = site.run(&apply);
    let parts = [
        "kubefarm-kubernetes-scheduler: other field managers own some of its fields",
        ".spec.replicas belongs to helm",
        "help: --adopt takes over what Helm installed",
        "nothing was changed",
    ];
    assert_failed(&refused, 1, &parts);
    assert_eq!(site.versions(), before);

    let adopted = site.run(&format!("{apply} --adopt"));
    assert_eq!(adopted.code(), 0, "{}", adopted.stderr);
    let says = "delete secret -l owner=helm,name=old";
    let told = adopted.stderr.matches(says).count();
    assert_eq!(told, 1, "{}", adopted.stderr);
    assert!(
        done(&adopted)
            .iter()
            .all(|(word, _)| *word == "changed" || *word == "unchanged")
    );
    let now = site.settled_versions();
    let mut taken = 0;
    for (name, object) in site.live() {
        if !before.contains_key(&name) || name.starts_with("Secret/sh.helm.release") {
            continue;
        }
        if !object["metadata"]["ownerReferences"].is_null() || name.contains("/etcd-data-") {
            continue;
        }
        taken += 1;
        assert!(!managers(&object).contains(&"helm"), "{name} is Helm's yet");
        assert_eq!(object["metadata"]["labels"]["chart"], Value::Null, "{name}");
        assert_eq!(object["data"]["old.txt"], Value::Null, "{name}");
        let release = &object["metadata"]["annotations"]["meta.helm.sh/release-name"];
        assert_eq!(*release, Value::Null, "{name}");
    }
    assert!(taken > 40, "{taken}");
    let scheduler = site.get(scheduler);
    assert_eq!(scheduler["spec"]["replicas"], 2);
    assert_eq!(scheduler["spec"]["minReadySeconds"], Value::Null);

    let again = site.run(&apply);
    assert_eq!(again.code(), 0, "{}", again.stderr);
    assert!(done(&again).iter().all(|(word, _)| *word == "unchanged"));
    assert!(!again.stderr.contains("owner=helm"), "{}", again.stderr);
    assert_eq!(site.versions(), now);
}

/// Installs with Helm what `values` render.
fn installed(name: &str, values: &str) -> Option<Site> {
    let site = Site::new(name)?;
    let chart = chart(&site, values);
    let chart = chart.path().to_str().expect("UTF-8");
    let install = ["install", "old", chart, "--namespace", &site.namespace];
    site.cluster.helm(&install).success();
    Some(site)
}

/// Otherwise an uninstallation would delete it.
#[test]
fn an_object_without_a_difference_is_taken_over_too() {
    let Some(site) = Site::new("adopt-same") else {
        return;
    };
    let theirs = json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": "mine",
            "annotations": {
                "meta.helm.sh/release-name": "old",
                "meta.helm.sh/release-namespace": site.namespace,
            },
        },
        "data": { "a": "b" },
    });
    site.kubectl_with("apply --server-side --field-manager=helm -f -", &theirs)
        .success();
    let file = site.cluster.folder().join(&site.namespace);
    let ours = "extraObjects: {mine: {apiVersion: v1, kind: ConfigMap, metadata: {name: mine}, data: {a: b}}}\n";
    fs::write(&file, ours).expect("written");
    let apply = format!("apply {NEARLY_NOTHING} -f {} --adopt", file.display());
    site.run(&apply).success();
    let mine = site.get("configmap/mine");
    assert_eq!(mine["data"]["a"], "b");
    assert!(!managers(&mine).contains(&"helm"), "{mine}");
}

#[test]
fn running_versions_are_kept() {
    let running = "--set kubernetes.version=v1.35.4,kubernetes.etcd.image.tag=3.6.16-0";
    let Some(site) = installed("kept", running) else {
        return;
    };
    let apply = format!("apply -q {GENERIC} --adopt");
    // Named versions are the user's, and go through the guards.
    let named = site.run(&format!("{apply} --set kubernetes.version=v1.37.2"));
    assert_failed(
        &named,
        1,
        &["Kubernetes 1.35.4 would become 1.37.2", ": 1.36, 1.37;"],
    );
    let adopted = site.run(&apply);
    assert_eq!(adopted.code(), 0, "{}", adopted.stderr);
    for note in [
        "set it in the values: kubernetes.etcd.image.tag: 3.6.16-0",
        "set it in the values: kubernetes.version: v1.35.4",
    ] {
        assert!(adopted.stderr.contains(note), "{}", adopted.stderr);
    }
    let image = |workload: &str| {
        let pod = &site.get(workload)["spec"]["template"]["spec"];
        pod["containers"][0]["image"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    assert_eq!(
        image("statefulset/kubefarm-kubernetes-etcd"),
        "registry.k8s.io/etcd:3.6.16-0"
    );
    let scheduler = image("deployment/kubefarm-kubernetes-scheduler");
    assert_eq!(scheduler, "registry.k8s.io/kube-scheduler:v1.35.4");

    // From now on the values have to say so, and nobody can know whether this etcd was a 3.5 once.
    let parts = [
        "Kubernetes 1.35.4 would become",
        "etcd 3.6.16 would become 3.7.",
        "kubefarm does not know whether it came from 3.5",
        "--accept=etcd-old-log",
        "docs/from-0.13.md",
    ];
    assert_failed(&site.run(&format!("apply -q {GENERIC}")), 1, &parts);
    site.run(&format!("apply -q {GENERIC} {running}")).success();
}

#[test]
fn versions_that_cannot_be_served_are_refused_with_the_steps() {
    let old = "--set kubernetes.version=v1.22.4,kubernetes.etcd.image.tag=3.5.1-0";
    let Some(site) = installed("steps", old) else {
        return;
    };
    let before = site.settled_versions();
    let refused = site.run(&format!("apply -q {GENERIC} --adopt"));
    let parts = [
        "Kubernetes 1.22.4 would become",
        "one minor version at a time, nodes too: 1.23, 1.24, 1.25,",
        "nothing was changed",
    ];
    assert_failed(&refused, 1, &parts);
    // etcd 3.5 can be served, and stays.
    assert!(
        !refused.stderr.contains("etcd-version"),
        "{}",
        refused.stderr
    );
    let named = format!("apply -q {GENERIC} --adopt --set kubernetes.etcd.image.tag=3.7.0-0");
    let parts = [
        "etcd 3.5.1 would become 3.7.0",
        ": 3.6, 3.7; docs/from-0.13.md",
    ];
    assert_failed(&site.run(&named), 1, &parts);
    assert_eq!(site.versions(), before);
}
