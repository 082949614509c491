//! Farms with ranges in one network, on one server: no machine gets another farm's boot server.

use std::fmt::Write as _;

use serde_json::Value;

use crate::dhcp::network::Network;
use crate::support::dnsmasq::controller;
use crate::support::farms::{Farm, Objects};
use crate::support::project;
use crate::support::yaml_readers::python_with;

/// Nodes of each of the two farms that have the same range.
const NODES: usize = 42;
/// Every order in which the three farms' resources may be read.
const ORDERS: [[usize; 3]; 6] = [
    [0, 1, 2],
    [0, 2, 1],
    [1, 0, 2],
    [1, 2, 0],
    [2, 0, 1],
    [2, 1, 0],
];

fn node(farm: usize, number: usize) -> (String, String) {
    let mac = format!("02:00:00:5{farm}:00:{number:02x}");
    (mac, format!("10.64.{}.{}", farm + 1, number + 10))
}

/// Farm `number`: two list nodes in the same static range, which one of them writes among its further options; the
/// third leases addresses to all other machines. Each has its own settings: boot server, options by tag, and an option
/// of its pool.
fn farm(number: usize, folder: &std::path::Path) -> Objects {
    let range = match number {
        0 => "range: 10.64.0.0,static,255.255.0.0,10.64.255.255,infinite\n  extraOpts:",
        1 => {
            "extraOpts:\n  - dhcp-range: set:?,10.64.0.0,static,255.255.0.0,10.64.255.255,infinite"
        }
        _ => "range: 10.64.200.10,10.64.200.250,255.255.0.0,10.64.255.255,1h\n  extraOpts:",
    };
    // What only one of them says is as bad for the others.
    let time = if number == 1 {
        ", ntp-server: 10.64.0.41"
    } else {
        ""
    };
    let mut values = format!(
        "ltsp: {{service: {{loadBalancerIP: 10.64.0.1{number}}}}}\n\
         tags: {{dhcpOptions: {{all: {{router: 10.64.0.2{number}{time}}}}}}}\n\
         nodePools:\n- {range}\n  - dhcp-option: tag:?,6,10.64.0.3{number}\n  nodes:\n"
    );
    for index in (0..NODES).filter(|_| number != 2) {
        let (mac, address) = node(number, index);
        writeln!(
            values,
            "  - {{name: f{number}n{index}, mac: \"{mac}\", ip: {address}}}"
        )
        .expect("a String takes everything");
    }
    let file = folder.join(format!("{number}.yaml"));
    std::fs::write(&file, values).expect("written");
    let farm = Farm::new("overlapping", &format!("--name farm{number}")).with_file(&file);
    match number {
        // Dynamic addresses are not in use, and dnsmasq would wait three seconds for an answer from each.
        0 => farm
            .with("--set=dhcp.installController=true,dhcp.controller.dnsmasqArgs.no-ping=true")
            .objects(),
        _ => farm.objects(),
    }
}

/// Why a lease of a machine of farm `number` is not as it says.
fn fault(lease: &Value, number: usize, architecture: u16, address: Option<&str>) -> Option<String> {
    let server = format!("10.64.0.1{number}");
    let file = match architecture {
        0 => "ltsp/grub/i386-pc/core.0".to_owned(),
        7 => "ltsp/grub/x86_64-efi/shimx64.efi".to_owned(),
        _ => format!("http://{server}/ltsp/grub/x86_64-efi/shimx64.efi"),
    };
    let expected = [
        ("next-server", server.clone()),
        ("server", server),
        ("file", file),
        ("router", format!("10.64.0.2{number}")),
        ("dns", format!("10.64.0.3{number}")),
    ];
    let address = address.map(|address| ("ip", address.to_owned()));
    let mut expected = expected.into_iter().chain(address);
    let time = (number == 1).then_some("10.64.0.41");
    if lease["time"].as_str() != time {
        return Some(format!("time is not {time:?}: {lease}"));
    }
    let wrong = expected.find(|(key, value)| lease[*key] != value.as_str());
    wrong.map(|(key, value)| format!("{key} is not {value}: {lease}"))
}

/// Machines and what each is to be given: its farm, and its address where that is listed.
type Asked = (String, usize, Option<String>);

/// All nodes, and an unknown machine for the round.
fn asked(round: usize) -> Vec<Asked> {
    let nodes = (0..NODES).flat_map(|index| [(0, index), (1, index)]);
    let nodes = nodes.map(|(number, index)| {
        let (mac, address) = node(number, index);
        (mac, number, Some(address))
    });
    let unknown = (format!("02:ff:00:00:00:{round:02x}"), 2, None);
    nodes.chain([unknown]).collect()
}

#[test]
fn a_thousand_exchanges_and_nobody_gets_another_farms_answer() {
    let (Some(network), Some(python)) = (Network::new(), python_with("socket", "python3")) else {
        return;
    };
    let [python, client] = [python, project().join("tests/support/dhcp_client.py")];
    let words = [python.as_path(), &client].map(|path| path.to_str().expect("UTF-8"));
    let folder = tempfile::tempdir().expect("a folder");
    let farms = [0, 1, 2].map(|number| farm(number, folder.path()));
    let mut exchanges = 0;
    let mut faults = Vec::new();
    // Ranges and options are files of their own, each in any order.
    let rounds = ORDERS
        .into_iter()
        .flat_map(|order| [(order, false), (order, true)]);
    for (round, (order, reversed)) in rounds.enumerate() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut server = controller(&order.map(|number| &farms[number]), folder.path());
        if reversed {
            server.options.reverse();
            let options = server.options.join("\n") + "\n";
            std::fs::write(folder.path().join("options"), options).expect("written");
        }
        let running = network.serve("10.64.0.2", &server, folder.path());
        let asked = asked(round);
        let architecture = |index: usize| [0, 7, 16][(index + round) % 3];
        let machines = asked.iter().enumerate();
        let machines: Vec<String> = machines
            .map(|(index, (mac, ..))| format!("{mac}/{}", architecture(index)))
            .collect();
        let machines: Vec<&str> = machines.iter().map(String::as_str).collect();
        // One card asks for all of them.
        let card = network.machine("02:00:00:40:09:01");
        let words = [&words, ["eth1"].as_slice(), &machines].concat();
        let said = card.run_at("10.64.9.1", "fe80::1", &words).success();
        let leases: Vec<Value> = serde_json::from_str(&said).expect("JSON");
        running.stop();
        exchanges += leases.len();
        for (index, (lease, (mac, number, address))) in leases.iter().zip(&asked).enumerate() {
            let fault = fault(lease, *number, architecture(index), address.as_deref());
            faults.extend(fault.map(|fault| format!("{order:?} {reversed} {mac}: {fault}")));
        }
    }
    assert_eq!(faults, [""; 0], "{} of {exchanges}", faults.len());
    assert!(exchanges >= 1000, "{exchanges}");
}
