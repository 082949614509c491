use serde_json::{Map, Value as Json, json};

use super::events::Events;
use super::{Subject, lines, newest_request, selector};
use crate::cluster::client::{ClusterError, Status};

fn object(value: Json) -> Map<String, Json> {
    match value {
        Json::Object(map) => map,
        other => panic!("no object: {other}"),
    }
}

fn workload(kind: &str) -> Map<String, Json> {
    object(json!({
        "apiVersion": "apps/v1", "kind": kind,
        "metadata": {"name": "etcd", "namespace": "farm", "uid": "u-set"},
        "spec": {"selector": {"matchLabels": {"app": "etcd", "part": "db"}}},
    }))
}

fn pod(name: &str, status: Json) -> Map<String, Json> {
    object(json!({
        "metadata": {"name": name, "uid": format!("u-{name}")},
        "spec": {"volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": format!("data-{name}")}}]},
        "status": status,
    }))
}

fn waiting(reason: &str, message: &str) -> Json {
    json!({"phase": "Pending", "containerStatuses": [{"name": "etcd", "ready": false, "restartCount": 0,
        "state": {"waiting": {"reason": reason, "message": message}}}]})
}

fn event(uid: &str, kind: &str, reason: &str, message: &str, last: &str) -> Map<String, Json> {
    object(json!({
        "type": kind, "reason": reason, "message": message, "count": 2, "lastTimestamp": last,
        "involvedObject": {"kind": "Pod", "uid": uid},
    }))
}

fn reported(
    object: &Map<String, Json>,
    pods: Vec<Map<String, Json>>,
    events: Vec<Map<String, Json>>,
) -> Vec<String> {
    let subject = Subject {
        object: Some(object),
        pods,
        request: None,
    };
    lines(&subject, &Events::new(Ok(events)))
}

#[test]
fn pods_with_the_same_trouble_share_a_line() {
    let pulling = || waiting("ImagePullBackOff", "Back-off pulling image \"x\"");
    let ready = json!({"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}],
        "containerStatuses": [{"name": "etcd", "ready": true, "state": {"running": {}}}]});
    let pods = vec![
        pod("a", waiting("ContainerCreating", "")),
        pod("b", pulling()),
        pod("c", pulling()),
        pod("d", ready),
        pod("e", json!({"phase": "Succeeded"})),
    ];
    let expected = [
        "pod b and 1 more: container etcd: ImagePullBackOff: Back-off pulling image \"x\"",
        "pod a: container etcd: ContainerCreating",
    ];
    assert_eq!(
        reported(&workload("StatefulSet"), pods, Vec::new()),
        expected
    );
}

#[test]
fn a_container_tells_how_it_ended() {
    let ended = json!({"terminated": {"exitCode": 137, "reason": "OOMKilled", "message": "out of\nmemory"}});
    let state = |state: Json, last: Json| {
        let container = json!({"name": "etcd", "ready": false, "restartCount": 4, "state": state, "lastState": last});
        json!({"phase": "Running", "initContainerStatuses": [
            {"name": "init", "ready": true, "state": {"terminated": {"exitCode": 0, "reason": "Completed"}}},
        ], "containerStatuses": [container]})
    };
    let crash =
        json!({"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 40s restarting"}});
    for (status, expected) in [
        (
            state(crash.clone(), ended.clone()),
            "CrashLoopBackOff, exit code 137 (OOMKilled): out of memory",
        ),
        (
            state(crash, json!({})),
            "CrashLoopBackOff: back-off 40s restarting",
        ),
        (
            state(ended.clone(), json!({})),
            "exit code 137 (OOMKilled): out of memory",
        ),
        (
            state(json!({"running": {}}), json!({})),
            "runs, but is not ready",
        ),
        (
            state(json!({"running": {}}), ended),
            "runs, but is not ready; restarted 4 times, the last exit code 137 (OOMKilled): out of memory",
        ),
    ] {
        let lines = reported(&workload("StatefulSet"), vec![pod("a", status)], Vec::new());
        assert_eq!(lines, [format!("pod a: container etcd: {expected}")]);
    }
}

#[test]
fn pods_that_do_not_get_to_a_node_say_why() {
    let unscheduled = json!({"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "False",
        "reason": "Unschedulable", "message": "0/3 nodes are available"}]});
    let evicted = json!({"phase": "Failed", "reason": "Evicted", "message": "low on memory"});
    let mut deleted = pod("c", json!({"phase": "Running"}));
    deleted["metadata"]["deletionTimestamp"] = json!("2026-01-02T03:04:05Z");
    let mut unstarted = pod("a", json!({"phase": "Pending"}));
    let alone = reported(&workload("Deployment"), vec![unstarted.clone()], Vec::new());
    assert_eq!(alone, ["pod a: no scheduler has looked at it"]);
    unstarted["spec"]["nodeName"] = json!("n1");
    let alone = reported(&workload("Deployment"), vec![unstarted], Vec::new());
    assert_eq!(alone, ["pod a: node n1 has not started it"]);
    let pods = vec![pod("a", unscheduled), pod("b", evicted), deleted];
    let expected = [
        "pod a: Unschedulable: 0/3 nodes are available",
        "pod b: Evicted: low on memory",
        "pod c: is being deleted",
    ];
    assert_eq!(
        reported(&workload("Deployment"), pods, Vec::new()),
        expected
    );
}

#[test]
fn the_newest_warnings_are_reported_once_each() {
    let at = |second: &str| format!("2026-01-02T03:04:{second}Z");
    let events = vec![
        event("u-a", "Warning", "FailedMount", "no secret", &at("01")),
        event("u-a", "Warning", "FailedMount", "no secret", &at("03")),
        event("u-a", "Warning", "Unhealthy", "probe failed", &at("02")),
        event("u-a", "Normal", "Pulling", "image is fetched", &at("04")),
        event("u-a", "Warning", "BackOff", "restarting", &at("05")),
        event("u-other", "Warning", "Evicted", "not ours", &at("06")),
    ];
    let pods = vec![pod("a", waiting("ContainerCreating", ""))];
    let expected = [
        "pod a: container etcd: ContainerCreating",
        "Warning FailedMount: no secret (x4)",
        "Warning Unhealthy: probe failed (x2)",
    ];
    assert_eq!(reported(&workload("StatefulSet"), pods, events), expected);
}

#[test]
fn events_of_claims_and_without_warnings_count_too() {
    let claim = object(json!({
        "type": "Normal", "reason": "ExternalProvisioning", "message": "waiting",
        "metadata": {"creationTimestamp": "2026-01-02T03:04:05Z"},
        "involvedObject": {"kind": "PersistentVolumeClaim", "name": "data-a", "uid": "u-claim"},
    }));
    let own = event(
        "u-set",
        "Normal",
        "Leader",
        "is a",
        "2026-01-02T03:04:05.5Z",
    );
    let pods = || vec![pod("a", json!({"phase": "Running"}))];
    let expected = [
        "Normal Leader: is a (x2)",
        "Normal ExternalProvisioning: waiting",
    ];
    let routine = event(
        "u-set",
        "Normal",
        "SuccessfulCreate",
        "a",
        "2026-01-02T03:04:06Z",
    );
    let events = vec![claim, own, routine];
    assert_eq!(
        reported(&workload("StatefulSet"), pods(), events.clone()),
        expected
    );
    assert_eq!(
        reported(&workload("StatefulSet"), Vec::new(), events),
        &expected[..1]
    );
}

#[test]
fn there_are_five_lines_at_most_three_of_them_about_pods() {
    let pods: Vec<_> = (0..6)
        .map(|number| {
            pod(
                &number.to_string(),
                waiting("ErrImagePull", &number.to_string()),
            )
        })
        .collect();
    let events: Vec<_> = (0..6)
        .map(|number| {
            event(
                "u-0",
                "Warning",
                "Failed",
                &number.to_string(),
                "2026-01-02T03:04:05Z",
            )
        })
        .collect();
    let lines = reported(&workload("StatefulSet"), pods, events);
    let of_pods = lines.iter().filter(|line| line.starts_with("pod "));
    assert_eq!((lines.len(), of_pods.count()), (5, 3));
}

#[test]
fn a_deployment_tells_that_it_may_not_make_pods() {
    let mut deployment = workload("Deployment");
    deployment.insert(
        "status".to_owned(),
        json!({"conditions": [{"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate",
            "message": "violates PodSecurity \"restricted\""}]}),
    );
    let expected = ["FailedCreate: violates PodSecurity \"restricted\""];
    assert_eq!(reported(&deployment, Vec::new(), Vec::new()), expected);
}

#[test]
fn forbidden_events_are_reported_as_such() {
    let refused = |code| ClusterError::Refused(Box::new(Status::new(code, "", "")));
    let set = workload("StatefulSet");
    let subject = Subject {
        object: Some(&set),
        ..Subject::default()
    };
    let forbidden = Events::new(Err(refused(403)));
    assert_eq!(lines(&subject, &forbidden), ["(events: forbidden)"]);
    let broken = Events::new(Err(refused(500)));
    assert!(lines(&subject, &broken).is_empty());
}

#[test]
fn a_certificate_tells_of_its_newest_request() {
    let certificate = object(json!({
        "apiVersion": "cert-manager.io/v1", "kind": "Certificate", "metadata": {"name": "ca", "uid": "u-ca"},
        "status": {"conditions": [{"type": "Issuing", "status": "True", "reason": "DoesNotExist", "message": "new"}]},
    }));
    let request = |name: &str, of: &str, day: &str, conditions: Json| {
        object(json!({
            "metadata": {"name": name, "uid": format!("u-{name}"), "creationTimestamp": format!("2026-01-{day}T00:00:00Z"),
                "annotations": {"cert-manager.io/certificate-name": of}},
            "status": {"conditions": conditions},
        }))
    };
    let pending = json!([{"type": "Approved", "status": "True", "reason": "cert-manager.io", "message": "ok"},
        {"type": "Ready", "status": "False", "reason": "Pending", "message": "no issuer \"root\""}]);
    let denied =
        json!([{"type": "Denied", "status": "True", "reason": "Policy", "message": "not allowed"}]);
    let requests = vec![
        request("ca-1", "ca", "02", denied.clone()),
        request("ca-2", "ca", "03", pending),
        request("web-1", "web", "04", denied.clone()),
    ];
    let mut subject = Subject {
        object: Some(&certificate),
        pods: Vec::new(),
        request: newest_request(&certificate, requests),
    };
    let events = Events::new(Ok(vec![event(
        "u-ca-2",
        "Warning",
        "IssuerNotFound",
        "none",
        "2026-01-03T00:00:00Z",
    )]));
    let expected = [
        "Issuing: DoesNotExist: new",
        "CertificateRequest ca-2: Pending: no issuer \"root\"",
        "Warning IssuerNotFound: none (x2)",
    ];
    assert_eq!(lines(&subject, &events), expected);
    subject.request = Some(request("ca-3", "ca", "05", denied));
    assert_eq!(
        lines(&subject, &events)[1],
        "CertificateRequest ca-3: Policy: not allowed"
    );
}

#[test]
fn pods_are_found_by_labels_and_never_all_of_them() {
    assert_eq!(
        selector(&workload("StatefulSet")).unwrap(),
        "app=etcd,part=db"
    );
    let all = object(json!({"spec": {"selector": {"matchLabels": {}}}}));
    assert_eq!(selector(&all), None);
    assert_eq!(selector(&Map::new()), None);
}
