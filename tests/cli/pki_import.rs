//! `kubefarm pki import` refuses a folder before it asks the cluster.

use std::fs;
use std::path::Path;

use crate::cli::assert_failed;
use crate::cli::pki::{BUILTIN, folder, pki};
use crate::support::{Finished, kubefarm};

/// An import to a cluster that is not there.
fn import(dir: &str, more: &[&str]) -> Finished {
    let words = ["pki", "import", dir, "--kubeconfig", "/does/not/exist"];
    kubefarm(words.iter().chain(&BUILTIN).chain(more))
}

#[test]
fn a_folder_that_is_not_whole_is_refused() {
    let (_folder, dir) = folder();
    assert_failed(&import(&dir, &[]), 2, &["there is no folder"]);
    pki(&["init"], &dir, &[]).success();
    // Nothing is wrong with it.
    assert_failed(&import(&dir, &[]), 1, &["/does/not/exist"]);

    let other = import(&dir, &["--name", "other"]);
    assert_failed(&other, 2, &["the folder of another farm"]);

    let ca = Path::new(&dir).join("ca");
    let key = fs::read(ca.join("tls.key")).expect("a key");
    fs::copy(Path::new(&dir).join("etcd-ca/tls.key"), ca.join("tls.key")).expect("copied");
    let wrong = import(&dir, &[]);
    let parts = ["/pki/ca cannot be used: tls.key is not the key of tls.crt"];
    assert_failed(&wrong, 1, &parts);
    assert!(!wrong.stderr.contains("PRIVATE"), "{}", wrong.stderr);
    fs::write(ca.join("tls.key"), key).expect("written");

    for name in ["ca", "sa"] {
        fs::remove_dir_all(Path::new(&dir).join(name)).expect("removed");
    }
    let parts = ["the folder lacks certificate authorities: ca, sa"];
    assert_failed(&import(&dir, &[]), 1, &parts);

    fs::write(Path::new(&dir).join("ca.crt"), "").expect("written");
    let kubeadms = import(&dir, &[]);
    assert_failed(&kubeadms, 2, &["kubeadm's files", "--layout pki-dir"]);
    let none = import(&dir, &["--set", "kubernetes.enabled=false"]);
    assert_failed(&none, 2, &["there are no certificates"]);
}
