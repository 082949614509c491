//! `kubefarm pki inspect` on folders and values.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::pki::{BUILTIN, folder, pki};
use crate::cli::{assert_failed, assert_refused};
use crate::support::kubefarm;

#[test]
fn inspect_shows_folders_and_values() {
    let (_folder, dir) = folder();
    pki(&["init"], &dir, &[]).success();
    let inspect = |more: &[&str]| {
        let words = ["pki", "inspect", "--pki-dir", &dir];
        kubefarm(words.iter().chain(more))
    };
    let table = inspect(&[]).success();
    let line = table.lines().find(|line| line.starts_with("admin-client "));
    let line = line.expect("a line");
    for part in ["  36", "O=system:masters,CN=", "-kubernetes-ca"] {
        assert!(line.contains(part), "no {part:?} in {line}");
    }
    assert!(!table.contains('\u{1b}'));
    let json: serde_json::Value =
        serde_json::from_str(&inspect(&["-o", "json"]).success()).expect("JSON");
    let json_list = json.as_array().expect("a list");
    assert_eq!(json_list.len(), 19);
    // What machines are told to trust: an Ed25519 key.
    let mut keys = json_list
        .iter()
        .filter(|one| one["name"] == "configuration");
    let key = keys.next().expect("a key")["publicKey"].as_str();
    assert!(
        key.is_some_and(|key| key.starts_with("MCowBQYDK2VwAyEA")),
        "{key:?}"
    );
    let days = json[0]["daysLeft"].as_i64().expect("a number");
    assert!((364..=365).contains(&days), "{days}");

    assert_eq!(inspect(&["--check-expiry", "30d"]).code(), 0);
    let due = inspect(&["--check-expiry", "366d"]);
    assert_eq!(due.code(), 1);
    assert!(
        due.stderr.contains("due: admin-client expires in 36"),
        "{}",
        due.stderr
    );
    assert!(!due.stderr.contains("due: ca "), "{}", due.stderr);
    assert_refused(&inspect(&["--check-expiry", "soon"]), &["30d"]);
    fs::write(Path::new(&dir).join("admin-client/tls.key"), "damaged").expect("written");
    let damaged = inspect(&["--check-expiry", "30d"]);
    assert_eq!(damaged.code(), 1);
    assert!(
        damaged.stdout.contains("not a private key"),
        "{}",
        damaged.stdout
    );

    let empty = tempfile::tempdir().expect("a folder");
    let private = fs::Permissions::from_mode(0o700);
    fs::set_permissions(empty.path(), private).expect("changed");
    let none = empty.path().to_str().expect("text");
    let monitored = ["pki", "inspect", "--pki-dir", none, "--check-expiry", "30d"];
    assert_failed(&kubefarm(monitored), 1, &["no certificates"]);
    assert!(inspect(&BUILTIN).stderr.contains("values are ignored"));
    let of_values = ["pki", "inspect", "--check-expiry", "30d"].iter();
    assert_refused(&kubefarm(of_values.chain(&BUILTIN)), &["--check-expiry"]);

    let wanted = ["pki", "inspect"].iter().chain(&BUILTIN);
    let wanted = kubefarm(wanted).success();
    assert!(wanted.contains("kubernetes.default.svc"), "{wanted}");
    assert_refused(&kubefarm(["pki", "inspect"]), &["FARM", "--pki-dir", "-f"]);
}

#[test]
fn monitoring_sees_an_authority_that_is_gone_or_another_one() {
    let (_folder, dir) = folder();
    let (_other, other) = folder();
    pki(&["init"], &dir, &[]).success();
    pki(&["init"], &other, &[]).success();
    let check = || kubefarm(["pki", "inspect", "--pki-dir", &dir, "--check-expiry", "30d"]);
    check().success();
    let place = |name: &str| Path::new(&dir).join(name);
    for name in ["ca", "etcd-ca", "sa"] {
        fs::rename(place(name), place(".kept")).expect("moved");
        let found = check();
        assert_eq!(found.code(), 1, "without {name}: {}", found.stdout);
        assert!(
            found.stdout.contains("is missing or has")
                || found.stdout.contains("every farm has one"),
            "{}",
            found.stdout
        );
        fs::rename(place(".kept"), place(name)).expect("moved");
    }
    check().success();
    // Of the same subject, and with the key that belongs to it.
    let foreign = Path::new(&other).join("admin-client");
    for file in ["tls.crt", "tls.key"] {
        fs::copy(foreign.join(file), place("admin-client").join(file)).expect("copied");
    }
    let found = check();
    assert_eq!(found.code(), 1, "{}", found.stdout);
    assert!(found.stdout.contains("has another key"), "{}", found.stdout);
}
