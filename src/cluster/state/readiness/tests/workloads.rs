use serde_json::{Map, Value as Json, json};

use super::{UNSEEN, fails, is_ready, made, waits, with};

pub(super) fn deployment() -> Map<String, Json> {
    let conditions = json!([
        {"type": "Available", "status": "True", "reason": "MinimumReplicasAvailable"},
        {"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable"},
    ]);
    let status = json!({
        "observedGeneration": 2, "replicas": 3, "updatedReplicas": 3, "readyReplicas": 3,
        "availableReplicas": 3, "conditions": conditions,
    });
    let spec = json!({"replicas": 3, "progressDeadlineSeconds": 600});
    made("apps/v1", "Deployment", spec, status)
}

#[test]
fn a_deployment_is_ready_when_all_replicas_are_updated_and_available() {
    let ready = deployment();
    is_ready(&ready);
    let short = |field: &str, count: i64| with(&ready, &format!("/status/{field}"), json!(count));
    waits(&short("replicas", 1), "has 1 of 3 replicas started");
    waits(&short("updatedReplicas", 2), "has 2 of 3 replicas updated");
    waits(
        &short("replicas", 5),
        "has replicas left that are to end: 2",
    );
    waits(&short("readyReplicas", 0), "has 0 of 3 replicas ready");
    waits(
        &short("availableReplicas", 2),
        "has 2 of 3 replicas available",
    );
    waits(&short("observedGeneration", 1), UNSEEN);
    is_ready(&short("observedGeneration", 3));
    waits(&with(&ready, "/status", json!({})), UNSEEN);
}

#[test]
fn a_deployments_conditions_count() {
    let ready = deployment();
    let progressing = with(
        &ready,
        "/status/conditions/1/reason",
        json!("ReplicaSetUpdated"),
    );
    waits(&progressing, "has a new ReplicaSet that is not available");
    is_ready(&with(
        &progressing,
        "/spec/progressDeadlineSeconds",
        json!(i32::MAX),
    ));
    let unavailable = with(&ready, "/status/conditions/0/status", json!("False"));
    waits(&unavailable, "is not available");
    let late = json!({
        "type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded",
        "message": "ReplicaSet \"a-5\" has timed out progressing.",
    });
    fails(
        &with(&ready, "/status/conditions/1", late),
        "makes no progress: ProgressDeadlineExceeded: ReplicaSet \"a-5\" has timed out progressing.",
    );
}

fn stateful_set() -> Map<String, Json> {
    let spec = json!({
        "replicas": 3,
        "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}},
    });
    let status = json!({
        "observedGeneration": 2, "replicas": 3, "readyReplicas": 3, "currentReplicas": 3,
        "updatedReplicas": 3, "availableReplicas": 3, "currentRevision": "a-2", "updateRevision": "a-2",
    });
    made("apps/v1", "StatefulSet", spec, status)
}

#[test]
fn a_stateful_set_is_ready_when_its_update_is_complete() {
    let ready = stateful_set();
    is_ready(&ready);
    let short = |field: &str, count: i64| with(&ready, &format!("/status/{field}"), json!(count));
    waits(&short("replicas", 2), "has 2 of 3 replicas started");
    waits(&short("readyReplicas", 1), "has 1 of 3 replicas ready");
    waits(
        &short("replicas", 4),
        "has replicas left that are to end: 1",
    );
    waits(&short("updatedReplicas", 1), "has 1 of 3 replicas updated");
    waits(&short("observedGeneration", 1), UNSEEN);
    waits(&with(&ready, "/status", json!({"replicas": 0})), UNSEEN);
    let old = with(&ready, "/status/currentRevision", json!("a-1"));
    waits(&old, "has not completed its update");
}

#[test]
fn a_stateful_set_updates_as_far_as_its_strategy_says() {
    let old = with(&stateful_set(), "/status/currentRevision", json!("a-1"));
    let one = with(&old, "/status/updatedReplicas", json!(1));
    let partition = "/spec/updateStrategy/rollingUpdate/partition";
    is_ready(&with(&one, partition, json!(2)));
    waits(
        &with(&one, partition, json!(1)),
        "has 1 of 2 replicas updated",
    );
    let on_delete = with(&one, "/spec/updateStrategy", json!({"type": "OnDelete"}));
    is_ready(&on_delete);
    waits(
        &with(&on_delete, "/status/readyReplicas", json!(2)),
        "has 2 of 3 replicas ready",
    );
}

#[test]
fn a_daemon_set_is_ready_on_every_node() {
    let status = json!({
        "observedGeneration": 2, "desiredNumberScheduled": 2, "currentNumberScheduled": 2,
        "updatedNumberScheduled": 2, "numberAvailable": 2, "numberReady": 2, "numberMisscheduled": 0,
    });
    let spec = json!({"updateStrategy": {"type": "RollingUpdate"}});
    let ready = made("apps/v1", "DaemonSet", spec, status);
    is_ready(&ready);
    let short = |field: &str| with(&ready, &format!("/status/{field}"), json!(1));
    waits(
        &short("currentNumberScheduled"),
        "has 1 of 2 replicas started",
    );
    waits(&short("numberReady"), "has 1 of 2 replicas ready");
    waits(&short("numberAvailable"), "has 1 of 2 replicas available");
    let behind = short("updatedNumberScheduled");
    waits(&behind, "has 1 of 2 replicas updated");
    is_ready(&with(
        &behind,
        "/spec/updateStrategy/type",
        json!("OnDelete"),
    ));
    // What the API server stores before the controller has seen it.
    let new = json!({"currentNumberScheduled": 0, "desiredNumberScheduled": 0, "numberReady": 0});
    waits(&with(&ready, "/status", new), UNSEEN);
}

#[test]
fn a_replica_set_is_ready_when_all_replicas_are() {
    let status = json!({
        "observedGeneration": 2, "replicas": 2, "fullyLabeledReplicas": 2, "readyReplicas": 2,
        "availableReplicas": 2,
    });
    let ready = made("apps/v1", "ReplicaSet", json!({"replicas": 2}), status);
    is_ready(&ready);
    let short = |field: &str, count: i64| with(&ready, &format!("/status/{field}"), json!(count));
    waits(
        &short("fullyLabeledReplicas", 1),
        "has 1 of 2 replicas labelled",
    );
    waits(&short("readyReplicas", 1), "has 1 of 2 replicas ready");
    waits(
        &short("availableReplicas", 1),
        "has 1 of 2 replicas available",
    );
    waits(
        &short("replicas", 3),
        "has replicas left that are to end: 1",
    );
    waits(&with(&ready, "/status", json!({"replicas": 0})), UNSEEN);
    let failure = json!([{"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate",
        "message": "exceeded quota"}]);
    waits(
        &with(&ready, "/status/conditions", failure),
        "cannot make its pods: FailedCreate: exceeded quota",
    );
}

#[test]
fn a_job_is_ready_when_it_is_complete() {
    let job = |spec, status| made("batch/v1", "Job", spec, status);
    let spec = || json!({"completions": 2, "parallelism": 1, "suspend": false});
    waits(&job(spec(), json!({})), "has not started");
    let running =
        json!({"startTime": "2026-01-02T03:04:05Z", "active": 1, "succeeded": 1, "failed": 3});
    waits(
        &job(spec(), running),
        "has 1 of 2 completions (pods: 1 active, 3 failed)",
    );
    let ended = |kind: &str, status: &str| {
        json!({"startTime": "2026-01-02T03:04:05Z", "conditions": [{
            "type": kind, "status": status, "reason": "BackoffLimitExceeded",
            "message": "Job has reached the specified backoff limit",
        }]})
    };
    is_ready(&job(spec(), ended("Complete", "True")));
    fails(
        &job(spec(), ended("Failed", "True")),
        "failed: BackoffLimitExceeded: Job has reached the specified backoff limit",
    );
    waits(
        &job(spec(), ended("Failed", "False")),
        "has 0 of 2 completions (pods: 0 active, 0 failed)",
    );
    is_ready(&job(json!({"suspend": true}), json!({})));
}

#[test]
fn a_pod_is_ready_when_it_is_or_has_succeeded() {
    let pod = |status| made("v1", "Pod", json!({}), status);
    let ready = |status: &str| json!([{"type": "Ready", "status": status}]);
    is_ready(&pod(
        json!({"phase": "Running", "conditions": ready("True")}),
    ));
    let not_ready = pod(json!({"phase": "Running", "conditions": ready("False")}));
    waits(&not_ready, "runs, but is not ready");
    is_ready(&pod(
        json!({"phase": "Succeeded", "conditions": ready("False")}),
    ));
    waits(&pod(json!({})), "has not started");
    let container =
        |reason: &str| json!([{"name": "web", "state": {"waiting": {"reason": reason}}}]);
    fails(
        &with(
            &not_ready,
            "/status/containerStatuses",
            container("CrashLoopBackOff"),
        ),
        "has crashing containers: web",
    );
    waits(
        &with(
            &not_ready,
            "/status/containerStatuses",
            container("ContainerCreating"),
        ),
        "runs, but is not ready",
    );
    fails(
        &pod(json!({"phase": "Failed", "reason": "Evicted", "message": "low on memory"})),
        "failed: Evicted: low on memory",
    );
    let unscheduled = json!([{"type": "PodScheduled", "status": "False", "reason": "Unschedulable",
        "message": "0/1 nodes are available"}]);
    waits(
        &pod(json!({"phase": "Pending", "conditions": unscheduled})),
        "is not scheduled: Unschedulable: 0/1 nodes are available",
    );
}
