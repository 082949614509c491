//! A server that works goes on working, whatever it is given next.

use std::path::Path;

use crate::dhcp::network::{Network, Running};
use crate::dhcp::{SERVER, own_dnsmasq, turn_to};
use crate::support::dnsmasq::{Server, mount, standalone};
use crate::support::farms::{Farm, Objects, generic};

const MAC: &str = "02:00:00:40:06:0b";

fn with(more: &str) -> Objects {
    let farm: Farm = own_dnsmasq(generic());
    farm.with(format!("--set={more}")).objects()
}

#[track_caller]
fn assert_answers(network: &Network, running: &Running, mtu: &str) {
    let lease = network
        .machine(MAC)
        .boot(7)
        .unwrap_or_else(|| panic!("{}", running.log()));
    assert_eq!(
        (lease["ip"].as_str(), lease["mtu"].as_str()),
        ("10.64.1.16", mtu)
    );
}

/// A farm's own server, which says 1400 before anything changes.
fn with_mtu(folder: &Path) -> Server {
    standalone(&with("tags.dhcpOptions.all.mtu=1400"), SERVER, folder)
}

#[test]
fn what_dnsmasq_does_not_take_changes_nothing() {
    let Some(network) = Network::new() else {
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let server = with_mtu(folder.path());
    let refused = || folder.path().join("var/lib/dnsmasq/refused").exists();
    let running = network.serve("10.64.0.2", &server, folder.path());
    assert_answers(&network, &running, "1400");
    assert!(!refused());

    // A value that dnsmasq does not take.
    let wrong = with("tags.dhcpOptions.all.mtu=1500,dhcp.standalone.extraArgs.dhcp-duid=7");
    turn_to(&wrong, SERVER, folder.path());
    running.wait_for("It goes on with what it had.");
    running.wait_for("the line is: dhcp-duid=7");
    assert!(refused());
    assert_answers(&network, &running, "1400");

    // What only a start shows to be wrong.
    let late = with("tags.dhcpOptions.all.mtu=1600,dhcp.standalone.extraArgs.bind-interfaces=true");
    turn_to(&late, SERVER, folder.path());
    running.wait_for("dnsmasq ended with the new configuration.");
    assert!(refused());
    assert_answers(&network, &running, "1400");
    running.stop();

    // In another pod, which finds the same volume and the wrong settings.
    turn_to(&wrong, SERVER, folder.path());
    let running = network.serve("10.64.0.3", &server, folder.path());
    assert!(refused());
    assert_answers(&network, &running, "1400");

    turn_to(
        &with("tags.dhcpOptions.all.mtu=1700"),
        SERVER,
        folder.path(),
    );
    running.wait_for("starting anew");
    running.wait_for_times("DHCP, static leases only", 2);
    assert_answers(&network, &running, "1700");
    assert!(!refused());
}

#[test]
fn nothing_right_at_all_ends_the_container() {
    let Some(network) = Network::new() else {
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let wrong = with("dhcp.standalone.extraArgs.dhcp-duid=7");
    let server = standalone(&wrong, SERVER, folder.path());
    network.run(&server).failed(1, &["dhcp-duid=7"]);
}

/// The same node in two parts, as a projected volume may show it for a moment while a node moves between them.
#[test]
fn a_node_that_is_there_twice_for_a_moment_does_no_harm() {
    let Some(network) = Network::new() else {
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let server = with_mtu(folder.path());
    let running = network.serve("10.64.0.2", &server, folder.path());
    let text = server.hosts.join("\n") + "\n";
    let twice = ["one", "other"].map(|name| (name.to_owned(), text.clone()));
    mount(&folder.path().join("hosts"), "twice", &twice);
    running.wait_for("duplicate dhcp-host IP address");
    running.wait_for("It goes on with what it had.");
    assert_answers(&network, &running, "1400");
}
