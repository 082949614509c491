//! `kubefarm nodes claim`.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use super::{Files, GENERIC, json};
use crate::cli::{assert_failed, assert_refused};
use crate::support::{Finished, kubefarm, kubefarm_with_stdin, names_in, project};

const MAC: &str = "0200.0040.070A";

fn claim(file: &str, args: &[&str]) -> Finished {
    let command = ["nodes", "claim", MAC, "--into", file];
    kubefarm(command.iter().chain(args))
}

/// A copy of the example `generic`, which can be changed.
fn generic(files: &Files) -> (String, String) {
    let text =
        fs::read_to_string(project().join("examples/generic/values.yaml")).expect("an example");
    (files.with("values.yaml", &text), text)
}

#[track_caller]
fn assert_unchanged(files: &Files, file: &str, text: &str) {
    assert_eq!(fs::read_to_string(file).expect("a file"), text);
    let names = names_in(files.0.path());
    assert!(
        names.iter().all(|name| !name.contains("kubefarm")),
        "{names:?}"
    );
}

#[test]
fn a_node_is_added_and_every_other_byte_stays() {
    let files = Files::new();
    let (file, before) = generic(&files);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).expect("set");
    let finished = claim(
        &file,
        &["--as", "r1n07", "--ip", "10.64.1.17", "--pool", "0"],
    );
    finished.failed(0, &["r1n07 (02:00:00:40:07:0a) is in pool 0 of"]);
    assert_eq!(finished.stdout, "");
    let item =
        "      - name: r1n07\n        mac: \"02:00:00:40:07:0a\"\n        ip: \"10.64.1.17\"\n";
    let place = "          - 02:00:00:40:05:0b\n        ip: 10.64.1.15\n";
    let after = fs::read_to_string(&file).expect("a file");
    assert_eq!(after, before.replacen(place, &format!("{place}{item}"), 1));
    assert_ne!(after, before);
    let mode = fs::metadata(&file).expect("a file").permissions().mode();
    assert_eq!(mode & 0o777, 0o640);
    assert_eq!(names_in(files.0.path()), ["values.yaml"]);
    let shown = kubefarm(["nodes", "show", "r1n07", "-f", &file, "-o", "json"]).success();
    assert_eq!(json(&shown)["writtenAt"], format!("{file}:96:9"));
}

#[test]
fn a_dry_run_prints_a_diff_and_changes_nothing() {
    let files = Files::new();
    let text = "ltsp:\n  config:\n    rootPasswd: $6$x$y\nnodePools:\n- nodes:\n  - name: a\n";
    let file = files.with("values.yaml", text);
    let diff = claim(&file, &["--as", "b", "--dry-run"]).success();
    let expected = format!(
        "--- {file}\n+++ {file}\n@@ -4,3 +4,5 @@\n nodePools:\n - nodes:\n   - name: a\n+  - name: b\n+    mac: \"02:00:00:40:07:0a\"\n"
    );
    assert_eq!(diff, expected);
    assert_unchanged(&files, &file, text);
    let near = "nodePools:\n- nodes:\n  - name: a\nltsp: {config: {rootPasswd: $6$x$y}}\n";
    let file = files.with("near.yaml", near);
    let diff = claim(&file, &["--as", "b", "--dry-run"]).success();
    assert!(
        diff.contains("rootPasswd: …\n") && !diff.contains("$6$"),
        "{diff}"
    );
}

#[test]
fn a_new_file_is_a_layer_of_the_farm() {
    let files = Files::new();
    let file = files.path("claimed.yaml").display().to_string();
    let catchall = ["-f", "examples/catchall/values.yaml"];
    let args = |args: &[&'static str]| [args, &catchall].concat();
    claim(&file, &args(&["--as", "r1n07", "--ip", "10.64.1.17"])).success();
    let expected = "nodePools:\n  claimed:\n    nodes:\n    - name: r1n07\n      mac: \"02:00:00:40:07:0a\"\n      ip: \"10.64.1.17\"\n";
    assert_eq!(fs::read_to_string(&file).expect("a file"), expected);
    // A second one, with the file named as a layer as well.
    let second = [
        "nodes",
        "claim",
        "02:00:00:40:08:0a",
        "--as",
        "r1n08",
        "--into",
        &file,
        "-f",
        &file,
    ];
    kubefarm(second.iter().chain(&catchall)).success();
    let listed = kubefarm(
        ["nodes", "list", "-f", &file, "-o", "json"]
            .iter()
            .chain(&catchall),
    )
    .success();
    assert_eq!(json(&listed)["nodes"].as_array().map(Vec::len), Some(2));
    kubefarm(
        ["render"]
            .iter()
            .chain(&catchall)
            .chain(&["-f", file.as_str()]),
    )
    .success();
}

#[test]
fn what_is_used_in_any_layer_is_refused_with_its_place() {
    let files = Files::new();
    let own = "nodePools: {a: {nodes: []}}\n";
    let file = files.with("claimed.yaml", own);
    let base = files.with(
        "base.yaml",
        "nodePools:\n  b:\n    nodes:\n    - name: R1N07\n      mac: [02:00:00:40:06:0a, \"02:00:00:40:07:0A\"]\n      ip: 10.64.1.17,fd00::17\n",
    );
    // What a later layer replaces is in use in another farm, or will be again.
    let over = files.with("over.yaml", "nodePools: {b: {nodes: []}}\n");
    for (args, message, place) in [
        (
            &["--as", "x"] as &[&str],
            "the MAC 02:00:00:40:07:0a is already used here",
            "5:32",
        ),
        (
            &["--as", "r1n07"],
            "the name r1n07 is already used here",
            "4:13",
        ),
        (
            &["--as", "x", "--ip", "fd00:0::17"],
            "the address fd00:0::17 is already used here",
            "6:11",
        ),
    ] {
        let args = [args, &["-f", &base, "-f", &over]].concat();
        assert_refused(&claim(&file, &args), &[message, &format!("{base}:{place}")]);
        assert_unchanged(&files, &file, own);
    }
    let text = "nodePools: {a: {nodes: [{name: x}]}}\n";
    let file = files.with("own.yaml", text);
    assert_refused(
        &claim(&file, &["--as", "x"]),
        &["the name x is already used here", ":1:32"],
    );
    assert_unchanged(&files, &file, text);
}

const LEASES: &str = "\
1 02:00:00:40:07:0a 10.64.200.17 old *
2 02:00:00:40:07:0a 10.64.200.18 r1n07 *
2 02:00:00:40:07:0b 10.64.200.19 * *
";

#[test]
fn name_and_address_may_be_those_of_the_lease() {
    let files = Files::new();
    let leases = files.with("leases", LEASES);
    let added = |args: &[&str], stdin: &str| {
        let file = files.with("values.yaml", "nodePools: {a: {nodes: []}}\n");
        let command = ["nodes", "claim", MAC, "--into", &file];
        kubefarm_with_stdin(command.iter().chain(args), stdin).success();
        fs::read_to_string(&file).expect("a file")
    };
    let expected = "nodePools: {a: {nodes: [{name: \"r1n07\", mac: \"02:00:00:40:07:0a\", ip: \"10.64.200.18\"}]}}\n";
    assert_eq!(added(&["--leases", &leases], ""), expected);
    assert_eq!(added(&["--leases", "-"], LEASES), expected);
    let own = added(
        &["--leases", &leases, "--as", "x", "--ip", "10.64.1.17"],
        "",
    );
    assert!(own.contains("\"x\"") && own.contains("10.64.1.17"), "{own}");
    let file = files.with("values.yaml", "");
    let unnamed = [
        "nodes",
        "claim",
        "02:00:00:40:07:0b",
        "--into",
        &file,
        "--leases",
        &leases,
    ];
    assert_refused(&kubefarm(unnamed), &["its lease has no name", "--as"]);
    let unknown = [
        "nodes",
        "claim",
        "02:00:00:40:07:0c",
        "--into",
        &file,
        "--leases",
        &leases,
    ];
    assert_refused(
        &kubefarm(unknown),
        &["there is no lease for 02:00:00:40:07:0c"],
    );
    let wrong = files.with("wrong", "x\n");
    assert_refused(
        &claim(&file, &["--leases", &wrong]),
        &["not a lease", &format!("{wrong}:1:1")],
    );
}

#[test]
fn more_than_the_node_would_not_change() {
    let files = Files::new();
    let base = files.with("base.yaml", "nodePools:\n  a: {nodes: [{name: x}]}\n");
    // The nodes of the earlier file would be gone.
    let text = "nodePools:\n  a: {tags: [t]}\n";
    let file = files.with("over.yaml", text);
    let args = ["--as", "y", "-f", &base];
    assert_refused(&claim(&file, &args), &["more would change than this node"]);
    assert_unchanged(&files, &file, text);
    // A later file would take the node away.
    let args = ["--as", "y", "-f", &file, "-f", &base];
    assert_refused(&claim(&file, &args), &["more would change than this node"]);
    assert_unchanged(&files, &file, text);
    // A map cannot be laid over a list.
    let new = files.path("claimed.yaml").display().to_string();
    let finished = claim(&new, &[["--as", "y"].as_slice(), &GENERIC].concat());
    assert_refused(&finished, &["a map would replace the whole list"]);
    assert!(!files.path("claimed.yaml").exists());
}

#[test]
fn wrong_input_is_refused() {
    let files = Files::new();
    let (file, text) = generic(&files);
    for (args, parts) in [
        (
            &["--as", "x"] as &[&str],
            &["there are several pools", "--pool", "this file has 0, 1"] as &[&str],
        ),
        (
            &["--as", "x", "--pool", "racks"],
            &["there is no pool \"racks\"", "values.yaml:7"],
        ),
        (
            &["--pool", "0"],
            &["a node needs one: name it with --as NAME"],
        ),
        (&["--as", "a_b"], &["`a_b` is not a host name"]),
        (
            &["--as", "x", "--ip", "10.64.1"],
            &["`10.64.1` is not an IP address"],
        ),
    ] {
        assert_refused(&claim(&file, args), parts);
        assert_unchanged(&files, &file, &text);
    }
    let group = kubefarm([
        "nodes",
        "claim",
        "01:00:5e:00:00:01",
        "--as",
        "x",
        "--into",
        &file,
    ]);
    assert_refused(&group, &["no network card has the MAC"]);
    let elsewhere = ["--as", "x", "--pool", "0", "--ip", "10.65.0.1"];
    assert_refused(
        &claim(&file, &elsewhere),
        &["the node at 10.65.0.1 is in none of these networks"],
    );
    assert_unchanged(&files, &file, &text);
    fs::write(
        &file,
        text.replace("nodeNetworks: []", "nodeNetworks: null"),
    )
    .expect("written");
    let warned = claim(&file, &elsewhere);
    warned.failed(0, &["10.65.0.1 is in no pool's range"]);
}

#[test]
fn a_file_that_cannot_be_written_stays() {
    let files = Files::new();
    let missing = files.path("no/values.yaml").display().to_string();
    let finished = claim(&missing, &["--as", "x"]);
    assert_failed(&finished, 1, &["no/", "No such file"]);
}
