//! `list` and `status` say how farms are.

use serde_json::{Value, json};

use crate::apply::site::{Charts, Site};
use crate::apply::{GENERIC, NEARLY_NOTHING, assert_failed};

/// The state of an object, as `status -o json` has it.
#[track_caller]
fn state<'a>(status: &'a Value, kind: &str, name: &str) -> &'a Value {
    let objects = status["objects"].as_array().expect("objects").iter();
    let mut found = objects.filter(|object| object["kind"] == kind && object["name"] == name);
    found
        .next()
        .unwrap_or_else(|| panic!("no {kind} {name} in {status}"))
}

#[track_caller]
fn parsed(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

#[test]
fn drift_and_what_is_gone_are_named() {
    let Some(site) = Site::new("status") else {
        return;
    };
    site.run(&format!("apply -q {GENERIC}")).success();
    let status = "status kubefarm --all -o json";
    let fresh = site.run(status);
    assert_eq!(fresh.code(), 1, "nothing can be ready without nodes");
    let fresh = parsed(&fresh.stdout);
    assert_eq!(fresh["name"], "kubefarm");
    assert_eq!(fresh["facts"]["kubefarm"], env!("CARGO_PKG_VERSION"));
    let objects = fresh["objects"].as_array().expect("objects");
    assert!(objects.len() > 40, "{}", objects.len());
    for object in objects {
        assert_eq!(object["drifted"], false, "{object}");
    }
    let scheduler = state(&fresh, "Deployment", "kubefarm-kubernetes-scheduler");
    assert_eq!(scheduler["state"], "waiting");
    assert_ne!(scheduler["reason"], "");
    let service = state(&fresh, "Service", "kubefarm-kubernetes-etcd");
    assert_eq!(service["state"], "ready");

    site.kubectl("patch deployment/kubefarm-kubernetes-scheduler --field-manager=hand -p {\"spec\":{\"replicas\":9}}")
        .success();
    site.kubectl("delete service/kubefarm-kubernetes-scheduler")
        .success();
    let drifted = site.run(status);
    assert_eq!(drifted.code(), 1);
    let drifted = parsed(&drifted.stdout);
    let scheduler = state(&drifted, "Deployment", "kubefarm-kubernetes-scheduler");
    assert_eq!(scheduler["drifted"], true);
    let managers = scheduler["otherManagers"].to_string();
    assert!(managers.contains("hand"), "{managers}");
    let service = state(&drifted, "Service", "kubefarm-kubernetes-scheduler");
    assert_eq!(service["state"], "gone");
    let etcd = state(&drifted, "StatefulSet", "kubefarm-kubernetes-etcd");
    assert_eq!(etcd["drifted"], false);

    let text = site.run("status kubefarm");
    assert_eq!(text.code(), 1);
    let line = |part: &str| -> String {
        let line = text.stdout.lines().find(|line| line.contains(part));
        line.unwrap_or_else(|| panic!("no {part} in\n{}", text.stdout))
            .to_owned()
    };
    let namespace = &site.namespace;
    let scheduler = line(&format!(
        "Deployment {namespace}/kubefarm-kubernetes-scheduler"
    ));
    assert!(scheduler.contains("hand"), "{scheduler}");
    let service = line(&format!(
        "Service {namespace}/kubefarm-kubernetes-scheduler"
    ));
    assert!(service.contains("gone"), "{service}");
}

#[test]
fn a_farm_that_is_well_has_exit_code_0() {
    let Some(site) = Site::new("well") else {
        return;
    };
    let charts = Charts::new(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: extra}\ndata: {a: b}\n---\n\
         apiVersion: v1\nkind: Secret\nmetadata: {name: extra}\nstringData: {a: b}\n",
    );
    let alone = format!(
        "{NEARLY_NOTHING} --set ltsp.enabled=false {}",
        charts.flag()
    );
    site.run(&format!("apply -q {alone}")).success();
    let status = site.run("status kubefarm --all");
    assert_eq!(status.code(), 0, "{}", status.stdout);
    assert!(status.stdout.contains("2 of 2 objects are well"));
    assert_eq!(
        parsed(&site.run("status kubefarm -o json").success())["objects"],
        json!([])
    );
    site.kubectl("delete secret/extra").success();
    let gone = site.run("status kubefarm");
    assert_eq!(gone.code(), 1);
    assert!(
        gone.stdout.contains("1 of 2 objects are well"),
        "{}",
        gone.stdout
    );
}

#[test]
fn farms_are_listed_with_what_is_in_them() {
    let Some(site) = Site::new("list") else {
        return;
    };
    for name in ["beta", "alpha"] {
        site.run(&format!("apply -q {NEARLY_NOTHING} --name {name}"))
            .success();
    }
    let list = parsed(&site.run("list -o json").success());
    let list = list.as_array().expect("a list");
    let names: Vec<&Value> = list.iter().map(|farm| &farm["name"]).collect();
    assert_eq!(names, ["alpha", "beta"]);
    for farm in list {
        assert_eq!(farm["namespace"], *site.namespace);
        assert!(farm["objects"].as_u64() > Some(1), "{farm}");
        assert_eq!(farm["facts"]["kubefarm"], env!("CARGO_PKG_VERSION"));
    }
    let table = site.run("list").success();
    assert!(table.contains("alpha") && table.contains("beta"), "{table}");
    let unknown = site.run("status alpa");
    assert_failed(&unknown, 2, &["did you mean alpha?"]);
    let namespace = &site.namespace;
    for command in ["status", "delete", "apply", "kubeconfig"] {
        let completed = site.completions(&[command, "alph"]);
        let expected = format!("alpha\tin namespace {namespace}");
        assert!(
            completed.lines().any(|line| line == expected),
            "{command}: {completed}"
        );
    }
    let completed = site.completions(&["list", "-n", namespace]);
    assert!(
        completed.lines().any(|line| line == namespace),
        "{completed}"
    );
}

/// Says that a Job is complete, as its controller would: there are no nodes to run its pod.
fn finish(site: &Site, job: &str, now: &Value) {
    let condition = |kind: &str| json!({"type": kind, "status": "True", "reason": "Done", "lastTransitionTime": now});
    let conditions = [condition("SuccessCriteriaMet"), condition("Complete")];
    let status = json!({"completionTime": now, "active": 0, "ready": 0, "succeeded": 1, "conditions": conditions});
    let patch = format!("patch job/{job} --subresource=status --type=merge -p");
    let status = json!({ "status": status });
    site.kubectl(&format!("{patch} {status}")).success();
}

#[test]
fn jobs_that_are_done_stay_a_part_of_the_farm() {
    let Some(site) = Site::new("done") else {
        return;
    };
    site.run(&format!("apply -q {GENERIC}")).success();
    let mut jobs = Vec::new();
    site.cluster
        .wait_until("the job controller saw the Jobs", || {
            let list = site.get("jobs");
            jobs = list["items"].as_array().expect("a list").clone();
            let mut jobs = jobs.iter();
            jobs.all(|job| job["status"]["startTime"].is_string())
        });
    assert_eq!(jobs.len(), 2, "bootstrap and publish-address");
    for job in &jobs {
        let name = job["metadata"]["name"].as_str().expect("a name");
        // With a time to live the job controller would delete it, and the farm would lack it from then on.
        assert_eq!(job["spec"]["ttlSecondsAfterFinished"], Value::Null);
        finish(&site, name, &job["status"]["startTime"]);
    }
    let after = parsed(&site.run("status kubefarm --all -o json").stdout);
    for job in &jobs {
        let name = job["metadata"]["name"].as_str().expect("a name");
        let job = state(&after, "Job", name);
        assert_eq!(job["state"], "ready", "{job}");
        assert_eq!(job["drifted"], false, "{job}");
    }
    assert_eq!(site.run(&format!("diff -q {GENERIC}")).code(), 0);
}

/// `apply --wait` and `status` have one judge: a claim of a class that binds late is ready before a pod uses it, and no
/// longer once a node was chosen for that pod.
#[test]
fn both_words_agree_on_a_claim_that_is_bound_late() {
    let Some(site) = Site::new("late") else {
        return;
    };
    let class = format!("{}-late", site.namespace);
    site.kubectl_with(
        "create -f -",
        &json!({
            "apiVersion": "storage.k8s.io/v1",
            "kind": "StorageClass",
            "metadata": {"name": class},
            "provisioner": "example.org/none",
            "volumeBindingMode": "WaitForFirstConsumer",
        }),
    )
    .success();
    let charts = Charts::new(&format!(
        "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {{name: backups}}\n\
         spec: {{accessModes: [ReadWriteOnce], storageClassName: {class}, resources: {{requests: {{storage: 1Gi}}}}}}\n"
    ));
    let farm = format!(
        "{NEARLY_NOTHING} --set ltsp.enabled=false {}",
        charts.flag()
    );
    let waited = site.run(&format!("apply --wait --timeout=30s {farm}"));
    let status = site.run("status kubefarm --all");
    site.kubectl("annotate pvc/backups volume.kubernetes.io/selected-node=nowhere")
        .success();
    let waited_for_pod = site.run(&format!("apply --wait --timeout=5s {farm}"));
    let status_for_pod = site.run("status kubefarm");
    site.kubectl(&format!("delete storageclass {class}"))
        .success();

    assert_eq!(waited.code(), 0, "{}", waited.stderr);
    assert_eq!(status.code(), 0, "{}", status.stdout);
    let unbound = "is bound to no volume";
    assert_failed(&waited_for_pod, 1, &[unbound]);
    assert_eq!(status_for_pod.code(), 1, "{}", status_for_pod.stdout);
    assert!(
        status_for_pod.stdout.contains(unbound),
        "{}",
        status_for_pod.stdout
    );
}

#[test]
fn the_last_backup_is_shown() {
    let Some(site) = Site::new("last-backup") else {
        return;
    };
    let farm = format!("{GENERIC} --set kubernetes.etcd.backup.enabled=true");
    site.run(&format!("apply -q {farm}")).success();
    let shown = || {
        let status = site.run("status kubefarm -o json").stdout;
        let status: Value = serde_json::from_str(&status).expect("JSON");
        status["facts"]["last backup"]
            .as_str()
            .expect("a fact")
            .to_owned()
    };
    assert_eq!(shown(), "never");
    // Else its controller makes up for runs since the times below.
    site.kubectl("patch cronjob/kubefarm-kubernetes-etcd-backup -p {\"spec\":{\"suspend\":true}}")
        .success();
    let set = |status: Value| {
        let patch = json!({ "status": status }).to_string();
        let patch = format!(
            "patch cronjob/kubefarm-kubernetes-etcd-backup --subresource=status --type=merge -p {patch}"
        );
        site.kubectl(&patch).success();
    };
    let (first, second) = ("2026-12-01T02:00:00Z", "2026-12-01T08:00:00Z");
    set(json!({ "lastScheduleTime": first, "lastSuccessfulTime": first }));
    assert_eq!(shown(), first);
    set(json!({ "lastScheduleTime": second, "lastSuccessfulTime": first }));
    assert_eq!(shown(), format!("{first} (that of {second} failed)"));
}
