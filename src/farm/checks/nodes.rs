//! Nodes: no two with the same name or address, and addresses that are in a range.

mod taken;

use std::sync::Arc;

use self::taken::{Place, Taken, folded};
use crate::farm::dhcp::{DhcpHost, tags};
use crate::farm::findings::Findings;
use crate::farm::spec::{Machine, NodePools, Range};
use crate::farm::syntax::DNSMASQ_LINE;
use crate::values::{Node, Path, Problem, Value};

/// Checks every node of every pool.
pub fn check(pools: &NodePools, release_tag: &str, findings: &mut Findings) {
    let count = pools.0.iter().map(|(_, pool)| pool.nodes.len()).sum();
    let mut taken = Taken::of(count);
    let ranges: Vec<Range> = pools.ranges().collect();
    for (step, pool) in &pools.0 {
        let tags = tags(&pool.tags, release_tag);
        for (index, node) in pool.nodes.iter().enumerate() {
            let place = Place::of_node(step, index);
            if pool.ignore {
                macs(node, place, &mut taken, findings);
                identity(node, place, &mut taken, findings);
                continue;
            }
            name(node, place, &mut taken, findings);
            macs(node, place, &mut taken, findings);
            addresses(node, place, &ranges, &mut taken, findings);
            identity(node, place, &mut taken, findings);
            line(node, &tags, place, findings);
        }
    }
}

fn name<'a>(node: &'a Machine, at: Place<'a>, taken: &mut Taken<'a>, findings: &mut Findings) {
    let Some(name) = &node.name else { return };
    if matches!(&**name, "true" | "false") {
        boolean(name, &at.path_of("name"), findings);
    }
    taken.names.take(folded(name), name, at, findings);
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

fn macs<'a>(node: &'a Machine, at: Place<'a>, taken: &mut Taken<'a>, findings: &mut Findings) {
    for (index, mac) in node.mac.iter().flat_map(|macs| macs.indexed()) {
        taken.macs.take(folded(mac), mac, at.item(index), findings);
    }
}

fn addresses<'a>(
    node: &'a Machine,
    at: Place<'a>,
    ranges: &[Range],
    taken: &mut Taken<'a>,
    findings: &mut Findings,
) {
    let mut four = None;
    for (index, address) in node.ip.iter().flat_map(|ip| ip.indexed()) {
        let place = at.item(index);
        if address.ip.is_ipv4()
            && let Some(first) = four.replace(address)
        {
            let problem = Problem::error(format!(
                "{first} and {address}: dnsmasq gives a node only one IPv4 address, and any number of IPv6 addresses"
            ));
            let problem = problem.help("list a node for each network card");
            findings.record(&place.path_of("ip"), problem);
        }
        let ip = address.ip;
        taken.addresses.take(ip, &ip, place, findings);
        let is_held = ranges.iter().any(|range| range.may_hold(address));
        if !ranges.is_empty() && !is_held {
            let problem = Problem::warning(format!(
                "{ip} is in no pool's range, so dnsmasq does not lease it"
            ));
            let problem = problem.help("add a range with it, unless another release has one");
            findings.record(&place.path_of("ip"), problem);
        }
    }
}

fn line(node: &Arc<Machine>, tags: &Arc<[String]>, place: Place<'_>, findings: &mut Findings) {
    let length = "dhcp-host=".len() + DhcpHost::new(node, tags).line_length();
    if length > DNSMASQ_LINE {
        findings.error(
            &place.path(),
            format!("dnsmasq reads at most {DNSMASQ_LINE} bytes for a node; this one needs {length} with its tags"),
        );
    }
}

fn identity<'a>(node: &'a Machine, at: Place<'a>, taken: &mut Taken<'a>, findings: &mut Findings) {
    let is_unknown =
        node.macs().next().is_none() && node.client_id.is_none() && node.name.is_none();
    if is_unknown {
        unknown(&at.path(), findings);
    }
    if let Some(id) = node.client_id.as_deref().filter(|id| *id != "*") {
        let key = hexadecimal(id).unwrap_or_else(|| format!("text {id}"));
        taken.identifiers.take(key, &id, at, findings);
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
