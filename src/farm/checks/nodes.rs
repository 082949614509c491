//! Nodes: the syntax of names and addresses, and that no two nodes share one.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};

use ipnet::Ipv4Net;

use crate::farm::findings::Findings;
use crate::farm::leases::host;
use crate::farm::spec::{Machine, NodePools};
use crate::farm::syntax::{
    DNSMASQ_LINE, dnsmasq_field_fault, is_dns_name, is_lease_time, is_mac, netmask_prefix,
};
use crate::values::{Path, Problem};

/// Checks every node of every pool.
pub fn check(pools: &NodePools, findings: &mut Findings) {
    let mut taken = Taken::default();
    let subnets = subnets(pools);
    for (step, pool) in &pools.0 {
        let nodes = Path::from("nodePools").join(step.clone()).join("nodes");
        for (index, node) in pool.nodes.iter().enumerate() {
            let path = nodes.join(index);
            name(node, &path, &mut taken, findings);
            macs(node, &path, &mut taken, findings);
            address(node, &path, &subnets, &mut taken, findings);
            identity(node, &path, findings);
            line(node, &pool.tags, &path, findings);
        }
    }
}

/// What earlier nodes have: each value and where it was written.
#[derive(Default)]
struct Taken(HashMap<(&'static str, String), Path>);

impl Taken {
    fn take(&mut self, what: &'static str, value: &str, path: &Path, findings: &mut Findings) {
        let key = (what, value.to_ascii_lowercase());
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
            format!("`{name}` is no host name: letters, digits and inner hyphens, in labels of at most 63 characters (RFC 1123)"),
        );
    } else if is_lease_time(name) || name == "ignore" {
        findings.error(
            &path,
            format!("dnsmasq would read the host name `{name}` as a lease time or keyword"),
        );
    } else {
        taken.take("name", name, &path, findings);
    }
}

fn macs(node: &Machine, path: &Path, taken: &mut Taken, findings: &mut Findings) {
    let Some(macs) = &node.mac else { return };
    let path = path.join("mac");
    for mac in macs.split() {
        let mac = mac.trim();
        if is_mac(mac) {
            taken.take("MAC", mac, &path, findings);
            continue;
        }
        let problem = Problem::error(format!(
            "`{mac}` is no MAC address: six pairs of hexadecimal digits joined by colons"
        ));
        let colons = mac.replace(['-', '.'], ":").to_ascii_lowercase();
        findings.record(
            &path,
            match is_mac(&colons) {
                true => problem.help(format!("write {colons}")),
                false => problem,
            },
        );
    }
}

fn address(
    node: &Machine,
    path: &Path,
    subnets: &Option<Vec<Ipv4Net>>,
    taken: &mut Taken,
    findings: &mut Findings,
) {
    let Some(text) = &node.ip else { return };
    let path = path.join("ip");
    let Ok(address) = text.parse::<IpAddr>() else {
        findings.error(&path, format!("`{text}` is no IP address"));
        return;
    };
    taken.take("address", &address.to_string(), &path, findings);
    if let (IpAddr::V4(address), Some(subnets)) = (address, subnets)
        && !subnets.iter().any(|subnet| subnet.contains(&address))
    {
        let problem = Problem::warning(format!(
            "{address} is in no pool's range, so dnsmasq leases it to nobody"
        ));
        findings.record(
            &path,
            problem.help("unless another release serves a range that holds it"),
        );
    }
}

fn line(node: &Machine, tags: &[String], path: &Path, findings: &mut Findings) {
    let length = "dhcp-host=".len() + host(node, tags).fields.join(",").len();
    if length > DNSMASQ_LINE {
        findings.error(
            path,
            format!("dnsmasq reads at most {DNSMASQ_LINE} bytes about a node; with its tags, this one takes {length}"),
        );
    }
}

fn identity(node: &Machine, path: &Path, findings: &mut Findings) {
    if node.mac.is_none() && node.client_id.is_none() && node.name.is_none() {
        findings.error(
            path,
            "a node needs a mac, a clientID or a name to be recognised by",
        );
    }
    if let Some(fault) = node.client_id.as_deref().and_then(dnsmasq_field_fault) {
        findings.error(
            &path.join("clientID"),
            format!("a client identifier may not hold {fault}"),
        );
    }
    if let Some(time) = node
        .lease_time
        .as_deref()
        .filter(|time| !is_lease_time(time))
    {
        findings.error(
            &path.join("leaseTime"),
            format!(
                "`{time}` is no lease time: seconds, a number with s, m, h, d or w, or `infinite`"
            ),
        );
    }
}

/// The IPv4 subnets that the ranges serve; `None` where one does not say its netmask, or there is none.
fn subnets(pools: &NodePools) -> Option<Vec<Ipv4Net>> {
    let mut subnets = Vec::new();
    for range in pools.0.iter().filter_map(|(_, pool)| pool.range.as_deref()) {
        let addresses: Vec<Ipv4Addr> = range
            .split(',')
            .filter_map(|field| field.trim().parse().ok())
            .collect();
        let first = *addresses.first()?;
        let is_mask = |address: &&Ipv4Addr| address.octets()[0] == 255;
        let prefix = netmask_prefix(*addresses.iter().skip(1).find(is_mask)?)?;
        subnets.push(Ipv4Net::new(first, prefix).ok()?.trunc());
    }
    (!subnets.is_empty()).then_some(subnets)
}
