//! The tables of flags, feature gates and admission plugins against the programs themselves: all that a program lists
//! is in its table, and all that the table has the program takes.

mod old_etcd;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::cluster::programs::build;
use crate::support::{project, run};

/// The minor versions of the programs that the tests build.
const KUBERNETES: &str = "37";
const ETCD: &str = "7";

const SERVERS: [&str; 5] = [
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kubelet",
    "kube-proxy",
];

/// The fields of a table's lines that are of the newest version.
fn table(name: &str, newest: &str) -> Vec<Vec<String>> {
    let file = project().join(format!("src/farm/known/tables/{name}.tsv"));
    let text = fs::read_to_string(file).expect("a table");
    let rows = text.lines().map(|line| {
        let fields = line.split('\t').map(str::to_owned);
        fields.collect::<Vec<_>>()
    });
    rows.filter(|row| row.get(2).map(String::as_str) == Some(newest))
        .collect()
}

fn names(name: &str, newest: &str) -> BTreeSet<String> {
    let rows = table(name, newest).into_iter();
    rows.filter_map(|row| row.into_iter().next()).collect()
}

/// What a program writes, on either stream.
fn output(program: &Path, args: &[String]) -> String {
    let finished = run(Command::new(program).args(args));
    format!("{}{}", finished.stdout, finished.stderr)
}

fn help(program: &Path) -> String {
    output(program, &["--help".to_owned()])
}

/// The flags that begin a line of help: `-v, --v Level`, `      --secure-port int`, `  --name 'default'`.
fn flags_in(help: &str) -> BTreeSet<String> {
    let flags = help.lines().filter_map(|line| {
        let line = line.trim_start();
        let line = match line.split_once(", --") {
            Some((short, _)) if short.len() == 2 => &line[4..],
            _ => line,
        };
        let name = line.strip_prefix("--")?;
        let end = name.find(|c: char| !c.is_ascii_alphanumeric() && c != '-');
        Some(name[..end.unwrap_or(name.len())].to_owned())
    });
    flags.collect()
}

/// Whether a program has a flag. `x` is not a valid value of most, but the error for an unknown flag differs.
fn has_flag(program: &Path, flag: &str) -> bool {
    let output = output(program, &[format!("--{flag}=x"), "--version".to_owned()]);
    !output.contains("unknown flag") && !output.contains("flag provided but not defined")
}

fn programs(names: &[&str]) -> Option<PathBuf> {
    Some(build(names)?.join("bin"))
}

#[test]
fn flags_are_those_of_the_programs() {
    let Some(folder) = programs(&SERVERS) else {
        return;
    };
    for name in SERVERS {
        let program = folder.join(name);
        assert!(!has_flag(&program, "no-such-flag"), "{name}");
        let (listed, known) = (flags_in(&help(&program)), names(name, KUBERNETES));
        assert!(listed.len() > 50, "{name} lists {listed:?}");
        let lacking: Vec<&String> = listed.difference(&known).collect();
        assert!(lacking.is_empty(), "{name} lists {lacking:?}");
        // Help hides those that are deprecated.
        let wrong: Vec<&String> = known
            .difference(&listed)
            .filter(|flag| !has_flag(&program, flag))
            .collect();
        assert!(wrong.is_empty(), "{name} has not {wrong:?}");
    }
}

#[test]
fn etcds_flags_are_those_of_the_program() {
    let Some(folder) = programs(&["etcd"]) else {
        return;
    };
    let program = folder.join("etcd");
    assert!(!has_flag(&program, "no-such-flag"));
    let (listed, known) = (flags_in(&help(&program)), names("etcd", ETCD));
    assert!(listed.len() > 50, "etcd lists {listed:?}");
    // Its help is a text, and still has flags that are gone.
    let lacking: Vec<&String> = listed
        .difference(&known)
        .filter(|flag| has_flag(&program, flag))
        .collect();
    assert!(lacking.is_empty(), "etcd lists {lacking:?}");
    let wrong: Vec<&String> = known
        .iter()
        .filter(|flag| !has_flag(&program, flag))
        .collect();
    assert!(wrong.is_empty(), "etcd has not {wrong:?}");
}

/// The gates that help lists, which are not those that are always on: `kube:AllAlpha=true|false (ALPHA - …`.
fn gates_in(help: &str) -> BTreeSet<String> {
    let lines = help.lines().filter(|line| line.contains("=true|false ("));
    let gates = lines.map(|line| {
        let (before, _) = line.split_once("=true|false (").expect("found above");
        let name = before.rsplit(|c: char| !c.is_ascii_alphanumeric());
        name.into_iter().next().expect("a part").to_owned()
    });
    gates.collect()
}

/// The gates of a program: name, and what it is locked to.
fn gates(table_name: &str, newest: &str, program: &str) -> Vec<(String, String)> {
    let rows = table(table_name, newest).into_iter().filter(|row| {
        let programs = row.get(4).map_or(program, String::as_str);
        programs.split(',').any(|one| one == program)
    });
    rows.map(|row| (row[0].clone(), row[3].clone())).collect()
}

#[test]
fn gates_are_those_of_the_programs() {
    let mut all: Vec<&str> = SERVERS.to_vec();
    all.push("etcd");
    let Some(folder) = programs(&all) else {
        return;
    };
    for name in all {
        let program = folder.join(name);
        let gates = match name {
            "etcd" => gates("etcd-feature-gates", ETCD, name),
            _ => gates("feature-gates", KUBERNETES, name),
        };
        let listed = gates_in(&help(&program));
        let known: BTreeSet<String> = gates.iter().map(|(gate, _)| gate.clone()).collect();
        let lacking: Vec<&String> = listed.difference(&known).collect();
        assert!(lacking.is_empty(), "{name} lists {lacking:?}");
        // kubelet and kube-proxy read their gates only when they run.
        if matches!(name, "kubelet" | "kube-proxy") {
            continue;
        }
        let settings = gates.iter().map(|(gate, locked)| match locked.as_str() {
            "free" => format!("{gate}=true"),
            locked => format!("{gate}={locked}"),
        });
        let settings: Vec<String> = settings.collect();
        let try_gates = |settings: &str| {
            let args = [
                format!("--feature-gates={settings}"),
                "--version".to_owned(),
            ];
            run(Command::new(&program).args(args))
        };
        assert!(try_gates(&settings.join(",")).status.success(), "{name}");
        assert!(!try_gates("NoSuchGate=true").status.success(), "{name}");
        for (gate, locked) in &gates {
            let other = match locked.as_str() {
                "true" => "false",
                "false" => "true",
                _ => continue,
            };
            let finished = try_gates(&format!("{gate}={other}"));
            assert!(!finished.status.success(), "{name}: {gate}={other}");
        }
    }
}

#[test]
fn admission_plugins_are_those_of_the_program() {
    let Some(folder) = programs(&["kube-apiserver"]) else {
        return;
    };
    let help = help(&folder.join("kube-apiserver"));
    let marker = "Comma-delimited list of admission plugins: ";
    let (_, after) = help.split_once(marker).expect("the list of plugins");
    let (list, _) = after.split_once('.').expect("its end");
    let listed: BTreeSet<String> = list.split(", ").map(str::to_owned).collect();
    assert_eq!(listed, names("admission-plugins", KUBERNETES));
}
