//! Nodes: that no two share a name or an address, and that a range holds the addresses.

use std::collections::HashMap;

use crate::farm::dhcp::host;
use crate::farm::findings::Findings;
use crate::farm::spec::{Machine, NodePools, Range, Tag};
use crate::farm::syntax::DNSMASQ_LINE;
use crate::values::{Node, Path, Problem, Value};

/// Checks every node of every pool.
pub fn check(pools: &NodePools, release_tag: &str, findings: &mut Findings) {
    let mut taken = Taken::default();
    let ranges: Vec<Range> = pools.ranges().collect();
    for (step, pool) in &pools.0 {
        let nodes = Path::from("nodePools").join(step.clone()).join("nodes");
        for (index, node) in pool.nodes.iter().enumerate() {
            let path = nodes.join(index);
            if pool.ignore {
                macs(node, &path, &mut taken, findings);
                identity(node, &path, &mut taken, findings);
                continue;
            }
            name(node, &path, &mut taken, findings);
            macs(node, &path, &mut taken, findings);
            addresses(node, &path, &ranges, &mut taken, findings);
            identity(node, &path, &mut taken, findings);
            line(node, &pool.tags, release_tag, &path, findings);
        }
    }
}

/// What earlier nodes have: each value and where it was written.
#[derive(Default)]
struct Taken(HashMap<(&'static str, String), Path>);

impl Taken {
    fn take(&mut self, what: &'static str, value: &str, path: &Path, findings: &mut Findings) {
        self.take_as(what, value.to_ascii_lowercase(), value, path, findings);
    }

    /// Takes what is the same as all that has the same `key`.
    fn take_as(
        &mut self,
        what: &'static str,
        key: String,
        value: &str,
        path: &Path,
        findings: &mut Findings,
    ) {
        let key = (what, key);
        match self.0.get(&key) {
            None => {
                self.0.insert(key, path.clone());
            }
            Some(first) => {
                let place = findings.place(first);
                let first_path = findings.in_tree(first);
                let message = format!("the {what} {value} is already {first_path}'s");
                findings.record(
                    path,
                    Problem::error(message).help(format!("written at {place}")),
                );
            }
        }
    }
}

fn name(node: &Machine, path: &Path, taken: &mut Taken, findings: &mut Findings) {
    let Some(name) = &node.name else { return };
    let path = path.join("name");
    let is_boolean = |node: &&Node| matches!(node.value, Value::Bool(_));
    let node = findings.node(&path).filter(is_boolean);
    // Where it was written otherwise, that was said already.
    if node.is_some_and(|node| node.written.is_none()) {
        let problem = Problem::warning(format!("`{name}` without quotes is a boolean"));
        findings.record(&path, problem.help(format!("write \"{name}\"")));
    }
    taken.take("name", name, &path, findings);
}

fn macs(node: &Machine, path: &Path, taken: &mut Taken, findings: &mut Findings) {
    let path = path.join("mac");
    for (path, mac) in node.mac.iter().flat_map(|macs| macs.places(&path)) {
        taken.take("MAC", mac, &path, findings);
    }
}

fn addresses(
    node: &Machine,
    path: &Path,
    ranges: &[Range],
    taken: &mut Taken,
    findings: &mut Findings,
) {
    let path = path.join("ip");
    let mut four = None;
    for (path, address) in node.ip.iter().flat_map(|ip| ip.places(&path)) {
        if address.ip.is_ipv4()
            && let Some(first) = four.replace(address)
        {
            let problem = Problem::error(format!(
                "{first} and {address}: dnsmasq gives a node one IPv4 address, beside any number of IPv6"
            ));
            findings.record(&path, problem.help("list a node for each network card"));
        }
        taken.take("address", &address.ip.to_string(), &path, findings);
        let is_held = ranges.iter().any(|range| range.may_hold(address));
        if !ranges.is_empty() && !is_held {
            let ip = address.ip;
            let problem = Problem::warning(format!(
                "{ip} is in no pool's range, so dnsmasq leases it to nobody"
            ));
            findings.record(
                &path,
                problem.help("unless another release serves a range that holds it"),
            );
        }
    }
}

fn line(node: &Machine, tags: &[Tag], release: &str, path: &Path, findings: &mut Findings) {
    let length = "dhcp-host=".len() + host(node, tags, release).fields.join(",").len();
    if length > DNSMASQ_LINE {
        findings.error(
            path,
            format!("dnsmasq reads at most {DNSMASQ_LINE} bytes about a node; with its tags, this one takes {length}"),
        );
    }
}

fn identity(node: &Machine, path: &Path, taken: &mut Taken, findings: &mut Findings) {
    let is_unknown =
        node.macs().next().is_none() && node.client_id.is_none() && node.name.is_none();
    if is_unknown && !findings.is_wrong_inside(path) {
        findings.error(
            path,
            "a node needs a mac, a clientID or a name to be recognised by",
        );
    }
    if let Some(id) = node.client_id.as_deref().filter(|id| *id != "*") {
        let key = hexadecimal(id).unwrap_or_else(|| format!("text {id}"));
        let path = path.join("clientID");
        taken.take_as("client identifier", key, id, &path, findings);
    }
}

/// Bytes in hexadecimal with colons between them, which dnsmasq compares as bytes, and all else as text.
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
