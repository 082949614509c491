//! The nodes, as dnsmasq's lines about hosts.

use std::ops::Range;
use std::sync::Arc;

use super::HostPart;
use crate::farm::boot::{PART_SIZE, part_suffix};
use crate::farm::spec::{DhcpMode, Machine, Tag, Values};
use crate::farm::split::{Limits, split};

/// The tag of every node in a farm's values: it belongs to that farm, whatever range its address is in.
pub const LISTED: &str = "listed";

/// A node as DHCP knows it: an item of `DhcpHosts.spec.hosts`, or a line of dnsmasq's `dhcp-hostsfile`.
#[derive(Debug, Clone)]
pub struct DhcpHost {
    node: Arc<Machine>,
    /// `id:…`
    id: Option<Box<str>>,
    /// `set:…`: the tags of its pool, of its release, and [`LISTED`].
    tags: Arc<[String]>,
    /// Its addresses, joined by commas: one field of the resource, several of the line.
    pub ip: Option<Box<str>>,
    /// Whether another server gives it its lease.
    is_ignored: bool,
    /// How many bytes its fields have together.
    pub size: usize,
}

impl DhcpHost {
    /// A node with the tags that [`tags`] gives for its pool.
    pub fn new(node: &Arc<Machine>, tags: &Arc<[String]>) -> DhcpHost {
        DhcpHost::measured(node, tags, false)
    }

    /// A node that another server gives its lease.
    fn ignored(node: &Arc<Machine>) -> DhcpHost {
        DhcpHost::measured(node, &Arc::default(), true)
    }

    fn measured(node: &Arc<Machine>, tags: &Arc<[String]>, is_ignored: bool) -> DhcpHost {
        let addresses = node.addresses().filter(|_| !is_ignored);
        let addresses: Vec<String> = addresses.map(ToString::to_string).collect();
        let mut host = DhcpHost {
            node: Arc::clone(node),
            id: node.client_id.as_ref().map(|id| format!("id:{id}").into()),
            tags: Arc::clone(tags),
            ip: (!addresses.is_empty()).then(|| addresses.join(",").into()),
            is_ignored,
            size: 0,
        };
        host.size = host.fields().map(str::len).sum();
        host
    }

    /// How many bytes its line has: the fields with commas between them.
    pub fn line_length(&self) -> usize {
        self.size + self.fields().count() - 1
    }

    /// The fields of its line, which commas join.
    pub fn fields(&self) -> impl Iterator<Item = &str> {
        let macs = self.macs().chain(self.id.as_deref());
        let tags = self.tags.iter().map(String::as_str);
        let addresses = self.ip.iter().flat_map(|ip| ip.split(','));
        let last = [self.lease_time().unwrap_or("ignore")];
        let texts = addresses.chain(self.hostname()).chain(last);
        macs.chain(tags).chain(texts)
    }

    pub fn macs(&self) -> impl Iterator<Item = &str> {
        self.node.macs().map(|mac| &**mac)
    }

    pub fn client_id(&self) -> Option<&str> {
        self.node.client_id.as_deref()
    }

    pub fn set_tags(&self) -> impl Iterator<Item = &str> {
        let tags = self.tags.iter();
        tags.filter_map(|tag| tag.strip_prefix("set:"))
    }

    pub fn hostname(&self) -> Option<&str> {
        let name = self.node.name.as_deref();
        name.filter(|_| !self.is_ignored)
    }

    /// `None` for a node that another server gives its lease.
    pub fn lease_time(&self) -> Option<&str> {
        let time = self.node.lease_time.as_deref().unwrap_or("infinite");
        (!self.is_ignored).then_some(time)
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

/// The nodes of the release, and, for the farm's own server, the nodes of others that it ignores.
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
                let is_known =
                    |node: &&Arc<Machine>| node.macs().next().is_some() || node.client_id.is_some();
                hosts.extend(nodes.filter(is_known).map(DhcpHost::ignored));
            }
            // That server has the nodes of the other farm as well.
            (true, DhcpMode::Controller) => (),
        }
    }
    // As JSON, an item has its fields again, with their keys.
    let size = |host: &DhcpHost| 128 + 4 * host.size;
    let ranges = split(&hosts, size, DhcpHost::key, Limits::up_to(PART_SIZE));
    let mut hosts = hosts.into_iter();
    let part = |range: Range<usize>| {
        let hosts: Arc<[DhcpHost]> = hosts.by_ref().take(range.len()).collect();
        let name = if range.start == 0 {
            format!("{release}-clients")
        } else {
            let first = hosts.first().map(DhcpHost::key).unwrap_or_default();
            format!("{release}-clients-{}", part_suffix(first))
        };
        HostPart { name, hosts }
    };
    ranges.into_iter().map(part).collect()
}
