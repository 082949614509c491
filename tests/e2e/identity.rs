//! Who may come in, and who may not.

use std::path::Path;

use serde_json::Value;

use crate::e2e::Seen;
use crate::e2e::release::{Release, name};
use crate::support::run;

/// etcd talks to nobody without a certificate of its own authority.
pub fn etcd(release: &mut Release) -> Seen {
    let folder = release.cluster.scratch();
    for (file, key) in [("etcd.crt", "tls.crt"), ("etcd.key", "tls.key")] {
        let text = release.secret(&release.object("pki-etcd-healthcheck-client"), key);
        std::fs::write(folder.join(file), text).expect("written");
    }
    let app = format!("app={}", release.object("etcd"));
    let list = release.get(&["pods", "-l", &app]);
    let members = list["items"].as_array().expect("a List");
    assert!(!members.is_empty());
    for member in members {
        let address = member["status"]["podIP"].as_str().expect("an address");
        let ask = |certificate: &[&str]| {
            let mut command = release.cluster.in_network(Path::new("/dev/null"));
            command
                .args(["curl", "--silent", "--insecure"])
                .args(certificate);
            command.current_dir(&folder);
            run(command.arg(format!("https://{address}:2379/health")))
        };
        let refused = ask(&[]);
        assert!(
            !refused.status.success(),
            "{}: {}",
            name(member),
            refused.stdout
        );
        // The same request with one is answered.
        let answer = ask(&["--cert", "etcd.crt", "--key", "etcd.key"]).success();
        assert!(answer.contains("\"health\":\"true\""), "{answer}");
        let log = release.kubectl(&["logs", name(member)]).success();
        let reason = "client didn't provide a certificate";
        assert!(log.contains(reason), "{} gave another reason", name(member));
    }
    let mut command = release.cluster.kubefarm();
    command.args(["etcd", "status", &release.name, "-o", "json"]);
    let status = run(command.args(["-n", &release.namespace])).success();
    let status: Value = serde_json::from_str(&status).expect("JSON");
    let said = status["members"].as_array().expect("members").len();
    assert_eq!(said, members.len(), "{status:#}");
    format!("{said} members refuse a client without one, and report to kubefarm etcd status")
}

/// Without credentials the child's API server says only how it is, and where it is.
pub fn anonymous(release: &mut Release) -> Seen {
    let address = release.address();
    let ask = |path: &str| {
        let mut command = release.cluster.in_network(Path::new("/dev/null"));
        command.args([
            "curl",
            "--silent",
            "--insecure",
            "--write-out",
            "\n%{http_code}",
        ]);
        let answer = run(command.arg(format!("https://{address}:6443{path}"))).success();
        answer.lines().last().map(str::to_owned).unwrap_or_default()
    };
    let public = "/api/v1/namespaces/kube-public/configmaps";
    let open = [
        "/readyz".to_owned(),
        "/livez".to_owned(),
        format!("{public}/cluster-info"),
    ];
    let closed = ["/api", "/version", "/metrics"].map(str::to_owned);
    for path in &open {
        assert_eq!(ask(path), "200", "{path}");
    }
    for path in closed.iter().chain([&format!("{public}/kube-root-ca.crt")]) {
        assert_eq!(ask(path), "401", "{path}");
    }
    "3 paths are open, others are not".to_owned()
}
