//! Nodes: no two with the same name or address, and addresses that are in a range.

mod taken;

use std::sync::Arc;

use self::taken::{Place, Taken, folded};
use crate::farm::dhcp::{DhcpHost, tags};
use crate::farm::findings::Findings;
use crate::farm::spec::{Machine, NodePool, NodePools, Range};
use crate::farm::syntax::{DNSMASQ_LINE, HostAddress};
use crate::values::{Node, Path, Problem, Value};

/// Checks every node of every pool. Each key has a pass of its own, so that only the values of one are known at a time:
/// with many nodes they take much memory.
pub fn check(pools: &NodePools, release_tag: &str, findings: &mut Findings) {
    names(pools, findings);
    macs(pools, findings);
    addresses(pools, findings);
    identities(pools, findings);
    lines(pools, release_tag, findings);
}

/// Every node of every pool, with its place.
fn nodes(pools: &NodePools) -> impl Iterator<Item = (Place<'_>, &NodePool, &Arc<Machine>)> {
    pools.0.iter().flat_map(|(step, pool)| {
        let nodes = pool.nodes.iter().enumerate();
        nodes.map(move |(index, node)| (Place::of_node(step, index), pool, node))
    })
}

/// The nodes that are not of another farm.
fn own(pools: &NodePools) -> impl Iterator<Item = (Place<'_>, &Machine)> {
    let own = nodes(pools).filter(|(_, pool, _)| !pool.ignore);
    own.map(|(place, _, node)| (place, &**node))
}

fn names(pools: &NodePools, findings: &mut Findings) {
    let mut taken = Taken::of("name", "name", nodes(pools).count());
    for (place, node) in own(pools) {
        let Some(name) = &node.name else { continue };
        if matches!(&**name, "true" | "false") {
            boolean(name, &place.path_of("name"), findings);
        }
        taken.take(folded(name), name, place, findings);
    }
}

/// A name that is a boolean where it stands without quotes.
fn boolean(name: &str, path: &Path, findings: &mut Findings) {
    let is_boolean = |node: &&Node| matches!(node.value, Value::Bool(_));
    let node = findings.node(path).filter(is_boolean);
    // A text that YAML changed was reported already.
    if node.is_some_and(|node| node.written.is_none()) {
        let problem = Problem::warning(format!("`{name}` without quotes is a boolean"));
        findings.record(path, problem.help(format!("write \"{name}\"")));
    }
}

fn macs(pools: &NodePools, findings: &mut Findings) {
    let mut taken = Taken::of("MAC", "mac", nodes(pools).count());
    for (place, _, node) in nodes(pools) {
        for (index, mac) in node.mac.iter().flat_map(|macs| macs.indexed()) {
            taken.take(folded(mac), mac, place.item(index), findings);
        }
    }
}

fn addresses(pools: &NodePools, findings: &mut Findings) {
    let ranges: Vec<Range> = pools.ranges().collect();
    let mut taken = Taken::of("address", "ip", nodes(pools).count());
    for (place, node) in own(pools) {
        let mut four = None;
        for (index, address) in node.ip.iter().flat_map(|ip| ip.indexed()) {
            let place = place.item(index);
            if address.ip.is_ipv4()
                && let Some(first) = four.replace(address)
            {
                second_address(first, address, place, findings);
            }
            taken.take(address.ip, &address.ip, place, findings);
            in_a_range(address, &ranges, place, findings);
        }
    }
}

fn second_address(
    first: &HostAddress,
    second: &HostAddress,
    place: Place<'_>,
    findings: &mut Findings,
) {
    let problem = Problem::error(format!(
        "{first} and {second}: dnsmasq gives a node only one IPv4 address, and any number of IPv6 addresses"
    ));
    let problem = problem.help("list a node for each network card");
    findings.record(&place.path_of("ip"), problem);
}

fn in_a_range(address: &HostAddress, ranges: &[Range], place: Place<'_>, findings: &mut Findings) {
    if ranges.is_empty() || ranges.iter().any(|range| range.may_hold(address)) {
        return;
    }
    let problem = Problem::warning(format!(
        "{} is in no pool's range, so dnsmasq does not lease it",
        address.ip
    ));
    let problem = problem.help("add a range with it, unless another release has one");
    findings.record(&place.path_of("ip"), problem);
}

fn identities(pools: &NodePools, findings: &mut Findings) {
    let mut taken = Taken::of("client identifier", "clientID", 0);
    for (place, _, node) in nodes(pools) {
        let is_unknown =
            node.macs().next().is_none() && node.client_id.is_none() && node.name.is_none();
        if is_unknown {
            unknown(&place.path(), findings);
        }
        if let Some(id) = node.client_id.as_deref().filter(|id| *id != "*") {
            let key = hexadecimal(id).unwrap_or_else(|| format!("text {id}"));
            taken.take(key, &id, place, findings);
        }
    }
}

fn lines(pools: &NodePools, release_tag: &str, findings: &mut Findings) {
    for (step, pool) in pools.own() {
        let tags = tags(&pool.tags, release_tag);
        for (index, node) in pool.nodes.iter().enumerate() {
            let length = "dhcp-host=".len() + DhcpHost::new(node, &tags).line_length();
            if length > DNSMASQ_LINE {
                findings.error(
                    &Place::of_node(step, index).path(),
                    format!("dnsmasq reads at most {DNSMASQ_LINE} bytes for a node; this one needs {length} with its tags"),
                );
            }
        }
    }
}

fn unknown(path: &Path, findings: &mut Findings) {
    if !findings.is_wrong_inside(path) {
        findings.error(
            path,
            "a node needs a mac, a clientID or a name, by which DHCP recognises it",
        );
    }
}

/// Bytes in hexadecimal with colons between them, which dnsmasq compares as bytes; anything else is text.
fn hexadecimal(id: &str) -> Option<String> {
    let bytes: Result<Vec<u8>, _> = id
        .split(':')
        .map(|byte| u8::from_str_radix(byte, 16))
        .collect();
    bytes.ok().filter(|_| id.contains(':')).map(|bytes| {
        let texts: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        texts.join(":")
    })
}
