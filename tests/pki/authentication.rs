//! etcd and kube-apiserver start with the issued certificates, recognise every client, and refuse all others.

use std::process::Command;

use serde_json::Value;

use crate::pki::child::Child;
use crate::pki::folder::Folder;
use crate::support::{Finished, program, run};

/// Each client of the API server with its user and groups, besides `system:authenticated`.
const CLIENTS: [(&str, &str, &[&str]); 4] = [
    (
        "admin-client",
        "kubefarm-kubernetes-admin-client",
        &["system:masters"],
    ),
    (
        "apiserver-kubelet-client",
        "kubefarm-kubernetes-apiserver-kubelet-client",
        &[],
    ),
    (
        "controller-manager-client",
        "system:kube-controller-manager",
        &[],
    ),
    ("scheduler-client", "system:kube-scheduler", &[]),
];

/// Certificates of other authorities, and of servers: the API server accepts none of them.
const UNKNOWN_CLIENTS: [&str; 6] = [
    "front-proxy-client",
    "etcd-healthcheck-client",
    "apiserver-etcd-client",
    "etcd-peer",
    "apiserver-server",
    "scheduler-server",
];

fn whoami(child: &Child, client: &str) -> Finished {
    child.kubectl(client, 0, &["auth", "whoami", "-o", "json"])
}

/// The user and the groups of `kubectl auth whoami -o json`.
#[track_caller]
pub fn identity(finished: Finished) -> (String, Vec<String>) {
    let review: Value = serde_json::from_str(&finished.success()).expect("JSON");
    let info = &review["status"]["userInfo"];
    let groups = info["groups"].as_array().into_iter().flatten();
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    (text(&info["username"]), groups.map(text).collect())
}

fn clients_are_who_they_should_be(child: &Child) {
    for (client, user, groups) in CLIENTS {
        let (name, found) = identity(whoami(child, client));
        assert_eq!(name, user);
        let expected: Vec<&str> = groups
            .iter()
            .copied()
            .chain(["system:authenticated"])
            .collect();
        assert_eq!(found, expected, "{client}");
    }
    for client in UNKNOWN_CLIENTS {
        let finished = whoami(child, client);
        assert_ne!(finished.code(), 0, "{client}: {}", finished.stdout);
        assert!(
            finished.stderr.contains("Unauthorized")
                || finished.stderr.contains("must be logged in"),
            "{client}: {}",
            finished.stderr
        );
    }
    // What they may do follows from who they are.
    let may = |client: &str, what: &[&str]| {
        let finished = child.kubectl(client, 0, &[&["auth", "can-i"], what].concat());
        finished.stdout.trim() == "yes"
    };
    assert!(may("admin-client", &["*", "*"]));
    assert!(may(
        "scheduler-client",
        &["create", "pods", "--subresource=binding"]
    ));
    assert!(!may("scheduler-client", &["delete", "namespaces"]));
    assert!(may(
        "controller-manager-client",
        &["create", "serviceaccounts"]
    ));
}

/// Only the front proxy may name the user of a request.
fn front_proxy_speaks_for_others(child: &Child) {
    let ask = |client: &str| {
        let file = |name: &str| child.file(&format!("{client}/{name}"));
        let mut command = Command::new("curl");
        command.args(["-sS", "--cacert", &child.file("admin-client/ca.crt")]);
        command.args(["--cert", &file("tls.crt"), "--key", &file("tls.key")]);
        command.args(["-H", "X-Remote-User: jane", "-H", "X-Remote-Group: ops"]);
        command.args(["-H", "Content-Type: application/json", "-d"]);
        command.arg(r#"{"apiVersion":"authentication.k8s.io/v1","kind":"SelfSubjectReview"}"#);
        command.arg(format!(
            "{}/apis/authentication.k8s.io/v1/selfsubjectreviews",
            child.server(0)
        ));
        identity(run(&mut command))
    };
    assert_eq!(
        ask("front-proxy-client"),
        (
            "jane".to_owned(),
            vec!["ops".to_owned(), "system:authenticated".to_owned()]
        )
    );
    assert_eq!(ask("scheduler-client").0, "system:kube-scheduler");
}

/// Go's x509 takes the API server's and etcd's certificates for every name they have to serve.
fn servers_are_known_by_their_names(child: &Child) {
    let trusts = |server: &str, authority: &str, client: &str, path: &str, name: &str| {
        let file = |name: &str| child.file(&format!("{client}/{name}"));
        let empty = child.folder().join("empty.kubeconfig");
        std::fs::write(&empty, "").expect("written");
        child.kubectl_with(
            &empty,
            &[
                "--server",
                server,
                "--certificate-authority",
                &child.file(authority),
                "--client-certificate",
                &file("tls.crt"),
                "--client-key",
                &file("tls.key"),
                "--tls-server-name",
                name,
                "get",
                "--raw",
                path,
            ],
        )
    };
    let names = [
        "kubefarm-kubernetes-apiserver",
        "kubefarm-kubernetes-apiserver.default",
        "kubefarm-kubernetes-apiserver.default.svc",
        "kubernetes",
        "kubernetes.default",
        "kubernetes.default.svc",
        "kubernetes.default.svc.cluster.local",
        "localhost",
        "127.0.0.1",
        "::1",
        "10.96.0.1",
    ];
    let server = child.server(0);
    for name in names {
        trusts(&server, "ca/ca.crt", "admin-client", "/readyz", name).success();
    }
    let member = child.member(0);
    let service = "kubefarm-kubernetes-etcd";
    let names = [
        service.to_owned(),
        format!("{service}.default.svc"),
        format!("{service}-0.{service}"),
        format!("{service}-2.{service}.default"),
        format!("{service}-11.{service}.default.svc"),
    ];
    for name in &names {
        trusts(
            &member,
            "etcd-ca/ca.crt",
            "etcd-healthcheck-client",
            "/health",
            name,
        )
        .success();
    }
    for (server, authority, client) in [
        (&server, "ca/ca.crt", "admin-client"),
        (&member, "etcd-ca/ca.crt", "etcd-healthcheck-client"),
    ] {
        let finished = trusts(server, authority, client, "/readyz", "strange.example.org");
        assert!(
            finished.stderr.contains("certificate is valid for"),
            "{}",
            finished.stderr
        );
    }
    let finished = trusts(
        &server,
        "etcd-ca/ca.crt",
        "admin-client",
        "/readyz",
        "localhost",
    );
    assert!(
        finished.stderr.contains("unknown authority"),
        "{}",
        finished.stderr
    );
}

fn etcd_lets_its_clients_in_and_nobody_else(child: &Child) {
    for client in [
        "etcd-healthcheck-client",
        "apiserver-etcd-client",
        "etcd-peer",
        "etcd-server",
    ] {
        child
            .etcdctl(
                Some(client),
                &["get", "/registry/namespaces/default", "--keys-only"],
            )
            .success();
    }
    for client in [
        None,
        Some("admin-client"),
        Some("front-proxy-client"),
        Some("apiserver-kubelet-client"),
    ] {
        let finished = child.etcdctl(client, &["get", "a"]);
        assert_ne!(finished.code(), 0, "{client:?} came in");
    }
    // It is the certificate that is refused, and not something else.
    let log = std::fs::read_to_string(child.folder().join("etcd-0.log")).expect("a log");
    for reason in [
        "client didn't provide a certificate",
        "certificate signed by unknown authority",
    ] {
        assert!(log.contains(reason), "no {reason:?} in etcd's log");
    }
}

#[test]
fn a_control_plane_runs_and_knows_every_client() {
    if program("curl", "curl").is_none() {
        return;
    }
    for values in ["", "--set pki.algorithm=RSA,pki.size=2048"] {
        let Some(child) = Child::new(values, 1, 1) else {
            return;
        };
        let folder = Folder::of(values);
        child.install(folder.path());
        child.start();
        clients_are_who_they_should_be(&child);
        front_proxy_speaks_for_others(&child);
        servers_are_known_by_their_names(&child);
        etcd_lets_its_clients_in_and_nobody_else(&child);
    }
}
