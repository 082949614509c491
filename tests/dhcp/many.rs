//! A big farm, of which a whole row is switched on.

use std::fmt::Write as _;

use crate::dhcp::network::Network;
use crate::dhcp::{SERVER, own_dnsmasq, turn_to};
use crate::support::dnsmasq::standalone;
use crate::support::farms::{Farm, big_values, node_address, node_mac};

const NODES: usize = 10_000;
const AT_ONCE: usize = 50;

#[test]
fn fifty_machines_of_ten_thousand_all_get_their_own_also_through_a_reload() {
    let Some(network) = Network::new() else {
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("nodes.yaml");
    let write = |count| std::fs::write(&file, big_values(count)).expect("written");
    let objects = || own_dnsmasq(Farm::new("big", "").with_file(&file)).objects();
    write(NODES);
    let server = standalone(&objects(), SERVER, folder.path());
    assert_eq!(server.hosts.len(), NODES);
    let running = network.serve("10.64.0.2", &server, folder.path());

    let numbers: Vec<usize> = (0..AT_ONCE)
        .map(|row| row * (NODES / AT_ONCE) + 7)
        .collect();
    let machines: Vec<_> = numbers
        .iter()
        .map(|number| network.machine(&node_mac(*number, number % 2)))
        .collect();
    let all_ask = || {
        let mut wrong = String::new();
        std::thread::scope(|scope| {
            let asked: Vec<_> = machines
                .iter()
                .map(|machine| scope.spawn(|| machine.boot(7)))
                .collect();
            for (number, lease) in numbers.iter().zip(asked) {
                let lease = lease.join().expect("asked");
                let found = lease
                    .as_ref()
                    .map(|lease| (lease["ip"].as_str(), lease["hostname"].as_str()));
                let expected = (node_address(*number), format!("n{number}"));
                if found != Some((expected.0.as_str(), expected.1.as_str())) {
                    writeln!(wrong, "{expected:?}: {lease:?}").expect("a String takes everything");
                }
            }
        });
        assert_eq!(wrong, "");
    };
    all_ask();

    write(NODES + 1);
    turn_to(&objects(), SERVER, folder.path());
    while !running.log().contains("starting anew") {
        all_ask();
    }
    all_ask();
    let added = network
        .machine(&node_mac(NODES, 0))
        .boot(7)
        .expect("a lease");
    assert_eq!(added["ip"], node_address(NODES));
    let log = running.stop();
    assert!(!log.contains("DHCPNAK"), "{log}");
}
