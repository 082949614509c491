//! What surrounds a run: variables, the current folder, pipes.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use crate::support::{kubefarm, kubefarm_command, program, project, run};

const LAYERS: [&str; 4] = [
    "-f",
    "examples/generic/values.yaml",
    "-f",
    "examples/advanced_network/values.yaml",
];

#[test]
fn the_same_input_gives_the_same_bytes_anywhere() {
    let expected = kubefarm(["render"].iter().chain(&LAYERS)).success();
    assert_eq!(
        kubefarm(["render"].iter().chain(&LAYERS)).success(),
        expected
    );
    let folder = tempfile::tempdir().expect("a folder");
    let absolute = LAYERS.map(|arg| match arg {
        "-f" => arg.to_owned(),
        file => project().join(file).display().to_string(),
    });
    let mut command = kubefarm_command();
    command.current_dir(folder.path()).env_clear();
    command.envs([
        ("LC_ALL", "tr_TR.UTF-8"),
        ("TZ", "Asia/Kathmandu"),
        ("HOME", "/nonexistent"),
    ]);
    command.envs([
        ("TERM", "xterm"),
        ("KUBECONFIG", "/nonexistent"),
        ("USER", "nobody"),
    ]);
    assert_eq!(
        run(command.arg("render").args(absolute)).success(),
        expected
    );
}

#[test]
fn one_processor_is_enough() {
    let Some(taskset) = program("taskset", "util-linux") else {
        return;
    };
    let expected = kubefarm(["render"].iter().chain(&LAYERS)).success();
    let mut command = Command::new(taskset);
    command.args(["--cpu-list", "0"]).current_dir(project());
    command.arg(kubefarm_command().get_program());
    assert_eq!(run(command.arg("render").args(LAYERS)).success(), expected);
}

#[test]
fn every_flag_has_a_variable() {
    let table: [(&str, &str, &[&str]); 8] = [
        (
            "KUBEFARM_VALUES",
            "examples/generic/values.yaml",
            &["-f", "examples/generic/values.yaml"],
        ),
        ("KUBEFARM_NAMESPACE", "farms", &["-n", "farms"]),
        ("KUBEFARM_NAME", "farm1", &["--name", "farm1"]),
        (
            "KUBEFARM_SET",
            "ltsp.replicaCount=3",
            &["--set", "ltsp.replicaCount=3"],
        ),
        (
            "KUBEFARM_SET_STRING",
            "ltsp.labels.a=1",
            &["--set-string", "ltsp.labels.a=1"],
        ),
        (
            "KUBEFARM_SET_JSON",
            "ltsp.labels={\"a\":\"b\"}",
            &["--set-json", "ltsp.labels={\"a\":\"b\"}"],
        ),
        (
            "KUBEFARM_SHOW_ONLY",
            "etcd.yaml",
            &["--show-only", "etcd.yaml"],
        ),
        ("KUBEFARM_OUTPUT", "json", &["-o", "json"]),
    ];
    let plain = kubefarm(["render"]).success();
    for (name, value, flags) in table {
        let by_variable = run(kubefarm_command().arg("render").env(name, value)).success();
        let by_flag = run(kubefarm_command().arg("render").args(flags)).success();
        assert!(by_variable == by_flag, "{name}");
        assert!(by_variable != plain, "{name} changes nothing");
    }
}

#[test]
fn a_flag_wins_over_its_variable() {
    let mut command = kubefarm_command();
    command
        .args(["render", "-n", "flag"])
        .env("KUBEFARM_NAMESPACE", "variable");
    let text = run(&mut command).success();
    assert!(text.contains("namespace: flag\n") && !text.contains("namespace: variable\n"));
}

#[test]
fn an_empty_variable_is_none() {
    let names = [
        "VALUES",
        "SET",
        "NAME",
        "NAMESPACE",
        "OUTPUT",
        "OUTPUT_DIR",
        "SHOW_ONLY",
        "CHART_DIR",
        "PKI_DIR",
    ];
    let mut command = kubefarm_command();
    command.arg("render");
    command.envs(names.map(|name| (format!("KUBEFARM_{name}"), "")));
    assert_eq!(run(&mut command).success(), kubefarm(["render"]).success());
}

/// A value in a variable may be a password.
#[test]
fn help_shows_no_values_of_variables() {
    for name in ["KUBEFARM_SET", "KUBEFARM_SET_STRING", "KUBEFARM_SET_JSON"] {
        let mut command = kubefarm_command();
        command.args(["render", "--help"]).env(name, "a=hidden");
        let help = run(&mut command).success();
        assert!(help.contains(name) && !help.contains("hidden"), "{help}");
    }
}

#[test]
fn a_switchs_variable_takes_words_and_digits() {
    let values = |value: &str, args: &[&str]| {
        let mut command = kubefarm_command();
        run(command
            .arg("values")
            .args(args)
            .env("KUBEFARM_ORIGIN", value))
    };
    let plain = kubefarm(["values"]).success();
    for value in ["1", "yes", "true", "on"] {
        assert_ne!(values(value, &[]).success(), plain, "{value}");
    }
    for value in ["0", "no", "false", "off"] {
        assert_eq!(values(value, &[]).success(), plain, "{value}");
        values(value, &["-o", "json"]).success();
    }
    values("maybe", &[]).failed(2, &["maybe"]);
}

/// A variable is for all commands, so it has to mean the same to each that reads it.
#[test]
fn the_form_of_manifests_is_nothing_to_other_commands() {
    for (args, value) in [
        (&["schema"] as &[&str], "yaml"),
        (&["values", "--origin"], "json"),
        (&["apply", "--dry-run=client"], "yaml"),
    ] {
        run(kubefarm_command().args(args).env("KUBEFARM_OUTPUT", value)).success();
    }
}

#[test]
fn a_flag_that_does_not_wait_wins_over_the_variable() {
    for (flag, value) in [
        ("--no-wait", "true"),
        ("--wait", "false"),
        ("--wait=false", "1"),
    ] {
        let mut command = kubefarm_command();
        command.args(["apply", "--dry-run=client", flag]);
        run(command.env("KUBEFARM_WAIT", value)).success();
    }
}

/// What clocks cannot add to now is refused, and nothing panics.
#[test]
fn no_number_is_too_large_to_be_refused() {
    let huge = [
        "9223372036854775807s",
        "2562047788015215h",
        "99999999999999999999h",
        "4294967295d",
    ];
    let flags: [&[&str]; 6] = [
        &["list", "--timeout"],
        &["apply", "--dry-run=client", "--timeout"],
        &["pki", "inspect", "farm", "--check-expiry"],
        &["kubeconfig", "farm", "--user", "jane", "--ttl"],
        &["agent", "bootstrap", "--timeout"],
        &["agent", "join-token", "--timeout"],
    ];
    for args in flags {
        for number in huge {
            kubefarm(args.iter().copied().chain([number])).failed(2, &["expected a time"]);
        }
    }
    let numbers = ["65536", "4294967296", "18446744073709551616", "-1"];
    for number in numbers {
        let flag = format!("--concurrency={number}");
        kubefarm(["list", &flag]).failed(2, &["--concurrency"]);
    }
    for key in ["pki.size", "ltsp.replicaCount", "kubernetes.apiServer.port"] {
        for number in &numbers[1..] {
            let set = format!("{key}={number}");
            kubefarm(["render", "--set", &set]).failed(2, &[key]);
        }
    }
}

#[test]
fn names_that_go_into_requests_are_checked() {
    for args in [
        &["list", "-n", ""] as &[&str],
        &["status", "Bad Name"],
        &["delete", "farm", "-n", "a/../kube-system"],
        &["kubeconfig", "x?y=1"],
        &["pki", "inspect", "a/b"],
        &["pki", "export", "..", "folder"],
    ] {
        kubefarm(args).failed(2, &["lower-case letters, digits and hyphens"]);
    }
}

#[test]
fn every_namespaced_object_is_in_the_namespace_asked_for() {
    let text = kubefarm([
        "render",
        "-n",
        "farms",
        "-o",
        "json",
        "--set",
        "dhcp.installController=true",
    ])
    .success();
    let list: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let cluster_wide = [
        "CustomResourceDefinition",
        "ClusterRole",
        "ClusterRoleBinding",
    ];
    for object in list["items"].as_array().expect("items") {
        let kind = object["kind"].as_str().expect("a kind");
        let expected = (!cluster_wide.contains(&kind)).then_some("farms");
        assert_eq!(
            object["metadata"]["namespace"].as_str(),
            expected,
            "{}",
            object["metadata"]
        );
    }
}

#[test]
fn a_reader_that_closes_the_pipe_is_not_an_error() {
    let mut command = kubefarm_command();
    let mut child = command
        .args(["render", "-f", "builtin:generic"])
        .args(["--set", "ltsp.config.rootPasswd=*"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("started");
    let mut first = String::new();
    BufReader::with_capacity(1, child.stdout.take().expect("a pipe"))
        .read_line(&mut first)
        .expect("a line");
    let output = child.wait_with_output().expect("waited");
    assert_eq!(first, "---\n");
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

#[test]
fn a_full_disk_is_a_failure() {
    if !std::path::Path::new("/dev/full").exists() {
        return;
    }
    let full = File::options()
        .write(true)
        .open("/dev/full")
        .expect("opened");
    let output = kubefarm_command()
        .arg("render")
        .stdout(full)
        .output()
        .expect("run");
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("No space left"));
}

#[test]
fn stdout_that_is_closed_is_a_failure_or_nothing_worse() {
    let script = "exec \"$0\" render --allow-empty >&-";
    let output = std::process::Command::new("sh")
        .args(["-c", script, env!("CARGO_BIN_EXE_kubefarm")])
        .output()
        .expect("run");
    assert!(
        matches!(output.status.code(), Some(0 | 1)),
        "{:?}",
        output.status
    );
    assert!(!String::from_utf8_lossy(&output.stderr).contains("panicked"));
}

#[test]
fn stderr_that_is_closed_changes_nothing() {
    let script = "exec \"$0\" render --set a=b 2>&-";
    let status = std::process::Command::new("sh")
        .args(["-c", script, env!("CARGO_BIN_EXE_kubefarm")])
        .status()
        .expect("run");
    assert_eq!(status.code(), Some(2));
}

#[test]
fn nothing_is_coloured_outside_of_a_terminal() {
    let finished = run(kubefarm_command()
        .args(["render", "-f", "tests/mistakes/mac.yaml"])
        .env("TERM", "xterm"));
    assert!(!finished.stderr.contains('\x1b'));
}

#[test]
fn warnings_leave_stdout_whole() {
    let file = "tests/mistakes/fine/even_members.yaml";
    let finished = kubefarm(["render", "-f", file]);
    assert_eq!(finished.code(), 0);
    assert!(finished.stderr.contains("warning:") && finished.stderr.contains(file));
    assert!(finished.stdout.starts_with("---\n# Source: ") && !finished.stdout.contains("warning"));
}
