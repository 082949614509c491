//! Several farms in one network, and machines that move between them.

use crate::dhcp::network::{Lease, Network};
use crate::dhcp::{SERVER, own_dnsmasq, turn_to};
use crate::support::dnsmasq::{controller, standalone};
use crate::support::farms::{Farm, Objects, catchall, generic};

const CATCHALL: &str = "catchall-kubernetes-ltsp-dhcp";
const UNKNOWN_MACHINE: &str = "02:ff:00:00:00:01";
const OTHER_UNKNOWN_MACHINE: &str = "02:ff:00:00:00:02";
const NODE: &str = "02:00:00:40:06:0b";

/// The pool of a claimed machine, as the catch-all's README shows it.
const CLAIMED: &str = r#"--set-json=nodePools.claimed={"nodes":
    [{"name": "r1n07", "mac": "02:ff:00:00:00:01", "ip": "10.64.1.17"}]}"#;

/// Addresses in place of those that a load balancer would choose.
fn at(farm: Farm, address: &str) -> Farm {
    farm.with(format!("--set=ltsp.service.loadBalancerIP={address}"))
}

/// The farm of the claimed machine, with the range that its own pools have.
fn claiming() -> Farm {
    let range = r#"--set-json=nodePools={"range": {"range": "10.64.0.0,static,255.255.0.0,10.64.255.255,infinite"}}"#;
    let without = "--values=tests/golden/no_pools.values.yaml";
    let farm = at(generic(), "10.64.0.11").with(without);
    farm.with(range).with(CLAIMED)
}

fn facts(lease: Option<Lease>) -> [String; 3] {
    let lease = lease.expect("a lease");
    ["ip", "hostname", "siaddr"].map(|name| lease.get(name).cloned().unwrap_or_default())
}

#[track_caller]
fn assert_leased_by_catchall(lease: Option<Lease>, name: &str) {
    let [ip, hostname, server] = facts(lease);
    assert!(ip.starts_with("10.64.200."), "{ip}");
    assert_eq!([hostname.as_str(), server.as_str()], [name, "10.64.0.12"]);
}

fn expected(ip: &str, name: &str) -> [String; 3] {
    [ip, name, "10.64.0.11"].map(str::to_owned)
}

/// Each farm has its own dnsmasq: the catch-all leaves the farm's nodes alone, the farm leaves all others alone.
#[test]
fn an_unknown_machine_is_named_after_its_mac_until_a_farm_claims_it() {
    let Some(network) = Network::new() else {
        return;
    };
    let folders = [(); 2].map(|()| tempfile::tempdir().expect("a folder"));
    let [one, other] = folders.each_ref().map(tempfile::TempDir::path);
    let catch_all = || own_dnsmasq(at(catchall(), "10.64.0.12"));
    let farm = standalone(
        &own_dnsmasq(at(generic(), "10.64.0.11")).objects(),
        SERVER,
        one,
    );
    let rest = standalone(&catch_all().objects(), CATCHALL, other);
    let farm = network.serve("10.64.0.2", &farm, one);
    let rest = network.serve("10.64.0.3", &rest, other);

    let machine = network.machine(UNKNOWN_MACHINE);
    // It brings a name along, and has another client identifier at every step.
    let first = machine.ask(&["-x", "0x5d:0007", "-x", "hostname:localhost"]);
    assert_leased_by_catchall(first.clone(), "02-ff-00-00-00-01");
    let again = machine.ask(&["-x", "0x3d:ff0011223344"]);
    assert_leased_by_catchall(again.clone(), "02-ff-00-00-00-01");
    assert_eq!(facts(first), facts(again));

    // One file of nodes for both, which the catch-all reads as another farm's.
    let leaves = catch_all()
        .with(CLAIMED)
        .with("--set=nodePools.claimed.ignore=true");
    turn_to(&leaves.objects(), CATCHALL, other);
    rest.wait_for("starting anew");
    rest.wait_for_times("DHCP, IP range", 2);
    turn_to(&own_dnsmasq(claiming()).objects(), SERVER, one);
    farm.wait_for("starting anew");
    farm.wait_for_times("DHCP, static leases only", 2);
    for _ in 0..3 {
        assert_eq!(facts(machine.boot(7)), expected("10.64.1.17", "r1n07"));
    }
    assert_leased_by_catchall(
        network.machine(OTHER_UNKNOWN_MACHINE).boot(0),
        "02-ff-00-00-00-02",
    );

    for log in [farm.stop(), rest.stop()] {
        assert!(!log.contains("DHCPNAK"), "{log}");
    }
}

/// One dnsmasq for both, as dnsmasq-controller makes it of the resources of both releases.
#[test]
fn an_unknown_machine_moves_within_a_shared_server() {
    let Some(network) = Network::new() else {
        return;
    };
    let shared = |farm: Farm| farm.with("--set=dhcp.installController=true").objects();
    let catch_all = at(catchall(), "10.64.0.12");
    let leaves = catch_all.clone().with(CLAIMED);
    let leaves = leaves.with("--set=nodePools.claimed.ignore=true").objects();
    let machine = network.machine(UNKNOWN_MACHINE);
    let ask = |releases: &[&Objects]| {
        let folder = tempfile::tempdir().expect("a folder");
        let server = controller(releases, folder.path());
        let running = network.serve("10.64.0.2", &server, folder.path());
        let lease = machine.boot(7);
        running.stop();
        lease
    };
    let before = [catch_all.objects(), shared(at(generic(), "10.64.0.11"))];
    assert_leased_by_catchall(ask(&[&before[0], &before[1]]), "02-ff-00-00-00-01");
    let after = shared(claiming());
    // Whatever the order.
    for releases in [[&after, &leaves], [&leaves, &after]] {
        assert_eq!(facts(ask(&releases)), expected("10.64.1.17", "r1n07"));
    }
}

/// Two farms with the same static range: a node has what its own farm says, whichever range dnsmasq finds first.
#[test]
fn farms_with_the_same_range_do_not_mix_on_a_shared_server() {
    let Some(network) = Network::new() else {
        return;
    };
    let options = r#"--set-json=tags.dhcpOptions.all={"ntp-server": "10.64.0.8"}"#;
    let one = at(generic(), "10.64.0.12")
        .with("--name=other")
        .with(options);
    let one = one.with("--set=dhcp.installController=true");
    let own = r#"--set-json=nodePools=[{"range": "10.64.0.0,static,255.255.0.0,10.64.255.255,infinite",
        "nodes": [{"name": "o1", "mac": "02:00:00:50:00:01", "ip": "10.64.2.1"}]}]"#;
    let releases = [
        one.with(own).objects(),
        at(generic(), "10.64.0.11").objects(),
    ];
    for order in [[0, 1], [1, 0]] {
        let folder = tempfile::tempdir().expect("a folder");
        let server = controller(&order.map(|index| &releases[index]), folder.path());
        let running = network.serve("10.64.0.2", &server, folder.path());
        let lease = network.machine(NODE).boot(7).expect("a lease");
        assert_eq!(facts(Some(lease.clone())), expected("10.64.1.16", "r1n06"));
        assert!(!lease.contains_key("ntpsrv"), "{lease:?}");
        let lease = network
            .machine("02:00:00:50:00:01")
            .boot(7)
            .expect("a lease");
        assert_eq!(
            (lease["siaddr"].as_str(), lease["ntpsrv"].as_str()),
            ("10.64.0.12", "10.64.0.8")
        );
        running.stop();
    }
}

/// Two servers of one farm, as after a machine that Kubernetes cannot reach: either answers, and neither calls a
/// machine back from the other.
#[test]
fn two_servers_of_one_farm_do_not_fight() {
    let Some(network) = Network::new() else {
        return;
    };
    let folders = [(); 2].map(|()| tempfile::tempdir().expect("a folder"));
    let objects = own_dnsmasq(at(generic(), "10.64.0.11")).objects();
    let servers = folders
        .each_ref()
        .map(|folder| standalone(&objects, SERVER, folder.path()));
    let one = network.serve("10.64.0.2", &servers[0], folders[0].path());
    let other = network.serve("10.64.0.3", &servers[1], folders[1].path());
    for (mac, ip) in [
        ("02:00:00:40:01:0a", "10.64.1.11"),
        ("02:00:00:40:02:0a", "10.64.1.12"),
        ("02:00:00:40:03:0a", "10.64.1.13"),
        ("02:00:00:40:01:0a", "10.64.1.11"),
    ] {
        assert_eq!(facts(network.machine(mac).boot(7))[0], ip);
    }
    // One that comes up again and asks for what it had.
    let again = network
        .machine("02:00:00:40:01:0a")
        .ask(&["-r", "10.64.1.11"]);
    assert_eq!(facts(again)[0], "10.64.1.11");
    // An unknown machine may belong to another server, and asks for an address of another network.
    let unknown = network.machine(UNKNOWN_MACHINE);
    assert_eq!(
        unknown.ask(&["-r", "192.168.7.7", "-t", "2", "-T", "1"]),
        None
    );
    for log in [one.stop(), other.stop()] {
        assert!(!log.contains("DHCPNAK"), "{log}");
        assert!(log.contains("ignored"), "{log}");
    }
}
