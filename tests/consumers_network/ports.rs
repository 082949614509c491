//! Which ports become the bond.

use std::fs::create_dir_all;
use std::path::Path;

use super::{CARD, assert_lines, generate, machine, shells, source, written};
use crate::support::sysfs::Port;

const BOOTED: [(&str, &str); 1] = [("DEVICE", "ens3f0")];

fn port(name: &'static str, device: &'static str) -> Port<'static> {
    Port::pci(name, device, "02:00:00:40:01:0b")
}

#[test]
fn the_partner_is_found() {
    let booted = port("ens3f0", "pci0000:3a/0000:3b:00.0");
    let partner = port("ens3f1", "pci0000:3a/0000:3b:00.1");
    let elsewhere = port("eno1", "pci0000:00/0000:01:00.0");
    let virtio = |name, device| Port {
        bus: "virtio",
        ..port(name, device)
    };
    let management = Port {
        bus: "usb",
        ..port("enx1", "pci0000:00/0000:00:14.0/usb1/1-1")
    };
    for (ports, expected) in [
        // The same card wins, wherever it stands.
        (&[elsewhere, booted, partner][..], "[ens3f0, ens3f1]"),
        (&[partner, booted, management], "[ens3f0, ens3f1]"),
        (&[elsewhere, booted], "[ens3f0, eno1]"),
        (&[management, elsewhere, booted], "[ens3f0, eno1]"),
        // Both ports of one function, as some cards have them.
        (
            &[
                booted,
                port("ens3f0d1", "pci0000:3a/0000:3b:00.0"),
                elsewhere,
            ],
            "[ens3f0, ens3f0d1]",
        ),
        (
            &[
                virtio("ens3f0", "pci0000:00/0000:00:03.0/virtio0"),
                virtio("ens4", "pci0000:00/0000:00:04.0/virtio1"),
            ],
            "[ens3f0, ens4]",
        ),
        (
            &[
                virtio("ens3f0", "pci0000:00/0000:00:03.0/virtio0"),
                virtio("ens3f1", "pci0000:00/0000:00:03.1/virtio1"),
                virtio("ens4", "pci0000:00/0000:00:04.0/virtio2"),
            ],
            "[ens3f0, ens3f1]",
        ),
    ] {
        for shell in shells() {
            let root = machine(ports);
            let finished = source(&shell, root.path(), &BOOTED);
            assert_eq!((finished.code(), finished.stderr.as_str()), (0, ""));
            let interfaces = format!("interfaces: {expected}\n");
            let found = written(root.path());
            assert!(found.contains(&interfaces), "no {interfaces} in\n{found}");
        }
    }
}

/// What is not an Ethernet port of a card, though it looks like one.
#[test]
fn what_is_no_port_is_no_partner() {
    let changes: [fn(&Path); 5] = [
        |net| create_dir_all(net.join("phy80211")).expect("a folder"),
        |net| create_dir_all(net.join("wireless")).expect("a folder"),
        |net| create_dir_all(net.join("device/physfn")).expect("a folder"),
        |net| std::fs::write(net.join("type"), "32\n").expect("written"),
        |net| std::fs::remove_file(net.join("device")).expect("removed"),
    ];
    for change in changes {
        let root = machine(&[
            port("ens3f0", "p/0000:3b:00.0"),
            port("x", "p/0000:3b:00.1"),
        ]);
        change(&root.path().join("sys/class/net/x"));
        for shell in shells() {
            let finished = source(&shell, root.path(), &BOOTED);
            finished.failed(1, &["ens3f0 is the only port"]);
        }
    }
}

#[test]
fn ports_that_are_named_are_taken() {
    let ports = [
        port("ens3f0", "p/0000:3b:00.0"),
        port("ens3f1", "p/0000:3b:00.1"),
        port("eno1", "p/0000:01:00.0"),
    ];
    for (named, expected) in [
        ("ens3f0 eno1", "[ens3f0, eno1]"),
        (" eno1  ens3f0 ", "[eno1, ens3f0]"),
        ("ens3f0", "[ens3f0]"),
        ("eno1 ens3f1 ens3f0", "[eno1, ens3f1, ens3f0]"),
    ] {
        for shell in shells() {
            let root = machine(&ports);
            let changes = [BOOTED[0], ("NETWORK_PORTS", named)];
            let finished = source(&shell, root.path(), &changes);
            assert_eq!((finished.code(), finished.stderr.as_str()), (0, ""));
            assert!(written(root.path()).contains(&format!("interfaces: {expected}\n")));
        }
    }
}

#[test]
fn a_port_without_a_mac_of_its_own_is_known_by_its_name() {
    let Some(shell) = shells().into_iter().next() else {
        return;
    };
    let root = machine(&CARD);
    let kind = root.path().join("sys/class/net/eno1/addr_assign_type");
    std::fs::write(kind, "3\n").expect("written");
    source(&shell, root.path(), &[]).success();
    if let Some(files) = generate(root.path()) {
        assert_lines(&files["10-netplan-eno1.network"], &["Name=eno1"]);
        let mac = "PermanentMACAddress=02:00:00:40:01:0b";
        assert_lines(&files["10-netplan-eno2.network"], &[mac]);
    }
}

/// One way out is enough: what else got an address in the initrd must not keep it.
#[test]
fn other_ports_give_their_addresses_back() {
    let Some(shell) = shells().into_iter().next() else {
        return;
    };
    let root = machine(&[CARD[0], CARD[1], port("ens9", "p/0000:99:00.0")]);
    create_dir_all(root.path().join("run")).expect("a folder");
    for name in ["eno2", "ens9"] {
        let lease = root.path().join(format!("run/net-{name}.conf"));
        std::fs::write(lease, "PROTO='dhcp'\n").expect("written");
    }
    source(&shell, root.path(), &[]).success();
    let Some(files) = generate(root.path()) else {
        return;
    };
    let other = &files["10-netplan-ens9.network"];
    assert_lines(
        other,
        &["Name=ens9", "LinkLocalAddressing=no", "IPv6AcceptRA=no"],
    );
    assert!(
        !other.contains("Bond=") && !other.contains("DHCP="),
        "{other}"
    );
    assert_lines(&files["10-netplan-eno2.network"], &["Bond=bond0"]);
    assert_eq!(written(root.path()).matches(" eno2:").count(), 1);
}

/// The message says what there is and what to set.
#[test]
fn a_choice_that_is_the_users_is_left_to_the_user() {
    let devices = [
        "0000:3b:00.0",
        "0000:3b:00.1",
        "0000:01:00.0",
        "0000:01:00.1",
    ];
    let ports = ["eno1", "eno2", "eno3", "eno4"].into_iter().zip(devices);
    let four: Vec<Port> = ports.map(|(name, device)| port(name, device)).collect();
    let where_to = "NETWORK_PORTS, in ltsp.config.options, or in tags.ltspOptions";
    for shell in shells() {
        let onboard = port("eth0", "0000:00:1f.6");
        let ports: Vec<Port> = four.iter().copied().chain([onboard]).collect();
        let finished = source(&shell, machine(&ports).path(), &[("DEVICE", "eth0")]);
        let which = "which port goes with eth0? There are: eno1 eno2 eno3 eno4.";
        finished.failed(1, &[which, where_to]);
        let alone = [CARD[1]];
        let finished = source(&shell, machine(&alone).path(), &[]);
        finished.failed(1, &["eno2 is the only port", "set NETWORK_PORTS: eno2"]);
    }
}
