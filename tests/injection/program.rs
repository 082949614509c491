//! The same through the program itself and through dnsmasq, for a few values.

use std::process::Command;

use serde_json::{Map, Value, json};

use crate::injection::{places, render, strings};

#[test]
fn the_program_refuses_with_the_place_and_prints_nothing() {
    for text in ["a\nb", "\u{1b}[2J", "$(touch pwned)", "a, b", "\"'\\"] {
        for (path, values) in [
            (
                "ltsp.config.timezone",
                json!({"ltsp": {"config": {"timezone": text}}}),
            ),
            (
                "kubernetes.networking.dnsDomain",
                json!({"kubernetes": {"networking": {"dnsDomain": text}}}),
            ),
            (
                "nodePools[0].nodes[0].name",
                json!({"nodePools": [{"range": "10.0.0.0,static", "nodes": [{"name": text}]}]}),
            ),
            ("name", json!({"name": text})),
        ] {
            let finished = crate::support::kubefarm_with_stdin(
                ["render", "-f", "-"],
                places::to_json(&values),
            );
            assert_eq!(
                (finished.code(), finished.stdout.as_str()),
                (2, ""),
                "{path}: {text:?}"
            );
            let first = finished.stderr.lines().next().unwrap_or_default();
            assert!(
                first.contains(&format!(": {path}: ")) && finished.stderr.contains("-:1:"),
                "{}",
                finished.stderr
            );
            assert!(!finished.stderr.contains('\u{1b}'), "{:?}", finished.stderr);
        }
    }
}

#[test]
fn patches_carry_text_to_where_it_belongs() {
    let text: String = strings::NASTY.concat();
    let patches = |name: &str, patch: Value| {
        let target = json!({"kind": "Deployment", "name": "*-apiserver"});
        json!({"patches": {name: {"target": target, "patch": patch}}})
    };
    let path = "/metadata/annotations";
    for patch in [
        json!({"metadata": {"annotations": {text.clone(): text.clone()}}}),
        json!([{"op": "add", "path": path, "value": {text.clone(): text.clone()}}]),
    ] {
        let objects = render(&patches(&text, patch)).unwrap();
        let mut found = objects
            .iter()
            .filter(|object| object["metadata"]["annotations"].get(&text).is_some());
        let patched = found.next().expect("a patched object");
        assert_eq!(patched["metadata"]["annotations"][&text], text);
        assert_eq!(patched["kind"], "Deployment");
        assert_eq!(found.count(), 0);
    }
    for target in [
        json!({"kind": text, "name": "*"}),
        json!({"kind": "*", "name": text}),
    ] {
        let values = json!({"patches": {text.clone(): {"target": target, "patch": {}}}});
        let problems = render(&values).unwrap_err();
        assert!(problems.iter().all(places::has_place), "{problems:?}");
    }
}

#[test]
fn the_program_carries_text_to_where_it_belongs() {
    let text: String = strings::NASTY.concat();
    let values = json!({"kubernetes": {"apiServer": {"annotations": {"example.org/note": text}}}});
    let arguments = [
        "render",
        "-f",
        "-",
        "--show-only",
        "Deployment/kubefarm-kubernetes-apiserver",
        "-o",
        "json",
    ];
    let stdout = crate::support::kubefarm_with_stdin(arguments, places::to_json(&values)).success();
    let list: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(
        list["items"][0]["metadata"]["annotations"]["example.org/note"],
        text
    );
}

/// Every text that is let through, each as an option for a tag of its own: dnsmasq reads the file, and in it no more
/// lines.
#[test]
fn dnsmasq_reads_what_is_let_through() {
    let texts = strings::NASTY.iter().chain(&strings::NOT_TEXT);
    // Letters around it: what is digits and dots alone is an address, or a bad one.
    let texts = texts.flat_map(|text| [format!("a{text}a"), format!("a {text} a")]);
    let farm = |options: Map<String, Value>| json!({"dhcp": {"mode": "standalone"}, "tags": {"dhcpOptions": options}});
    let mut options = Map::new();
    for (number, text) in texts.enumerate() {
        let option = (format!("t{number}"), json!({"224": text}));
        if is_let_through(&farm(Map::from_iter([option.clone()]))) {
            options.extend([option]);
        }
    }
    let count = options.len();
    assert!(count > 60, "{count}");
    let objects = render(&farm(options)).unwrap();
    let mut files = objects
        .iter()
        .filter_map(|object| object["data"]["dnsmasq.conf"].as_str());
    let configuration = files.next().unwrap();
    let lines = configuration
        .lines()
        .filter(|line| line.starts_with("dhcp-option=tag:kubefarm-kubernetes-ltsp,tag:t"));
    assert_eq!(lines.count(), count);
    let Some(dnsmasq) = crate::support::program("dnsmasq", "dnsmasq-base") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dnsmasq.conf");
    std::fs::write(&path, configuration).unwrap();
    let argument = format!("--conf-file={}", path.display());
    crate::support::run(Command::new(dnsmasq).args(["--test", &argument])).success();
}

fn is_let_through(values: &Value) -> bool {
    let charts = kubefarm::chart::Charts::embedded();
    let input = kubefarm::values::Input::Builtin {
        name: "farm".to_owned(),
        text: places::to_json(values),
    };
    let tree = kubefarm::values::load(&charts.default_values(), &[input]).unwrap();
    kubefarm::farm::check(&tree, None, "space", || None)
        .values
        .is_some()
}
