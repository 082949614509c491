//! A token that stops being valid half-way.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::assert_failed;
use super::cluster;
use super::place::{Place, WHOLE};
use super::running::Running;
use crate::support::cluster::Cluster;

/// A token of a powerful service account of the place, good until the Secret `anchor` is deleted.
fn anchored_token(place: &Place) -> String {
    let account = "robot";
    place
        .kubectl(&["create", "serviceaccount", account])
        .success();
    let subject = format!("--serviceaccount={}:{account}", place.namespace);
    let role = "--clusterrole=cluster-admin";
    let bind = [
        "create",
        "clusterrolebinding",
        &place.namespace,
        role,
        &subject,
    ];
    place.cluster.kubectl(&bind).success();
    place
        .kubectl(&["create", "secret", "generic", "anchor"])
        .success();
    let bound = ["--bound-object-kind=Secret", "--bound-object-name=anchor"];
    token(place, &bound)
}

fn token(place: &Place, flags: &[&str]) -> String {
    let create = ["create", "token", "robot"];
    let token = place.kubectl(&[&create[..], flags].concat()).success();
    token.trim().to_owned()
}

/// A kubeconfig that says this about the user.
fn kubeconfig(cluster: &Cluster, name: &str, user: &Value) -> PathBuf {
    let authority = cluster.folder().join("ca.crt");
    let content = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "it",
        "clusters": [{ "name": "it", "cluster": {
            "server": cluster.server(), "certificate-authority": authority,
        } }],
        "users": [{ "name": "it", "user": user }],
        "contexts": [{ "name": "it", "context": { "cluster": "it", "user": "it" } }],
    });
    let file = cluster.folder().join(format!("{name}.kubeconfig"));
    std::fs::write(&file, content.to_string()).expect("written");
    file
}

/// Holds the process until the server no longer takes the token that it has.
fn invalidate(place: &Place, running: &Running, token: &str) {
    running.signal("STOP");
    place.kubectl(&["delete", "secret", "anchor"]).success();
    let name = format!("{}-old", place.namespace);
    let old = kubeconfig(place.cluster, &name, &json!({ "token": token }));
    place.cluster.wait_until("the token is refused", || {
        // The server remembers for some seconds that it took it.
        let tried = place.cluster.kubectl_as(&old, &["get", "namespaces"]);
        tried.stderr.contains("must be logged in")
    });
}

fn start(place: &Place, kubeconfig: &Path) -> Running {
    let mut running = place.start_as(kubeconfig.to_owned(), WHOLE);
    running.until(|event| event.stage() == Some("services"));
    running
}

#[test]
fn a_token_that_ends_half_way_is_said_to_have_ended() {
    let Some(cluster) = cluster() else {
        return;
    };
    let place = Place::new(cluster, "token-ends");
    let token = anchored_token(&place);
    let kubeconfig = kubeconfig(cluster, &place.namespace, &json!({ "token": token }));
    let running = start(&place, &kubeconfig);
    invalidate(&place, &running, &token);
    running.signal("CONT");
    let (finished, _) = running.finish();
    let parts = [
        cluster.server(),
        "does not accept these credentials",
        "\ndone: ",
        "\nnot done: ",
    ];
    assert_failed(&finished, &parts);
    assert!(!finished.stderr.contains(&token));
    place.apply(WHOLE).success();
    place.assert_is_as(WHOLE);
}

#[test]
fn a_token_file_that_has_a_new_token_by_then_is_read_again() {
    let Some(cluster) = cluster() else {
        return;
    };
    let place = Place::new(cluster, "token-renewed");
    let old = anchored_token(&place);
    let file = cluster.folder().join(format!("{}.token", place.namespace));
    std::fs::write(&file, &old).expect("written");
    let kubeconfig = kubeconfig(cluster, &place.namespace, &json!({ "tokenFile": file }));
    let running = start(&place, &kubeconfig);
    invalidate(&place, &running, &old);
    std::fs::write(&file, token(&place, &[])).expect("written");
    let refused = || {
        let requests = place.cluster.audit();
        let ours = requests.iter().filter(|request| {
            request.namespace == place.namespace
                && request.code == 401
                && !request.user_agent.starts_with("kubectl/")
        });
        ours.count()
    };
    assert_eq!(refused(), 0);
    running.signal("CONT");
    running.finish().0.success();
    // The one that was next, and perhaps the renewal of the Lease at the same time: not every later one.
    assert!((1..=2).contains(&refused()), "{}", refused());
    place.assert_is_as(WHOLE);
}
