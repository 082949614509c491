//! The nodes, as dnsmasq's lines about hosts.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use super::HostPart;
use crate::farm::boot::{PART_SIZE, part_suffix};
use crate::farm::spec::{DhcpMode, Machine, Tag, Values};
use crate::farm::split::{Limits, split};

/// The tag of every node that a farm lists: it is of that farm, whichever range its address is in.
pub const LISTED: &str = "listed";

/// A node as DHCP knows it: an item of `DhcpHosts.spec.hosts`, or a line of dnsmasq's `dhcp-hostsfile`.
#[derive(Debug, Clone)]
pub struct DhcpHost {
    pub macs: Vec<String>,
    /// `id:…`
    id: Option<String>,
    /// `set:…`: the tags of its pool, of its release, and [`LISTED`].
    tags: Arc<[String]>,
    addresses: Vec<String>,
    pub hostname: Option<String>,
    /// `None` for a node that another server gives its lease.
    lease_time: Option<Cow<'static, str>>,
}

impl DhcpHost {
    /// A node with the tags that [`tags`] gives for its pool.
    pub fn new(node: &Machine, tags: &Arc<[String]>) -> DhcpHost {
        let lease_time = node.lease_time.as_ref();
        let lease_time = lease_time.map(|time| Cow::from(time.to_string()));
        DhcpHost {
            tags: Arc::clone(tags),
            addresses: node.addresses().map(ToString::to_string).collect(),
            hostname: node.name.as_ref().map(ToString::to_string),
            lease_time: Some(lease_time.unwrap_or("infinite".into())),
            ..DhcpHost::ignored(node)
        }
    }

    /// A node that another server gives its lease.
    fn ignored(node: &Machine) -> DhcpHost {
        DhcpHost {
            macs: node.macs().map(ToString::to_string).collect(),
            id: node.client_id.as_ref().map(|id| format!("id:{id}")),
            tags: Arc::default(),
            addresses: Vec::new(),
            hostname: None,
            lease_time: None,
        }
    }

    /// The fields of its line, which commas join.
    pub fn fields(&self) -> impl Iterator<Item = &str> {
        let macs = self.macs.iter().chain(&self.id);
        let tags = self.tags.iter().chain(&self.addresses);
        let texts = macs.chain(tags).chain(&self.hostname);
        let last = self.lease_time.as_deref().unwrap_or("ignore");
        texts.map(String::as_str).chain([last])
    }

    pub fn client_id(&self) -> Option<&str> {
        self.id.as_deref()?.strip_prefix("id:")
    }

    pub fn set_tags(&self) -> impl Iterator<Item = &str> {
        let tags = self.tags.iter();
        tags.filter_map(|tag| tag.strip_prefix("set:"))
    }

    /// Addresses, joined by commas: one field of the resource, several of the line.
    pub fn ip(&self) -> Option<String> {
        (!self.addresses.is_empty()).then(|| self.addresses.join(","))
    }

    pub fn lease_time(&self) -> &str {
        self.lease_time.as_deref().unwrap_or_default()
    }

    /// What it is recognised by: its first MAC, else its client identifier.
    fn key(&self) -> &str {
        self.fields().next().unwrap_or_default()
    }
}

/// The tags that a pool's nodes set, as fields of their lines.
pub fn tags(of_pool: &[Tag], release: &str) -> Arc<[String]> {
    let of_pool = of_pool.iter().map(|tag| format!("set:{tag}"));
    let own = [release, LISTED].map(|tag| format!("set:{tag}"));
    of_pool.chain(own).collect()
}

/// The nodes of the release, and for a server of its own those that it leaves to others.
pub fn parts(values: &Values, release: &str) -> Vec<HostPart> {
    let mut hosts = Vec::new();
    for (_, pool) in &values.node_pools.0 {
        let nodes = pool.nodes.iter();
        match (pool.ignore, values.dhcp.mode) {
            (false, _) => {
                let tags = tags(&pool.tags, release);
                hosts.extend(nodes.map(|node| DhcpHost::new(node, &tags)));
            }
            (true, DhcpMode::Standalone) => {
                // A name alone tells that server nothing.
                let is_known = |host: &DhcpHost| !host.macs.is_empty() || host.id.is_some();
                hosts.extend(nodes.map(DhcpHost::ignored).filter(is_known));
            }
            // That server knows the farm whose nodes they are.
            (true, DhcpMode::Controller) => (),
        }
    }
    // As JSON an item repeats its fields with their keys around them.
    let size = |host: &DhcpHost| 128 + 4 * host.fields().map(str::len).sum::<usize>();
    let ranges = split(&hosts, size, DhcpHost::key, Limits::up_to(PART_SIZE));
    let mut hosts = hosts.into_iter();
    let part = |range: Range<usize>| {
        let hosts: Arc<[DhcpHost]> = hosts.by_ref().take(range.len()).collect();
        let name = if range.start == 0 {
            format!("{release}-clients")
        } else {
            let first = hosts.first().map_or("", DhcpHost::key);
            format!("{release}-clients-{}", part_suffix(first))
        };
        HostPart { name, hosts }
    };
    ranges.into_iter().map(part).collect()
}
