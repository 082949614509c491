//! Two farms in one admin cluster.

use std::path::Path;

use crate::e2e::Seen;
use crate::e2e::changes::pods;
use crate::e2e::release::{Release, restarts};
use crate::support::run;

/// Where the API server of the second one is.
const ADDRESS: &str = "10.64.0.20";

/// A farm beside the first, with certificates of cert-manager: it comes up as the first did, and goes again, and
/// neither has anything of the other.
pub fn beside(release: &mut Release) -> Seen {
    let before = (pods(release), all_restarts(release));
    let second = second(release);
    second.make_namespaces();
    let took = second.apply();
    assert_eq!(all_restarts(&second), 0);
    second.child(&["get", "--raw", "/readyz"]).success();

    second
        .child(&["create", "namespace", "of-the-second"])
        .success();
    let found = release.child(&["get", "namespace", "of-the-second"]);
    assert!(found.stderr.contains("NotFound"), "{}", found.stdout);
    is_refused(release, &second);
    is_refused(&second, release);
    assert_eq!((pods(release), all_restarts(release)), before);

    second.delete();
    assert_eq!((pods(release), all_restarts(release)), before);
    release.child(&["get", "--raw", "/readyz"]).success();
    let took = took.as_secs_f64();
    format!(
        "ready after {took:.1} s; each refuses the other's admin; deleted without a trace in the first"
    )
}

fn second<'a>(release: &Release<'a>) -> Release<'a> {
    let address = [
        format!("kubernetes.apiServer.service.loadBalancerIP={ADDRESS}"),
        format!("kubernetes.apiServer.certSANs.ipAddresses={{{ADDRESS}}}"),
        format!("kubernetes.apiServer.extraArgs.advertise-address={ADDRESS}"),
    ];
    let files = ["examples/generic/values.yaml", "tests/e2e/values.yaml"];
    let files = files
        .iter()
        .flat_map(|file| ["-f".to_owned(), (*file).to_owned()]);
    let sets = address
        .into_iter()
        .flat_map(|value| ["--set".to_owned(), value]);
    Release {
        cluster: release.cluster,
        name: format!("{}2", release.name),
        namespace: format!("{}2", release.namespace),
        values: files.chain(sets).collect(),
    }
}

/// The admin of one child cannot log in to another, which does not trust the authority of the certificate.
fn is_refused(one: &Release, other: &Release) {
    let kubeconfig = one.child_kubeconfig();
    let folder = kubeconfig.parent().expect("a folder");
    let file = |name: &str| folder.join(name).display().to_string();
    let mut command = one.cluster.inside("kubectl", Path::new("/dev/null"));
    command.args(["--insecure-skip-tls-verify", "get", "namespaces"]);
    command.arg(format!("--server=https://{}:6443", other.address()));
    command.arg(format!("--client-certificate={}", file("tls.crt")));
    command.arg(format!("--client-key={}", file("tls.key")));
    let finished = run(&mut command);
    let is_refused =
        !finished.status.success() && finished.stderr.contains("You must be logged in");
    assert!(
        is_refused,
        "{}: {}{}",
        other.name, finished.stdout, finished.stderr
    );
}

fn all_restarts(release: &Release) -> u64 {
    release.pods().iter().map(restarts).sum()
}
