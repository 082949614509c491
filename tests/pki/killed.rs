//! SIGKILL between any two Secrets: the next apply completes the same PKI, and no authority is lost.

use std::collections::BTreeMap;
use std::process::Command;

use crate::apply_faults::running::{Event, Running};
use crate::pki::FARM;
use crate::pki::in_cluster::{Data, Farm};
use crate::support::{kubefarm_command, run};

/// The authorities, and the key that signs tokens.
const AUTHORITIES: [&str; 4] = ["ca", "etcd-ca", "front-proxy-ca", "sa"];
const ALL: usize = 18;

/// Starts a command with the farm's values, an object at a time.
fn start(farm: &Farm, words: &str) -> Running {
    let mut command = kubefarm_command();
    command
        .args(words.split_whitespace())
        .args(FARM.split_whitespace())
        .args([
            "--set",
            "pki.mode=builtin",
            "-n",
            &farm.site.namespace,
            "--kubeconfig",
        ])
        .arg(farm.site.cluster.kubeconfig())
        .args(["-o", "json", "--concurrency", "1", "--timeout", "120s"]);
    Running::start(command)
}

/// Whether an event reports a Secret that was written.
fn is_secret(event: &Event) -> bool {
    event.is_step() && event.0["object"]["kind"] == "Secret"
}

/// Kills it right after it reported `count` Secrets.
fn kill_after(mut running: Running, count: usize) {
    match count {
        0 => running.until(|event| event.0["stage"] == "wave"),
        _ => (0..count).for_each(|_| running.until(is_secret)),
    }
    running.kill();
}

/// Fails unless OpenSSL accepts every certificate by what its Secret trusts, and by the authority of its kind.
#[track_caller]
fn assert_whole(data: &BTreeMap<String, Data>) {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, files) in data {
        let place = folder.path().join(name);
        std::fs::create_dir(&place).expect("made");
        for (file, text) in files {
            std::fs::write(place.join(file), text).expect("written");
        }
    }
    for (name, files) in data {
        let authority = match name.as_str() {
            "apiserver-etcd-client" => "etcd-ca",
            name if name.starts_with("etcd-") => "etcd-ca",
            name if name.starts_with("front-proxy-") => "front-proxy-ca",
            name if name.starts_with("sa") => "sa",
            _ => "ca",
        };
        let is_beside = name.ends_with("-next") || name.ends_with("-previous");
        let certificate = folder.path().join(name).join("tls.crt");
        let mut trusted = vec![folder.path().join(name)];
        if !is_beside {
            trusted.push(folder.path().join(authority));
        }
        for trusted in trusted.iter().map(|place| place.join("ca.crt")) {
            let mut openssl = Command::new("openssl");
            openssl
                .args(["verify", "-CAfile"])
                .arg(trusted)
                .arg(&certificate);
            run(&mut openssl).success();
        }
        if !is_beside {
            assert_eq!(files["ca.crt"], data[authority]["ca.crt"], "{name}");
        }
    }
}

#[test]
fn killed_after_any_secret_the_next_apply_completes_the_same_pki() {
    let Some(farm) = Farm::new("pki-killed") else {
        return;
    };
    for count in 0..=ALL {
        kill_after(start(&farm, "apply"), count);
        let killed = farm.data();
        // One more may have been written before it was killed.
        assert!(
            (count..=count + 1).contains(&killed.len()),
            "{count}: {}",
            killed.len()
        );
        farm.run("apply").success();
        let data = farm.data();
        assert_eq!(data.len(), ALL);
        for (name, files) in &killed {
            assert_eq!(data[name], *files, "{count}: {name}");
        }
        assert_whole(&data);
        let gone = farm.site.run("delete kubefarm --yes --purge");
        assert_eq!(gone.code(), 0, "{}", gone.stderr);
        assert!(farm.data().is_empty());
    }
}

#[test]
fn killed_in_a_rotation_the_same_step_finishes_it() {
    let Some(farm) = Farm::applied("rotation-killed") else {
        return;
    };
    let first = farm.data();
    let mut keys = vec![first["ca"]["tls.key"].clone()];
    for count in [0, 1, 2, 3, 5, 9] {
        let before = farm.data();
        for step in ["trust", "reissue", "drop"] {
            let words = format!("pki rotate-ca ca --step {step}");
            kill_after(start(&farm, &words), count);
            let killed = farm.data();
            let (now, _) = start(&farm, &words).finish();
            let is_over = step == "drop" && !killed.contains_key("ca-previous");
            assert_eq!(now.code() == 0, !is_over, "{step} {count}: {}", now.stderr);
            let data = farm.data();
            assert_whole(&data);
            // Whatever may have signed something is still there.
            let kept: Vec<&String> = data.values().map(|files| &files["tls.key"]).collect();
            assert!(
                step == "drop" || kept.contains(&&before["ca"]["tls.key"]),
                "{step} {count}"
            );
            for other in AUTHORITIES.into_iter().filter(|name| *name != "ca") {
                assert_eq!(data[other], first[other], "{step} {count}");
            }
        }
        let data = farm.data();
        assert_eq!(data.len(), ALL);
        let key = data["ca"]["tls.key"].clone();
        assert!(!keys.contains(&key), "{count}: it is the old one");
        keys.push(key);
    }
}
