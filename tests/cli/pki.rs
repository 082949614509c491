//! `kubefarm pki` on folders and values.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::Path;

use tempfile::TempDir;

use crate::cli::{assert_failed, assert_refused};
use crate::support::{Finished, kubefarm, program, run};

pub const BUILTIN: [&str; 4] = [
    "-f",
    "builtin:generic",
    "--set",
    "pki.mode=builtin,ltsp.config.rootPasswd=*",
];

/// A folder for key material that does not exist yet.
pub fn folder() -> (TempDir, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let dir = folder.path().join("pki").display().to_string();
    (folder, dir)
}

pub fn pki(words: &[&str], dir: &str, more: &[&str]) -> Finished {
    let words = ["pki"].iter().chain(words);
    kubefarm(words.chain(&["--pki-dir", dir]).chain(&BUILTIN).chain(more))
}

/// Every file below a folder, with its content.
fn files(dir: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(dir).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(files(&path))
        } else {
            let text = fs::read_to_string(&path).expect("a file");
            found.insert(path.display().to_string(), text);
        }
    }
    found
}

fn changed(before: &BTreeMap<String, String>, after: &BTreeMap<String, String>) -> Vec<String> {
    let changed = after
        .iter()
        .filter(|(name, text)| before.get(*name) != Some(*text));
    let parts = changed.map(|(name, _)| name.rsplit('/').take(2).collect::<Vec<_>>());
    parts
        .map(|parts| format!("{}/{}", parts[1], parts[0]))
        .collect()
}

#[test]
fn init_makes_what_is_missing_and_keeps_the_rest() {
    let (_folder, dir) = folder();
    let first = pki(&["init"], &dir, &[]);
    assert_eq!(first.code(), 0);
    assert!(
        first.stderr.contains("19 certificates in "),
        "{}",
        first.stderr
    );
    let made = files(Path::new(&dir));
    assert_eq!(made.len(), 57);
    for path in made.keys() {
        let mode = fs::metadata(path).expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{path}");
        let parent = Path::new(path).parent().expect("a folder");
        let mode = fs::metadata(parent).expect("a folder").permissions().mode();
        assert_eq!(mode & 0o777, 0o700, "{}", parent.display());
    }

    let again = pki(&["init"], &dir, &[]);
    assert_eq!(again.code(), 0);
    assert!(
        again.stderr.contains("19 of them unchanged"),
        "{}",
        again.stderr
    );
    assert!(changed(&made, &files(Path::new(&dir))).is_empty());

    fs::remove_dir_all(Path::new(&dir).join("admin-client")).expect("removed");
    let san = [
        "--set",
        "kubernetes.apiServer.certSANs.dnsNames={api.example}",
    ];
    pki(&["init", "--quiet"], &dir, &san).success();
    let issued = changed(&made, &files(Path::new(&dir)));
    let expected = [
        "admin-client/tls.crt",
        "admin-client/tls.key",
        "apiserver-server/tls.crt",
        "apiserver-server/tls.key",
    ];
    assert_eq!(issued, expected);
}

#[test]
fn render_puts_the_folder_into_secrets_and_marks_the_pods_that_read_them() {
    let (_folder, dir) = folder();
    pki(&["init"], &dir, &[]).success();
    let render = |more: &[&str]| {
        let args = ["render", "-o", "json"].iter().chain(&BUILTIN).chain(more);
        let finished = kubefarm(args);
        let list = serde_json::from_str::<serde_json::Value>(&finished.stdout);
        (list.expect("JSON"), finished.stderr)
    };
    let (without, stderr) = render(&[]);
    assert!(stderr.contains("kubefarm pki init"), "{stderr}");
    let (with, stderr) = render(&["--pki-dir", &dir]);
    assert_eq!(stderr, "");
    let (again, _) = render(&["--pki-dir", &dir]);
    assert_eq!(with, again);

    let items = |list: &serde_json::Value| list["items"].as_array().expect("items").clone();
    let tls = |list| {
        let items: Vec<_> = items(list);
        let secrets = items
            .iter()
            .filter(|item| item["type"] == "kubernetes.io/tls");
        secrets.count()
    };
    assert_eq!((tls(&without), tls(&with)), (0, 19));
    let marked: Vec<String> = items(&with)
        .iter()
        .filter(|item| {
            let annotations = &item["spec"]["template"]["metadata"]["annotations"];
            annotations["checksum/certificates"].is_string()
        })
        .map(|item| {
            let name = item["metadata"]["name"].as_str().expect("a name");
            let named = if item["kind"] == "Job" {
                name.rsplit_once('-').map(|(stem, _)| stem)
            } else {
                Some(name)
            };
            named.expect("a name that ends in a hash").to_owned()
        })
        .collect();
    let readers = [
        "etcd",
        "admin",
        "agent",
        "apiserver",
        "controller-manager",
        "ltsp",
        "scheduler",
        // The Job: the authorities that it publishes are part of the hash in its name.
        "bootstrap",
    ];
    let mut expected = readers
        .map(|name| format!("kubefarm-kubernetes-{name}"))
        .to_vec();
    let mut marked = marked;
    expected.sort();
    marked.sort();
    assert_eq!(marked, expected);
}

#[test]
fn a_folder_that_is_ignored_is_reported() {
    let plain = kubefarm(["render"]);
    let finished = kubefarm(["render", "--pki-dir", "/does/not/exist"]);
    assert!(
        finished.stderr.contains("--pki-dir is ignored"),
        "{}",
        finished.stderr
    );
    assert!(finished.stderr.contains("pki.mode"), "{}", finished.stderr);
    assert_eq!(finished.success(), plain.success());
}

#[test]
fn a_folder_of_another_farm_is_left_alone() {
    let (_folder, dir) = folder();
    pki(&["init"], &dir, &[]).success();
    let made = files(Path::new(&dir));
    for words in [&["init"] as &[&str], &["renew"]] {
        let finished = pki(words, &dir, &["--name", "other"]);
        assert_refused(&finished, &["another farm", "other-kubernetes"]);
    }
    assert!(changed(&made, &files(Path::new(&dir))).is_empty());
}

#[test]
fn a_folder_that_does_not_fit_is_reported_and_nothing_is_rendered() {
    let (_folder, dir) = folder();
    let render = |more: &[&str]| {
        let words = ["render", "--pki-dir", &dir];
        kubefarm(words.iter().chain(&BUILTIN).chain(more))
    };
    assert_failed(&render(&[]), 2, &["there is no folder"]);
    fs::DirBuilder::new()
        .mode(0o700)
        .create(&dir)
        .expect("a folder");
    assert_failed(&render(&[]), 1, &["must be issued: it is missing"]);
    pki(&["init"], &dir, &[]).success();
    let san = [
        "--set",
        "kubernetes.apiServer.certSANs.dnsNames={api.example}",
    ];
    assert_failed(
        &render(&san),
        1,
        &["apiserver-server must be issued: its names or addresses changed"],
    );
    let key = Path::new(&dir).join("ca/tls.key");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).expect("a mode");
    assert_failed(&render(&[]), 1, &["ca/tls.key: its mode is 0644", "chmod"]);
}

#[test]
fn a_broken_authority_is_never_replaced() {
    let (_folder, dir) = folder();
    pki(&["init"], &dir, &[]).success();
    let made = files(Path::new(&dir));
    let ca = Path::new(&dir).join("ca");
    fs::copy(Path::new(&dir).join("etcd-ca/tls.key"), ca.join("tls.key")).expect("copied");
    let finished = pki(&["init"], &dir, &[]);
    assert_failed(
        &finished,
        1,
        &["/pki/ca cannot be used: tls.key is not the key of tls.crt"],
    );
    fs::remove_dir_all(&ca).expect("removed");
    let finished = pki(&["init"], &dir, &[]);
    let parts = [
        "/pki/ca is missing",
        "/pki/admin-client",
        "restore it from a backup",
    ];
    assert_failed(&finished, 1, &parts);
    assert!(!finished.stderr.contains("Secret"), "{}", finished.stderr);
    let render = ["render", "--pki-dir", &dir];
    assert_failed(
        &kubefarm(render.iter().chain(&BUILTIN)),
        1,
        &["/pki/ca is missing"],
    );
    assert!(!finished.stderr.contains("PRIVATE"), "{}", finished.stderr);
    let left = files(Path::new(&dir));
    assert!(left.iter().all(|(name, text)| made.get(name) == Some(text)));
}

#[test]
fn renew_issues_what_is_named_or_every_leaf() {
    let (_folder, dir) = folder();
    pki(&["init"], &dir, &[]).success();
    let made = files(Path::new(&dir));
    pki(&["renew", "scheduler-client"], &dir, &[]).success();
    let one = files(Path::new(&dir));
    let expected = ["scheduler-client/tls.crt", "scheduler-client/tls.key"];
    assert_eq!(changed(&made, &one), expected);

    pki(&["renew"], &dir, &[]).success();
    let all = files(Path::new(&dir));
    assert_eq!(changed(&one, &all).len(), 28);
    let authorities = |files: &BTreeMap<String, String>| {
        let is_ca = |name: &str| name.contains("ca/tls") || name.contains("/sa/tls");
        let mut files = files.clone();
        files.retain(|name, _| is_ca(name));
        files
    };
    assert_eq!(authorities(&all).len(), 8);
    assert!(changed(&authorities(&made), &authorities(&all)).is_empty());

    pki(&["renew", "configuration"], &dir, &[]).success();
    let another = files(Path::new(&dir));
    let expected = ["ca.crt", "tls.crt", "tls.key"].map(|part| format!("configuration/{part}"));
    assert_eq!(changed(&all, &another), expected);

    pki(&["renew", "ca"], &dir, &[]).success();
    let longer = files(Path::new(&dir));
    assert!(
        changed(&another, &longer)
            .iter()
            .all(|name| !name.ends_with("tls.key"))
    );
    assert_refused(
        &pki(&["renew", "apiserver"], &dir, &[]),
        &["there is no certificate apiserver", "apiserver-server"],
    );
}

#[test]
fn an_authority_is_rotated_step_by_step() {
    let (_folder, dir) = folder();
    pki(&["init"], &dir, &[]).success();
    let step = |step: &str| pki(&["rotate-ca", "ca", "--step", step], &dir, &[]);
    let ca = || fs::read_to_string(Path::new(&dir).join("ca/tls.crt")).expect("a file");
    let trusted = || {
        let bundle = Path::new(&dir).join("admin-client/ca.crt");
        let text = fs::read_to_string(bundle).expect("a file");
        text.matches("BEGIN CERTIFICATE").count()
    };
    let old = ca();
    assert_failed(&step("reissue"), 1, &["take the step trust first"]);
    assert_failed(&step("drop"), 1, &["no old authority"]);

    let said = step("trust");
    assert!(
        said.stderr.contains("Before --step reissue"),
        "{}",
        said.stderr
    );
    assert_eq!((ca() == old, trusted()), (true, 2));
    let before = files(Path::new(&dir));
    step("trust").success();
    assert!(changed(&before, &files(Path::new(&dir))).is_empty());

    step("reissue").success();
    let new = ca();
    assert_eq!((new == old, trusted()), (false, 2));
    pki(&["init"], &dir, &[]).success();
    assert_eq!((ca() == new, trusted()), (true, 2));
    assert_failed(&step("trust"), 1, &["take the step drop first"]);

    step("drop").success();
    assert_eq!((ca() == new, trusted()), (true, 1));
    for left_over in ["ca-next", "ca-previous"] {
        assert!(!Path::new(&dir).join(left_over).exists(), "{left_over}");
    }
    assert_refused(
        &pki(&["rotate-ca", "admin-client", "--step", "trust"], &dir, &[]),
        &["there is no certificate admin-client", "etcd-ca"],
    );
}

#[test]
fn certificates_of_other_issuers_are_not_touched() {
    let (_folder, dir) = folder();
    for words in [
        &["init"] as &[&str],
        &["renew"],
        &["rotate-ca", "ca", "--step", "trust"],
    ] {
        let finished = pki(words, &dir, &["--set", "pki.mode=certManager"]);
        assert_refused(&finished, &["pki.mode is certManager", "pki.mode=builtin"]);
        let finished = pki(words, &dir, &["--set", "kubernetes.enabled=false"]);
        assert_refused(&finished, &["kubernetes.enabled is false"]);
    }
    assert!(!Path::new(&dir).exists());
}

/// An authority that another process replaced would make worthless what the first one signed.
#[test]
fn several_at_once_make_one_set_of_certificates() {
    let (_folder, dir) = folder();
    let rsa = ["--set", "pki.algorithm=RSA,pki.size=2048"];
    let finished: Vec<Finished> = std::thread::scope(|scope| {
        let runs: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| pki(&["init"], &dir, &rsa)))
            .collect();
        let runs = runs.into_iter();
        runs.map(|run| run.join().expect("ran")).collect()
    });
    let mut kept: Vec<String> = finished
        .iter()
        .map(|finished| {
            assert_eq!(finished.code(), 0, "{}", finished.stderr);
            let last = finished.stderr.lines().last().expect("a line");
            last.rsplit(", ").next().expect("a part").to_owned()
        })
        .collect();
    kept.sort();
    let all = "19 of them unchanged";
    assert_eq!(kept, ["0 of them unchanged", all, all, all]);
}

#[test]
fn keys_have_every_size_that_values_may_ask_for() {
    for (algorithm, size, bits) in [
        ("ECDSA", "384", "(384 bit)"),
        ("ECDSA", "521", "(521 bit)"),
        ("RSA", "3072", "(3072 bit)"),
    ] {
        let (_folder, dir) = folder();
        let set = format!("pki.algorithm={algorithm},pki.size={size}");
        pki(&["init"], &dir, &["--set", &set]).success();
        let Some(openssl) = program("openssl", "openssl") else {
            return;
        };
        let mut openssl = std::process::Command::new(openssl);
        let file = Path::new(&dir).join("scheduler-client/tls.crt");
        openssl.args(["x509", "-noout", "-text", "-in"]).arg(file);
        let text = run(&mut openssl).success();
        assert!(text.contains(bits), "{text}");
        let again = pki(&["init"], &dir, &["--set", &set]);
        assert!(
            again.stderr.contains("19 of them unchanged"),
            "{}",
            again.stderr
        );
    }
}

#[test]
fn what_is_not_a_folder_is_reported() {
    for place in ["/dev/null", "/etc/passwd"] {
        let finished = kubefarm(["render", "--pki-dir", place].iter().chain(&BUILTIN));
        assert_failed(&finished, 1, &[place, "it is not a folder"]);
        assert!(!finished.stderr.contains("chmod"), "{}", finished.stderr);
    }
    let (_folder, dir) = folder();
    pki(&["init"], &dir, &[]).success();
    let pipe = Path::new(&dir).join("sa/tls.key");
    fs::remove_file(&pipe).expect("removed");
    run(std::process::Command::new("mkfifo")
        .args(["-m", "600"])
        .arg(&pipe))
    .success();
    assert_failed(
        &pki(&["init"], &dir, &[]),
        1,
        &["sa/tls.key", "it is not a file"],
    );
}

#[test]
fn an_authority_that_only_the_control_plane_knows_asks_for_no_boots() {
    let (_folder, dir) = folder();
    pki(&["init"], &dir, &[]).success();
    for (authority, boots) in [("etcd-ca", false), ("front-proxy-ca", false), ("ca", true)] {
        for step in ["trust", "reissue"] {
            let finished = pki(&["rotate-ca", authority, "--step", step], &dir, &[]);
            assert_eq!(finished.code(), 0, "{}", finished.stderr);
            let next = finished.stderr.contains("reboot nodes");
            let lines: Vec<&str> = finished.stderr.lines().collect();
            let said: BTreeSet<&str> = lines.iter().copied().collect();
            assert_eq!(said.len(), lines.len(), "said twice: {}", finished.stderr);
            assert_eq!(next, boots, "{authority}: {}", finished.stderr);
        }
    }
}
