//! `kubefarm kubeconfig --merge`: a file gets an entry, and keeps everything else.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use serde_json::json;

use crate::pki::in_cluster::Farm;
use crate::pki::kubeconfig::{Place, read};

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("a file").permissions().mode() & 0o7777
}

/// A file of a user with other clusters already, and with keys that kubefarm does not know.
const EXISTING: &str = r#"# mine
apiVersion: v1
kind: Config
preferences: {colors: true}
extensions:
- name: of-a-tool
  extension: {answer: 42, text: "yes", when: 2026-01-01}
clusters:
- name: home
  cluster: {server: "https://home.example:6443", proxy-url: "socks5://localhost:1080", insecure-skip-tls-verify: true}
users:
- name: me
  user: {exec: {apiVersion: client.authentication.k8s.io/v1, command: login, args: ["--for", "1_000", "no"], env: null}}
contexts:
- name: home
  context: {cluster: home, user: me, namespace: "007"}
current-context: home
"#;

#[test]
fn a_file_keeps_everything_else() {
    let Some(place) = Place::new("merge") else {
        return;
    };
    place.give(&json!([{ "ip": "127.0.0.1" }]));
    let path = place.written("config", EXISTING);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("a mode");
    let link = place.folder.path().join("link");
    symlink(&path, &link).expect("linked");
    let before = read(&path);
    let merge = format!("--merge {}", link.display());
    let said = place.kubeconfig(&merge);
    assert_eq!(said.code(), 0, "{}", said.stderr);
    assert_eq!(said.stdout, "");
    assert_eq!(mode(&path), 0o600);
    assert!(fs::symlink_metadata(&link).expect("a link").is_symlink());

    let name = format!("{}/kubefarm", place.farm.site.namespace);
    let after = read(&path);
    let mut rest = after.clone();
    for list in ["clusters", "users", "contexts"] {
        let added = rest[list]
            .as_array_mut()
            .expect("a list")
            .pop()
            .expect("ours");
        assert!(
            added["name"].as_str().expect("text").starts_with(&name),
            "{added}"
        );
    }
    assert_eq!(rest, before);
    let (user, _) = place.whoami(&link, &["--context", &name]);
    assert_eq!(user, "kubefarm-kubernetes-admin-client");

    // Again, it is the same; a person's goes beside it; and what the user set in our entries stays.
    let text = fs::read_to_string(&path).expect("a file");
    place.kubeconfig(&merge).success();
    assert_eq!(fs::read_to_string(&path).expect("a file"), text);
    let kubectl = |words: &[&str]| place.child.kubectl_with(&path, words).success();
    kubectl(&["config", "set-context", &name, "--namespace=kube-system"]);
    place
        .kubeconfig(&format!("{merge} --user jane --group ops"))
        .success();
    place.kubeconfig(&merge).success();
    let contexts = kubectl(&["config", "get-contexts", "-o", "name"]);
    let jane = format!("jane@{name}");
    assert_eq!(
        contexts.lines().collect::<Vec<_>>(),
        ["home", &jane, &name],
        "{contexts}"
    );
    assert_eq!(place.whoami(&path, &["--context", &jane]).0, "jane");
    let view = kubectl(&["config", "view", "--minify", "--context", &name]);
    assert!(view.contains("namespace: kube-system"), "{view}");
    assert_eq!(read(&path)["current-context"], "home");

    // A new file has a current context.
    let new = place.folder.path().join("a/new/file");
    place
        .kubeconfig(&format!("--merge {}", new.display()))
        .success();
    assert_eq!(
        (mode(&new), mode(new.parent().expect("one"))),
        (0o600, 0o700)
    );
    assert_eq!(
        place.whoami(&new, &[]).0,
        "kubefarm-kubernetes-admin-client"
    );
}

#[test]
fn a_file_that_cannot_be_merged_stays_as_it_is() {
    let Some(farm) = Farm::applied("unmerged") else {
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("config");
    let name = format!("{}/kubefarm", farm.site.namespace);
    let merge = |more: &str| {
        let server = "--server https://localhost:6443";
        farm.site.run(&format!(
            "kubeconfig kubefarm {server} --merge {} {more}",
            path.display()
        ))
    };
    let other = format!(
        "clusters: [{{name: {name}, cluster: {{server: 'https://other.example', certificate-authority-data: ''}}}}]\n"
    );
    let key = "-----BEGIN PRIVATE KEY-----";
    for (text, part) in [
        (
            other.as_str(),
            "is the name of another cluster in it, at https://other.example: pass --entry",
        ),
        ("kind: Pod\n", "its kind is \"Pod\""),
        ("clusters: 1\n", "clusters is not a list"),
        ("clusters: [1, 2]\nusers: {a: b}\n", "users is not a list"),
        ("- a\n", "it is not a map"),
        ("a: b\n---\nc: d\n", "several documents"),
        (&format!("a: '{key}\n"), "it is not a kubeconfig"),
        (&format!("a: {key}\na: {key}\n"), "duplicate key"),
        (&format!("{key}\n"), "it is not a kubeconfig"),
    ] {
        fs::write(&path, text).expect("written");
        let said = merge("");
        assert_eq!(said.code(), 2, "{text}: {}", said.stderr);
        assert!(said.stderr.contains(part), "{text}: {}", said.stderr);
        assert!(!said.stderr.contains("PRIVATE"), "{}", said.stderr);
        assert_eq!(fs::read_to_string(&path).expect("a file"), text);
    }
    fs::write(&path, &other).expect("written");
    merge("--entry mine").success();
    assert_eq!(read(&path)["clusters"][1]["name"], "mine");

    // Locked by kubectl.
    let text = fs::read_to_string(&path).expect("a file");
    let lock = folder.path().join("config.lock");
    fs::write(&lock, "").expect("written");
    let said = merge("--entry other");
    assert_eq!(said.code(), 1);
    assert!(
        said.stderr.contains("another program is changing it"),
        "{}",
        said.stderr
    );
    assert!(lock.exists(), "it is somebody else's");
    fs::remove_file(&lock).expect("removed");

    // Where the new one cannot be written, the old one is there, and nothing else.
    let new = folder.path().join(".config.kubefarm-new");
    fs::create_dir(&new).expect("made");
    assert_eq!(merge("--entry other").code(), 1);
    fs::remove_dir(&new).expect("removed");
    assert_eq!(fs::read_to_string(&path).expect("a file"), text);
    // What a killed run left is not an obstacle.
    fs::write(&new, "half").expect("written");
    merge("--entry other").success();
    let left = fs::read_dir(folder.path()).expect("a folder").count();
    assert_eq!(left, 1, "no lock and no new file");
}
