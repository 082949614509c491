//! A farm's certificates leave a cluster and come back: byte for byte, in both modes, and never over others.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::pki::cert_manager;
use crate::pki::in_cluster::Farm;
use crate::support::Finished;

const PREFIX: &str = "kubefarm-kubernetes-pki";

/// The certificates of a farm, in a folder.
struct Exported {
    _above: TempDir,
    dir: PathBuf,
}

impl Exported {
    fn of(farm: &Farm) -> Exported {
        let above = tempfile::tempdir().expect("a folder");
        let dir = above.path().join("pki");
        let export = format!("pki export kubefarm {} --layout pki-dir", dir.display());
        farm.site.run(&export).success();
        Exported { _above: above, dir }
    }

    fn import(&self, farm: &Farm, mode: &str, more: &str) -> Finished {
        farm.run_in(mode, &format!("pki import {} {more}", self.dir.display()))
    }
}

#[track_caller]
fn assert_says(finished: &Finished, code: i32, parts: &[&str]) {
    assert_eq!(finished.code(), code, "{}", finished.stderr);
    for part in parts {
        assert!(finished.stderr.contains(part), "{}", finished.stderr);
    }
}

#[test]
fn what_was_exported_comes_back_byte_for_byte() {
    let Some(farm) = Farm::applied("moved") else {
        return;
    };
    let before = farm.data();
    let exported = Exported::of(&farm);
    let again = exported.import(&farm, "builtin", "");
    assert_says(&again, 0, &["0 Secrets written, 18 unchanged"]);
    cert_manager::clear(&farm);

    let imported = exported.import(&farm, "builtin", "");
    assert_says(&imported, 0, &["18 Secrets written, 0 unchanged"]);
    assert_eq!(farm.data(), before);
    let applied = farm.run("apply");
    assert_eq!(applied.code(), 0, "{}", applied.stderr);
    assert!(!applied.stderr.contains("is issued"), "{}", applied.stderr);
    assert_eq!(farm.data(), before);
    assert_eq!(farm.run("diff").code(), 0);
}

/// As far as an import comes that is killed: authorities first.
#[test]
fn an_import_that_was_stopped_is_completed() {
    let Some(farm) = Farm::applied("stopped-import") else {
        return;
    };
    let before = farm.data();
    let exported = Exported::of(&farm);
    for gone in [&["admin-client"] as &[&str], &["ca", "sa", "etcd-ca"]] {
        for name in gone {
            let delete = format!("delete secret {PREFIX}-{name}");
            farm.site.kubectl(&delete).success();
        }
        let said = format!("{} Secrets written", gone.len());
        assert_says(&exported.import(&farm, "builtin", ""), 0, &[&said]);
        assert_eq!(farm.data(), before);
    }
}

#[test]
fn authorities_of_the_cluster_are_replaced_on_request_only() {
    let Some(farm) = Farm::applied("replaced") else {
        return;
    };
    let old = farm.data();
    let exported = Exported::of(&farm);
    // One that the new authority has to issue.
    remove(&exported.dir, "scheduler-client");
    cert_manager::clear(&farm);
    farm.run("apply").success();
    let new = farm.data();
    assert_ne!(new["ca"], old["ca"]);

    let refused = exported.import(&farm, "builtin", "");
    let ca = format!("{PREFIX}-ca");
    assert_says(
        &refused,
        1,
        &[&ca, "--replace-authorities", "nothing was changed"],
    );
    assert_eq!(farm.data(), new);
    // Neither where only what the authority signed is left.
    farm.site.kubectl(&format!("delete secret {ca}")).success();
    let refused = exported.import(&farm, "builtin", "");
    let client = format!("{PREFIX}-admin-client");
    assert_says(&refused, 1, &[&client, "--replace-authorities"]);

    let said = exported.import(&farm, "builtin", "--replace-authorities");
    assert_says(
        &said,
        0,
        &["scheduler-client is not imported: it is missing"],
    );
    let mut expected = old.clone();
    expected.remove("scheduler-client");
    assert_eq!(farm.data(), expected);
    farm.run("apply").success();
    let applied = farm.data();
    assert_eq!(applied["scheduler-client"]["ca.crt"], old["ca"]["tls.crt"]);
    assert_eq!(applied["ca"], old["ca"]);
}

#[test]
fn a_rotation_of_the_cluster_is_not_mixed_with_the_imported_authority() {
    let Some(farm) = Farm::applied("import-rotation") else {
        return;
    };
    let steady = Exported::of(&farm);
    farm.run("pki rotate-ca ca --step trust").success();
    let trusting = farm.data();
    let refused = steady.import(&farm, "builtin", "--replace-authorities");
    assert_says(
        &refused,
        1,
        &["a rotation that is under way in the cluster"],
    );
    assert_eq!(farm.data(), trusting);

    // With its rotation an authority can move, and the rotation goes on.
    let rotated = Exported::of(&farm);
    cert_manager::clear(&farm);
    let refused = rotated.import(&farm, "certManager", "");
    assert_says(&refused, 1, &["its rotation is not finished"]);
    assert!(farm.secrets().is_empty());
    let imported = rotated.import(&farm, "builtin", "");
    assert_eq!(imported.code(), 0, "{}", imported.stderr);
    assert_eq!(farm.data(), trusting);
    farm.run("pki rotate-ca ca --step reissue").success();
    assert_eq!(farm.data()["ca"]["tls.crt"], trusting["ca-next"]["tls.crt"]);
    farm.run("pki rotate-ca ca --step drop").success();
}

#[test]
fn cert_manager_goes_on_with_what_is_imported() {
    let Some(farm) = cert_manager::farm("moved-cert-manager") else {
        return;
    };
    farm.run_in("certManager", "apply").success();
    cert_manager::wait_for_cert_manager(&farm);
    let before = cert_manager::settled(&farm);
    let exported = Exported::of(&farm);
    cert_manager::clear(&farm);

    let refused = exported.import(&farm, "certManager,pki.algorithm=RSA,pki.size=2048", "");
    assert_says(&refused, 1, &["/pki/ca cannot be used", "pki.algorithm"]);
    assert!(farm.secrets().is_empty());
    let imported = exported.import(&farm, "certManager", "");
    assert_says(&imported, 0, &["18 Secrets written"]);
    assert_eq!(farm.data(), before);
    farm.run_in("certManager", "apply").success();
    cert_manager::wait_for_cert_manager(&farm);
    cert_manager::assert_kept(&farm, &before);

    // The authority is one that cert-manager can sign with.
    cert_manager::clear(&farm);
    remove(&exported.dir, "admin-client");
    let imported = exported.import(&farm, "certManager", "");
    let missing = "admin-client is not imported: it is missing";
    assert_says(&imported, 0, &["17 Secrets written", missing]);
    farm.run_in("certManager", "apply").success();
    cert_manager::wait_for_cert_manager(&farm);
    let after = cert_manager::settled(&farm);
    assert_eq!(after["ca"], before["ca"]);
    assert_ne!(after["admin-client"], before["admin-client"]);
    assert_eq!(after["admin-client"]["ca.crt"], before["ca"]["tls.crt"]);
}

fn remove(dir: &Path, name: &str) {
    fs::remove_dir_all(dir.join(name)).expect("removed");
}
