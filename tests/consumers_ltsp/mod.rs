//! What LTSP reads in the rendered `ltsp.conf`, for each kind of node.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use crate::support::farms::{
    Farm, Objects, advanced_network, big_values, catchall, generic, node_address, node_mac,
};
use crate::support::ltsp::{Node, configuration, is_installed, variables};
use crate::support::{program, run};

const BOOT_SERVER: &str = "kubefarm-kubernetes-ltsp";

const UNKNOWN_MACHINE: Node = Node {
    mac: "02:ff:ff:ff:ff:ff",
    ip: "10.64.9.9",
    hostname: "unknown",
};

/// One pool for each way to find a node, and settings that are hard to write.
const KINDS: &str = r#"
tags:
  ltspOptions:
    all: {EVERYWHERE: "1"}
    text:
      LINES: "one\n[clients]\nINCLUDE=tag_hidden\n\\n \\c\n\n"
      QUOTES: "it's \"$HOME\" `id` $(id) \\ \\n %s"
      EMPTY: ""
    hidden: {HIDDEN: "1"}
  kubernetesLabels:
    all: {example.org/farm: a}
    compute: {example.org/gpu: "", example.org/rack: r1}
  kubernetesTaints:
    compute:
      - {key: example.org/gpu, effect: NoSchedule}
      - {key: example.org/mode, value: "off", effect: NoExecute}
ltsp: {config: {options: {LATE: "a\tb "}}}
nodePools:
  - range: 10.64.0.0,static,255.255.0.0,10.64.255.255,infinite
    nodes: [{name: plain, mac: "02:00:00:00:00:01", ip: 10.64.1.1}]
  - tags: [compute, text]
    nodes:
      - {name: two, mac: "02:00:00:00:00:02, 02:00:00:00:00:0A", ip: 10.64.1.2}
      - {name: by-address, clientID: "01:02:03", ip: 10.64.1.3}
      - {name: by-name, clientID: "01:02:04"}
  - tags: [hidden]
    nodes: [{name: other, mac: "02:00:00:00:00:05", ip: 10.64.1.5}]
"#;

fn kinds_of_nodes() -> Objects {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("kinds.yaml");
    std::fs::write(&file, KINDS).expect("written");
    Farm::new("kinds of nodes", "").with_file(&file).objects()
}

type Variables = BTreeMap<String, String>;

/// The variables of a node that an unknown machine does not have; it must have all that an unknown machine has.
fn own_variables(configuration: &str, node: Node) -> Option<Variables> {
    let common = variables(configuration, UNKNOWN_MACHINE)?;
    let mut own = variables(configuration, node)?;
    for (name, value) in common {
        assert_eq!(own.remove(&name).as_ref(), Some(&value), "{name}");
    }
    Some(own)
}

fn pairs<const N: usize>(pairs: [(&str, &str); N]) -> Variables {
    let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    pairs.into_iter().map(owned).collect()
}

fn node<'a>(mac: &'a str, ip: &'a str, hostname: &'a str) -> Node<'a> {
    Node { mac, ip, hostname }
}

#[test]
fn a_node_of_no_tag_has_what_is_for_all() {
    let configuration = configuration(&kinds_of_nodes(), BOOT_SERVER);
    let plain = node("02:00:00:00:00:01", "10.64.1.1", "plain");
    assert!(own_variables(&configuration, plain).is_none_or(|own| own.is_empty()));
    let Some(common) = variables(&configuration, plain) else {
        return;
    };
    assert_eq!(common["EVERYWHERE"], "1");
    assert_eq!(common["LATE"], "a\tb ");
    assert_eq!(common["KUBERNETES_LABELS_ALL"], "example.org/farm=a");
    assert_eq!(common["LOCAL_SWAP"], "0");
    assert_eq!(common["MENU_TIMEOUT"], "0");
    assert!(!common.contains_key("HIDDEN"), "{common:?}");
}

#[test]
fn a_tagged_node_is_found_by_each_mac_by_address_and_by_name() {
    let configuration = configuration(&kinds_of_nodes(), BOOT_SERVER);
    let expected = pairs([
        ("EMPTY", ""),
        (
            "KUBERNETES_LABELS_COMPUTE",
            "example.org/gpu=,example.org/rack=r1",
        ),
        (
            "KUBERNETES_TAINTS_COMPUTE",
            "example.org/gpu=:NoSchedule,example.org/mode=off:NoExecute",
        ),
        ("LINES", "one\n[clients]\nINCLUDE=tag_hidden\n\\n \\c\n\n"),
        ("QUOTES", "it's \"$HOME\" `id` $(id) \\ \\n %s"),
    ]);
    for node in [
        node("02:00:00:00:00:02", "10.64.1.2", "two"),
        node("02:00:00:00:00:0a", "10.64.1.2", "two"),
        node("02:ff:00:00:00:01", "10.64.1.3", "by-address"),
        node("02:ff:00:00:00:02", "10.64.99.1", "by-name"),
    ] {
        let own = own_variables(&configuration, node);
        if let Some(own) = own {
            assert_eq!(own, expected, "{node:?}");
        }
    }
    let other = node("02:00:00:00:00:05", "10.64.1.5", "other");
    let own = own_variables(&configuration, other);
    assert!(own.is_none_or(|own| own == pairs([("HIDDEN", "1")])));
}

#[test]
fn the_generic_farm_marks_its_storage_node() {
    let configuration = configuration(&advanced_network().objects(), BOOT_SERVER);
    for mac in ["02:00:00:40:06:0a", "02:00:00:40:06:0b"] {
        let own = own_variables(&configuration, node(mac, "10.64.1.16", "r1n06"));
        let expected = pairs([
            ("DEBUG_SHELL", "1"),
            (
                "KUBERNETES_LABELS_STORAGE",
                "example.org/disks=nvme,example.org/rack=r1",
            ),
            (
                "KUBERNETES_TAINTS_STORAGE",
                "example.org/dedicated=storage:NoSchedule",
            ),
        ]);
        assert!(own.is_none_or(|own| own == expected), "{mac}");
    }
    let plain = node("02:00:00:40:01:0a", "10.64.1.11", "r1n01");
    let Some(common) = variables(&configuration, plain) else {
        return;
    };
    assert_eq!(common["KUBEFARM_TIMEZONE"], "Europe/Vienna");
    assert_eq!(
        common["KERNEL_PARAMETERS"],
        "console=tty1 console=ttyS0,115200n8"
    );
    assert_eq!(common["KUBEFARM_ROOT_LOGIN"], "1");
    assert!(!common.contains_key("KUBEFARM_ROOT_PASSWD"));
    assert_eq!(
        common["KUBEFARM_POST_INIT_NETWORKING"],
        ". /etc/ltsp/network.sh"
    );
    assert_eq!(
        common["POST_INIT_NETWORKING"],
        "kubefarm_run POST_INIT_NETWORKING"
    );
}

#[test]
fn the_catchall_farm_marks_every_node() {
    let configuration = configuration(&catchall().objects(), "catchall-kubernetes-ltsp");
    let Some(variables) = variables(&configuration, UNKNOWN_MACHINE) else {
        return;
    };
    assert_eq!(
        variables["KUBERNETES_LABELS_ALL"],
        "example.org/unclaimed=true"
    );
    assert_eq!(
        variables["KUBERNETES_TAINTS_ALL"],
        "example.org/unclaimed=true:NoSchedule"
    );
    assert_eq!(variables["DEBUG_SHELL"], "1");
}

/// Their sections come in several ConfigMaps. A long tag brings that about with few nodes: LTSP's reader takes
/// four times as long for twice the sections.
#[test]
fn nodes_of_a_big_farm_are_found_in_every_part() {
    const COUNT: usize = 3_500;
    let tag = "compute_".repeat(7);
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("nodes.yaml");
    std::fs::write(&file, big_values(COUNT).replace("compute", &tag)).expect("written");
    let objects = Farm::new("big", "").with_file(&file).objects();
    let configuration = configuration(&objects, BOOT_SERVER);
    assert!(configuration.len() > 2 * objects.file(BOOT_SERVER, "ltsp.conf").len());
    let includes = configuration.matches("INCLUDE=tag_compute_").count();
    assert_eq!(includes, 2 * COUNT);
    let label = format!("KUBERNETES_LABELS_{}", tag.to_uppercase());
    for number in [0, COUNT / 2, COUNT - 1] {
        let (mac, address) = (node_mac(number, 1), node_address(number));
        if let Some(variables) = variables(&configuration, node(&mac, &address, "n")) {
            assert_eq!(variables[&label], "example.org/rack=r7", "{number}");
        }
    }
}

/// The user's sections, in the ways that ltsp.conf(5) and the shell allow.
const SECTIONS: &str = r#"
ltsp:
  config:
    sections:
      "02:00:00:40:01:0a": |
        MENU_TIMEOUT = 7000
        SPACED="a b"
        TEXT=$(cat <<END
        key = value
        END
        )
        QUOTED = 'x
        y = z'
      "pc*": 'BOTH = "1"'
      pc: 'ONE = "1"'
tags: {ltspOptions: {storage: {KERNEL_PARAMETERS: quiet}}}
nodePools:
  - tags: [storage]
    nodes: [{name: by-address, clientID: "01:02:03", ip: 10.64.1.3}]
"#;

/// Writes ltsp.conf and its sections to `folder`, where they are then found.
fn write_configuration(objects: &Objects, folder: &Path) -> String {
    let here = format!("{}/", folder.display());
    let text = configuration(objects, BOOT_SERVER).replace("/etc/ltsp/", &here);
    std::fs::write(folder.join("ltsp.conf"), &text).expect("written");
    for (name, text) in Objects::files(objects.get("ConfigMap", BOOT_SERVER)) {
        if name.starts_with("section-") {
            std::fs::write(folder.join(name), text).expect("written");
        }
    }
    text
}

fn farm_with_sections() -> Objects {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("sections.yaml");
    std::fs::write(&file, SECTIONS).expect("written");
    Farm::new("sections", "").with_file(&file).objects()
}

#[test]
fn sections_set_what_they_say() {
    let folder = tempfile::tempdir().expect("a folder");
    let configuration = write_configuration(&farm_with_sections(), folder.path());
    // The reader of this test prints what ltsp.conf assigns, and these are assigned elsewhere.
    let names = "[printed]\nSPACED=\nTEXT=\nQUOTED=\nBOTH=\nONE=\n";
    let configuration = configuration + names;
    let machine = node("02:00:00:40:01:0a", "10.64.1.11", "pc");
    let Some(set) = variables(&configuration, machine) else {
        return;
    };
    assert_eq!(set["MENU_TIMEOUT"], "7000");
    assert_eq!(set["SPACED"], "a b");
    assert_eq!(set["TEXT"], "key = value");
    assert_eq!(set["QUOTED"], "x\ny = z");
    // Two sections, of which LTSP takes the first that matches; neither has the other's text.
    assert_eq!(set.get("BOTH").map(String::as_str), Some("1"));
    assert_eq!(set.get("ONE"), None);
    let other = variables(&configuration, node("02:ff:00:00:00:01", "10.64.9.9", "x"));
    assert!(other.is_some_and(|other| !other.contains_key("BOTH")));
}

/// The boot server's configuration for GRUB, with LTSP's reader, and an initrd that reads this format of configurations.
fn boot_menu(objects: &Objects, folder: &Path, format: &str) -> Option<()> {
    let shell = program("dash", "dash").filter(|_| is_installed())?;
    let script = objects.file(&format!("{BOOT_SERVER}-scripts"), "boot-menu.sh");
    std::fs::write(folder.join("boot-menu.sh"), script).expect("written");
    write_configuration(objects, folder);
    let conf = folder.join("ltsp.conf");
    std::fs::create_dir_all(folder.join("images/x86_64")).expect("a folder");
    std::fs::write(folder.join("images/x86_64/release"), "1f2e\n").expect("written");
    let release = folder.join("images/x86_64/1f2e");
    std::fs::create_dir_all(&release).expect("a folder");
    std::fs::write(release.join("configuration-format"), format).expect("written");
    let mut command = Command::new(shell);
    command.current_dir(folder).arg("boot-menu.sh").arg(conf);
    run(command.args(["menu", "a0b1", "images", KEY])).success();
    Some(())
}

/// What the configuration is signed with.
const KEY: &str = "MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";

#[test]
fn the_boot_menu_follows_sections_and_addresses() {
    let folder = tempfile::tempdir().expect("a folder");
    let Some(()) = boot_menu(&farm_with_sections(), folder.path(), "1\n") else {
        return;
    };
    let read =
        |name: &str| std::fs::read_to_string(folder.path().join("menu").join(name)).expect(name);
    assert_eq!(
        read("settings.cfg"),
        format!(
            "set kernel_parameters=''\nset timeout=0\nset configuration=a0b1\nset release=1f2e\n\
             set config_key='{KEY}'\nif [ \"$machine\" = arm64 ]; then\n    set release=\n    set config_key=''\nfi\n\
             set node_settings=yes\n"
        )
    );
    assert_eq!(
        read("settings.ipxe"),
        format!(
            "set kernel_parameters \nset configuration a0b1\nset release 1f2e\nset config_key {KEY}\n\
             iseq ${{buildarch}} arm64 && set release  ||\niseq ${{buildarch}} arm64 && set config_key  ||\n\
             set node_settings yes\n"
        )
    );
    let machine = read("nodes/02:00:00:40:01:0a.cfg");
    assert_eq!(machine, "set kernel_parameters=''\nset timeout=7\n");
    let known_by_address = read("nodes/10.64.1.3.cfg");
    assert_eq!(
        known_by_address,
        "set kernel_parameters='quiet'\nset timeout=0\n"
    );
    assert_eq!(
        read("nodes/10.64.1.3.ipxe"),
        "set kernel_parameters quiet\n"
    );
}

#[test]
fn the_boot_menu_follows_tags() {
    let farm = generic()
        .with("--set=ltsp.config.options.MENU_TIMEOUT=2500")
        .with("--set=tags.ltspOptions.storage.KERNEL_PARAMETERS=quiet");
    let folder = tempfile::tempdir().expect("a folder");
    let Some(()) = boot_menu(&farm.objects(), folder.path(), "none") else {
        return;
    };
    let file = |name: &str| folder.path().join(name);
    let read = |name: &str| std::fs::read_to_string(file(name)).expect(name);
    let common = "set kernel_parameters='console=tty1 console=ttyS0,115200n8'\nset timeout=3\n";
    let settings = read("menu/settings.cfg");
    assert!(settings.starts_with(common), "{settings}");
    // Such an initrd boots as ever.
    assert!(settings.contains("\nset config_key=''\n"), "{settings}");
    let nodes: Vec<_> = std::fs::read_dir(file("menu/nodes"))
        .expect("a folder")
        .collect();
    // For GRUB and for iPXE.
    assert_eq!(nodes.len(), 4, "{nodes:?}");
    for mac in ["02:00:00:40:06:0a", "02:00:00:40:06:0b"] {
        let own = "set kernel_parameters='quiet'\nset timeout=3\n";
        assert_eq!(read(&format!("menu/nodes/{mac}.cfg")), own);
    }
}
