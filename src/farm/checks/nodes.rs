//! Nodes: the syntax of names and addresses, and that no two nodes share one.

use std::collections::HashMap;
use std::net::Ipv4Addr;

use super::dhcp::ranges;
use super::options::places;
use super::range::Range;
use crate::farm::findings::Findings;
use crate::farm::leases::{client_id, host};
use crate::farm::spec::{Machine, NodePools};
use crate::farm::syntax::{
    DNSMASQ_LINE, HostAddress, dnsmasq_field_fault, is_dns_name, is_dnsmasq_mac, is_lease_time,
    is_mac,
};
use crate::values::{Node, Path, Problem, Value};

/// Checks every node of every pool.
pub fn check(pools: &NodePools, release_tag: &str, findings: &mut Findings) {
    let mut taken = Taken::default();
    let ranges = ranges(pools);
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
    if !is_dns_name(name) {
        findings.error(
            &path,
            format!("`{name}` is not a host name: letters, digits and inner hyphens, in labels of at most 63 characters (RFC 1123)"),
        );
    } else if name.eq_ignore_ascii_case("localhost") {
        findings.error(&path, "every machine is `localhost` to itself");
    } else if is_lease_time(name) || name == "ignore" || name.parse::<Ipv4Addr>().is_ok() {
        findings.error(
            &path,
            format!(
                "dnsmasq would read the host name `{name}` as a lease time, address or keyword"
            ),
        );
    } else {
        let is_boolean = |node: &&Node| matches!(node.value, Value::Bool(_));
        let node = findings.node(&path).filter(is_boolean);
        // Where it was written otherwise, that was said already.
        if node.is_some_and(|node| node.written.is_none()) {
            let problem = Problem::warning(format!("`{name}` without quotes is a boolean"));
            findings.record(&path, problem.help(format!("write \"{name}\"")));
        }
        taken.take("name", name, &path, findings);
    }
}

fn macs(node: &Machine, path: &Path, taken: &mut Taken, findings: &mut Findings) {
    let Some(macs) = &node.mac else { return };
    let path = path.join("mac");
    for (path, mac) in places(macs, &path) {
        if is_dnsmasq_mac(&mac) {
            taken.take("MAC", &mac, &path, findings);
            if let Some(fault) = mac_fault(&mac) {
                findings.error(&path, format!("no network card has the MAC {mac}: {fault}"));
            }
            continue;
        }
        let problem = Problem::error(format!(
            "`{mac}` is not a MAC address: six pairs of hexadecimal digits joined by colons"
        ));
        const INFINIBAND: usize = 20;
        if mac.split(':').count() == INFINIBAND {
            let help =
                "a request has no room for InfiniBand's; such a port is recognised by its clientID";
            findings.record(&path, problem.help(help));
            continue;
        }
        let colons = mac.replace(['-', '.'], ":").to_ascii_lowercase();
        findings.record(
            &path,
            if is_mac(&colons) {
                problem.help(format!("write {colons}"))
            } else {
                problem
            },
        );
    }
}

/// Why a MAC is not a single card's (IEEE 802, section 8.2).
fn mac_fault(mac: &str) -> Option<&'static str> {
    let first = mac.get(..2).filter(|_| is_mac(mac))?;
    let first = u8::from_str_radix(first, 16).ok()?;
    if mac.bytes().all(|byte| matches!(byte, b'0' | b':')) {
        return Some("all zeros stand for none");
    }
    (first & 1 == 1).then_some("an odd first octet is that of a group")
}

/// A node's addresses with their places, `None` for what is not one. `path` is that of its `ip`.
pub fn node_addresses(node: &Machine, path: &Path) -> Vec<(Path, Option<HostAddress>)> {
    let texts = node.ip.iter().flat_map(|texts| places(texts, path));
    texts
        .map(|(path, text)| (path, text.parse().ok()))
        .collect()
}

fn addresses(
    node: &Machine,
    path: &Path,
    ranges: &[Range],
    taken: &mut Taken,
    findings: &mut Findings,
) {
    let path = path.join("ip");
    let texts = node.ip.iter().flat_map(|texts| places(texts, &path));
    let mut four = None;
    for (path, text) in texts {
        let Ok(address) = text.parse::<HostAddress>() else {
            findings.error(&path, format!("`{text}` is not an IP address"));
            continue;
        };
        if address.ip.is_ipv4()
            && let Some(first) = four.replace(address)
        {
            let problem = Problem::error(format!(
                "{first} and {address}: dnsmasq gives a node one IPv4 address, beside any number of IPv6"
            ));
            findings.record(&path, problem.help("list a node for each network card"));
        }
        taken.take("address", &address.ip.to_string(), &path, findings);
        let is_held = ranges.iter().any(|range| range.may_hold(&address));
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

fn line(node: &Machine, tags: &[String], release: &str, path: &Path, findings: &mut Findings) {
    let length = "dhcp-host=".len() + host(node, tags, release).fields.join(",").len();
    if length > DNSMASQ_LINE {
        findings.error(
            path,
            format!("dnsmasq reads at most {DNSMASQ_LINE} bytes about a node; with its tags, this one takes {length}"),
        );
    }
}

fn identity(node: &Machine, path: &Path, taken: &mut Taken, findings: &mut Findings) {
    let macs = node.mac.as_ref().map(|mac| mac.split()).unwrap_or_default();
    if macs.is_empty() && node.client_id.is_none() && node.name.is_none() {
        findings.error(
            path,
            "a node needs a mac, a clientID or a name to be recognised by",
        );
    }
    if let Some(id) = node.client_id.as_deref() {
        identifier(client_id(id), &path.join("clientID"), taken, findings);
    }
    // `deprecated` is a word of ranges; with a host it would be its name (dnsmasq(8), --dhcp-host).
    let time = node.lease_time.as_deref();
    if let Some(time) = time.filter(|time| !is_lease_time(time) || *time == "deprecated") {
        findings.error(
            &path.join("leaseTime"),
            format!(
                "`{time}` is not a lease time: seconds, a number with s, m, h, d or w, or `infinite`"
            ),
        );
    }
}

fn identifier(id: &str, path: &Path, taken: &mut Taken, findings: &mut Findings) {
    if let Some(fault) = dnsmasq_field_fault(id) {
        findings.error(path, format!("a client identifier may not hold {fault}"));
    } else if id.is_empty() {
        findings.error(path, "a client identifier may not be empty");
    } else if ["set:", "tag:", "net:"]
        .iter()
        .any(|prefix| id.starts_with(prefix))
    {
        let problem = Problem::error(format!("`{id}` is not a client identifier, but a tag"));
        findings.record(path, problem.help("tags stand in the pool's `tags`"));
    } else if id != "*" {
        let key = hexadecimal(id).unwrap_or_else(|| format!("text {id}"));
        taken.take_as("client identifier", key, id, path, findings);
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
