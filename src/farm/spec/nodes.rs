//! Node pools and their nodes.

use std::borrow::Cow;
use std::fmt;

use ipnet::IpNet;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, SeqAccess, Unexpected, Visitor};

use super::{
    ClientId, DhcpRange, HostName, LeaseTime, Line, Lines, LongList, Mac, Range, Several, Tag,
};
use crate::farm::syntax::HostAddress;
use crate::values::Segment;

/// The pools, each with its segment of the path: an index of the list, or a key of the map.
#[derive(Debug, Clone, Default)]
pub struct NodePools(pub Vec<(Segment, NodePool)>);

impl NodePools {
    /// The pools whose nodes belong to this farm.
    pub fn own(&self) -> impl Iterator<Item = &(Segment, NodePool)> {
        self.0.iter().filter(|(_, pool)| !pool.ignore)
    }

    /// The ranges of these pools that could be read: their own, and those in their extra options.
    pub fn ranges(&self) -> impl Iterator<Item = Range> {
        self.own().flat_map(|(_, pool)| pool.ranges().cloned())
    }

    /// The network of each of these pools; `None` for a pool whose range does not contain it.
    pub fn networks(&self) -> impl Iterator<Item = Option<IpNet>> {
        self.own().map(|(_, pool)| {
            let range = pool.range.as_ref()?.read();
            Some(range.network()?.trunc())
        })
    }
}

/// Nodes with something in common.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NodePool {
    /// Addresses to lease, in the syntax of dnsmasq's `--dhcp-range`, without `set:` (the release's tag is added).
    pub range: Option<DhcpRange>,
    /// The nodes.
    #[serde(default)]
    pub nodes: LongList<Machine>,
    /// Tags of the pool's nodes, with the settings under `tags`.
    #[serde(default)]
    pub tags: Vec<Tag>,
    /// More dnsmasq options, one-key maps; `?` stands for the release's DHCP tag.
    #[serde(default)]
    pub extra_opts: Vec<Lines>,
    /// The nodes belong to another farm: this farm's own dnsmasq ignores them.
    #[serde(default)]
    pub ignore: bool,
}

impl NodePool {
    /// Its ranges that could be read: its own, and those in its further options.
    pub fn ranges(&self) -> impl Iterator<Item = &Range> {
        let further = self.lines().filter_map(|(_, line)| line.range());
        self.range.iter().map(DhcpRange::read).chain(further)
    }

    /// Its further options, by name.
    pub fn lines(&self) -> impl Iterator<Item = (&str, &Line)> {
        let lines = self.extra_opts.iter().flat_map(|lines| lines.iter());
        lines.map(|(key, line)| (key.as_str(), line))
    }
}

/// One node.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Machine {
    /// Its host name.
    pub name: Option<HostName>,
    /// Its MAC addresses: one, several separated by commas, or a list.
    pub mac: Option<Several<Mac>>,
    /// Its addresses, one of IPv4 and any number of IPv6: one, several separated by commas, or a list.
    pub ip: Option<Several<HostAddress>>,
    /// Its DHCP client identifier, instead of a MAC.
    #[serde(rename = "clientID")]
    pub client_id: Option<ClientId>,
    /// How long its lease lasts: seconds, `45m`, `12h`, `7d` or `infinite` (the default).
    pub lease_time: Option<LeaseTime>,
}

impl Machine {
    /// Its MACs.
    pub fn macs(&self) -> impl Iterator<Item = &Mac> {
        self.mac.iter().flat_map(Several::iter)
    }

    /// Its addresses.
    pub fn addresses(&self) -> impl Iterator<Item = &HostAddress> + Clone {
        self.ip.iter().flat_map(Several::iter)
    }
}

impl<'de> Deserialize<'de> for NodePools {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodePoolsVisitor)
    }
}

struct NodePoolsVisitor;

impl<'de> Visitor<'de> for NodePoolsVisitor {
    type Value = NodePools;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a list of node pools, or a map of name to node pool")
    }

    fn visit_unit<E>(self) -> Result<NodePools, E> {
        Ok(NodePools::default())
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<NodePools, E> {
        match text {
            "" => Ok(NodePools::default()),
            text => Err(E::invalid_type(Unexpected::Str(text), &self)),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<NodePools, A::Error> {
        let mut pools = Vec::new();
        while let Some(pool) = items.next_element::<Option<NodePool>>()? {
            pools.push((Segment::Index(pools.len()), pool.unwrap_or_default()));
        }
        Ok(NodePools(pools))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<NodePools, A::Error> {
        let mut pools = Vec::new();
        while let Some((name, pool)) = entries.next_entry::<String, Option<NodePool>>()? {
            pools.push((Segment::Key(name), pool.unwrap_or_default()));
        }
        Ok(NodePools(pools))
    }
}

impl JsonSchema for NodePools {
    fn schema_name() -> Cow<'static, str> {
        "NodePools".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let pool = generator.subschema_for::<Option<NodePool>>();
        json_schema!({
            "anyOf": [
                {"type": "array", "items": pool},
                {"type": "object", "additionalProperties": pool},
            ]
        })
    }
}
