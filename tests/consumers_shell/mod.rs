//! Every script that is rendered, for the shells and for shellcheck; and the systemd units.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use crate::support::farms::{advanced_network, generic, matrix};
use crate::support::{program, project, run, run_with_stdin};
use serde_json::Value;

/// Every script of every farm: ConfigMap files, and what pods give to `sh -c`. Equal texts appear once.
fn rendered_scripts() -> BTreeMap<String, String> {
    let mut scripts = BTreeMap::new();
    for farm in matrix().into_iter().chain([with_a_section()]) {
        let objects = farm.objects();
        for (name, text) in objects.all_files() {
            if name.ends_with(".sh") {
                scripts.insert(text, name);
            }
        }
        for object in &objects.0 {
            inline_scripts(object, &mut |text| {
                let name = format!("a command of {}", object["metadata"]["name"]);
                scripts.insert(text.to_owned(), name);
            });
        }
    }
    scripts
        .into_iter()
        .map(|(text, name)| (format!("{name} ({} bytes)", text.len()), text))
        .collect()
}

fn with_a_section() -> crate::support::farms::Farm {
    advanced_network()
        .with("--set-string")
        .with("ltsp.config.sections.init/=modprobe bonding \"$BONDING_OPTIONS\"\necho ready\n")
}

/// Finds `["sh", "-c", TEXT, …]` anywhere in an object.
fn inline_scripts(value: &Value, found: &mut impl FnMut(&str)) {
    match value {
        Value::Array(items) => {
            let words: Vec<&str> = items.iter().filter_map(Value::as_str).collect();
            for (position, word) in words.iter().enumerate() {
                let shell = position.checked_sub(1).and_then(|before| words.get(before));
                let is_shell = shell.is_some_and(|name| name.ends_with("sh"));
                if let (true, true, Some(text)) = (
                    word.starts_with("-") && word.ends_with('c'),
                    is_shell,
                    words.get(position + 1),
                ) {
                    found(text);
                }
            }
            items.iter().for_each(|item| inline_scripts(item, found));
        }
        Value::Object(fields) => fields.values().for_each(|item| inline_scripts(item, found)),
        _ => {}
    }
}

/// The scripts that the charts, the examples' tools and the tests bring as files.
fn script_files() -> BTreeMap<String, String> {
    let mut scripts = BTreeMap::new();
    for folder in ["charts", "tests", "benches", "images", ".ci"] {
        collect_scripts(&project().join(folder), &mut scripts);
    }
    scripts
}

fn collect_scripts(folder: &Path, scripts: &mut BTreeMap<String, String>) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    for entry in entries {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            collect_scripts(&path, scripts);
        } else if let Ok(text) = std::fs::read_to_string(&path) {
            let has_name = path.extension().is_some_and(|extension| extension == "sh");
            if has_name || text.starts_with("#!/bin/sh") {
                scripts.insert(path.display().to_string(), text);
            }
        }
    }
}

fn all_scripts() -> BTreeMap<String, String> {
    let (mut scripts, files) = (rendered_scripts(), script_files());
    let rendered: Vec<&str> = scripts.keys().map(String::as_str).collect();
    for name in [
        "boot-config.sh",
        "init.sh",
        "dhcp-server.sh",
        "network.sh",
        "section-init.sh",
    ] {
        let is_there = rendered.iter().any(|script| script.contains(name));
        assert!(is_there, "{name} is not among {rendered:?}");
    }
    assert!(files.len() > 5, "{:?}", files.keys());
    scripts.extend(files);
    scripts
}

#[test]
fn shellcheck_has_nothing_to_say() {
    let Some(shellcheck) = program("shellcheck", "shellcheck") else {
        return;
    };
    for (name, text) in all_scripts() {
        let mut command = Command::new(&shellcheck);
        command.args(["--norc", "--severity=style", "--format=gcc"]);
        // A script says itself for which shell it is, else it is for all.
        if !text.starts_with("#!") && !text.contains("# shellcheck shell=") {
            command.arg("--shell=sh");
        }
        let finished = if Path::new(&name).is_file() {
            run(command.args(["--external-sources", "--source-path=SCRIPTDIR", &name]))
        } else {
            run_with_stdin(command.arg("-"), &text)
        };
        assert!(
            finished.status.success(),
            "{name}\n{}{}\n{text}",
            finished.stdout,
            finished.stderr
        );
    }
}

#[test]
fn every_shell_can_parse_every_script() {
    let shells: [(&str, &str, &[&str]); 4] = [
        ("sh", "dash", &["-n"]),
        ("dash", "dash", &["-n"]),
        ("bash", "bash", &["--posix", "-n"]),
        ("busybox", "busybox", &["sh", "-n"]),
    ];
    let scripts = all_scripts();
    for (shell, package, arguments) in shells {
        let Some(shell) = program(shell, package) else {
            continue;
        };
        for (name, text) in &scripts {
            let finished = run_with_stdin(Command::new(&shell).args(arguments), text);
            assert!(finished.status.success(), "{name}: {}", finished.stderr);
            assert_eq!(finished.stderr, "", "{name}");
        }
    }
}

#[test]
fn systemd_accepts_the_units_of_nodes() {
    let Some(analyze) = program("systemd-analyze", "systemd") else {
        return;
    };
    let objects = generic().objects();
    let unit = |name| objects.file("kubefarm-kubernetes-ltsp", name);
    for name in ["kubefarm-boot.service", "kubefarm-goodbye.service"] {
        assert_eq!(
            verify_unit(&analyze, unit(name)),
            (true, String::new()),
            "{name}"
        );
    }
    let unit = unit("kubeadm-join.service");
    assert_eq!(verify_unit(&analyze, unit), (true, String::new()));
    let broken = unit.replace("Type=oneshot", "Type=onshot");
    assert_ne!(verify_unit(&analyze, &broken), (true, String::new()));
}

/// Whether systemd would load the unit, and what it says to it.
fn verify_unit(analyze: &Path, unit: &str) -> (bool, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("kubeadm-join.service");
    std::fs::write(&file, unit).expect("written");
    let mut command = Command::new(analyze);
    command.args(["verify", "--man=no"]).arg(file);
    let finished = run(&mut command);
    (finished.status.success(), finished.stderr)
}
