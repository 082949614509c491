//! Lists with an item for each node, in the templates' context.
//!
//! A template that writes a whole list, `{{ part.hosts }}`, passes it on as it is: its items become neither values of
//! the engine nor text. A template that loops over a list gets each item as a value when it is needed.

use std::sync::Arc;

use minijinja::Value;
use minijinja::value::{Enumerator, Object, ObjectRepr, merge_maps};
use serde_json::Value as Json;

use super::held::List;
use crate::farm::Farm;
use crate::farm::boot::NodeSection;
use crate::farm::dhcp::DhcpHost;
use crate::values::write::Item;

/// A farm as the templates' context.
pub fn farm_context(farm: &Farm) -> Value {
    let context = super::context(farm);
    let hosts = farm.dhcp.leases.hosts.iter().map(|part| {
        let hosts = Value::from_object(Hosts(Arc::clone(&part.hosts)));
        Value::from_pairs([("name", Value::from(part.name.as_str())), ("hosts", hosts)])
    });
    let parts = farm.ltsp.computed.node_parts.iter().map(|part| {
        Value::from_pairs([
            ("name", Value::from(part.name.as_str())),
            ("file", Value::from(part.file.as_str())),
            ("nodes", sections(&part.nodes)),
        ])
    });
    let ltsp = [
        ("nodes", sections(&farm.ltsp.computed.nodes)),
        ("nodeParts", parts.collect::<Value>()),
    ];
    let dhcp = [("hosts", hosts.collect::<Value>())];
    let with = |section: &str, more: Value| {
        let own = context.get_attr(section).unwrap_or_default();
        (section.to_owned(), merge_maps([own, more]))
    };
    let more = [
        with("ltsp", Value::from_pairs(ltsp)),
        with("dhcp", Value::from_pairs(dhcp)),
    ];
    merge_maps([context.clone(), Value::from_pairs(more)])
}

fn sections(nodes: &Arc<[NodeSection]>) -> Value {
    Value::from_object(Sections(Arc::clone(nodes)))
}

/// The nodes' entries for DHCP.
#[derive(Debug)]
pub(super) struct Hosts(Arc<[DhcpHost]>);

/// The items of `DhcpHosts.spec.hosts`. What a node does not have is left out.
impl List for Hosts {
    fn items(&self) -> Box<dyn Iterator<Item = Item> + '_> {
        Box::new(self.0.iter().map(|host| {
            let entries = entries(host).into_iter();
            entries.filter(|(_, value)| !value.is_null()).collect()
        }))
    }

    fn max_size(&self) -> usize {
        /// The bytes of all keys of an item and its punctuation.
        const KEYS: usize = 96;
        // As if each byte were a field of its own and needed an escape.
        let of_item = |host: &DhcpHost| KEYS + host.size * ("\\u0000".len() + "\"\",".len());
        self.0.iter().map(of_item).sum()
    }
}

/// The keys of an item; null is what the node does not have.
fn entries(host: &DhcpHost) -> [(&'static str, Json); 6] {
    let macs: Vec<&str> = host.macs().collect();
    [
        ("macs", Some(macs).filter(|macs| !macs.is_empty()).into()),
        ("clientID", host.client_id().into()),
        ("setTags", host.set_tags().collect()),
        ("ip", host.ip.as_deref().into()),
        ("hostname", host.hostname().into()),
        ("leaseTime", host.lease_time().unwrap_or_default().into()),
    ]
}

impl Object for Hosts {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Seq
    }

    /// A host as an item, and in `fields` the fields of its line for dnsmasq.
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let host = self.0.get(key.as_usize()?)?;
        let fields = ("fields", host.fields().map(Value::from).collect());
        let entries = entries(host).map(|(key, value)| (key, super::context(&value)));
        Some(Value::from_pairs(entries.into_iter().chain([fields])))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Seq(self.0.len())
    }
}

/// The nodes' sections of `ltsp.conf`.
#[derive(Debug)]
pub(super) struct Sections(Arc<[NodeSection]>);

impl Sections {
    /// In their order in `ltsp.conf`.
    pub fn iter(&self) -> impl Iterator<Item = &NodeSection> {
        self.0.iter()
    }
}

impl Object for Sections {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Seq
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let node = self.0.get(key.as_usize()?)?;
        let includes = node.includes.iter().map(|name| Value::from(name.as_str()));
        Some(Value::from_pairs([
            ("section", Value::from(node.section.as_str())),
            ("includes", includes.collect()),
        ]))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Seq(self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chart::held::whole;
    use crate::farm::dhcp::tags;
    use crate::farm::spec::{LongList, Machine, Tag};

    fn hosts(machines: serde_json::Value) -> Hosts {
        let machines: LongList<Machine> = serde_json::from_value(machines).unwrap();
        let of_pool: Vec<Tag> = serde_json::from_value(serde_json::json!(["rack"])).unwrap();
        let tags = tags(&of_pool, "farm");
        let hosts = machines.iter().map(|machine| DhcpHost::new(machine, &tags));
        Hosts(hosts.collect())
    }

    #[test]
    fn an_item_has_what_the_node_has() {
        let hosts = hosts(serde_json::json!([
            {"name": "a", "mac": "02:00:00:00:00:01, 02:00:00:00:00:02", "ip": "10.0.0.1,fd00::1"},
            {"clientID": "id:x", "leaseTime": "1h"},
        ]));
        let items = serde_json::json!([
            {
                "macs": ["02:00:00:00:00:01", "02:00:00:00:00:02"],
                "setTags": ["rack", "farm", "listed"],
                "ip": "10.0.0.1,[fd00::1]",
                "hostname": "a",
                "leaseTime": "infinite",
            },
            {"clientID": "x", "setTags": ["rack", "farm", "listed"], "leaseTime": "1h"},
        ]);
        assert_eq!(whole(&hosts), items);
        let second = Arc::new(hosts).get_value(&Value::from(1)).unwrap();
        let fields = second.get_attr("fields").unwrap();
        assert_eq!(
            fields.to_string(),
            "['id:x', 'set:rack', 'set:farm', 'set:listed', '1h']"
        );
        assert!(second.get_attr("macs").unwrap().is_none());
    }

    #[test]
    fn the_maximum_size_is_never_too_small() {
        let name = "x".repeat(63);
        let hosts = hosts(serde_json::json!([
            {"clientID": "ü", "mac": "02:00:00:00:00:01,02:00:00:00:00:02", "name": name, "ip": "fd00::1", "leaseTime": "1h"},
            {"name": "a"},
        ]));
        assert!(hosts.max_size() >= whole(&hosts).to_string().len());
    }
}
