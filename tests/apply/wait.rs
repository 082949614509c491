//! `--wait` ends when everything is ready, or says what is not.

use std::time::Duration;

use crate::apply::site::{Charts, Site};
use crate::apply::{GENERIC, NEARLY_NOTHING, assert_failed};

#[test]
fn what_does_not_start_is_named_with_its_reason() {
    let Some(site) = Site::new("wait") else {
        return;
    };
    let charts = Charts::new(
        "apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: unbound}
spec: {accessModes: [ReadWriteOnce], storageClassName: none, resources: {requests: {storage: 1Gi}}}
---
apiVersion: batch/v1
kind: Job
metadata: {name: undone}
spec:
  template:
    spec:
      restartPolicy: Never
      containers: [{name: a, image: example.org/a}]
",
    );
    let waited = site.run(&format!(
        "apply --wait --timeout=8s {GENERIC} {}",
        charts.flag()
    ));
    let namespace = &site.namespace;
    let etcd = format!("StatefulSet {namespace}/kubefarm-kubernetes-etcd: ");
    let objects = [
        etcd.as_str(),
        &format!("PersistentVolumeClaim {namespace}/unbound: "),
        &format!("Job {namespace}/undone: "),
        "of the applied objects are not ready",
        // What the cluster says about the pods of each.
        "  pod ",
    ];
    assert_failed(&waited, 1, &objects);
    let ready = format!("\nService {namespace}/kubefarm-kubernetes-etcd: ");
    assert!(!waited.stderr.contains(&ready), "{}", waited.stderr);
}

#[test]
fn it_ends_when_everything_is_ready() {
    let Some(site) = Site::new("ready") else {
        return;
    };
    let charts = Charts::new(
        "apiVersion: batch/v1
kind: Job
metadata: {name: undone}
spec:
  suspend: true
  template:
    spec:
      restartPolicy: Never
      containers: [{name: a, image: example.org/a}]
---
apiVersion: cert-manager.io/v1
kind: Certificate
metadata: {name: unissued}
spec: {secretName: unissued, dnsNames: [a.example.org], issuerRef: {name: none}}
",
    );
    let apply = format!(
        "apply --wait --timeout=60s {NEARLY_NOTHING} --set ltsp.enabled=false {}",
        charts.flag()
    );
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| site.run(&apply));
        site.cluster
            .wait_until("it is applied", || site.has("certificate/unissued"));
        std::thread::sleep(Duration::from_secs(2));
        assert!(!waiting.is_finished(), "it did not wait");
        let now = "2026-01-01T00:00:00Z";
        let condition = format!(
            r#"{{"status":{{"conditions":[{{"type":"Ready","status":"True","reason":"Issued","message":"","lastTransitionTime":"{now}","observedGeneration":1}}]}}}}"#
        );
        let patch = "patch certificate/unissued --subresource=status --type=merge -p";
        site.kubectl(&format!("{patch} {condition}")).success();
        let ready = waiting.join().expect("no panic");
        assert_eq!(ready.code(), 0, "{}", ready.stderr);
        assert!(ready.stderr.contains("unissued"), "{}", ready.stderr);
    });
}
