//! `kubefarm nodes show`, and LTSP's own reading beside it.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Files, GENERIC, json, of_generic};
use crate::cli::assert_refused;
use crate::support::farms::{Farm, Objects};
use crate::support::kubefarm;
use crate::support::ltsp::{Node, configuration, variables};

const BOOT_SERVER: &str = "kubefarm-kubernetes-ltsp";

#[test]
fn a_node_is_found_by_name_and_by_any_spelling_of_a_mac() {
    let shown = of_generic(&["show", "r1n06"]);
    assert!(
        shown.starts_with("NAME        r1n06\nPOOL        1\nTAGS        debug storage\n"),
        "{shown}"
    );
    for other in [
        "R1N06",
        "02:00:00:40:06:0A",
        "02-00-00-40-06-0b",
        "0200.0040.060a",
        "02000040060b",
    ] {
        assert_eq!(of_generic(&["show", other]), shown, "{other}");
    }
}

#[test]
fn an_unknown_node_is_refused_with_the_nearest() {
    let show = |node| kubefarm(["nodes", "show", node].iter().chain(&GENERIC));
    assert_refused(
        &show("r1n0l"),
        &["there is no node \"r1n0l\"", "did you mean r1n01?"],
    );
    assert_refused(
        &show("02:00:00:40:06:0c"),
        &["did you mean 02:00:00:40:06:0a?"],
    );
    assert_refused(&show("storage"), &["there is no node", "shows all 6"]);
}

#[test]
fn passwords_are_masked() {
    for args in [
        &["show", "r1n01", "--set", "join.mode=token"] as &[&str],
        &["show", "r1n01", "--set", "join.mode=token", "-o", "json"],
    ] {
        let shown = of_generic(args);
        assert!(shown.contains("KUBEFARM_ROOT_PASSWD"), "{shown}");
        assert!(!shown.contains("$6$"), "{shown}");
    }
    let shown = of_generic(&["show", "r1n01", "--set", "join.mode=token"]);
    let line = shown
        .lines()
        .find(|line| line.starts_with("KUBEFARM_ROOT_PASSWD"));
    assert!(
        line.is_some_and(|line| line.ends_with("  <secret>")),
        "{shown}"
    );
}

/// The options of a shown node, each as `key=values` and what the request needs.
fn options(shown: &Value) -> Vec<(String, String)> {
    let texts = |list: &Value| {
        let items = list.as_array().expect("a list").iter();
        let texts: Vec<&str> = items.map(|item| item.as_str().expect("text")).collect();
        texts.join(" ")
    };
    let options = shown["dhcp"]["options"].as_array().expect("options").iter();
    let option = |option: &Value| {
        let key = option["option"].as_str().expect("a key");
        (
            format!("{key}={}", texts(&option["values"])),
            texts(&option["needs"]),
        )
    };
    options.map(option).collect()
}

#[test]
fn options_apply_by_the_tags_of_the_node_and_of_its_request() {
    let more = [
        "--set=tags.dhcpOptions.storage.mtu=9000",
        "--set=tags.dhcpOptions.other.mtu=1400",
        "--set=nodePools[2].tags={other}",
        "--set=ltsp.service.loadBalancerIP=10.64.0.11",
    ];
    let shown = |node| {
        json(&of_generic(
            &[&["show", node, "-o", "json"], more.as_slice()].concat(),
        ))
    };
    let storage = shown("r1n06");
    let all: Vec<(String, String)> = options(&storage);
    let has = |option: &str, needs: &str| all.contains(&(option.to_owned(), needs.to_owned()));
    assert!(has("option:mtu=9000", ""), "{all:?}");
    assert!(has("option:router=10.64.0.1", ""), "{all:?}");
    assert!(has("option:tftp-server=10.64.0.11", ""), "{all:?}");
    assert!(
        has(
            "option:bootfile-name=ltsp/grub/i386-pc/core.0",
            "X86PC !iPXE"
        ),
        "{all:?}"
    );
    assert!(
        !all.iter().any(|(option, _)| option.ends_with("1400")),
        "{all:?}"
    );
    assert!(
        !options(&shown("r1n01"))
            .iter()
            .any(|(option, _)| option.contains("mtu"))
    );
    let host = "dhcp-host=02:00:00:40:06:0a,02:00:00:40:06:0b,set:debug,set:storage,\
                set:kubefarm-kubernetes-ltsp,set:listed,10.64.1.16,r1n06,infinite";
    assert_eq!(storage["dhcp"]["host"], host);
    let range = "dhcp-range=set:kubefarm-kubernetes-ltsp-range,10.64.0.0,static,255.255.0.0,10.64.255.255,infinite";
    assert_eq!(
        storage["dhcp"]["lines"],
        json!([{"line": range, "needs": []}])
    );
}

#[test]
fn a_range_that_does_not_hold_the_address_is_not_the_nodes() {
    let range =
        "--set-json=nodePools[1].range=\"10.99.0.0,static,255.255.0.0,10.99.255.255,infinite\"";
    let shown = json(&of_generic(&["show", "r1n06", "-o", "json", range]));
    let lines = shown["dhcp"]["lines"].as_array().expect("lines");
    assert_eq!(lines.len(), 1, "{lines:?}");
}

#[test]
fn conditions_count_by_the_range_and_by_earlier_conditions() {
    let more = [
        "--set-json=nodePools[2]={\"extraOpts\":[{\"tag-if\":\"set:a,tag:?-range\"},{\"tag-if\":\"set:b,tag:a,tag:!storage\"},{\"dhcp-option\":\"tag:a,42,10.64.0.1\"},{\"dhcp-option\":\"tag:b,43,x\"}]}",
    ];
    let lines = |node| {
        let shown = json(&of_generic(
            &[&["show", node, "-o", "json"], more.as_slice()].concat(),
        ));
        let lines = shown["dhcp"]["lines"].as_array().expect("lines").clone();
        let lines = lines
            .iter()
            .map(|line| line["line"].as_str().expect("text").to_owned());
        lines.skip(1).collect::<Vec<_>>()
    };
    assert_eq!(lines("r1n06"), ["dhcp-option=tag:a,42,10.64.0.1"]);
    assert_eq!(
        lines("r1n01"),
        ["dhcp-option=tag:a,42,10.64.0.1", "dhcp-option=tag:b,43,x"]
    );
}

#[test]
fn a_node_without_an_address_gets_one_from_a_dynamic_range() {
    let files = Files::new();
    let values = files.with(
        "values.yaml",
        "nodePools:\n- range: 10.0.0.10,10.0.0.99,255.255.255.0,10.0.0.255,1h\n  nodes: [{name: a, mac: '02:00:00:00:00:01'}]\n\
         - range: 10.0.1.0,static,255.255.255.0,10.0.1.255,1h\n",
    );
    let shown = json(&kubefarm(["nodes", "show", "a", "-f", &values, "-o", "json"]).success());
    let lines = shown["dhcp"]["lines"].as_array().expect("lines");
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(
        lines[0]["line"]
            .as_str()
            .is_some_and(|line| line.contains("10.0.0.99")),
        "{lines:?}"
    );
}

#[test]
fn labels_and_taints_are_those_that_kubelet_gets() {
    let label = "--set=tags.kubernetesLabels.all.example\\.org/rack=r0";
    let shown = json(&of_generic(&["show", "r1n06", "-o", "json", label]));
    let boot = &shown["boots"][0];
    assert_eq!(
        boot["labels"],
        json!({"example.org/rack": "r1", "example.org/disks": "nvme"})
    );
    assert_eq!(
        boot["taints"],
        json!(["example.org/dedicated=storage:NoSchedule"])
    );
    assert_eq!(boot["scripts"], json!(["init.sh"]));
}

#[test]
fn a_node_of_another_farm_gets_nothing_here() {
    let shown = of_generic(&["show", "r1n06", "--set=nodePools[1].ignore=true"]);
    assert!(shown.contains("\nIts pool is ignored"), "{shown}");
    assert!(
        !shown.contains("SETTING") && !shown.contains("OPTION"),
        "{shown}"
    );
}

#[test]
fn of_two_nodes_with_a_name_the_farms_own_is_shown() {
    let files = Files::new();
    let values = files.with(
        "values.yaml",
        "nodePools:\n- ignore: true\n  nodes: [{name: a, mac: '02:00:00:00:00:01'}]\n\
         - nodes: [{name: a, mac: '02:00:00:00:00:02'}]\n",
    );
    let shown = json(&kubefarm(["nodes", "show", "a", "-f", &values, "-o", "json"]).success());
    assert_eq!(shown["pool"], "1");
}

/// A pool for each way to find a node, settings that several sections set, that are hard to write, and sections of the
/// user's own.
const KINDS: &str = r#"
join: {mode: token}
tags:
  ltspOptions:
    all: {EVERYWHERE: "1", BOTH: "clients", TAGGED: "clients"}
    text:
      LINES: "one\n[clients]\nINCLUDE=tag_hidden\n\\n \\c\n\n"
      QUOTES: "it's \"$HOME\" `id` $(id) \\ \\n %s"
      EMPTY: ""
      NEWLINE: "a\n"
      TAGGED: "tag"
      POST_INIT_X: "echo a\necho b"
    hidden: {HIDDEN: "1", TAGGED: "hidden"}
    a-b: {FOLDED: "1"}
  kubernetesLabels:
    all: {example.org/farm: a}
    compute: {example.org/gpu: "", example.org/rack: r1}
  kubernetesTaints:
    compute: [{key: example.org/mode, value: "off", effect: NoExecute}]
ltsp:
  config:
    rootPasswd: "$6$x$abcdefghijklmnop"
    options: {LATE: "a\tb ", BOTH: "common"}
    sections:
      "02:00:00:00:00:a1": "MENU_TIMEOUT = 7000\nSPACED=\"a b\"\nINCLUDE=tag_text\n"
      "02:00:00:00:00:0*": "INCLUDE=tag_hidden\nHOSTNAME=renamed\nWILD=1\n"
      "renamed": "RENAMED=1\n"
      "by-*": "BYNAME=1"
      "10.64.2.*": "NET=1"
      "pc*|other": "EITHER=1"
      "init/": "INCLUDE=tag_a-b\n"
nodePools:
  - range: 10.64.0.0,static,255.255.0.0,10.64.255.255,infinite
    nodes:
      - {name: plain, mac: "02:00:00:00:00:a1", ip: 10.64.1.1}
      - {name: pc7, mac: "02:00:00:00:00:a7", ip: 10.64.2.1}
  - tags: [compute, text]
    nodes:
      - {name: two, mac: "02:00:00:00:00:a2, 02:00:00:00:00:0A", ip: 10.64.1.2}
      - {name: by-address, clientID: "01:02:03", ip: 10.64.1.3}
      - {name: by-name, clientID: "01:02:04"}
  - tags: [hidden, a-b]
    nodes: [{name: other, mac: "02:00:00:00:00:05", ip: 10.64.1.5}]
"#;

/// The settings of a shown node by name, and the names of those that are masked.
fn settings(boot: &Value) -> (BTreeMap<String, String>, Vec<String>) {
    let mut known = BTreeMap::new();
    let mut masked = Vec::new();
    for setting in boot["settings"].as_array().expect("settings") {
        let name = setting["name"].as_str().expect("a name").to_owned();
        match setting["value"].as_str() {
            Some(value) => {
                known.insert(name, value.to_owned());
            }
            None => {
                assert_eq!(setting["secret"], true, "{name}");
                masked.push(name);
            }
        }
    }
    (known, masked)
}

/// What LTSP reads of a farm, with the user's sections in a folder; the names that only those set are made known.
fn configuration_in(folder: &Files, objects: &Objects, more: &[&str]) -> String {
    for (name, text) in Objects::files(objects.get("ConfigMap", BOOT_SERVER)) {
        if name.starts_with("section-") {
            folder.with(&name, &text);
        }
    }
    let names: String = more.iter().map(|name| format!("{name}=\n")).collect();
    configuration(objects, BOOT_SERVER) + "[printed]\n" + &names
}

#[test]
fn settings_are_those_that_ltsps_own_reader_evaluates() {
    let files = Files::new();
    let values = files.with("kinds.yaml", KINDS);
    let objects = Farm::new("kinds", "").with("-f").with(&values).objects();
    let more = [
        "MENU_TIMEOUT",
        "SPACED",
        "HOSTNAME",
        "WILD",
        "RENAMED",
        "BYNAME",
        "NET",
        "EITHER",
    ];
    let here = format!("{}/", files.0.path().display());
    let conf = configuration_in(&files, &objects, &more).replace("/etc/ltsp/", &here);
    for (asked, mac, ip, hostname) in [
        ("plain", "02:00:00:00:00:a1", "10.64.1.1", "plain"),
        ("pc7", "02:00:00:00:00:a7", "10.64.2.1", "pc7"),
        ("02:00:00:00:00:a2", "02:00:00:00:00:a2", "10.64.1.2", "two"),
        ("02:00:00:00:00:0A", "02:00:00:00:00:0a", "10.64.1.2", "two"),
        ("by-address", "02:ff:00:00:00:01", "10.64.1.3", "by-address"),
        ("by-name", "02:ff:00:00:00:02", "10.64.99.1", "by-name"),
        ("other", "02:00:00:00:00:05", "10.64.1.5", "other"),
    ] {
        let shown =
            json(&kubefarm(["nodes", "show", asked, "-f", &values, "-o", "json"]).success());
        let boots = shown["boots"].as_array().expect("boots");
        assert_eq!(boots.len(), 1, "{asked}");
        let (mut known, masked) = settings(&boots[0]);
        assert_eq!(masked, ["KUBEFARM_ROOT_PASSWD"], "{asked}");
        // LTSP's reader is given the machine's name, which no section has to set.
        known
            .entry("HOSTNAME".to_owned())
            .or_insert_with(|| hostname.to_owned());
        // [init/] changes the system: it is left out there.
        known.remove("FOLDED");
        for value in known.values_mut() {
            *value = value.replace("/etc/ltsp/", &here);
        }
        let Some(mut read) = variables(&conf, Node { mac, ip, hostname }) else {
            return;
        };
        assert!(read.remove("KUBEFARM_ROOT_PASSWD").is_some());
        read.remove("FOLDED");
        assert_eq!(known, read, "{asked}");
    }
}

#[test]
fn macs_that_make_a_difference_are_shown_apart() {
    let files = Files::new();
    let values = files.with("kinds.yaml", KINDS);
    let shown = json(&kubefarm(["nodes", "show", "two", "-f", &values, "-o", "json"]).success());
    let macs: Vec<&Value> = shown["boots"]
        .as_array()
        .expect("boots")
        .iter()
        .map(|boot| &boot["macs"])
        .collect();
    assert_eq!(
        macs,
        [&json!(["02:00:00:00:00:a2"]), &json!(["02:00:00:00:00:0a"])]
    );
    let text = kubefarm(["nodes", "show", "two", "-f", &values]).success();
    assert!(
        text.contains("\nWhere it boots with 02:00:00:00:00:0a:\n"),
        "{text}"
    );
}
