//! Who gets which address, name and options, and keeps them.

use std::fs;

use crate::network::{Lease, Network};
use crate::support::dnsmasq::standalone;
use crate::support::farms::{Farm, Objects, generic};
use crate::{SERVER, own_dnsmasq, turn_to};

#[test]
fn all_cards_of_a_node_get_its_address_and_its_tags_bring_options() {
    let Some(network) = Network::new() else {
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let layer =
        r#"{"dhcpOptions": {"storage": {"mtu": 9000, "ntp-server": ["10.64.0.8", "10.64.0.9"]}}}"#;
    let farm = own_dnsmasq(generic()).with(format!("--set-json=tags={layer}"));
    let server = standalone(&farm.objects(), SERVER, folder.path());
    let running = network.serve("10.64.0.2", &server, folder.path());
    for mac in [
        "02:00:00:40:06:0a",
        "02:00:00:40:06:0b",
        "02:00:00:40:06:0a",
    ] {
        // Firmware, initrd and system have identifiers of their own.
        for id in [&["-C"] as &[&str], &["-x", "0x3d:ff00112233"]] {
            let lease = network.machine(mac).ask(id).expect("a lease");
            for (name, value) in [
                ("ip", "10.64.1.16"),
                ("hostname", "r1n06"),
                ("mtu", "9000"),
                ("ntpsrv", "10.64.0.8 10.64.0.9"),
                ("lease", "4294967295"),
            ] {
                assert_eq!(
                    lease.get(name).map(String::as_str),
                    Some(value),
                    "{mac} {name}"
                );
            }
        }
    }
    let other = network
        .machine("02:00:00:40:01:0a")
        .boot(7)
        .expect("a lease");
    assert_eq!(other["ip"], "10.64.1.11");
    assert!(
        !other.contains_key("mtu") && !other.contains_key("ntpsrv"),
        "{other:?}"
    );
    assert_eq!(
        network
            .machine("02:ff:00:00:00:01")
            .ask(&["-t", "2", "-T", "1"]),
        None
    );
    let log = running.stop();
    assert!(!log.contains("DHCPNAK"), "{log}");
}

fn pool(range: &str, nodes: &str) -> Objects {
    let pools = format!("--set-json=nodePools=[{{\"range\": \"{range}\", \"nodes\": [{nodes}]}}]");
    own_dnsmasq(Farm::new("pool", "")).with(pools).objects()
}

fn ip(lease: Option<Lease>) -> String {
    lease.expect("a lease")["ip"].clone()
}

/// A pod that moves takes the volume along, and nothing else.
#[test]
fn leases_outlive_the_server() {
    let Some(network) = Network::new() else {
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let objects = pool("10.64.200.10,10.64.200.11,255.255.0.0,12h", "");
    let server = standalone(&objects, SERVER, folder.path());
    let running = network.serve("10.64.0.2", &server, folder.path());
    let machines = ["02:ff:00:00:00:01", "02:ff:00:00:00:02"].map(|mac| network.machine(mac));
    let before = machines.each_ref().map(|machine| ip(machine.boot(7)));
    assert_ne!(before[0], before[1]);
    running.stop();
    let running = network.serve("10.64.0.3", &server, folder.path());
    // The range is used up, also for a server that has just begun.
    let third = network.machine("02:ff:00:00:00:03");
    assert_eq!(
        third.ask(&["-t", "2", "-T", "4"]),
        None,
        "{}",
        running.log()
    );
    assert_eq!(
        machines.each_ref().map(|machine| ip(machine.boot(7))),
        before
    );
}

/// Leases of nodes are for ever, and a machine may break.
#[test]
fn a_new_machine_gets_the_address_of_the_one_it_replaces() {
    let Some(network) = Network::new() else {
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let range = "10.64.0.0,static,255.255.0.0";
    let node = |mac: &str| format!(r#"{{"name": "n1", "mac": "{mac}", "ip": "10.64.1.11"}}"#);
    let first = pool(range, &node("02:00:00:00:00:01"));
    let server = standalone(&first, SERVER, folder.path());
    let running = network.serve("10.64.0.2", &server, folder.path());
    assert_eq!(
        ip(network.machine("02:00:00:00:00:01").boot(7)),
        "10.64.1.11"
    );
    let leases = || {
        let path = folder.path().join("var/lib/dnsmasq/dnsmasq.leases");
        fs::read_to_string(path).expect("leases")
    };
    // What stays in the configuration stays in the leases.
    let another = r#"{"name": "n2", "mac": "02:00:00:00:00:02", "ip": "10.64.1.12"}"#;
    let both = pool(range, &format!("{}, {another}", node("02:00:00:00:00:01")));
    turn_to(&both, SERVER, folder.path());
    running.wait_for_times("DHCP, static leases only", 2);
    assert!(
        leases().contains("02:00:00:00:00:01 10.64.1.11"),
        "{}",
        leases()
    );

    turn_to(
        &pool(range, &node("02:00:00:00:00:0A")),
        SERVER,
        folder.path(),
    );
    running.wait_for_times("DHCP, static leases only", 3);
    assert!(!leases().contains("02:00:00:00:00:01"), "{}", leases());
    let replaced = network.machine("02:00:00:00:00:0a").boot(7);
    assert_eq!(ip(replaced), "10.64.1.11", "{}", running.log());
}
