//! Where values come from: files, stdin, embedded layers, flags.

#[path = "inputs/reported.rs"]
mod reported;

use std::fs;

use crate::cli::assert_refused;
use crate::support::{Finished, kubefarm, kubefarm_command, kubefarm_with_stdin, run_with_stdin};

const GENERIC: &str = "examples/generic/values.yaml";

/// One merged value, as JSON text.
fn value(args: &[&str], pointer: &str) -> String {
    value_with_stdin(args, "", pointer)
}

fn value_with_stdin(args: &[&str], input: &str, pointer: &str) -> String {
    let args = ["values", "-o", "json"].iter().chain(args);
    let text = kubefarm_with_stdin(args, input).success();
    let values: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    values
        .pointer(pointer)
        .map_or_else(|| "nothing".to_owned(), ToString::to_string)
}

#[test]
fn every_missing_file_is_named() {
    let finished = kubefarm([
        "render",
        "-f",
        "missing1.yaml",
        "-f",
        GENERIC,
        "-f",
        "missing2.yaml",
    ]);
    assert_refused(
        &finished,
        &["missing1.yaml", "missing2.yaml", "No such file", "2 errors"],
    );
}

#[test]
fn a_folder_is_not_a_values_file() {
    assert_refused(
        &kubefarm(["render", "-f", "examples"]),
        &["examples", "Is a directory"],
    );
}

#[test]
fn stdin_is_a_file_called_dash() {
    let piped = fs::read_to_string(GENERIC).expect("the example");
    let from_stdin = kubefarm_with_stdin(["render", "-f", "-"], piped).success();
    assert_eq!(from_stdin, kubefarm(["render", "-f", GENERIC]).success());
    let broken = kubefarm_with_stdin(["render", "-f", "-"], "kubernetes:\n  replicas: 1\n");
    assert_refused(&broken, &["error: kubernetes.replicas", "--> -:2:3"]);
}

#[test]
fn stdin_is_read_once() {
    let finished = kubefarm_with_stdin(["values", "-f", "-", "-f", "-"], "name: a\n");
    assert_refused(&finished, &["stdin can be read only once"]);
}

#[test]
fn embedded_layers_are_those_of_the_project() {
    for (name, file) in [("generic", GENERIC), ("minimal", "values/minimal.yaml")] {
        let builtin = kubefarm(["values", "-f", &format!("builtin:{name}")]).success();
        assert_eq!(builtin, kubefarm(["values", "-f", file]).success());
    }
    let near = kubefarm(["render", "-f", "builtin:minmal"]);
    assert_refused(&near, &["\"minmal\"", "did you mean builtin:minimal?"]);
    let far = kubefarm(["render", "-f", "builtin:zzz"]);
    assert_refused(&far, &["builtin-pki", "catchall", "konnectivity-http"]);
}

#[test]
fn later_files_win_and_flags_win_over_files() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).expect("written");
        path.to_str().expect("text").to_owned()
    };
    let first = write(
        "first.yaml",
        "name: first\nltsp: {replicaCount: 2, labels: {a: x, b: x}}\n",
    );
    let second = write("second.yaml", "ltsp: {replicaCount: 3, labels: {b: z}}\n");
    let layers = ["-f", &first, "-f", &second];
    assert_eq!(value(&layers, "/name"), "\"first\"");
    assert_eq!(value(&layers, "/ltsp/replicaCount"), "3");
    assert_eq!(value(&layers, "/ltsp/labels"), r#"{"a":"x","b":"z"}"#);
    let joined = format!("{second},{first}");
    assert_eq!(value(&["-f", &joined], "/ltsp/replicaCount"), "2");
    let flag = [&["--set", "ltsp.replicaCount=4"], &layers[..]].concat();
    assert_eq!(value(&flag, "/ltsp/replicaCount"), "4");
}

#[test]
fn flags_have_helms_types() {
    let table = [
        (
            "--set",
            "ltsp.labels.a=1,ltsp.labels.b=true",
            r#"{"a":1,"b":true}"#,
        ),
        (
            "--set",
            "ltsp.labels.a=007,ltsp.labels.b=a\\,b",
            r#"{"a":"007","b":"a,b"}"#,
        ),
        ("--set-string", "ltsp.labels.a=1", r#"{"a":"1"}"#),
        (
            "--set-json",
            "ltsp.labels={\"a\": [1, null]}",
            r#"{"a":[1,null]}"#,
        ),
        (
            "--set-json",
            "{\"ltsp\": {\"labels\": {\"a\": 1}}}",
            r#"{"a":1}"#,
        ),
        (
            "--set",
            "ltsp.labels.example\\.org/a=x",
            r#"{"example.org/a":"x"}"#,
        ),
    ];
    for (flag, text, expected) in table {
        assert_eq!(
            value(&[flag, text], "/ltsp/labels"),
            expected,
            "{flag} {text}"
        );
    }
    assert_eq!(
        value(
            &["--set", "ltsp.config.modules={a,b}"],
            "/ltsp/config/modules"
        ),
        r#"["a","b"]"#
    );
    assert_eq!(
        value(
            &["--set", "ltsp.config.timezone=null"],
            "/ltsp/config/timezone"
        ),
        "nothing"
    );
    let indexed = [
        "--set",
        "nodePools[0].nodes[1].name=b",
        "--set",
        "nodePools[0].nodes[0].name=a",
    ];
    assert_eq!(
        value(&indexed, "/nodePools/0/nodes"),
        r#"[{"name":"a"},{"name":"b"}]"#
    );
}

#[test]
fn a_flag_can_take_a_files_content() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("network.sh");
    fs::write(&path, "echo a\necho b, c\n").expect("written");
    let text = format!("ltsp.config.extraFiles.network\\.sh={}", path.display());
    let file = value(&["--set-file", &text], "/ltsp/config/extraFiles/network.sh");
    assert_eq!(file, r#""echo a\necho b, c\n""#);
}

#[test]
fn flags_change_values_of_files_inside_lists() {
    let args = ["-f", GENERIC, "--set", "nodePools[0].nodes[0].name=renamed"];
    assert_eq!(value(&args, "/nodePools/0/nodes/0/name"), "\"renamed\"");
    assert_ne!(value(&args, "/nodePools/0/nodes/0/mac"), "nothing");
    assert_ne!(value(&args, "/nodePools/0/nodes/1/name"), "nothing");
}

#[test]
fn every_value_shows_its_origin() {
    let args = [
        "values",
        "--origin",
        "-f",
        GENERIC,
        "--set",
        "ltsp.replicaCount=2",
    ];
    let text = kubefarm(args).success();
    let json = kubefarm(["values", "-o", "json"].iter().chain(&args[2..])).success();
    let commented = text
        .lines()
        .filter(|line| is_origin(line.rsplit_once(" # ").map_or("", |(_, origin)| origin)));
    assert_eq!(
        commented.count(),
        leaves(&serde_json::from_str(&json).expect("JSON"))
    );
    let has = |leaf: &str, origin: &str| {
        let line = text
            .lines()
            .find(|line| line.trim_start().starts_with(leaf));
        assert!(
            line.is_some_and(|line| line.contains(origin)),
            "{leaf}: {line:?}"
        );
    };
    has("timezone:", "examples/generic/values.yaml:");
    has(
        "repository: registry.k8s.io/etcd",
        "charts/kubernetes/values.yaml:",
    );
    assert!(text.contains("replicaCount: 2 # --set ltsp.replicaCount\n"));
    assert_eq!(
        serde_yaml_value(&text),
        serde_yaml_value(&kubefarm(without_origin(&args)).success())
    );
}

/// `FILE:LINE:COLUMN`, or a flag.
fn is_origin(text: &str) -> bool {
    let mut parts = text.rsplit(':');
    let is_number = |part: Option<&str>| part.is_some_and(|part| part.parse::<u32>().is_ok());
    text.starts_with("--set ") || (is_number(parts.next()) && is_number(parts.next()))
}

fn leaves(value: &serde_json::Value) -> usize {
    match value {
        serde_json::Value::Array(items) if !items.is_empty() => items.iter().map(leaves).sum(),
        serde_json::Value::Object(map) if !map.is_empty() => map.values().map(leaves).sum(),
        _ => 1,
    }
}

fn without_origin<'a>(args: &[&'a str]) -> Vec<&'a str> {
    args.iter()
        .copied()
        .filter(|arg| *arg != "--origin")
        .collect()
}

fn serde_yaml_value(text: &str) -> serde_yaml::Value {
    serde_yaml::from_str(text).expect("YAML")
}

/// A run with empty input and without --allow-empty.
fn strict(args: &[&str], input: &str) -> Finished {
    let mut command = kubefarm_command();
    command.args(args).env_remove("KUBEFARM_ALLOW_EMPTY");
    run_with_stdin(&mut command, input)
}

#[test]
fn no_values_are_an_error_unless_they_are_meant() {
    let offline = |command: &'static str| match command {
        "apply" => vec!["apply", "--dry-run=client"],
        command => vec![command],
    };
    for command in ["render", "apply", "diff"] {
        for (args, input, message) in [
            (&[] as &[&str], "", "no values are given"),
            (&["-f", "-"], "", "stdin is empty"),
            (&["-f", GENERIC, "-f", "-"], "", "stdin is empty"),
            (&["-f", "-"], "# nothing\n", "there are no values in -"),
            (&["-f", "/dev/null"], "", "\"/dev/null\" is empty"),
        ] {
            let all = [&offline(command)[..], args].concat();
            assert_refused(&strict(&all, input), &[message, "--allow-empty", "1 error"]);
        }
    }
    for (args, input) in [
        (&["--allow-empty"] as &[&str], ""),
        (&["--allow-empty", "-f", "-"], ""),
        (&["-f", "builtin:minimal"], ""),
        (&["--set", "name=a"], ""),
        (&["-f", "-"], "nodePools: []\n"),
        (&["-f", GENERIC, "-f", "-"], "# nothing here yet\n"),
    ] {
        strict(&[&["render"], args].concat(), input).success();
    }
}

#[test]
fn a_mistake_shows_where_values_are_looked_at() {
    let text = "ltsp: {replicas: 2}\nkubernetes: {etcd: {replicaCount: x}}\n";
    let finished = kubefarm_with_stdin(["values", "-f", "-"], text);
    finished.failed(
        0,
        &[
            "warning: ltsp.replicas: unknown key \"replicas\"",
            "--> -:1:8",
            "did you mean \"replicaCount\"?",
            "warning: kubernetes.etcd.replicaCount: expected an integer",
            "--> -:2:35",
        ],
    );
    assert!(finished.stdout.contains("replicas: 2"));
}

#[test]
fn what_changed_is_a_values_file_that_comes_to_the_same() {
    let changed = kubefarm_with_stdin(
        ["values", "--changed", "--origin", "-f", "-"],
        "x-a: 1\nname: farm1\nkubernetes: {version: v1.37.2, podSubnet: null}\nltsp: {replicaCount: 2, labels: null}\n",
    );
    let expected = "\
kubernetes:
  podSubnet: null # -:3:43
ltsp:
  replicaCount: 2 # -:4:22
  labels: null # -:4:33
name: farm1 # -:2:7
";
    let mut lines: Vec<&str> = changed.stdout.lines().collect();
    let mut wanted: Vec<&str> = expected.lines().collect();
    lines.sort_unstable();
    wanted.sort_unstable();
    assert_eq!(lines, wanted);
    assert_eq!(kubefarm(["values", "--changed"]).success(), "{}\n");
    for layers in [
        &["-f", GENERIC, "-f", "examples/advanced_network/values.yaml"] as &[&str],
        &["-f", "tests/golden/everything.values.yaml"],
        &[
            "-f",
            GENERIC,
            "-f",
            "builtin:ha",
            "--set",
            "ltsp.config.sysctls=null,ltsp.config.timezone=null",
        ],
    ] {
        let changed = kubefarm(["values", "--changed"].iter().chain(layers)).success();
        assert_eq!(
            kubefarm_with_stdin(["render", "-f", "-"], changed).success(),
            kubefarm(["render"].iter().chain(layers)).success()
        );
    }
}

#[test]
fn merged_values_are_values_again() {
    let layers = ["-f", GENERIC, "-f", "examples/advanced_network/values.yaml"];
    let merged = kubefarm(["values"].iter().chain(&layers)).success();
    let rendered = kubefarm(["render"].iter().chain(&layers)).success();
    assert_eq!(
        kubefarm_with_stdin(["render", "-f", "-"], merged).success(),
        rendered
    );
}
