//! API servers survive an outage of etcd without a restart.

use std::process::Command;
use std::time::{Duration, Instant};

use crate::pki::child::Child;
use crate::pki::folder::Folder;
use crate::support::run;

/// How long until a paused etcd shows.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the API server answers, asked as the kubelet asks: without credentials, whatever its certificate.
fn status(child: &Child, path: &str) -> String {
    let url = format!("{}{path}", child.server(0));
    let format = "%{http_code}";
    let ask = ["-sk", "-m", "15", "-o", "/dev/null", "-w", format, &url];
    run(Command::new("curl").args(ask)).stdout
}

/// The path that a probe of kube-apiserver's container asks for.
fn probe(child: &Child, kind: &str) -> String {
    let server = child.objects();
    let server = server.get("Deployment", "kubefarm-kubernetes-apiserver");
    let container = &server["spec"]["template"]["spec"]["containers"][0];
    let path = container[kind]["httpGet"]["path"].as_str();
    path.expect("a path").to_owned()
}

#[test]
fn etcds_outage_restarts_no_api_server() {
    let Some(child) = Child::new("", 1, 1) else {
        return;
    };
    let folder = Folder::of("");
    child.install(folder.path());
    child.start();
    let liveness = probe(&child, "livenessProbe");
    let readiness = probe(&child, "readinessProbe");
    for path in [liveness.as_str(), &readiness, "/livez"] {
        assert_eq!(status(&child, path), "200", "{path}");
    }
    child.signal_member(0, "STOP");
    // It takes part in nothing that shows before its clients give up.
    let until = Instant::now() + PATIENCE;
    while status(&child, &readiness) == "200" || status(&child, "/livez") == "200" {
        assert!(Instant::now() < until, "etcd is paused, and nobody minds");
    }
    assert_eq!(status(&child, &liveness), "200", "{liveness}");
    child.signal_member(0, "CONT");
    child.wait_for_server(0);
}
