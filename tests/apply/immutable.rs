//! What can never change is reported, and replaced where one says so; volumes never are.

use serde_json::Value;

use crate::apply::site::{Charts, Site};
use crate::apply::{GENERIC, NEARLY_NOTHING, assert_failed, done};

const ETCD: &str = "statefulset/kubefarm-kubernetes-etcd";

/// A ConfigMap, a Service and a Job, none of which can become the ones that another word makes.
fn fixed(text: &str, address: &str) -> String {
    format!(
        "apiVersion: v1
kind: ConfigMap
metadata: {{name: fixed}}
immutable: true
data: {{text: {text}}}
---
apiVersion: v1
kind: Service
metadata: {{name: fixed}}
spec: {{clusterIP: {address}, ports: [{{port: 80}}]}}
---
apiVersion: batch/v1
kind: Job
metadata: {{name: fixed}}
spec:
  suspend: true
  template:
    spec:
      restartPolicy: Never
      containers: [{{name: a, image: example.org/{text}}}]
"
    )
}

fn claim(size: &str, class: &str) -> String {
    format!(
        "apiVersion: v1
kind: PersistentVolumeClaim
metadata: {{name: fixed}}
spec: {{accessModes: [ReadWriteOnce], storageClassName: {class}, resources: {{requests: {{storage: {size}}}}}}}
"
    )
}

fn uid(object: &Value) -> &str {
    object["metadata"]["uid"].as_str().expect("a uid")
}

#[test]
fn objects_are_replaced_where_one_says_so() {
    let Some(site) = Site::new("immutable") else {
        return;
    };
    let charts = Charts::new(&fixed("old", "10.96.200.1"));
    let apply = format!("apply {NEARLY_NOTHING} {}", charts.flag());
    site.run(&apply).success();
    let before = site.settled_versions();
    charts.write(&fixed("new", "10.96.200.2"));

    let refused = site.run(&apply);
    let namespace = &site.namespace;
    let objects = ["ConfigMap", "Service", "Job"]
        .map(|kind| format!("{kind} {namespace}/fixed: cannot be changed: "));
    let mut parts: Vec<&str> = objects.iter().map(String::as_str).collect();
    parts.extend(["3 of the objects; nothing was changed", "help: --replace"]);
    assert_failed(&refused, 1, &parts);
    assert_eq!(site.versions(), before);

    let replaced = site.run(&format!("{apply} --replace"));
    assert_eq!(replaced.code(), 0, "{}", replaced.stderr);
    for kind in ["ConfigMap", "Service", "Job"] {
        let object = format!("{kind} {namespace}/fixed");
        let line = ("replaced", object.as_str());
        assert!(done(&replaced).contains(&line), "{}", replaced.stderr);
    }
    assert_eq!(site.get("configmap/fixed")["data"]["text"], "new");
    let service = site.get("service/fixed");
    assert_eq!(service["spec"]["clusterIP"], "10.96.200.2");

    // What would be refused of a new object, too, is no reason to replace the old one.
    charts.write(&fixed("new", "10.96.200.2").replace("port: 80", "port: 70000"));
    let refused = site.run(&format!("{apply} --replace"));
    assert_failed(&refused, 1, &["/fixed: ", "70000", "nothing was changed"]);
    assert_eq!(uid(&site.get("service/fixed")), uid(&service));
}

#[test]
fn a_claim_is_never_replaced() {
    let Some(site) = Site::new("claim") else {
        return;
    };
    let charts = Charts::new(&claim("1Gi", "slow"));
    let apply = format!("apply {NEARLY_NOTHING} {}", charts.flag());
    site.run(&apply).success();
    let before = site.get("persistentvolumeclaim/fixed");
    for (size, class) in [("1Gi", "fast"), ("2Gi", "slow")] {
        charts.write(&claim(size, class));
        let refused = site.run(&format!("{apply} --replace"));
        let object = format!("PersistentVolumeClaim {}/fixed: ", site.namespace);
        let parts = [
            object.as_str(),
            "volumes and certificate authorities are never replaced",
        ];
        assert_failed(&refused, 1, &parts);
        assert!(
            !refused.stderr.contains("help: --replace"),
            "{}",
            refused.stderr
        );
    }
    let after = site.get("persistentvolumeclaim/fixed");
    assert_eq!(uid(&after), uid(&before));
    assert_eq!(after["spec"], before["spec"]);
}

#[test]
fn pods_of_a_replaced_stateful_set_live_on() {
    let Some(site) = Site::new("quorum") else {
        return;
    };
    // So large that etcd's quota does not follow: nothing about the pods changes.
    let size = "--set kubernetes.persistence.size=50Gi";
    site.run(&format!("apply -q {GENERIC} {size}")).success();
    let pod = "pod/kubefarm-kubernetes-etcd-0";
    site.cluster
        .wait_until("etcd has its pods", || site.has(pod));
    let (set, member) = (site.get(ETCD), site.get(pod));
    let bigger =
        format!("apply {GENERIC} --set kubernetes.persistence.size=99Gi --accept=volume-size");

    let refused = site.run(&bigger);
    let object = format!(
        "StatefulSet {}/kubefarm-kubernetes-etcd: cannot be changed: ",
        site.namespace
    );
    assert_failed(&refused, 1, &[&object, "help: --replace"]);
    assert_eq!(uid(&site.get(ETCD)), uid(&set));

    let replaced = site.run(&format!("{bigger} --replace"));
    assert_eq!(replaced.code(), 0, "{}", replaced.stderr);
    let new = site.get(ETCD);
    assert_ne!(uid(&new), uid(&set));
    let asked = &new["spec"]["volumeClaimTemplates"][0]["spec"]["resources"]["requests"];
    assert_eq!(asked["storage"], "99Gi");
    site.cluster
        .wait_until("the pods belong to the new StatefulSet", || {
            site.get(pod)["metadata"]["ownerReferences"][0]["uid"] == uid(&new)
        });
    assert_eq!(uid(&site.get(pod)), uid(&member));
}
