//! The nodes that the values list, and the ranges for machines that they do not.

use std::net::IpAddr;

use super::mac::canonical_mac;
use crate::farm::spec::{Machine, NodePool, NodePools, Range, RangeKind, Tag};
use crate::values::{Path, Segment};

/// A node with what its pool says of it.
#[derive(Debug, Clone, Copy)]
pub struct Listed<'a> {
    pub machine: &'a Machine,
    pub pool: &'a NodePool,
    step: &'a Segment,
    index: usize,
}

impl<'a> Listed<'a> {
    /// Its host name, or the empty text.
    pub fn name(&self) -> &'a str {
        self.machine.name.as_deref().unwrap_or_default()
    }

    /// The name of its pool: the key of a map, or the index of a list.
    pub fn pool_name(&self) -> String {
        pool_name(self.step)
    }

    /// The tags of its pool.
    pub fn tags(&self) -> &'a [Tag] {
        &self.pool.tags
    }

    /// Its MACs, as they are written.
    pub fn macs(&self) -> Vec<String> {
        self.machine.macs().map(|mac| mac.to_string()).collect()
    }

    /// Its addresses, without the brackets of DHCP's lines.
    pub fn addresses(&self) -> Vec<String> {
        let addresses = self.machine.addresses().map(ToString::to_string);
        addresses
            .map(|text| text.trim_matches(['[', ']']).to_owned())
            .collect()
    }

    /// The first of its addresses.
    pub fn first_address(&self) -> Option<IpAddr> {
        self.machine.addresses().next().map(|address| address.ip)
    }

    /// How long its lease lasts.
    pub fn lease_time(&self) -> &'a str {
        self.machine.lease_time.as_deref().unwrap_or("infinite")
    }

    /// Its name and its MACs.
    pub fn ways_to_call_it(&self) -> Vec<String> {
        let name = self.machine.name.iter().map(ToString::to_string);
        name.chain(self.macs()).collect()
    }

    /// Where it stands in the values.
    pub fn path(&self) -> Path {
        let pool = Path::from("nodePools").join(self.step.clone());
        pool.join("nodes").join(self.index)
    }

    /// Whether this name or MAC, in any spelling, is its.
    pub fn is_called(&self, wanted: &str) -> bool {
        if !self.name().is_empty() && self.name().eq_ignore_ascii_case(wanted) {
            return true;
        }
        let wanted = canonical_mac(wanted);
        let mut macs = self.machine.macs();
        wanted.is_some_and(|wanted| macs.any(|mac| mac.ltsp_name() == wanted))
    }
}

/// The name of a pool: the key of a map, or the index of a list.
pub fn pool_name(step: &Segment) -> String {
    match step {
        Segment::Key(name) => name.clone(),
        Segment::Index(index) => index.to_string(),
    }
}

/// Every node of every pool, in the order of the values.
pub fn listed(pools: &NodePools) -> Vec<Listed<'_>> {
    let pools = pools.0.iter();
    let nodes = pools.flat_map(|(step, pool)| {
        let nodes = pool.nodes.iter().enumerate();
        nodes.map(move |(index, machine)| Listed {
            machine,
            pool,
            step,
            index,
        })
    });
    nodes.collect()
}

/// A range from which machines that no values list get addresses, with the name of its pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenRange {
    pub pool: String,
    pub range: String,
}

/// The dynamic ranges of the farm's own pools.
pub fn open_ranges(pools: &NodePools) -> Vec<OpenRange> {
    let mut found = Vec::new();
    for (step, pool) in pools.own() {
        let own = pool
            .range
            .iter()
            .map(|range| (range.to_string(), range.read()));
        let lines = pool.lines().filter_map(|(_, line)| {
            let text: Vec<&str> = line.fields().collect();
            Some((text.join(","), line.range()?))
        });
        let is_open = |range: &Range| range.kind == RangeKind::Dynamic;
        let open = own.chain(lines).filter(|(_, range)| is_open(range));
        found.extend(open.map(|(range, _)| OpenRange {
            pool: pool_name(step),
            range,
        }));
    }
    found
}
