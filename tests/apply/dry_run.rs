//! `--dry-run` changes nothing.

use std::collections::BTreeSet;

use crate::apply::site::Site;
use crate::apply::{GENERIC, done};
use crate::support::kubefarm_command;

#[test]
fn on_the_client_no_server_is_asked() {
    let mut command = kubefarm_command();
    command
        .args(["apply", "--dry-run=client"])
        .args(GENERIC.split(' '))
        .env("KUBECONFIG", "/does/not/exist");
    let finished = crate::support::run(&mut command);
    assert_eq!(finished.code(), 0, "{}", finished.stderr);
    let stderr = &finished.stderr;
    assert!(
        stderr.contains("StatefulSet default/kubefarm-kubernetes-etcd"),
        "{stderr}"
    );
    assert!(
        stderr.contains("dry run: the cluster was not contacted"),
        "{stderr}"
    );
}

#[test]
fn on_the_server_it_is_said_what_would_happen() {
    let Some(site) = Site::new("dry") else {
        return;
    };
    site.run(&format!("apply -q {GENERIC}")).success();
    let before = site.settled_versions();
    let user = format!("dry-runner-{}", site.namespace);
    let kubeconfig = site.cluster.user_kubeconfig(&user, &["system:masters"]);
    let changed = format!(
        "{GENERIC} --set kubernetes.scheduler.replicaCount=7,kubernetes.admin.enabled=false,\
         kubernetes.etcd.backup.enabled=true"
    );
    let tried = site.run_as(&kubeconfig, &format!("apply --dry-run=server {changed}"));
    assert_eq!(tried.code(), 0, "{}", tried.stderr);
    let lines = done(&tried);
    let namespace = &site.namespace;
    for (word, object) in [
        ("changed", "Deployment NS/kubefarm-kubernetes-scheduler"),
        ("unchanged", "StatefulSet NS/kubefarm-kubernetes-etcd"),
        ("created", "CronJob NS/kubefarm-kubernetes-etcd-backup"),
        ("deleted", "Deployment NS/kubefarm-kubernetes-admin"),
    ] {
        let object = object.replace("NS", namespace);
        let line = (word, object.as_str());
        assert!(lines.contains(&line), "no {line:?} in\n{}", tried.stderr);
    }
    assert!(tried.stderr.contains("nothing was changed"));
    let tried = site.run_as(&kubeconfig, "delete kubefarm --dry-run");
    assert_eq!(tried.code(), 0, "{}", tried.stderr);
    assert_eq!(site.versions(), before);

    let requests = site.cluster.audit();
    let own = requests.iter().filter(|request| request.user == user);
    let mut verbs = BTreeSet::new();
    for request in own {
        verbs.insert(request.verb.as_str());
        let is_read = matches!(request.verb.as_str(), "get" | "list");
        assert!(is_read || request.uri.contains("dryRun=All"), "{request:?}");
        let is_apply = request.verb == "patch";
        assert!(!is_apply || request.uri.contains("fieldValidation=Strict"));
    }
    assert_eq!(verbs, BTreeSet::from(["delete", "get", "list", "patch"]));
}
