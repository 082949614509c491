//! `diff` shows what `apply` would change, and no secret.

use crate::apply::site::{Charts, Site};
use crate::apply::{GENERIC, NEARLY_NOTHING, assert_failed};

/// The lines of one object in a diff.
#[track_caller]
fn part<'a>(diff: &'a str, headers: &str) -> &'a str {
    let start = diff
        .find(headers)
        .unwrap_or_else(|| panic!("no {headers} in\n{diff}"));
    let rest = &diff[start..];
    rest.find("\n--- ").map_or(rest, |end| &rest[..end])
}

#[test]
fn changes_are_shown_and_only_they() {
    let Some(site) = Site::new("diff") else {
        return;
    };
    let diff = format!("diff {GENERIC}");
    let new = site.run(&diff);
    assert_eq!(new.code(), 1, "{}", new.stderr);
    let namespace = site.namespace.clone();
    let etcd = format!("--- /dev/null\n+++ after StatefulSet {namespace}/kubefarm-kubernetes-etcd");
    part(&new.stdout, &etcd);

    site.run(&format!("apply -q {GENERIC}")).success();
    let same = site.run(&diff);
    assert_eq!(same.code(), 0, "{}{}", same.stdout, same.stderr);
    assert_eq!(same.stdout, "");

    let before = site.settled_versions();
    let changed = format!(
        "{diff} --set kubernetes.scheduler.replicaCount=7,kubernetes.admin.enabled=false,\
         kubernetes.etcd.backup.enabled=true"
    );
    let found = site.run(&changed);
    assert_eq!(found.code(), 1, "{}", found.stderr);
    let scheduler = format!(
        "--- live Deployment {namespace}/kubefarm-kubernetes-scheduler\n\
         +++ after Deployment {namespace}/kubefarm-kubernetes-scheduler\n@@ "
    );
    let scheduler = part(&found.stdout, &scheduler);
    assert!(
        scheduler.contains("\n-  replicas: 2\n+  replicas: 7\n"),
        "{scheduler}"
    );
    let admin =
        format!("--- live Deployment {namespace}/kubefarm-kubernetes-admin\n+++ /dev/null\n");
    part(&found.stdout, &admin);
    let backup =
        format!("--- /dev/null\n+++ after CronJob {namespace}/kubefarm-kubernetes-etcd-backup\n");
    part(&found.stdout, &backup);
    for silent in ["managedFields", "resourceVersion", "status:", "StatefulSet"] {
        assert!(
            !found.stdout.contains(silent),
            "{silent} in\n{}",
            found.stdout
        );
    }
    let unpruned = site.run(&format!("{changed} --no-prune"));
    assert!(
        !unpruned.stdout.contains("+++ /dev/null"),
        "{}",
        unpruned.stdout
    );
    let quiet = site.run(&format!("{changed} -q"));
    assert_eq!((quiet.code(), quiet.stdout.as_str()), (1, ""));
    assert_eq!(site.versions(), before);
}

#[test]
fn errors_are_not_differences() {
    let Some(site) = Site::new("diff-errors") else {
        return;
    };
    let wrong = site.run("diff --set ltsp.replicaCount=many");
    assert_failed(&wrong, 2, &["ltsp.replicaCount"]);
    let gone = site.run("diff --kubeconfig /does/not/exist");
    assert_failed(&gone, 2, &["/does/not/exist"]);
    let expired = site.cluster.expired_kubeconfig();
    let refused = site.run_as(&expired, "diff");
    assert_failed(&refused, 2, &["does not accept these credentials"]);
}

fn secret(password: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Secret\nmetadata: {{name: password}}\nstringData: {{password: {password}, same: samesame}}\n"
    )
}

#[test]
fn secrets_are_masked() {
    let Some(site) = Site::new("diff-secret") else {
        return;
    };
    let charts = Charts::new(&secret("hunter2old"));
    let flags = format!("{NEARLY_NOTHING} {}", charts.flag());
    let new = site.run(&format!("diff {flags}"));
    site.run(&format!("apply {flags}")).success();
    charts.write(&secret("hunter2new"));
    let changed = site.run(&format!("diff {flags}"));
    assert_eq!(changed.code(), 1, "{}", changed.stderr);
    let old_and_new = "-  password: \"<secret, old>\"\n+  password: \"<secret, new>\"\n";
    assert!(changed.stdout.contains(old_and_new), "{}", changed.stdout);
    assert!(
        changed.stdout.contains("   same: \"<secret>\"\n"),
        "{}",
        changed.stdout
    );
    let applied = site.run(&format!("apply -o json {flags}"));
    let status = site.run("status kubefarm --all -o json");
    let encoded = ["aHVudGVyMm9sZA", "aHVudGVyMm5ldw", "c2FtZXNhbWU"];
    for run in [new, changed, applied, status] {
        for secret in ["hunter2", "samesame"].iter().chain(&encoded) {
            let text = format!("{}{}", run.stdout, run.stderr);
            assert!(!text.contains(secret), "{secret} in\n{text}");
        }
    }
}
