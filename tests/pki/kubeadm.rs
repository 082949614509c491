//! kubeadm takes an exported folder for one of its own.

use serde_json::Value;

use crate::pki::in_cluster::Farm;
use crate::support::cluster::programs::build;
use crate::support::run;

#[test]
fn an_exported_folder_is_one_of_kubeadms() {
    let Some(farm) = Farm::applied("exported") else {
        return;
    };
    build(&["kubeadm"]).expect("built, as the control plane is");
    let folder = tempfile::tempdir().expect("a folder");
    let dir = folder.path().join("pki");
    let said = farm
        .site
        .run(&format!("pki export kubefarm {}", dir.display()));
    assert_eq!(said.code(), 0, "{}", said.stderr);
    let mut kubeadm = farm
        .site
        .cluster
        .command("kubeadm", farm.site.cluster.kubeconfig());
    kubeadm
        .args(["certs", "check-expiration", "-o", "json", "--cert-dir"])
        .arg(&dir);
    let report: Value = serde_json::from_str(&run(&mut kubeadm).success()).expect("JSON");
    let entries = |kind: &str| {
        let list = report[kind].as_array().expect("a list").clone();
        let found = list.into_iter().filter(|one| one["missing"] != true);
        found
            .map(|one| {
                let text = |key: &str| one[key].as_str().unwrap_or_default().to_owned();
                assert_eq!(one["externallyManaged"], false, "{one}");
                (text("name"), text("caName"))
            })
            .collect::<Vec<_>>()
    };
    let pair = |(name, authority): (&str, &str)| (name.to_owned(), authority.to_owned());
    let leaves = [
        ("apiserver", "ca"),
        ("apiserver-etcd-client", "etcd-ca"),
        ("apiserver-kubelet-client", "ca"),
        ("etcd-healthcheck-client", "etcd-ca"),
        ("etcd-peer", "etcd-ca"),
        ("etcd-server", "etcd-ca"),
        ("front-proxy-client", "front-proxy-ca"),
    ];
    assert_eq!(entries("certificates"), leaves.map(pair));
    let authorities = [("ca", ""), ("etcd-ca", ""), ("front-proxy-ca", "")];
    assert_eq!(entries("certificateAuthorities"), authorities.map(pair));

    // kubeadm signs with what it found, and what it renews is good.
    let mut kubeadm = farm
        .site
        .cluster
        .command("kubeadm", farm.site.cluster.kubeconfig());
    kubeadm
        .args(["certs", "renew", "front-proxy-client", "--cert-dir"])
        .arg(&dir);
    run(&mut kubeadm).success();
    let mut openssl = std::process::Command::new("openssl");
    openssl
        .arg("verify")
        .arg("-CAfile")
        .arg(dir.join("front-proxy-ca.crt"))
        .arg(dir.join("front-proxy-client.crt"));
    run(&mut openssl).success();
}
