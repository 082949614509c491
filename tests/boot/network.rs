//! `network.sh` of the example advanced_network, on machines with two cards.

use crate::boot::boot_server::BootServer;
use crate::boot::files::Files;
use crate::boot::firmware::Firmware;
use crate::boot::guest::{Guest, LOGIN, Machine};
use crate::boot::{Farm, Seen};

/// A node with two cards: name, address, its address in the storage network by the rule of the example, MACs.
struct Node {
    name: &'static str,
    address: &'static str,
    storage: &'static str,
    macs: [&'static str; 2],
}

const NODES: [Node; 2] = [
    Node {
        name: "r1n02",
        address: "10.64.1.12",
        storage: "10.65.1.12",
        macs: ["02:00:00:40:02:0a", "02:00:00:40:02:0b"],
    },
    Node {
        name: "r1n03",
        address: "10.64.1.13",
        storage: "10.65.1.13",
        macs: ["02:00:00:40:03:0a", "02:00:00:40:03:0b"],
    },
];

/// Bond and VLAN are there, with the addresses that follow from the lease, and both machines reach each other over them.
pub fn bond(farm: &mut Farm) -> Seen {
    farm.guests.clear();
    let cluster = farm.release.cluster;
    let files = Files::new(cluster);
    let layer = "examples/advanced_network/values.yaml";
    farm.release.add_values(&["-f", layer]);
    let boot_server = BootServer::changed(&mut farm.release);
    let initrd = files.initrd_with(&boot_server.ltsp_img());
    let image = boot_server.image_url();
    let mut guests = NODES.each_ref().map(|node| {
        let firmware = Firmware::loaded(&boot_server, &files, node.macs[0], &image, initrd.clone());
        Guest::power_on(cluster, &Machine::new(node.name, &node.macs, firmware))
    });
    let mut said = Vec::new();
    for (guest, node) in guests.iter_mut().zip(&NODES) {
        guest.wait_for(" login:", LOGIN);
        said.push(has_bond(guest, node));
    }
    for ((guest, node), peer) in guests.iter().zip(&NODES).zip(NODES.iter().rev()) {
        let ping = format!("ping -c 3 -w 30 -I bond0.20 {}", peer.storage);
        guest.shell(node.address, &ping).success();
    }
    format!("{}; each answers the other over the VLAN", said.join(", "))
}

/// Both cards are in the bond, and bond and VLAN have the addresses.
#[track_caller]
fn has_bond(guest: &Guest, node: &Node) -> String {
    let bond = "cat /proc/net/bonding/bond0; ip -o -4 address show scope global";
    let bond = guest.shell(node.address, bond).success();
    assert!(bond.contains("IEEE 802.3ad"), "{bond}");
    for mac in node.macs {
        assert!(
            bond.contains(&format!("Permanent HW addr: {mac}")),
            "{bond}"
        );
    }
    let Node {
        address, storage, ..
    } = node;
    for wanted in [
        format!("bond0    inet {address}/16"),
        format!("bond0.20    inet {storage}/16"),
    ] {
        assert!(bond.contains(&wanted), "{wanted}:\n{bond}");
    }
    format!(
        "{} has bond0 of both cards and bond0.20 with {storage}",
        node.name
    )
}
