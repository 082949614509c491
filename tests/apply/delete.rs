//! `delete` needs no values, and leaves data and certificate authorities until they are purged.

use serde_json::{Value, json};

use crate::apply::site::{Charts, Site};
use crate::apply::{GENERIC, NEARLY_NOTHING, assert_failed, done};

const AUTHORITY: &str = "kubefarm-kubernetes-pki-ca";
const OTHER_AUTHORITY: &str = "kubefarm-kubernetes-pki-etcd-ca";
const LEAF: &str = "kubefarm-kubernetes-pki-admin-client";
const OTHER_LEAF: &str = "kubefarm-kubernetes-pki-controller-manager-client";

/// What cert-manager would write for every Certificate, and a Secret that only looks like one of them.
fn issue(site: &Site) {
    let certificates = site.get("certificates");
    let certificates = certificates["items"].as_array().expect("a list");
    assert!(certificates.len() > 10, "{}", certificates.len());
    let secret = |name: &Value, certificate: &Value| {
        json!({
            "apiVersion": "v1", "kind": "Secret",
            "metadata": {
                "name": name,
                "annotations": { "cert-manager.io/certificate-name": certificate },
            },
            "stringData": { "tls.key": "secret" },
        })
    };
    let mut secrets: Vec<Value> = certificates
        .iter()
        .map(|certificate| {
            let name = &certificate["spec"]["secretName"];
            secret(name, &certificate["metadata"]["name"])
        })
        .collect();
    secrets.push(secret(&json!("unrelated"), &json!(LEAF)));
    let list = json!({ "apiVersion": "v1", "kind": "List", "items": secrets });
    site.kubectl_with("apply --server-side -f -", &list)
        .success();
}

/// The names of everything that is left, but for Jobs' and Deployments' pods and what the garbage collector has not
/// yet come to.
fn left(site: &Site) -> Vec<String> {
    site.live()
        .into_iter()
        .filter(|(_, object)| object["metadata"]["ownerReferences"].is_null())
        .map(|(name, _)| name)
        .collect()
}

fn is_data(name: &str) -> bool {
    let kept = [
        "PersistentVolumeClaim/etcd-data-kubefarm-kubernetes-etcd-0",
        "PersistentVolumeClaim/etcd-data-kubefarm-kubernetes-etcd-1",
        "PersistentVolumeClaim/etcd-data-kubefarm-kubernetes-etcd-2",
        "PersistentVolumeClaim/etcd-backup-kubefarm-kubernetes-etcd",
        "Certificate/kubefarm-kubernetes-pki-ca",
        "Certificate/kubefarm-kubernetes-pki-etcd-ca",
        "Certificate/kubefarm-kubernetes-pki-front-proxy-ca",
        "Certificate/kubefarm-kubernetes-pki-sa",
        "Secret/kubefarm-kubernetes-pki-ca",
        "Secret/kubefarm-kubernetes-pki-etcd-ca",
        "Secret/kubefarm-kubernetes-pki-front-proxy-ca",
        "Secret/kubefarm-kubernetes-pki-sa",
    ];
    kept.contains(&name)
}

#[test]
fn data_outlive_the_farm_until_they_are_purged() {
    let Some(site) = Site::new("delete") else {
        return;
    };
    let apply = format!("apply -q {GENERIC} -f values/ha.yaml");
    site.run(&apply).success();
    site.kubectl("create configmap bystander").success();
    issue(&site);
    site.cluster.wait_until("etcd's volumes are claimed", || {
        site.has("persistentvolumeclaim/etcd-data-kubefarm-kubernetes-etcd-2")
    });

    // What the volumes were written by, for the next apply.
    let facts = || {
        let mut data = site.get("configmap/kubefarm-farm")["data"].take();
        data["objects"].take();
        data
    };
    let remembered = facts();
    assert!(remembered["etcd-versions"].is_string(), "{remembered}");
    let before = site.settled_versions();
    let would = site.run("delete kubefarm --dry-run");
    assert_eq!(would.code(), 0, "{}", would.stderr);
    assert!(
        would.stderr.contains("would delete StatefulSet "),
        "{}",
        would.stderr
    );
    assert_eq!(site.versions(), before);

    let deleted = site.run("delete kubefarm");
    assert_eq!(deleted.code(), 0, "{}", deleted.stderr);
    let kept = done(&deleted);
    let kept = kept.iter().filter(|(word, _)| *word == "kept").count();
    assert_eq!(kept, 12, "{}", deleted.stderr);
    assert!(
        deleted
            .stderr
            .contains("Objects that were kept can be purged: kubefarm delete kubefarm -n "),
        "{}",
        deleted.stderr
    );
    let expected = |name: &String| {
        let others = [
            "ConfigMap/bystander",
            "ConfigMap/kubefarm-farm",
            "Secret/unrelated",
        ];
        is_data(name) || others.contains(&name.as_str())
    };
    site.cluster.wait_until("everything else is gone", || {
        left(&site).iter().all(expected)
    });
    assert_eq!(left(&site).len(), 15, "{:?}", left(&site));
    assert_eq!(facts(), remembered);

    let list = site.run("list").success();
    assert!(list.contains("deleted, data kept"), "{list}");

    site.run(&apply).success();
    let uid = |what: &str| site.get(what)["metadata"]["uid"].clone();
    let taken_up = uid(&format!("certificate/{AUTHORITY}"));
    assert!(before.contains_key(&format!("Certificate/{AUTHORITY}")));
    issue(&site);
    site.run("delete kubefarm -q").success();
    assert_eq!(uid(&format!("certificate/{AUTHORITY}")), taken_up);

    let before = site.versions();
    let asks = site.run("delete kubefarm --purge");
    let parts = [
        "would delete Certificate ",
        "would delete PersistentVolumeClaim ",
        "nothing was deleted; add --yes",
    ];
    assert_failed(&asks, 2, &parts);
    site.kubectl(&format!(
        "annotate secret/{AUTHORITY} kubefarm.io/keep=true"
    ))
    .success();
    let annotated = format!("Secret/{AUTHORITY}");
    assert_eq!(
        site.versions().keys().collect::<Vec<_>>(),
        before.keys().collect::<Vec<_>>()
    );

    let purged = site.run("delete kubefarm --purge --yes");
    assert_eq!(purged.code(), 0, "{}", purged.stderr);
    let remaining = [
        "ConfigMap/bystander",
        "ConfigMap/kubefarm-farm",
        &annotated,
        "Secret/unrelated",
    ];
    site.cluster.wait_until("what was purged is gone", || {
        left(&site).len() <= remaining.len()
    });
    assert_eq!(left(&site), remaining);
}

/// Also from a purge, as the Certificate itself.
#[test]
fn a_certificate_that_is_to_be_kept_keeps_its_secret() {
    let Some(site) = Site::new("delete-keep") else {
        return;
    };
    site.run(&format!("apply -q {GENERIC}")).success();
    issue(&site);
    let secret = |name: &str| format!("secret/{name}");
    let annotate = |object: &str, annotation: &str| {
        site.kubectl(&format!("annotate {object} {annotation}"))
            .success();
    };
    for kept in [LEAF, AUTHORITY] {
        annotate(&format!("certificate/{kept}"), "kubefarm.io/keep=true");
    }
    // As kubefarm marks those that it issues.
    let mark = "kubefarm.io/certificate-authority=true";
    annotate(&secret(AUTHORITY), mark);
    annotate(&secret(OTHER_AUTHORITY), mark);
    // This Certificate names a Secret that was not issued for it.
    annotate(&secret(OTHER_LEAF), "cert-manager.io/certificate-name-");

    let purged = site.run("delete kubefarm --purge --yes");
    assert_eq!(purged.code(), 0, "{}", purged.stderr);
    for name in [LEAF, AUTHORITY] {
        for kind in ["Certificate", "Secret"] {
            let object = format!("{kind} {}/{name}: kubefarm.io/keep", site.namespace);
            let line = ("kept", object.as_str());
            assert!(done(&purged).contains(&line), "{}", purged.stderr);
            assert!(site.has(&format!("{kind}/{name}")), "{object}");
        }
    }
    assert!(site.has(&secret(OTHER_LEAF)));
    for gone in [OTHER_LEAF, OTHER_AUTHORITY] {
        assert!(!site.has(&format!("certificate/{gone}")), "{gone}");
    }
    assert!(!site.has(&secret(OTHER_AUTHORITY)));
}

#[test]
fn a_farm_of_which_nothing_is_kept_leaves_no_trace() {
    let Some(site) = Site::new("delete-all") else {
        return;
    };
    let off = "--set kubernetes.enabled=false,tokenGenerator.enabled=false";
    site.run(&format!("apply -q {GENERIC} {off}")).success();
    let deleted = site.run("delete kubefarm -o json");
    assert_eq!(deleted.code(), 0, "{}", deleted.stderr);
    assert!(
        crate::apply::events(&deleted).len() > 5,
        "{}",
        deleted.stdout
    );
    site.cluster
        .wait_until("everything is gone", || left(&site).is_empty());
    let again = site.run("delete kubefarm");
    assert_failed(&again, 2, &["there is no farm kubefarm in namespace"]);
}

#[test]
fn an_unknown_farm_comes_with_a_hint() {
    let Some(site) = Site::new("delete-unknown") else {
        return;
    };
    let nearly = crate::apply::NEARLY_NOTHING;
    site.run(&format!("apply -q {nearly} --name unlikely-name"))
        .success();
    let before = site.settled_versions();
    let user = format!("deleter-{}", site.namespace);
    let kubeconfig = site.cluster.user_kubeconfig(&user, &["system:masters"]);
    let near = site.run_as(&kubeconfig, "delete unlikely-nam");
    assert_failed(&near, 2, &["did you mean unlikely-name?"]);
    let requests = site.cluster.audit();
    let mut own = requests.iter().filter(|request| request.user == user);
    // No Lease either.
    assert!(own.all(|request| matches!(request.verb.as_str(), "get" | "list")));
    assert_eq!(site.versions(), before);
    let Some(other) = Site::new("delete-elsewhere") else {
        return;
    };
    let says = format!("there is one in namespace {}", site.namespace);
    assert_failed(&other.run("delete unlikely-name"), 2, &[&says]);
}

#[test]
fn what_a_finalizer_holds_stays_known_until_it_is_gone() {
    let Some(site) = Site::new("delete-held") else {
        return;
    };
    let held =
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: held, finalizers: [example.org/hold]}\n";
    let charts = Charts::new(held);
    site.run(&format!("apply -q {NEARLY_NOTHING} {}", charts.flag()))
        .success();
    let says = format!(
        "ConfigMap {}/held: it is still being deleted",
        site.namespace
    );
    let stopped = site.run("delete kubefarm --timeout 5s");
    let gone = done(&stopped).len() - 1;
    let parts = [
        says.as_str(),
        "example.org/hold",
        &format!("\ndone: {gone} object"),
        "\nnot done: 1 object",
        "the first is ConfigMap ",
    ];
    assert_failed(&stopped, 1, &parts);
    assert!(site.has("configmap/kubefarm-farm"), "the record");
    let patch = r#"{"metadata":{"finalizers":null}}"#;
    site.kubectl(&format!("patch configmap/held --type=merge -p {patch}"))
        .success();
    site.cluster
        .wait_until("it is gone", || !site.has("configmap/held"));
    assert_eq!(site.run("delete kubefarm").code(), 0);
    assert!(!site.has("configmap/kubefarm-farm"), "the record");
}

#[test]
fn a_namespace_that_a_farm_brought_stays_until_it_is_purged() {
    let Some(site) = Site::new("delete-namespace") else {
        return;
    };
    let name = format!("{}-brought", site.namespace);
    let charts = Charts::new(&format!(
        "apiVersion: v1\nkind: Namespace\nmetadata: {{name: {name}}}\n"
    ));
    let apply = format!("apply -q {NEARLY_NOTHING} {}", charts.flag());
    let phase = || {
        let phase = [
            "get",
            "namespace",
            &name,
            "--output=jsonpath={.status.phase}",
        ];
        site.cluster.kubectl(&phase).stdout
    };
    site.run(&apply).success();
    charts.write("# Nothing.\n");
    site.run(&apply).success();
    assert_eq!(phase(), "Active", "pruned");
    let deleted = site.run("delete kubefarm");
    let says = format!("Namespace {name}");
    assert!(deleted.stderr.contains(&says), "{}", deleted.stderr);
    assert_eq!(phase(), "Active", "deleted");
    assert_eq!(site.run("delete kubefarm --purge --yes").code(), 0);
    assert_eq!(phase(), "", "it is waited for");
}
