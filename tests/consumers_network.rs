//! The network script of the example `advanced_network`, on what a boot leaves behind; and netplan on its result.

mod support;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use support::farms::{advanced_network, generic_with};
use support::{Finished, program, run};

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

/// Sources the script as LTSP does, with another root; `changes` lay over [`BOOT`].
fn source(shell: &Path, root: &Path, changes: &[(&str, &str)]) -> Finished {
    std::fs::write(root.join("network.sh"), script()).expect("written");
    let mut command = Command::new(shell);
    command
        .current_dir(root)
        .env_clear()
        .env("PATH", "/usr/bin:/bin");
    command.envs(BOOT).envs(changes.iter().copied());
    command.env("KUBEFARM_ROOT", root);
    run(command.args(["-c", ". ./network.sh; status=$?; echo alive; exit $status"]))
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
    for (shell, package) in [("dash", "dash"), ("bash", "bash")] {
        let Some(shell) = program(shell, package) else {
            continue;
        };
        let root = tempfile::tempdir().expect("a folder");
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
    for port in &expected[4..] {
        assert_lines(&files[*port], &["Bond=bond0", "MTUBytes=9000"]);
    }
}

#[test]
fn a_network_without_a_router_gets_no_route() {
    let Some(shell) = program("dash", "dash") else {
        return;
    };
    for gateway in ["", "0.0.0.0"] {
        let root = tempfile::tempdir().expect("a folder");
        let changes = [("GATEWAY", ""), ("IPCONFIG_IPV4GATEWAY", gateway)];
        let finished = source(&shell, root.path(), &changes);
        assert_eq!((finished.code(), finished.stderr.as_str()), (0, ""));
        if let Some(files) = generate(root.path()) {
            assert!(!files["10-netplan-bond0.network"].contains("Gateway="));
        }
    }
}

#[test]
fn what_cannot_be_right_stops_the_boot_and_writes_nothing() {
    let Some(shell) = program("dash", "dash") else {
        return;
    };
    for (name, value, message) in [
        (
            "IPCONFIG_IPV4NETMASK",
            "255.0.255.0",
            "strange netmask: '255.0.255.0'",
        ),
        ("IPCONFIG_IPV4NETMASK", "255.255.0", "strange netmask"),
        ("IPCONFIG_IPV4NETMASK", "0.0.0.0", "strange netmask"),
        ("IPCONFIG_IPV4NETMASK", "", "strange netmask: ''"),
        ("DEVICE", "eno3", "booted from 'eno3'"),
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
        let root = tempfile::tempdir().expect("a folder");
        let finished = source(&shell, root.path(), &[(name, value)]);
        assert!(finished.code() != 0, "{name}={value:?}");
        assert_eq!(finished.stdout, "alive\n", "it must not end its caller");
        let expected = format!("network.sh: {message}");
        assert!(
            finished.stderr.contains(message),
            "{expected} is not in {}",
            finished.stderr
        );
        assert!(
            !root.path().join("etc/netplan").exists(),
            "{name}={value:?}"
        );
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
