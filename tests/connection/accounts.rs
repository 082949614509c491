//! Who may come in, and who may not.

use std::process::Command;

use serde_json::json;

use super::setup::{Home, authority, authority_of_url, config, reached};
use super::{assert_connects, assert_fails};
use crate::support::cluster::{Cluster, TOKEN};
use crate::support::{program, run};

#[test]
fn a_client_certificate_lets_its_user_in() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    assert_connects(&Home::new().list_with(cluster.kubeconfig()));
}

#[test]
fn a_client_certificate_that_has_ended_is_refused() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    let finished = Home::new().list_with(&cluster.expired_kubeconfig());
    let parts = [cluster.server(), "does not accept", "expired"];
    assert_fails(&finished, &parts);
}

#[test]
fn a_wrong_token_is_refused_and_not_shown() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    let finished = Home::new().list_with(&cluster.token_kubeconfig("hunter2"));
    assert_fails(&finished, &[cluster.server(), "does not accept"]);
    assert!(!finished.stderr.contains("hunter2"), "{}", finished.stderr);
}

#[test]
fn who_may_not_look_is_named_with_the_kind() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    let nobody = cluster.user_kubeconfig("nobody", &[]);
    let finished = Home::new().list_with(&nobody);
    assert_fails(&finished, &["\"nobody\"", "configmaps", "forbidden"]);
}

#[test]
fn a_credential_plugin_is_asked_for_the_token() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    let home = Home::new();
    let answer = |token: &str| {
        let credential = json!({
            "apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential",
            "status": { "token": token },
        });
        let exec = json!({
            "apiVersion": "client.authentication.k8s.io/v1", "interactiveMode": "Never",
            "command": "echo", "args": [credential.to_string()],
        });
        config(&reached(cluster), &json!({ "exec": exec }))
    };
    let file = home.write("config", answer(TOKEN));
    assert_connects(&home.list_with(&file));
    let file = home.write("config", answer("wrong"));
    let finished = home.list_with(&file);
    assert_fails(&finished, &[cluster.server(), "does not accept"]);
    let exec =
        json!({ "apiVersion": "client.authentication.k8s.io/v1", "command": "no-such-plugin" });
    let file = home.write(
        "config",
        config(&reached(cluster), &json!({ "exec": exec })),
    );
    assert_fails(&home.list_with(&file), &["no-such-plugin"]);
}

/// In a mount namespace of its own, where the files of a pod's service account are laid over `/var/run`.
#[test]
fn a_pod_uses_its_service_account() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    let Some(unshare) = program("unshare", "util-linux") else {
        return;
    };
    let home = Home::new();
    let folder = "run/secrets/kubernetes.io/serviceaccount";
    let ca = std::fs::read_to_string(authority(cluster)).expect("a file");
    home.write(&format!("{folder}/ca.crt"), ca);
    home.write(&format!("{folder}/token"), TOKEN);
    home.write(&format!("{folder}/namespace"), "default");
    let (host, port) = authority_of_url(cluster).split_once(':').expect("a port");
    let list = home.list();
    let mut command = Command::new(unshare);
    let script = "mount --bind \"$1\" \"$(readlink -f /var/run)\" && shift && exec \"$@\"";
    command
        .args([
            "--user",
            "--map-root-user",
            "--mount",
            "sh",
            "-c",
            script,
            "sh",
        ])
        .arg(home.path().join("run"))
        .arg(list.get_program())
        .args(list.get_args());
    for (name, value) in list.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command.env("KUBERNETES_SERVICE_HOST", host);
    command.env("KUBERNETES_SERVICE_PORT", port);
    assert_connects(&run(&mut command));
    home.write(&format!("{folder}/token"), "wrong");
    let finished = run(&mut command);
    assert_fails(&finished, &[cluster.server(), "does not accept"]);
}
