//! OpenSSL accepts every certificate for what it is for, and for nothing else.

use std::process::Command;

use crate::pki::folder::Folder;
use crate::support::{Finished, program, run};

/// Each certificate, the authority that signed it, and what it is for: server, client, or both.
const LEAVES: [(&str, &str, &str); 19] = [
    ("etcd-peer", "etcd-ca", "server client"),
    ("etcd-server", "etcd-ca", "server client"),
    ("etcd-healthcheck-client", "etcd-ca", "client"),
    ("apiserver-etcd-client", "etcd-ca", "client"),
    ("apiserver-server", "ca", "server"),
    ("apiserver-kubelet-client", "ca", "client"),
    ("controller-manager-server", "ca", "server"),
    ("controller-manager-client", "ca", "client"),
    ("scheduler-server", "ca", "server"),
    ("scheduler-client", "ca", "client"),
    ("admin-client", "ca", "client"),
    ("agent-client", "ca", "client"),
    ("agent-server", "ca", "server"),
    ("front-proxy-client", "front-proxy-ca", "client"),
    ("konnectivity-server-client", "ca", "client"),
    ("konnectivity-server", "konnectivity-ca", "server"),
    ("konnectivity-client", "konnectivity-ca", "client"),
    ("konnectivity-cluster", "ca", "server"),
    // It signs itself, and only its key is used.
    ("sa", "sa", "authority"),
];
const AUTHORITIES: [&str; 4] = ["etcd-ca", "ca", "front-proxy-ca", "konnectivity-ca"];

/// With everything that has certificates.
const VALUES: &str = "--name farm -n clusters -f values/konnectivity-http.yaml --set \
                      kubernetes.konnectivityServer.service.loadBalancerIP=10.64.0.12,\
                      kubernetes.controlPlaneEndpoint=k8s.example.org:6443,\
                      kubernetes.apiServer.service.loadBalancerIP=10.64.0.10";

fn openssl(words: &[&str]) -> Finished {
    run(Command::new("openssl").args(words))
}

/// `openssl verify` with a folder's files.
fn verify(folder: &Folder, leaf: &str, authority: &str, more: &[&str]) -> Finished {
    let trusted = folder.file(&format!("{authority}/tls.crt"));
    let certificate = folder.file(&format!("{leaf}/tls.crt"));
    let words = [
        "verify",
        "-x509_strict",
        "-no-CApath",
        "-no-CAstore",
        "-CAfile",
        &trusted,
    ];
    openssl(&[&words, more, &[&certificate]].concat())
}

#[track_caller]
fn assert_refused(finished: &Finished, reason: &str, what: &str) {
    assert_ne!(finished.code(), 0, "{what}");
    assert!(
        finished.stderr.contains(reason),
        "{what}: {}",
        finished.stderr
    );
}

fn check_purposes(folder: &Folder) {
    for (leaf, authority, purposes) in LEAVES {
        for (purpose, flag) in [("server", "sslserver"), ("client", "sslclient")] {
            let finished = verify(folder, leaf, authority, &["-purpose", flag]);
            if purposes.contains(purpose) || purposes == "authority" {
                drop(finished.success())
            } else {
                assert_refused(&finished, "unsuitable certificate purpose", leaf)
            }
        }
        let others = AUTHORITIES.into_iter().filter(|other| *other != authority);
        for other in others {
            let finished = verify(folder, leaf, other, &[]);
            assert_ne!(finished.code(), 0, "{leaf} by {other}");
        }
        // What is trusted through ca.crt is the same.
        let trusted = folder.file(&format!("{leaf}/ca.crt"));
        openssl(&[
            "verify",
            "-CAfile",
            &trusted,
            &folder.file(&format!("{leaf}/tls.crt")),
        ])
        .success();
    }
}

fn check_names(folder: &Folder) {
    let good = [
        ("apiserver-server", "kubernetes.default.svc.cluster.local"),
        ("apiserver-server", "farm-kubernetes-apiserver.clusters.svc"),
        ("apiserver-server", "k8s.example.org"),
        (
            "etcd-server",
            "farm-kubernetes-etcd-0.farm-kubernetes-etcd.clusters.svc",
        ),
        (
            "etcd-peer",
            "farm-kubernetes-etcd-2.farm-kubernetes-etcd.clusters",
        ),
        (
            "controller-manager-server",
            "farm-kubernetes-controller-manager",
        ),
        ("scheduler-server", "localhost"),
        (
            "konnectivity-server",
            "farm-kubernetes-konnectivity-server.clusters",
        ),
    ];
    let authority = |leaf: &str| {
        let known = LEAVES.iter().find(|(name, ..)| *name == leaf);
        known.expect("a certificate").1
    };
    for (leaf, name) in good {
        verify(folder, leaf, authority(leaf), &["-verify_hostname", name]).success();
        let other = format!("other.{name}.example");
        let finished = verify(folder, leaf, authority(leaf), &["-verify_hostname", &other]);
        assert_refused(&finished, "hostname mismatch", leaf);
    }
    let addresses = [
        ("apiserver-server", "10.64.0.10"),
        ("apiserver-server", "10.96.0.1"),
        ("etcd-peer", "127.0.0.1"),
        ("etcd-server", "::1"),
        ("konnectivity-cluster", "10.64.0.12"),
    ];
    for (leaf, address) in addresses {
        verify(folder, leaf, authority(leaf), &["-verify_ip", address]).success();
        let finished = verify(
            folder,
            leaf,
            authority(leaf),
            &["-verify_ip", "203.0.113.9"],
        );
        assert_refused(&finished, "IP address mismatch", leaf);
    }
}

/// What `openssl x509` says of each, and that its key is the key of its certificate.
fn check_keys(folder: &Folder, algorithm: &str, signature: &str) {
    let leaves = LEAVES.iter().map(|(leaf, ..)| *leaf);
    for name in leaves.chain(AUTHORITIES) {
        let (certificate, key) = (
            folder.file(&format!("{name}/tls.crt")),
            folder.file(&format!("{name}/tls.key")),
        );
        let text = openssl(&["x509", "-in", &certificate, "-noout", "-text"]).success();
        for part in [
            "Version: 3 (0x2)",
            algorithm,
            signature,
            "X509v3 Key Usage: critical",
            "X509v3 Basic Constraints: critical",
        ] {
            assert!(text.contains(part), "{name}: no {part:?} in {text}");
        }
        let is_authority = AUTHORITIES.contains(&name) || name == "sa";
        assert_eq!(text.contains("CA:TRUE"), is_authority, "{name}");
        assert_eq!(text.contains("Certificate Sign"), is_authority, "{name}");
        let of_certificate = openssl(&["x509", "-in", &certificate, "-noout", "-pubkey"]).success();
        let of_key = openssl(&["pkey", "-in", &key, "-pubout"]).success();
        assert_eq!(of_certificate, of_key, "{name}");
        openssl(&["pkey", "-in", &key, "-check", "-noout"]).success();
    }
}

#[test]
fn every_chain_is_good_for_its_purpose_and_names_only() {
    if program("openssl", "openssl").is_none() {
        return;
    }
    for (kind, algorithm, signature) in [
        (
            "",
            "ASN1 OID: prime256v1",
            "Signature Algorithm: ecdsa-with-SHA256",
        ),
        (
            "--set pki.algorithm=RSA,pki.size=2048",
            "Public-Key: (2048 bit)",
            "Signature Algorithm: sha256WithRSAEncryption",
        ),
    ] {
        let folder = Folder::of(&format!("{VALUES} {kind}"));
        check_purposes(&folder);
        check_names(&folder);
        check_keys(&folder, algorithm, signature);
    }
}

#[test]
fn keys_in_the_older_formats_are_kept() {
    if program("openssl", "openssl").is_none() {
        return;
    }
    for (kind, words) in [
        ("", "ec"),
        ("--set pki.algorithm=RSA,pki.size=2048", "rsa -traditional"),
    ] {
        let folder = Folder::of(kind);
        for name in ["ca", "sa", "admin-client"] {
            let key = folder.file(&format!("{name}/tls.key"));
            let words: Vec<&str> = words.split(' ').collect();
            let older = openssl(&[&words[..], &["-in", &key]].concat()).success();
            assert!(older.contains("EC PRIVATE KEY") || older.contains("RSA PRIVATE KEY"));
            std::fs::write(&key, older).expect("written");
        }
        let said = folder.run(&["init"]);
        assert!(
            said.stderr.contains("19 of them unchanged"),
            "{}",
            said.stderr
        );
        // They also sign: an authority's key is used, whatever its format.
        folder.run(&["renew", "scheduler-client"]).success();
        verify(&folder, "scheduler-client", "ca", &[]).success();
    }
}
