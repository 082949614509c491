//! No private key is printed, whatever is asked for and whatever goes wrong.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::pki::folder::Folder;
use crate::pki::in_cluster::Farm;
use crate::support::{Finished, kubefarm_command, run};

/// Every key that was seen, as text that must not be printed.
#[derive(Default)]
struct Keys(BTreeSet<String>);

impl Keys {
    /// The lines of a PEM block that hold the private half, and pieces of what a Secret has.
    fn add(&mut self, pem: &str) {
        assert!(pem.contains("PRIVATE KEY"), "{pem}");
        let lines = pem.lines().filter(|line| !line.starts_with("-----"));
        self.0
            .extend(lines.take(2).map(|line| line[line.len() - 24..].to_owned()));
        let encoded = STANDARD.encode(pem);
        let pieces = (40..encoded.len().min(180) - 24).step_by(12);
        self.0
            .extend(pieces.map(|start| encoded[start..start + 24].to_owned()));
    }

    fn add_all(&mut self, farm: &Farm) {
        for data in farm.data().values() {
            if data["tls.key"].contains("PRIVATE KEY") {
                self.add(&data["tls.key"]);
            }
        }
    }

    #[track_caller]
    fn assert_not_in(&self, finished: &Finished, what: &str) {
        for text in [&finished.stdout, &finished.stderr] {
            assert!(!text.contains("PRIVATE KEY"), "{what}: {text}");
            let found = self.0.iter().find(|piece| text.contains(*piece));
            assert!(found.is_none(), "{what}: {found:?} is in {text}");
        }
    }
}

/// Damages that a Secret's key can have, as a patch of its data.
fn damages(name: &str, key: &str) -> Vec<Value> {
    let cut: String = key.lines().take(2).collect::<Vec<_>>().join("\n");
    let data = |files: Value| json!({ "data": files });
    let encoded = |text: &str| STANDARD.encode(text);
    let mut damages = vec![
        data(json!({ "tls.key": encoded(&cut) })),
        data(json!({ "tls.crt": encoded(key) })),
        data(json!({ "tls.crt": encoded(&format!("{key}{cut}")), "tls.key": encoded("") })),
    ];
    if name == "admin-client" {
        damages.push(data(json!({ "ca.crt": encoded(key) })));
    }
    damages
}

#[test]
fn no_command_prints_a_key() {
    let Some(farm) = Farm::new("secrecy") else {
        return;
    };
    let mut keys = Keys::default();
    let applied = farm.run("apply");
    assert_eq!(applied.code(), 0);
    keys.add_all(&farm);
    keys.assert_not_in(&applied, "apply");
    assert!(keys.0.len() > 100);
    let commands = [
        "apply",
        "apply -o json",
        "apply --dry-run",
        "pki renew -o json",
        "diff",
        "pki rotate-ca ca --step trust",
        "pki rotate-ca ca --step reissue -o json",
        "diff --set kubernetes.apiServer.certSANs.dnsNames={other.example}",
        "apply --dry-run --set kubernetes.apiServer.certSANs.dnsNames={other.example}",
        "pki rotate-ca ca --step drop",
        "pki rotate-ca ca --step drop",
        "render",
    ];
    for words in commands {
        let finished = farm.run(words);
        keys.add_all(&farm);
        keys.assert_not_in(&finished, words);
    }
    for words in [
        "pki inspect kubefarm",
        "pki inspect kubefarm -o json",
        "status kubefarm --all -o json",
        "list -o json",
    ] {
        keys.assert_not_in(&farm.site.run(words), words);
    }
}

#[test]
fn no_error_about_a_damaged_secret_has_its_key() {
    let Some(farm) = Farm::applied("damaged") else {
        return;
    };
    for name in ["admin-client", "ca"] {
        let key = farm.data()[name]["tls.key"].clone();
        let whole = farm.secrets()[name]["data"].clone();
        let secret = format!("secret/kubefarm-kubernetes-pki-{name}");
        for damage in damages(name, &key) {
            let patch = |value: &Value| {
                let value = value.to_string();
                let namespace = &farm.site.namespace;
                let words = [
                    "patch",
                    &secret,
                    "-n",
                    namespace,
                    "--type=merge",
                    "-p",
                    &value,
                ];
                farm.site.cluster.kubectl(&words).success();
            };
            patch(&damage);
            let mut keys = Keys::default();
            keys.add(&key);
            keys.add_all(&farm);
            for words in [
                "pki inspect kubefarm",
                "pki inspect kubefarm -o json",
                "pki inspect kubefarm --check-expiry 1d",
            ] {
                keys.assert_not_in(&farm.site.run(words), words);
            }
            // The Secret's data were kubectl's a moment ago.
            for words in ["diff", "apply --dry-run", "apply"] {
                let finished = farm.run(&format!("{words} --force-conflicts"));
                keys.add_all(&farm);
                keys.assert_not_in(&finished, words);
                let is_refused = name == "ca" && finished.stderr.contains("cannot be used");
                assert_eq!(
                    finished.code() == 0 || words == "diff",
                    !is_refused || words == "diff",
                    "{words}: {}",
                    finished.stderr
                );
            }
            patch(&json!({ "data": whole }));
        }
    }
}

#[test]
fn keys_are_written_into_the_folder_and_nowhere_else() {
    let folder = Folder::of("");
    let elsewhere = tempfile::tempdir().expect("a folder");
    let before =
        std::fs::read_to_string(folder.path().join("admin-client/tls.key")).expect("a key");
    let mut command = kubefarm_command();
    command
        .args(["pki", "renew", "--set", "pki.mode=builtin", "--pki-dir"])
        .arg(folder.path())
        .env("TMPDIR", elsewhere.path())
        .env("HOME", elsewhere.path())
        .current_dir(elsewhere.path());
    let finished = run(&mut command);
    assert_eq!(finished.code(), 0, "{}", finished.stderr);
    let after = std::fs::read_to_string(folder.path().join("admin-client/tls.key")).expect("a key");
    assert_ne!(before, after);
    let mut keys = Keys::default();
    keys.add(&before);
    keys.add(&after);
    keys.assert_not_in(&finished, "renew");
    let left = std::fs::read_dir(elsewhere.path())
        .expect("a folder")
        .count();
    assert_eq!(left, 0);
    // Nor is there anything left over in the folder itself.
    for entry in std::fs::read_dir(folder.path()).expect("a folder") {
        let name = entry.expect("an entry").file_name();
        assert!(!name.to_string_lossy().starts_with('.'), "{name:?}");
    }
}
