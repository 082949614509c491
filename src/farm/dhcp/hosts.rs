//! The nodes, as dnsmasq's lines about hosts.

use super::{DhcpHost, HostPart};
use crate::farm::boot::{PART_SIZE, part_suffix};
use crate::farm::spec::{DhcpMode, Machine, Tag, Values};
use crate::farm::split::{Limits, split};

/// The tag of every node that a farm lists: it is of that farm, whichever range its address is in.
pub const LISTED: &str = "listed";

/// The nodes of the release, and for a server of its own those that it leaves to others.
pub fn parts(values: &Values, release: &str) -> Vec<HostPart> {
    let mut hosts = Vec::new();
    for (_, pool) in &values.node_pools.0 {
        let nodes = pool.nodes.iter();
        match (pool.ignore, values.dhcp.mode) {
            (false, _) => hosts.extend(nodes.map(|node| host(node, &pool.tags, release))),
            (true, DhcpMode::Standalone) => hosts.extend(nodes.filter_map(ignored)),
            // That server knows the farm whose nodes they are.
            (true, DhcpMode::Controller) => (),
        }
    }
    // As JSON an item repeats its fields with their keys around them.
    let size = |host: &DhcpHost| 128 + 4 * host.fields.iter().map(String::len).sum::<usize>();
    split(&hosts, size, key, Limits::up_to(PART_SIZE))
        .into_iter()
        .map(|range| (range.start, hosts.get(range).unwrap_or_default()))
        .map(|(start, hosts)| HostPart {
            name: match start {
                0 => format!("{release}-clients"),
                _ => format!(
                    "{release}-clients-{}",
                    part_suffix(hosts.first().map_or("", key))
                ),
            },
            hosts: hosts.to_vec(),
        })
        .collect()
}

/// What a host is recognised by: its first MAC, else its client identifier or address.
fn key(host: &DhcpHost) -> &str {
    host.fields.first().map_or("", String::as_str)
}

/// A node with the tags of its pool and of its release.
pub fn host(node: &Machine, tags: &[Tag], release: &str) -> DhcpHost {
    let own = [release, LISTED].map(str::to_owned);
    let set_tags: Vec<String> = tags.iter().map(ToString::to_string).chain(own).collect();
    let addresses = node.addresses().map(|address| address.to_string());
    let addresses: Vec<String> = addresses.collect();
    let lease_time = node.lease_time.as_deref().unwrap_or("infinite");
    let (macs, client_id, mut fields) = identity(node);
    fields.extend(set_tags.iter().map(|tag| format!("set:{tag}")));
    fields.extend(addresses.iter().cloned());
    let hostname = node.name.as_ref().map(ToString::to_string);
    fields.extend(hostname.clone());
    fields.push(lease_time.to_owned());
    DhcpHost {
        macs,
        client_id,
        set_tags,
        ip: (!addresses.is_empty()).then(|| addresses.join(",")),
        hostname,
        lease_time: lease_time.to_owned(),
        fields,
    }
}

/// A node that another server gives its lease; `None` for one that is known by its name alone.
fn ignored(node: &Machine) -> Option<DhcpHost> {
    let (macs, client_id, mut fields) = identity(node);
    if fields.is_empty() {
        return None;
    }
    fields.push("ignore".to_owned());
    Some(DhcpHost {
        macs,
        client_id,
        set_tags: Vec::new(),
        ip: None,
        hostname: None,
        lease_time: String::new(),
        fields,
    })
}

/// MACs, client identifier, and both as fields.
fn identity(node: &Machine) -> (Option<Vec<String>>, Option<String>, Vec<String>) {
    let macs: Vec<String> = node.macs().map(ToString::to_string).collect();
    let client_id = node.client_id.as_ref().map(ToString::to_string);
    let mut fields = macs.clone();
    fields.extend(client_id.iter().map(|id| format!("id:{id}")));
    let macs = (!macs.is_empty()).then_some(macs);
    (macs, client_id, fields)
}
