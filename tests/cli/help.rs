//! Help, usage errors and the version.

use crate::cli::assert_refused;
use crate::support::kubefarm;

const COMMANDS: [&str; 18] = [
    "render",
    "apply",
    "diff",
    "delete",
    "list",
    "status",
    "values",
    "schema",
    "show",
    "init",
    "nodes",
    "pki",
    "backup",
    "kubeconfig",
    "etcd",
    "agent",
    "completions",
    "man",
];

/// The words under `Commands:` in a help text.
fn listed(help: &str) -> Vec<&str> {
    let lines = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let lines = lines.take_while(|line| !line.is_empty());
    lines
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .collect()
}

#[test]
fn every_command_is_listed_and_has_worked_examples() {
    let help = kubefarm(["--help"]).success();
    assert_eq!(
        help.lines().next(),
        Some("Describe, render and run farms of network-booted Kubernetes clusters")
    );
    assert_eq!(listed(&help), COMMANDS);
    assert!(help.contains("Exit codes: 0 done, 1 failed, 2 wrong input, 130 interrupted."));
    for command in COMMANDS {
        let help = kubefarm([command, "--help"]).success();
        let (_, examples) = help.split_once("Examples:\n").expect("examples");
        assert!(
            examples.contains(&format!("kubefarm {command}")),
            "{command}"
        );
        assert!(
            help.lines().all(|line| line.chars().count() <= 120),
            "{command}"
        );
        assert_eq!(kubefarm([command, "-h"]).success(), help, "{command}");
    }
}

#[test]
fn every_flag_of_every_command_is_explained() {
    for command in COMMANDS {
        let help = kubefarm([command, "--help"]).success();
        let options = help.split("Examples:").next().expect("text");
        for line in options
            .lines()
            .filter(|line| line.trim_start().starts_with('-'))
        {
            let explained = line
                .trim_start()
                .split_once("  ")
                .is_some_and(|(_, text)| !text.trim().is_empty());
            assert!(explained, "{command}: {line}");
        }
    }
}

#[test]
fn every_command_below_another_is_listed_and_has_worked_examples() {
    let pki = &[
        "init",
        "inspect",
        "keys",
        "renew",
        "rotate-ca",
        "export",
        "import",
    ][..];
    for (group, commands) in [("pki", pki), ("etcd", &["status", "defrag", "snapshot"])] {
        assert_eq!(listed(&kubefarm([group, "--help"]).success()), commands);
        for command in commands {
            let help = kubefarm([group, command, "--help"]).success();
            let (_, examples) = help.split_once("Examples:\n").expect("examples");
            let called = format!("kubefarm {group} {command}");
            assert!(examples.contains(&called), "{command}");
            let short = kubefarm([group, command, "-h"]).success();
            assert_eq!(short, help, "{command}");
        }
    }
}

/// The examples that help shows are run, where they need nothing but what is embedded.
#[test]
fn the_examples_of_help_work() {
    for args in [
        "render -f builtin:generic -f builtin:minimal --set ltsp.replicaCount=2",
        "show values",
        "show layers",
        "show layers ha",
        "show templates",
        "show templates kubernetes/templates/etcd.yaml",
        "completions bash",
        "man",
        "schema",
    ] {
        assert!(!kubefarm(args.split(' ')).success().is_empty(), "{args}");
    }
}

#[test]
fn wrong_usage_exits_with_2() {
    assert_refused(
        &kubefarm([] as [&str; 0]),
        &["Usage: kubefarm [OPTIONS] <COMMAND>"],
    );
    assert_refused(&kubefarm(["rendr"]), &["'rendr'", "'render'"]);
    assert_refused(
        &kubefarm(["render", "--naem", "x"]),
        &["'--naem'", "'--name'"],
    );
    assert_refused(&kubefarm(["render", "farm1", "extra"]), &["'extra'"]);
    assert_refused(
        &kubefarm(["render", "-o", "toml"]),
        &["'toml'", "yaml, json"],
    );
    assert_refused(&kubefarm(["render", "-f"]), &["--values"]);
    assert_refused(&kubefarm(["completions", "csh"]), &["'csh'", "bash"]);
    assert_refused(
        &kubefarm(["values", "--origin", "-o", "json"]),
        &["cannot be used with"],
    );
}

#[test]
fn the_version_is_the_crates() {
    let version = format!("kubefarm {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(kubefarm(["--version"]).success(), version);
    assert_eq!(kubefarm(["-V"]).success(), version);
}

/// The release's DHCP tag follows from its name, wherever that comes from.
#[test]
fn the_tag_of_a_release_named_by_a_flag_marks_no_nodes() {
    let tags = "nodePools[0].tags={other-kubernetes-ltsp}";
    let args = ["render", "-f", "builtin:generic", "--set", tags];
    kubefarm(args).success();
    let finished = kubefarm(args.iter().chain(&["--name", "other"]));
    assert_refused(&finished, &["`other-kubernetes-ltsp` is set by"]);
}

#[test]
fn a_name_that_is_not_valid_is_refused() {
    let finished = kubefarm(["render", "--name", "Farm_1"]);
    assert_refused(
        &finished,
        &["`Farm_1` is not a name for a release", "--name"],
    );
    assert!(!finished.stderr.contains("charts/"), "{}", finished.stderr);
    let empty = kubefarm(["render", "--name", ""]);
    assert_refused(&empty, &["is not a name"]);
}
