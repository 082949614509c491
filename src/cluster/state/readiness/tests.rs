mod workloads;

use serde_json::{Map, Value as Json, json};

use self::workloads::deployment;
use super::condition::one_line;
use super::{Readiness, readiness, with_message};

fn object(value: Json) -> Map<String, Json> {
    match value {
        Json::Object(map) => map,
        other => panic!("no object: {other}"),
    }
}

/// An object of generation 2 with a spec and a status.
fn made(version: &str, kind: &str, spec: Json, status: Json) -> Map<String, Json> {
    object(json!({
        "apiVersion": version, "kind": kind,
        "metadata": {"name": "a", "namespace": "farm", "generation": 2},
        "spec": spec, "status": status,
    }))
}

/// `object` with the field at a JSON pointer set.
fn with(object: &Map<String, Json>, pointer: &str, value: Json) -> Map<String, Json> {
    let mut whole = Json::Object(object.clone());
    match whole.pointer_mut(pointer) {
        Some(place) => *place = value,
        None => {
            let (parent, field) = pointer.rsplit_once('/').unwrap();
            whole.pointer_mut(parent).unwrap()[field] = value;
        }
    }
    self::object(whole)
}

fn is_ready(object: &Map<String, Json>) {
    assert_eq!(readiness(object), Readiness::Ready);
}

fn waits(object: &Map<String, Json>, expected: &str) {
    assert_eq!(readiness(object), Readiness::Waiting(expected.to_owned()));
}

fn fails(object: &Map<String, Json>, expected: &str) {
    assert_eq!(readiness(object), Readiness::Failed(expected.to_owned()));
}

const UNSEEN: &str = "waits for its controller to see it, or its latest change";

#[test]
fn a_claim_is_ready_when_it_is_bound() {
    let claim =
        |spec, phase: &str| made("v1", "PersistentVolumeClaim", spec, json!({"phase": phase}));
    let spec = || json!({"storageClassName": "fast"});
    is_ready(&claim(spec(), "Bound"));
    waits(&claim(spec(), "Pending"), "is bound to no volume");
    waits(
        &claim(json!({}), "Pending"),
        "is bound to no volume, and has no storage class",
    );
    fails(&claim(spec(), "Lost"), "has lost its volume");
}

#[test]
fn a_service_waits_for_an_address_only_from_a_load_balancer() {
    let service = |kind: &str, status| made("v1", "Service", json!({"type": kind}), status);
    is_ready(&service("ClusterIP", json!({"loadBalancer": {}})));
    waits(
        &service("LoadBalancer", json!({"loadBalancer": {}})),
        "has no address from a load balancer",
    );
    waits(
        &service("LoadBalancer", json!({"loadBalancer": {"ingress": []}})),
        "has no address from a load balancer",
    );
    let address = json!({"loadBalancer": {"ingress": [{"ip": "192.0.2.1", "ipMode": "VIP"}]}});
    is_ready(&service("LoadBalancer", address));
}

#[test]
fn a_definition_is_ready_when_it_is_established() {
    let definition = |conditions| {
        let status = json!({"conditions": conditions});
        made(
            "apiextensions.k8s.io/v1",
            "CustomResourceDefinition",
            json!({}),
            status,
        )
    };
    let established = |status: &str, reason: &str| {
        json!([
            {"type": "NamesAccepted", "status": "True", "reason": "NoConflicts"},
            {"type": "Established", "status": status, "reason": reason, "message": "m"},
        ])
    };
    is_ready(&definition(established("True", "InitialNamesAccepted")));
    waits(
        &definition(established("False", "Installing")),
        "is not established",
    );
    waits(&definition(json!([])), "is not established");
    fails(
        &definition(established("False", "NotAccepted")),
        "is not established: NotAccepted: m",
    );
    fails(
        &definition(
            json!([{"type": "NamesAccepted", "status": "False", "reason": "PluralConflict",
            "message": "\"hosts\" is already in use"}]),
        ),
        "has names that are taken: PluralConflict: \"hosts\" is already in use",
    );
}

#[test]
fn a_certificate_is_ready_when_its_newest_generation_is() {
    let certificate = |conditions| {
        let status = json!({"conditions": conditions});
        made("cert-manager.io/v1", "Certificate", json!({}), status)
    };
    let ready = |status: &str, generation: i64| {
        json!([{"type": "Ready", "status": status, "reason": "DoesNotExist",
            "message": "Issuing certificate as Secret does not exist", "observedGeneration": generation}])
    };
    is_ready(&certificate(ready("True", 2)));
    waits(&certificate(ready("True", 1)), UNSEEN);
    waits(
        &certificate(ready("False", 2)),
        "is not ready: DoesNotExist: Issuing certificate as Secret does not exist",
    );
    waits(&certificate(json!([])), UNSEEN);
    let issuer = made("cert-manager.io/v1", "Issuer", json!({}), Json::Null);
    waits(&issuer, UNSEEN);
}

#[test]
fn other_kinds_are_ready_by_their_conditions_or_by_being_there() {
    let made = |version: &str, kind: &str, conditions| {
        made(version, kind, json!({}), json!({"conditions": conditions}))
    };
    let condition = |kind: &str, status: &str| json!([{"type": kind, "status": status}]);
    for kind in ["Ready", "Available"] {
        is_ready(&made("example.org/v1", "Thing", condition(kind, "True")));
        let state = format!("is not {}", kind.to_lowercase());
        for status in ["False", "Unknown"] {
            waits(
                &made("example.org/v1", "Thing", condition(kind, status)),
                &state,
            );
        }
    }
    is_ready(&made("example.org/v1", "Thing", json!([])));
    is_ready(&made("example.org/v1", "Thing", json!("odd")));
    let service = |conditions| made("apiregistration.k8s.io/v1", "APIService", conditions);
    waits(&service(json!([])), UNSEEN);
    waits(
        &service(condition("Available", "False")),
        "is not available",
    );
    for (version, kind) in [
        ("v1", "ConfigMap"),
        ("batch/v1", "CronJob"),
        ("policy/v1", "PodDisruptionBudget"),
        ("networking.k8s.io/v1", "Ingress"),
    ] {
        is_ready(&made(version, kind, json!([])));
    }
}

#[test]
fn what_is_deleted_stalled_or_reconciled_is_not_ready() {
    let deleted = with(
        &deployment(),
        "/metadata/deletionTimestamp",
        json!("2026-01-02T03:04:05Z"),
    );
    waits(&deleted, "is being deleted");
    let thing = |kind: &str, status: &str| {
        let conditions = json!([
            {"type": "Ready", "status": "True"},
            {"type": kind, "status": status, "reason": "Fetch", "message": "no route"},
        ]);
        let status = json!({"conditions": conditions});
        made("example.org/v1", "Thing", json!({}), status)
    };
    fails(&thing("Stalled", "True"), "is stalled: Fetch: no route");
    waits(
        &thing("Reconciling", "True"),
        "is being reconciled: Fetch: no route",
    );
    is_ready(&thing("Stalled", "False"));
    is_ready(&thing("Reconciling", "False"));
}

#[test]
fn messages_of_others_fit_into_a_line() {
    assert_eq!(one_line(" a\n\n\tb\u{1b}[31m c "), "a b [31m c");
    let long = one_line(&"é".repeat(400));
    assert_eq!(long.chars().count(), 301);
    assert!(long.ends_with('…'));
    assert_eq!(with_message("", "b\n"), "b");
    assert_eq!(with_message("A", " "), "A");
    assert_eq!(with_message("A", "b"), "A: b");
}
