//! The network script of the example `advanced_network`, on what a boot leaves behind; and netplan on its result.

mod ports;

use std::collections::BTreeMap;
use std::fs::create_dir_all;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::farms::{advanced_network, generic_with};
use crate::support::sysfs::Port;
use crate::support::{Finished, program, run};
use tempfile::TempDir;

/// What LTSP knows when it sources the script.
const BOOT: [(&str, &str); 9] = [
    ("DEVICE", "eno2"),
    ("MAC_ADDRESS", "02:00:00:40:01:0b"),
    ("IP_ADDRESS", "10.64.1.11"),
    ("GATEWAY", "10.64.0.1"),
    ("DNS_SERVER", "10.64.0.1 10.64.0.2"),
    ("SERVER", "10.64.0.11"),
    ("IPCONFIG_IPV4ADDR", "10.64.1.11"),
    ("IPCONFIG_IPV4NETMASK", "255.255.0.0"),
    ("IPCONFIG_IPV4GATEWAY", "10.64.0.1"),
];

/// The script as nodes get it, from the ConfigMap.
fn script() -> String {
    let objects = advanced_network().objects();
    objects
        .file("kubefarm-kubernetes-ltsp", "network.sh")
        .to_owned()
}

/// The shells that a node may have, each with what makes it read a text.
fn shells() -> Vec<Vec<PathBuf>> {
    let shells = [("dash", "dash"), ("bash", "bash"), ("busybox", "busybox")];
    let found = shells.into_iter().filter_map(|(name, package)| {
        let shell = program(name, package)?;
        let applet = (name == "busybox").then(|| PathBuf::from("sh"));
        Some(std::iter::once(shell).chain(applet).collect())
    });
    found.collect()
}

/// A card of two ports, as in most servers.
const CARD: [Port; 2] = [
    Port {
        name: "eno1",
        device: "pci0000:00/0000:3b:00.0",
        bus: "pci",
        mac: "02:00:00:40:01:0a",
    },
    Port {
        name: "eno2",
        device: "pci0000:00/0000:3b:00.1",
        bus: "pci",
        mac: "02:00:00:40:01:0b",
    },
];

/// The root of a machine that has these ports.
fn machine(ports: &[Port]) -> TempDir {
    let root = tempfile::tempdir().expect("a folder");
    // The loopback device is there always, without a card.
    create_dir_all(root.path().join("sys/class/net/lo")).expect("a folder");
    ports.iter().for_each(|port| port.plug_in(root.path()));
    root
}

/// Sources the script as LTSP does, which stops at errors, with another root; `changes` lay over [`BOOT`].
fn source(shell: &[PathBuf], root: &Path, changes: &[(&str, &str)]) -> Finished {
    std::fs::write(root.join("network.sh"), script()).expect("written");
    let (program, arguments) = shell.split_first().expect("a program");
    let mut command = Command::new(program);
    command
        .args(arguments)
        .current_dir(root)
        .env_clear()
        .env("PATH", "/usr/bin:/bin");
    command.envs(BOOT).envs(changes.iter().copied());
    command.env("KUBEFARM_ROOT", root);
    let text = "set -e; status=0; ( . ./network.sh ) || status=$?; echo alive; exit $status";
    run(command.args(["-c", text]))
}

/// The configuration that the script writes for `netplan`.
fn written(root: &Path) -> String {
    std::fs::read_to_string(root.join("etc/netplan/50-kubefarm.yaml")).unwrap_or_default()
}

/// The files that netplan makes of the configuration, by name; `None` without netplan.
fn generate(root: &Path) -> Option<BTreeMap<String, String>> {
    let netplan = program("netplan", "netplan.io")?;
    let mut command = Command::new(netplan);
    let finished = run(command.arg("generate").arg("--root-dir").arg(root));
    assert_eq!(finished.stderr, "");
    finished.success();
    let files = std::fs::read_dir(root.join("run/systemd/network")).expect("networkd's files");
    let read = |entry: std::io::Result<std::fs::DirEntry>| {
        let path = entry.expect("an entry").path();
        let name = path.file_name()?.to_str()?.to_owned();
        Some((name, std::fs::read_to_string(path).ok()?))
    };
    files.map(read).collect()
}

#[track_caller]
fn assert_lines(text: &str, expected: &[&str]) {
    for line in expected {
        assert!(
            text.lines().any(|found| found == *line),
            "no {line} in\n{text}"
        );
    }
}

#[test]
fn the_script_makes_a_bond_and_a_vlan() {
    for shell in shells() {
        let root = machine(&CARD);
        let finished = source(&shell, root.path(), &[]);
        assert_eq!(
            (finished.code(), finished.stdout.as_str()),
            (0, "alive\n"),
            "{finished:?}"
        );
        assert_eq!(finished.stderr, "");
        let Some(files) = generate(root.path()) else {
            return;
        };
        assert_networkd(&files);
    }
}

fn assert_networkd(files: &BTreeMap<String, String>) {
    let names: Vec<&str> = files.keys().map(String::as_str).collect();
    let expected = [
        "10-netplan-bond0.20.netdev",
        "10-netplan-bond0.20.network",
        "10-netplan-bond0.netdev",
        "10-netplan-bond0.network",
        "10-netplan-eno1.network",
        "10-netplan-eno2.network",
    ];
    let missing = expected.iter().find(|name| !names.contains(name));
    assert_eq!(missing, None, "{names:?}");
    let bond = [
        "Name=bond0",
        "Kind=bond",
        "Mode=802.3ad",
        "MTUBytes=9000",
        "LACPTransmitRate=fast",
    ];
    assert_lines(&files[expected[2]], &bond);
    assert_lines(
        &files[expected[2]],
        &[
            "MACAddress=02:00:00:40:01:0b",
            "TransmitHashPolicy=layer3+4",
        ],
    );
    let address = [
        "Address=10.64.1.11/16",
        "DNS=10.64.0.1",
        "DNS=10.64.0.2",
        "VLAN=bond0.20",
    ];
    assert_lines(&files[expected[3]], &address);
    assert_lines(
        &files[expected[3]],
        &["Destination=0.0.0.0/0", "Gateway=10.64.0.1"],
    );
    assert_lines(
        &files[expected[0]],
        &["Name=bond0.20", "Kind=vlan", "Id=20", "MTUBytes=9000"],
    );
    assert_lines(&files[expected[1]], &["Address=10.65.1.11/16"]);
    // The bond gives both its own MAC, and udev may give them names of its own.
    for (port, mac) in expected[4..].iter().zip(["0a", "0b"]) {
        let mac = format!("PermanentMACAddress=02:00:00:40:01:{mac}");
        assert_lines(&files[*port], &["Bond=bond0", "MTUBytes=9000", &mac]);
        assert!(!files[*port].contains("\nName="), "{}", files[*port]);
    }
}

#[test]
fn a_network_without_a_router_gets_no_route() {
    let Some(shell) = shells().into_iter().next() else {
        return;
    };
    for gateway in ["", "0.0.0.0"] {
        let root = machine(&CARD);
        let changes = [("GATEWAY", ""), ("IPCONFIG_IPV4GATEWAY", gateway)];
        let finished = source(&shell, root.path(), &changes);
        assert_eq!((finished.code(), finished.stderr.as_str()), (0, ""));
        if let Some(files) = generate(root.path()) {
            assert!(!files["10-netplan-bond0.network"].contains("Gateway="));
        }
    }
}

#[test]
fn what_cannot_be_right_fails_and_writes_nothing() {
    for (name, value, message) in [
        (
            "IPCONFIG_IPV4NETMASK",
            "255.0.255.0",
            "strange netmask: '255.0.255.0'",
        ),
        ("IPCONFIG_IPV4NETMASK", "255.255.0", "strange netmask"),
        ("IPCONFIG_IPV4NETMASK", "0.0.0.0", "strange netmask"),
        ("IPCONFIG_IPV4NETMASK", "", "strange netmask: ''"),
        (
            "DEVICE",
            "eno3",
            "booted from 'eno3', which is not a card's port: set NETWORK_PORTS",
        ),
        ("DEVICE", "", "booted from ''"),
        (
            "NETWORK_PORTS",
            "eno1",
            "booted from 'eno2', which is not one of NETWORK_PORTS: eno1",
        ),
        (
            "NETWORK_PORTS",
            "eno2 eno3",
            "no port 'eno3', which NETWORK_PORTS names",
        ),
        (
            "NETWORK_PORTS",
            "eno2 eno1:",
            "no port 'eno1:', which NETWORK_PORTS names",
        ),
        ("IPCONFIG_IPV4ADDR", "10.63.1.11", "outside of 10.64.0.0/16"),
        (
            "IPCONFIG_IPV4ADDR",
            "10.64.1.11]\n",
            "address is not an address",
        ),
        (
            "DNS_SERVER",
            "10.64.0.1 $(id)",
            "DNS_SERVER is not an address",
        ),
        ("MAC_ADDRESS", "", "MAC_ADDRESS is not an address: ''"),
    ] {
        for shell in shells() {
            let root = machine(&CARD);
            let finished = source(&shell, root.path(), &[(name, value)]);
            finished.failed(1, &["network.sh: ", message]);
            assert_eq!(finished.stdout, "alive\n", "it must not end its caller");
            let folder = root.path().join("etc/netplan");
            assert!(!folder.exists(), "{name}={value:?}");
        }
    }
}

/// Every layer of the example leaves the script as the file says it.
#[test]
fn other_layers_leave_the_script_alone() {
    let layers = "-f examples/advanced_network/values.yaml -f values/standalone-dhcp.yaml";
    let objects = generic_with(layers).objects();
    assert_eq!(
        objects.file("kubefarm-kubernetes-ltsp", "network.sh"),
        script()
    );
}
