//! Who gets which address, name and options, and keeps them.

use std::fs;

use crate::dhcp::network::{Lease, Network};
use crate::dhcp::{SERVER, own_dnsmasq, turn_to};
use crate::support::dnsmasq::{controller, standalone};
use crate::support::farms::{Farm, Objects, generic};
use crate::support::project;
use crate::support::yaml_readers::python_with;

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

/// An address of IPv4 and one of IPv6, in the two ways of writing them.
#[test]
fn a_node_gets_its_addresses_of_both_families() {
    let Some(python) = python_with("socket", "python3") else {
        return;
    };
    let [python, client] = [python, project().join("tests/support/dhcp6_client.py")];
    let nodes = r#"{"name": "n1", "mac": "02:00:00:00:00:01", "ip": "10.64.1.11,[fd00:64::11]"},
        {"name": "n2", "mac": "02:00:00:00:00:02", "ip": ["fd00:64::12", "10.64.1.12"]}"#;
    let pools = format!(
        r#"--set-json=nodePools=[{{"range": "10.64.0.0,static,255.255.0.0", "nodes": [{nodes}],
        "extraOpts": [{{"dhcp-range": "set:?,fd00:64::,static,64,infinite"}}]}}]"#
    );
    let farm = Farm::new("both", "").with(pools);
    let folders = [(); 2].map(|()| tempfile::tempdir().expect("a folder"));
    let [one, other] = folders.each_ref().map(tempfile::TempDir::path);
    let alone = standalone(&own_dnsmasq(farm.clone()).objects(), SERVER, one);
    let shared = farm.with("--set=dhcp.installController=true").objects();
    let shared = controller(&[&shared], other);
    for (server, folder) in [(alone, one), (shared, other)] {
        let Some(network) = Network::new() else {
            return;
        };
        let running = network.serve("10.64.0.2", &server, folder);
        for number in ["1", "2"] {
            let mac = format!("02:00:00:00:00:0{number}");
            let machine = network.machine(&mac);
            let lease = machine.boot(7).expect("a lease");
            let found = [&lease["ip"], &lease["hostname"]];
            assert_eq!(
                found,
                [&format!("10.64.1.1{number}"), &format!("n{number}")]
            );
            let words = [python.as_path(), &client].map(|path| path.to_str().expect("UTF-8"));
            let words = [&words, ["eth1", mac.as_str()].as_slice()].concat();
            let asked = machine.run_at("10.64.9.1", &format!("fe80::{number}"), &words);
            let expected = format!("fd00:64::1{number}\n");
            assert_eq!(asked.success(), expected, "{}", running.log());
        }
    }
}

/// Firmware, initrd and system send identifiers of their own. A node that is listed by its identifier is still known by
/// it, also if a farm with a dynamic range is on the same server.
#[test]
fn an_unknown_machine_gets_one_address_whatever_its_identifier() {
    let Some(network) = Network::new() else {
        return;
    };
    let dynamic = r#"--set-json=nodePools=[{"range": "10.64.200.10,10.64.200.12,255.255.0.0,1h",
        "extraOpts": [{"dhcp-generate-names": "tag:?"}]}]"#;
    let listed = r#"--set-json=nodePools=[{"range": "10.64.0.0,static,255.255.0.0",
        "nodes": [{"name": "n1", "clientID": "01:02:03", "ip": "10.64.1.11"}]}]"#;
    let both = r#"--set-json=nodePools=[{"range": "10.64.200.10,10.64.200.12,255.255.0.0,1h",
        "nodes": [{"name": "n1", "clientID": "01:02:03", "ip": "10.64.1.11"}]}]"#;
    let farm = |pools: &str| Farm::new("named", "").with(pools);
    let folders = [(); 2].map(|()| tempfile::tempdir().expect("a folder"));
    let [one, other] = folders.each_ref().map(tempfile::TempDir::path);
    let alone = standalone(&own_dnsmasq(farm(both)).objects(), SERVER, one);
    let releases = [
        farm(dynamic).with("--name=rest").objects(),
        farm(listed)
            .with("--set=dhcp.installController=true")
            .objects(),
    ];
    let shared = controller(&[&releases[0], &releases[1]], other);
    for (server, folder) in [(alone, one), (shared, other)] {
        let running = network.serve("10.64.0.2", &server, folder);
        let machine = network.machine("02:ff:00:00:00:01");
        let identifiers = ["0x3d:ff00112233", "0x3d:01020304", "0x3d:0102ff000000"];
        let mut addresses = identifiers
            .map(|id| ip(machine.ask(&["-x", id])))
            .into_iter()
            .chain([ip(machine.ask(&["-C"]))]);
        let first = addresses.next().expect("an address");
        assert!(first.starts_with("10.64.200."), "{first}");
        assert!(
            addresses.all(|address| address == first),
            "{}",
            running.log()
        );
        let listed = network
            .machine("02:ff:00:00:00:02")
            .ask(&["-x", "0x3d:010203"]);
        assert_eq!(ip(listed), "10.64.1.11", "{}", running.log());
        running.stop();
    }
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

/// dnsmasq-controller starts it anew at each change, with no lease. Who has an address keeps it, since it answers to
/// dnsmasq's ping, and gets it again at its next boot.
#[test]
fn an_unknown_machine_keeps_its_address_where_a_shared_server_forgets_leases() {
    let Some(network) = Network::new() else {
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let pools = r#"--set-json=nodePools=[{"range": "10.64.200.10,10.64.200.10,255.255.0.0,1h"}]"#;
    let farm = Farm::new("one", "")
        .with(pools)
        .with("--set=dhcp.installController=true");
    let server = controller(&[&farm.objects()], folder.path());
    let running = network.serve("10.64.0.2", &server, folder.path());
    let machine = network.machine("02:ff:00:00:00:01");
    assert_eq!(ip(machine.boot(7)), "10.64.200.10");
    machine
        .run_at("10.64.200.10", "fe80::1", &["true"])
        .success();
    running.stop();
    let running = network.serve("10.64.0.3", &server, folder.path());
    let other = network.machine("02:ff:00:00:00:02");
    assert_eq!(
        other.ask(&["-t", "2", "-T", "4"]),
        None,
        "{}",
        running.log()
    );
    machine.forget_address();
    assert_eq!(ip(machine.boot(7)), "10.64.200.10", "{}", running.log());
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
