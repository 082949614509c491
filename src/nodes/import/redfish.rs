//! Redfish: what a management controller says of a machine's network cards (DMTF DSP0268, EthernetInterface).
//!
//! A file has the collection at `/redfish/v1/Systems/ID/EthernetInterfaces` with its members expanded (`$expand=.`),
//! members by themselves, or a list of either.

use std::net::IpAddr;

use indexmap::IndexMap;

use super::{Found, Listing, is_of_no_use, read_address, read_mac};
use crate::values::yaml::parse;
use crate::values::{Node, Problem, Value};

const WANTED: &str = "wanted is an EthernetInterfaceCollection with its members (…/EthernetInterfaces?$expand=.), or \
                      an EthernetInterface";

pub fn read(listing: &Listing, found: &mut Vec<Found>, problems: &mut Vec<Problem>) {
    let documents = match parse(&listing.source, &listing.text) {
        Ok(documents) => documents,
        Err(problem) => return problems.push(problem.help(format!("this is not JSON; {WANTED}"))),
    };
    if documents.is_empty() {
        problems.push(
            Problem::error("this file is empty")
                .at(listing.line(1))
                .help(WANTED),
        );
    }
    let mut systems = IndexMap::new();
    for document in &documents {
        resource(document, None, listing, &mut systems, problems);
    }
    for (system, mut machine) in systems {
        if machine.macs.is_empty() {
            let problem = Problem::warning(format!(
                "no interface of {system} has a MAC: it is left out"
            ));
            problems.push(problem.at(machine.origin));
            continue;
        }
        machine.facts = vec![("system", system)];
        found.push(machine);
    }
}

/// A collection, a list of resources, or an interface, of the system that is known from around it.
fn resource(
    node: &Node,
    system: Option<&str>,
    listing: &Listing,
    systems: &mut IndexMap<String, Found>,
    problems: &mut Vec<Problem>,
) {
    let own = text(node, "@odata.id").and_then(system_of);
    let system = own.or(system);
    if let Value::List(list) = &node.value {
        for member in list {
            resource(member, system, listing, systems, problems);
        }
    } else if let Some(members) = child(node, "Members") {
        resource(members, system, listing, systems, problems);
    } else if child(node, "MACAddress")
        .or(child(node, "PermanentMACAddress"))
        .is_some()
    {
        let name = system.unwrap_or(listing.stem());
        let machine = systems.entry(name.to_owned());
        let machine = machine.or_insert_with(|| Found::at(node.origin.clone()));
        interface(node, machine, problems);
    } else {
        let problem = match text(node, "@odata.id") {
            Some(link) => Problem::error(format!("only a link, {link}, and not the interface")),
            None => Problem::error("not an interface"),
        };
        problems.push(problem.at(node.origin.clone()).help(WANTED));
    }
}

/// Adds an interface to its machine.
fn interface(node: &Node, machine: &mut Found, problems: &mut Vec<Problem>) {
    if text(node, "@odata.id").is_some_and(|path| path.contains("/Managers/")) {
        let problem = Problem::error("an interface of the management controller itself");
        let help = "those of the machine are at /redfish/v1/Systems/ID/EthernetInterfaces";
        return problems.push(problem.at(node.origin.clone()).help(help));
    }
    // A bond gives its cards its own MAC; at a network boot each has that of the card.
    let permanent = text(node, "PermanentMACAddress").filter(|mac| is_mac_there(mac));
    let mac = permanent.or(text(node, "MACAddress").filter(|mac| is_mac_there(mac)));
    let Some(mac) = mac.and_then(|mac| read_mac(mac, &node.origin, problems)) else {
        return;
    };
    // A VLAN has the MAC of its card.
    if !machine.macs.contains(&mac) {
        machine.macs.push(mac);
    }
    if machine.addresses.is_empty() {
        let address = addresses(node).find_map(|text| {
            let ip = text.parse::<IpAddr>();
            let is_used = !text.is_empty() && ip.map_or(true, |ip| !is_of_no_use(ip));
            is_used.then(|| read_address(text, &node.origin, problems))
        });
        machine.addresses.extend(address.flatten());
    }
}

fn is_mac_there(text: &str) -> bool {
    !text.is_empty() && !text.bytes().all(|byte| matches!(byte, b'0' | b':' | b'-'))
}

fn addresses(node: &Node) -> impl Iterator<Item = &str> {
    let list = match child(node, "IPv4Addresses").map(|node| &node.value) {
        Some(Value::List(list)) => list.as_slice(),
        _ => &[],
    };
    list.iter().filter_map(|entry| text(entry, "Address"))
}

/// The ID of the system in a path: `/redfish/v1/Systems/ID/EthernetInterfaces/1`.
fn system_of(path: &str) -> Option<&str> {
    let (_, behind) = path.split_once("/Systems/")?;
    behind.split('/').next().filter(|id| !id.is_empty())
}

fn child<'a>(node: &'a Node, key: &str) -> Option<&'a Node> {
    match &node.value {
        Value::Map(map) => map.get(key).map(|entry| &entry.node),
        _ => None,
    }
}

fn text<'a>(node: &'a Node, key: &str) -> Option<&'a str> {
    match &child(node, key)?.value {
        Value::String(text) => Some(text),
        _ => None,
    }
}
