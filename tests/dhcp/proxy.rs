//! Machines with addresses from another server, and boot options from the farm's server.

use std::path::Path;

use serde_json::Value;

use crate::dhcp::network::{Machine, Network};
use crate::dhcp::{SERVER, own_dnsmasq};
use crate::support::dnsmasq::{Server, controller, standalone};
use crate::support::farms::Farm;
use crate::support::project;
use crate::support::yaml_readers::python_with;

const NODE: &str = "02:00:00:40:01:0a";
const UNKNOWN_MACHINE: &str = "02:ff:00:00:00:01";
const SHIM: &str = "ltsp/grub/x86_64-efi/shimx64.efi";

fn farm() -> Farm {
    let pools = r#"--set-json=nodePools=[{"range": "10.64.0.0,proxy,255.255.0.0",
        "nodes": [{"name": "n1", "mac": "02:00:00:40:01:0a"}]}]"#;
    let farm = Farm::new("proxy", "").with(pools);
    farm.with("--set=ltsp.service.loadBalancerIP=10.64.0.11")
}

/// The answers to such a machine: to its broadcast, and from port 4011.
fn ask(python: &Path, machine: &Machine, mac: &str, kind: &[&str]) -> [Value; 2] {
    let client = project().join("tests/support/pxe_client.py");
    let client = client.to_str().expect("UTF-8");
    let python = python.to_str().expect("UTF-8");
    let words = [&[python, client, "eth1", mac, "10.64.9.1"], kind].concat();
    let finished = machine.run_at("10.64.9.1", "fe80::1", &words);
    let said: Value = serde_json::from_str(&finished.success()).expect("JSON");
    ["offer", "boot"].map(|name| said[name].clone())
}

fn assert_boot(network: &Network, python: &Path, mac: &str) {
    for (architecture, file) in [
        ("0", "ltsp/grub/i386-pc/core.0"),
        ("7", SHIM),
        ("9", SHIM),
        ("11", "ltsp/grub/arm64-efi/core.efi"),
    ] {
        let [offer, boot] = ask(python, &network.machine(mac), mac, &[architecture]);
        assert_eq!(offer["kind"], "PXEClient", "{architecture}: {offer}");
        assert_eq!(offer["by"], "10.64.0.2", "{architecture}: {offer}");
        let found = [&boot["server"], &boot["file"]];
        assert_eq!(found, ["10.64.0.11", file], "{mac} {architecture}: {boot}");
    }
    // iPXE takes the file of the offer.
    let script = "http://10.64.0.11/ltsp/boot.ipxe";
    for (architecture, file) in [("0", script), ("7", script), ("6", "")] {
        let kind = [architecture, "ipxe"];
        let [offer, _] = ask(python, &network.machine(mac), mac, &kind);
        assert_eq!(offer["file"], file, "iPXE on {architecture}: {offer}");
    }
    // Nothing is there for UEFI of 32 bits.
    let [_, boot] = ask(python, &network.machine(mac), mac, &["6"]);
    assert!(boot["file"].as_str().is_none_or(str::is_empty), "{boot}");
}

fn assert_server(server: &Server, folder: &Path) {
    // Machines with a lease of ours would see a menu too.
    let ours = "=tag:kubefarm-kubernetes-ltsp,tag:proxy-dhcp,";
    let lines = server.configuration.lines();
    let lines = lines.filter(|line| line.starts_with("pxe-") || line.starts_with("dhcp-boot"));
    let lines: Vec<&str> = lines.collect();
    assert_eq!(lines.len(), 5, "{lines:?}");
    assert!(lines.iter().all(|line| line.contains(ours)), "{lines:?}");
    let (Some(network), Some(python)) = (Network::new(), python_with("socket", "python3")) else {
        return;
    };
    let _running = network.serve("10.64.0.2", server, folder);
    for mac in [NODE, UNKNOWN_MACHINE] {
        assert_boot(&network, &python, mac);
    }
}

#[test]
fn the_farms_own_server_says_what_to_boot() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = standalone(&own_dnsmasq(farm()).objects(), SERVER, folder.path());
    assert_server(&server, folder.path());
}

#[test]
fn dnsmasq_controller_says_the_same() {
    let folder = tempfile::tempdir().expect("a folder");
    let objects = farm().with("--set=dhcp.installController=true").objects();
    assert_server(&controller(&[&objects], folder.path()), folder.path());
}

/// With lines of the user's there is one item in the menu, and it is theirs.
#[test]
fn a_menu_of_the_users_is_the_only_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let own = r#"--set-json=nodePools=[{"range": "10.64.0.0,proxy,255.255.0.0",
        "extraOpts": [{"pxe-service": "tag:?,x86PC,Mine,own.0,10.64.0.12"}]}]"#;
    let server = standalone(
        &own_dnsmasq(farm().with(own)).objects(),
        SERVER,
        folder.path(),
    );
    let (Some(network), Some(python)) = (Network::new(), python_with("socket", "python3")) else {
        return;
    };
    let _running = network.serve("10.64.0.2", &server, folder.path());
    let [offer, boot] = ask(
        &python,
        &network.machine(UNKNOWN_MACHINE),
        UNKNOWN_MACHINE,
        &["0"],
    );
    assert_eq!(offer["menu"], "Mine", "{offer}");
    assert_eq!(
        [&boot["server"], &boot["file"]],
        ["10.64.0.12", "own.0"],
        "{boot}"
    );
}
