//! The cluster refuses something: nothing changes, and every refusal is reported at once.

use serde_json::{Value, json};

use super::place::{Place, SMALL, WHOLE};
use super::{assert_failed, cluster};

/// What the policy says.
pub const REFUSES: &str = "not on our watch";

/// Refuses what an expression does not hold for, in the namespace: a policy that the API server itself enforces.
fn refuse(place: &Place, operations: &[&str], expression: &str, probe: &[&str]) {
    let validations = json!([{ "expression": expression, "message": REFUSES }]);
    enforce(place, operations, &validations, probe);
}

/// Enforces a policy in the namespace; returns once it refuses what `probe` tries.
pub fn enforce(place: &Place, operations: &[&str], validations: &Value, probe: &[&str]) {
    let name = &place.namespace;
    let policy = json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicy",
        "metadata": { "name": name },
        "spec": {
            "failurePolicy": "Fail",
            "matchConstraints": { "resourceRules": [{
                "apiGroups": ["*"], "apiVersions": ["*"], "operations": operations, "resources": ["*"],
            }] },
            "validations": validations,
        },
    });
    let binding = json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": { "name": name },
        "spec": {
            "policyName": name, "validationActions": ["Deny"],
            "matchResources": { "namespaceSelector": only(place) },
        },
    });
    for object in [policy, binding] {
        create(place, &object);
    }
    place.cluster.wait_until("the policy holds", || {
        let tried = place.kubectl(&[probe, &["--dry-run=server"]].concat());
        tried.stderr.contains(REFUSES)
    });
}

/// The namespace of a place.
pub fn only(place: &Place) -> Value {
    json!({ "matchLabels": { "kubernetes.io/metadata.name": place.namespace } })
}

pub fn create(place: &Place, object: &Value) {
    let create = ["create", "--filename=-"];
    let created = place
        .cluster
        .kubectl_with_stdin(&create, &object.to_string());
    created.success();
}

const BAD: [&str; 3] = [
    "kubefarm-kubernetes-ltsp-scripts",
    "kubefarm-kubernetes-etcd",
    "kubefarm-kubernetes-admin",
];

#[test]
fn refused_objects_are_all_named_and_nothing_changes() {
    let Some(cluster) = cluster() else {
        return;
    };
    let place = Place::new(cluster, "refused");
    let expression = format!("!(object.metadata.name in {BAD:?})");
    let probe = ["create", "configmap", BAD[0]];
    refuse(&place, &["CREATE", "UPDATE"], &expression, &probe);
    let finished = place.apply(WHOLE);
    let parts = [
        "not on our watch",
        "nothing was changed",
        BAD[0],
        BAD[1],
        BAD[2],
    ];
    assert_failed(&finished, &parts);
    let kinds = ["ConfigMap ", "StatefulSet ", "Deployment "];
    assert_failed(&finished, &kinds);
    place.assert_nothing_changed();
}

#[test]
fn a_refused_deletion_is_told_before_anything_changes() {
    let Some(cluster) = cluster() else {
        return;
    };
    let place = Place::new(cluster, "undeletable");
    place.apply(WHOLE).success();
    let probe = ["delete", "service", "kubefarm-kubernetes-apiserver"];
    let expression = "oldObject.kind != 'Service'";
    refuse(&place, &["DELETE"], expression, &probe);
    let changes = place.changes().len();
    let finished = place.apply(SMALL);
    let service = "Service ";
    assert_failed(
        &finished,
        &["not on our watch", "nothing was changed", service],
    );
    assert_eq!(place.changes().len(), changes);
    place.assert_is_as(WHOLE);
}

#[test]
fn a_webhook_that_nobody_answers_for_refuses_too() {
    let Some(cluster) = cluster() else {
        return;
    };
    let place = Place::new(cluster, "no-webhook");
    let configuration = json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration",
        "metadata": { "name": place.namespace },
        "webhooks": [{
            "name": "absent.example.org",
            "admissionReviewVersions": ["v1"],
            "sideEffects": "None",
            "failurePolicy": "Fail",
            "timeoutSeconds": 1,
            "namespaceSelector": only(&place),
            "clientConfig": { "url": "https://127.0.0.1:1/nobody" },
            "rules": [{
                "apiGroups": ["policy"], "apiVersions": ["*"], "operations": ["*"],
                "resources": ["poddisruptionbudgets"],
            }],
        }],
    });
    create(&place, &configuration);
    let budget = [
        "create",
        "pdb",
        "probe",
        "--selector=a=b",
        "--min-available=1",
    ];
    cluster.wait_until("the webhook is asked", || {
        let tried = place.kubectl(&[&budget[..], &["--dry-run=server"]].concat());
        tried.stderr.contains("absent.example.org")
    });
    let finished = place.apply(WHOLE);
    let parts = [
        "absent.example.org",
        "PodDisruptionBudget",
        "nothing was changed",
    ];
    assert_failed(&finished, &parts);
    let refused = finished.stderr.lines();
    let refused = refused.filter(|line| line.starts_with("PodDisruptionBudget"));
    assert_eq!(refused.count(), 4, "{}", finished.stderr);
    place.assert_nothing_changed();
}

#[test]
fn a_namespace_that_is_being_deleted_is_left_alone() {
    let Some(cluster) = cluster() else {
        return;
    };
    let place = Place::new(cluster, "terminating");
    let holds = json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {
            "name": "holds", "namespace": place.namespace, "finalizers": ["example.org/holds"],
        },
    });
    create(&place, &holds);
    let namespace = &place.namespace;
    cluster
        .kubectl(&["delete", "namespace", namespace, "--wait=false"])
        .success();
    for flags in ["", " --create-namespace"] {
        let finished = place.apply(&format!("{WHOLE}{flags}"));
        let said = format!("namespace {namespace} is being deleted");
        assert_failed(&finished, &[&said, "nothing was changed"]);
    }
    assert!(place.changes().is_empty());
    let release = r#"{"metadata":{"finalizers":null}}"#;
    let patch = ["patch", "configmap", "holds", "--patch", release];
    place.kubectl(&patch).success();
}
