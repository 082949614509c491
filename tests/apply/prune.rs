//! Objects that are no longer rendered go, in reverse order; data and certificate authorities stay.

use serde_json::Value;

use crate::apply::site::{Charts, Site};
use crate::apply::{GENERIC, NEARLY_NOTHING, done};

const RECORD: &str = "configmap/kubefarm-farm";
const KINDS: &str = "applyset.kubernetes.io/contains-group-kinds";
const PART_OF: &str = "applyset.kubernetes.io/part-of";

/// Without a control plane, and so without all that belongs to one.
const REDUCED: &str = "--set kubernetes.enabled=false,tokenGenerator.enabled=false";

const AUTHORITY: &str = "certificate/kubefarm-kubernetes-pki-ca";
const LEAF: &str = "certificate/kubefarm-kubernetes-pki-admin-client";
const BACKUPS: &str = "persistentvolumeclaim/etcd-backup-kubefarm-kubernetes-etcd";
const SERVICE: &str = "service/kubefarm-kubernetes-scheduler";

fn kinds(site: &Site) -> Vec<String> {
    let record = site.get(RECORD);
    let kinds = record["metadata"]["annotations"][KINDS].as_str();
    let kinds = kinds.expect("the annotation").split(',');
    kinds.map(str::to_owned).collect()
}

fn is_member(object: &Value) -> bool {
    object["metadata"]["labels"][PART_OF].is_string()
}

/// The position of a kind's last deletion among the lines.
#[track_caller]
fn position(deleted: &[&str], kind: &str, last: bool) -> usize {
    let is_kind = |line: &&str| line.split(' ').next() == Some(kind);
    let found = if last {
        deleted.iter().rposition(is_kind)
    } else {
        deleted.iter().position(is_kind)
    };
    found.unwrap_or_else(|| panic!("no {kind} in {deleted:?}"))
}

#[test]
fn what_is_no_longer_rendered_goes_but_data_stay() {
    let Some(site) = Site::new("prune") else {
        return;
    };
    let whole = format!("{GENERIC} -f values/ha.yaml");
    site.run(&format!("apply -q {whole}")).success();
    assert!(kinds(&site).contains(&"CronJob.batch".to_owned()));
    site.kubectl(&format!("annotate {SERVICE} kubefarm.io/keep=true"))
        .success();

    let reduced = format!("{GENERIC} -f values/ha.yaml {REDUCED}");
    let left = site.run(&format!("apply --no-prune {reduced}"));
    assert_eq!(left.code(), 0, "{}", left.stderr);
    assert!(!done(&left).iter().any(|(word, _)| *word == "deleted"));
    assert!(site.has("statefulset/kubefarm-kubernetes-etcd"));
    assert!(kinds(&site).contains(&"StatefulSet.apps".to_owned()));

    let pruned = site.run(&format!("apply {reduced} --accept=etcd-removed"));
    assert_eq!(pruned.code(), 0, "{}", pruned.stderr);
    let lines = done(&pruned);
    let with = |wanted: &str| -> Vec<&str> {
        let found = lines.iter().filter(|(word, _)| *word == wanted);
        found.map(|(_, object)| *object).collect()
    };
    let deleted = with("deleted");
    let order = [
        "CronJob",
        "StatefulSet",
        "Service",
        "Issuer",
        "ConfigMap",
        "Role",
    ];
    for pair in order.windows(2) {
        let (earlier, later) = (
            position(&deleted, pair[0], true),
            position(&deleted, pair[1], false),
        );
        assert!(earlier < later, "{pair:?} in {deleted:?}");
    }
    let kept = with("kept").join("\n");
    let namespace = &site.namespace;
    for part in [
        format!("Certificate {namespace}/kubefarm-kubernetes-pki-ca: a certificate authority"),
        format!("Certificate {namespace}/kubefarm-kubernetes-pki-etcd-ca: a certificate authority"),
        format!("PersistentVolumeClaim {namespace}/etcd-backup-kubefarm-kubernetes-etcd: "),
        format!("Service {namespace}/kubefarm-kubernetes-scheduler: kubefarm.io/keep"),
    ] {
        assert!(kept.contains(&part), "no {part} in\n{kept}");
    }
    for gone in [LEAF, "statefulset/kubefarm-kubernetes-etcd"] {
        assert!(!site.has(gone), "{gone}");
    }
    for there in [AUTHORITY, BACKUPS, SERVICE] {
        assert!(is_member(&site.get(there)), "{there}");
    }

    let kinds = kinds(&site);
    for there in [
        "Certificate.cert-manager.io",
        "PersistentVolumeClaim",
        "Service",
    ] {
        assert!(kinds.contains(&there.to_owned()), "{there} in {kinds:?}");
    }
    for gone in [
        "CronJob.batch",
        "StatefulSet.apps",
        "Issuer.cert-manager.io",
    ] {
        assert!(!kinds.contains(&gone.to_owned()), "{gone} in {kinds:?}");
    }

    let uid = |what: &str| site.get(what)["metadata"]["uid"].clone();
    let before = [AUTHORITY, BACKUPS, SERVICE].map(uid);
    site.run(&format!("apply -q {whole}")).success();
    assert_eq!([AUTHORITY, BACKUPS, SERVICE].map(uid), before);
    assert!(site.has(LEAF));
}

#[test]
fn a_part_that_is_switched_off_goes() {
    let Some(site) = Site::new("switched-off") else {
        return;
    };
    site.run(&format!("apply -q {GENERIC}")).success();
    let off = site.run(&format!(
        "apply {GENERIC} --set kubernetes.admin.enabled=false"
    ));
    assert_eq!(off.code(), 0, "{}", off.stderr);
    let name = format!("Deployment {}/kubefarm-kubernetes-admin", site.namespace);
    assert!(
        done(&off).contains(&("deleted", name.as_str())),
        "{}",
        off.stderr
    );
    assert!(!site.has("deployment/kubefarm-kubernetes-admin"));
    assert!(site.has("deployment/kubefarm-kubernetes-apiserver"));
}

#[test]
fn what_a_finalizer_holds_stays_in_the_record_until_it_is_gone() {
    let Some(site) = Site::new("prune-held") else {
        return;
    };
    let held = "apiVersion: v1\nkind: LimitRange\nmetadata: {name: held, finalizers: [example.org/hold]}\n\
                spec: {limits: []}\n";
    let charts = Charts::new(held);
    let apply = format!("apply -q {NEARLY_NOTHING} {}", charts.flag());
    let is_known = || kinds(&site).contains(&"LimitRange".to_owned());
    site.run(&apply).success();
    charts.write("# Nothing.\n");
    site.run(&apply).success();
    assert!(site.has("limitrange/held") && is_known());
    let patch = r#"{"metadata":{"finalizers":null}}"#;
    site.kubectl(&format!("patch limitrange/held --type=merge -p {patch}"))
        .success();
    site.cluster
        .wait_until("it is gone", || !site.has("limitrange/held"));
    site.run(&apply).success();
    assert!(!is_known());
}

#[test]
fn a_definition_stays_with_all_objects_of_its_kind_until_it_is_purged() {
    let Some(site) = Site::new("prune-definition") else {
        return;
    };
    let definition = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\n\
                      metadata: {name: marks.prune.example.org}\n\
                      spec: {group: prune.example.org, scope: Namespaced, names: {kind: Mark, plural: marks}, \
                      versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}]}\n";
    let charts = Charts::new(definition);
    let apply = format!("apply {NEARLY_NOTHING} {}", charts.flag());
    site.run(&apply).success();
    let crd = "crd/marks.prune.example.org";
    let uid = site.get(crd)["metadata"]["uid"].clone();
    charts.write("# Nothing.\n");
    let pruned = site.run(&apply);
    assert_eq!(pruned.code(), 0, "{}", pruned.stderr);
    let kept = "CustomResourceDefinition marks.prune.example.org: a CustomResourceDefinition, with all objects of its kind";
    assert!(done(&pruned).contains(&("kept", kept)), "{}", pruned.stderr);
    site.run("delete kubefarm").success();
    assert_eq!(site.get(crd)["metadata"]["uid"], uid);
    site.run("delete kubefarm --purge --yes").success();
    assert!(!site.has(crd));
}

#[test]
fn objects_beside_the_farm_belong_to_it() {
    let Some(site) = Site::new("beside") else {
        return;
    };
    let values = tempfile::tempdir().expect("a folder");
    let file = values.path().join("values.yaml");
    let write = |text: &str| std::fs::write(&file, text).expect("written");
    let with =
        |command: &str| site.run(&format!("{command} {NEARLY_NOTHING} -f {}", file.display()));
    write(
        "extraObjects: {mine: {apiVersion: v1, kind: ConfigMap, metadata: {name: mine}, data: {a: b}}}\n",
    );
    with("apply -q").success();
    assert!(is_member(&site.get("configmap/mine")));
    assert_eq!(with("diff -q").code(), 0);
    write(
        "extraObjects: {mine: {apiVersion: v1, kind: ConfigMap, metadata: {name: mine}, data: {a: c}}}\n",
    );
    assert_eq!(with("diff -q").code(), 1);
    with("apply -q").success();
    assert_eq!(site.get("configmap/mine")["data"]["a"], "c");
    write("extraObjects: {mine: null}\n");
    with("apply -q").success();
    assert!(!site.has("configmap/mine"));
}
