//! What a farm's values say of its nodes, as it stands in the ConfigMaps of the farm.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};

use ipnet::IpNet;
use k8s_openapi::api::core::v1::ConfigMap;

use crate::farm::join::JoinSettings;
use crate::farm::node_settings::{
    AgentSettings, ListedMachine, MachinesByDigest, NodeSettings, SettingsByDigest, checksum,
};
use crate::farm::server_logs::ServerLog;

/// The next version of any settings.
static VERSIONS: AtomicU64 = AtomicU64::new(1);

/// The file with the settings.
const SETTINGS: &str = "settings.json";
/// The file with the machines that have them.
const MACHINES: &str = "nodes.json";
/// The file that says how machines join.
const JOIN: &str = "join.json";
/// The file that says where machines are seen that boot.
const SERVERS: &str = "servers.json";
/// The file that says what becomes of Nodes that are not among the machines.
const AGENT: &str = "agent.json";

/// The ConfigMaps as they are at the moment. While a farm is applied they are not all of one version: a Node whose
/// settings are not there, or for which two objects name different ones, has none.
#[derive(Debug, Default)]
pub(super) struct Settings {
    objects: HashMap<String, Object>,
    by_name: HashMap<String, Machine>,
    /// Those of machines without a name.
    by_address: HashMap<IpAddr, Digest>,
    removes_nodes: bool,
    /// Another one after each change, also of one that was read anew as a whole.
    version: u64,
}

/// What stands in one ConfigMap.
#[derive(Debug)]
struct Object {
    settings: SettingsByDigest,
    machines: MachinesByDigest,
    join: Option<JoinSettings>,
    agent: AgentSettings,
    servers: Vec<ServerLog>,
}

/// A machine with a name.
#[derive(Debug)]
pub(super) struct Machine {
    digest: Digest,
    pub addresses: Box<[IpNet]>,
    pub macs: Box<[String]>,
}

/// What is known of a Node.
#[derive(Debug, PartialEq)]
pub(super) enum Found<'a> {
    Settings(&'a NodeSettings),
    /// It is the farm's, but which settings it has is not known yet, or not clear.
    Undecided,
    /// It is not in the values.
    Unlisted,
}

#[derive(Debug, Clone, PartialEq)]
enum Digest {
    Of(String),
    Several,
}

impl Settings {
    /// Takes an object, in place of the one with the same name.
    ///
    /// # Errors
    /// What cannot be read: the object as it was before stays.
    pub fn put(&mut self, object: &ConfigMap) -> Result<(), String> {
        let name = object.metadata.name.clone().unwrap_or_default();
        let read = Object {
            settings: file(object, SETTINGS)?,
            machines: file(object, MACHINES)?,
            join: file(object, JOIN)?,
            agent: file(object, AGENT)?,
            servers: file(object, SERVERS)?,
        };
        self.objects.insert(name, read);
        self.index();
        Ok(())
    }

    pub fn remove(&mut self, object: &ConfigMap) {
        let name = object.metadata.name.as_deref().unwrap_or_default();
        self.objects.remove(name);
        self.index();
    }

    /// What a Node has to have. One that no object names is recognised by its addresses.
    pub fn of(&self, name: &str, addresses: &[IpAddr]) -> Found<'_> {
        let machine = self.by_name.get(name).map(|machine| &machine.digest);
        let unnamed = || {
            let mut addresses = addresses.iter();
            addresses.find_map(|address| self.by_address.get(address))
        };
        match machine.or_else(unnamed) {
            Some(Digest::Of(digest)) => self.of_digest(digest),
            Some(Digest::Several) => Found::Undecided,
            None => self.of_range(addresses),
        }
    }

    /// How machines join; `None` where they do not ask the agent.
    pub fn join(&self) -> Option<&JoinSettings> {
        self.objects
            .values()
            .find_map(|object| object.join.as_ref())
    }

    /// The logs of the servers that machines boot from.
    pub fn servers(&self) -> Vec<ServerLog> {
        let servers = self.objects.values().flat_map(|object| &object.servers);
        servers.cloned().collect()
    }

    /// Another number after each change, and never one that was there before.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// The machines with names.
    pub fn machines(&self) -> impl Iterator<Item = (&str, &Machine)> {
        let machines = self.by_name.iter();
        machines.map(|(name, machine)| (name.as_str(), machine))
    }

    /// Whether Nodes that the values do not have are removed: the values want that, and all machines are here.
    pub fn removes_nodes(&self) -> bool {
        self.removes_nodes
    }

    /// The machine that the values list under a name.
    pub fn machine(&self, name: &str) -> Option<&Machine> {
        self.by_name.get(name)
    }

    /// Whether an address is leased to machines that the values do not name.
    pub fn is_for_unnamed(&self, address: IpAddr) -> bool {
        self.by_address.contains_key(&address) || self.is_leased(address)
    }

    /// Whether there are machines that the values do not name.
    pub fn has_unnamed(&self) -> bool {
        let settings = self.objects.values();
        let mut settings = settings.flat_map(|object| object.settings.values());
        !self.by_address.is_empty() || settings.any(|settings| !settings.ranges.is_empty())
    }

    /// Whether an address is in a range for any machine.
    pub fn is_leased(&self, address: IpAddr) -> bool {
        self.of_range(&[address]) != Found::Unlisted
    }

    fn of_digest(&self, digest: &str) -> Found<'_> {
        let mut objects = self.objects.values();
        let found = objects.find_map(|object| object.settings.get(digest));
        found.map_or(Found::Undecided, Found::Settings)
    }

    fn of_range(&self, addresses: &[IpAddr]) -> Found<'_> {
        let is_in = |(first, last): &(IpAddr, IpAddr)| {
            let mut addresses = addresses.iter();
            addresses.any(|address| first <= address && address <= last)
        };
        let all = self.objects.values();
        let all = all.flat_map(|object| object.settings.values());
        let mut found = all.filter(|settings| settings.ranges.iter().any(is_in));
        match (found.next(), found.next()) {
            (Some(settings), None) => Found::Settings(settings),
            (Some(_), Some(_)) => Found::Undecided,
            (None, _) => Found::Unlisted,
        }
    }

    fn index(&mut self) {
        self.version = VERSIONS.fetch_add(1, Ordering::Relaxed);
        let mut wanted = self
            .objects
            .values()
            .filter_map(|object| object.agent.remove_nodes_unlike.as_ref());
        self.removes_nodes = wanted.next().is_some_and(|wanted| {
            let machines = self.objects.values().flat_map(|object| &object.machines);
            *wanted
                == checksum(
                    machines
                        .flat_map(|(_, machines)| machines)
                        .map(String::as_str),
                )
        });
        self.by_name.clear();
        self.by_address.clear();
        for (digest, machines) in self.objects.values().flat_map(|object| &object.machines) {
            for text in machines {
                let listed = ListedMachine::read(text);
                let digest = Digest::Of(digest.clone());
                match listed.name {
                    Some(name) => {
                        let machine = Machine {
                            digest,
                            addresses: listed.addresses.into(),
                            macs: listed.macs.into(),
                        };
                        put_named(&mut self.by_name, name, machine);
                    }
                    None => {
                        for address in listed.addresses {
                            self.by_address.insert(address.addr(), digest.clone());
                        }
                    }
                }
            }
        }
    }
}

/// Of two objects with different settings for a machine, neither counts.
fn put_named(by_name: &mut HashMap<String, Machine>, name: String, machine: Machine) {
    match by_name.get_mut(&name) {
        Some(other) if other.digest != machine.digest => other.digest = Digest::Several,
        Some(_) => {}
        None => {
            by_name.insert(name, machine);
        }
    }
}

impl Machine {
    /// Whether objects of different versions list it in different ways.
    pub fn is_undecided(&self) -> bool {
        self.digest == Digest::Several
    }
}

/// Whether a MAC is the one of the values, in which an octet may be `*`.
pub(super) fn is_mac(listed: &str, claimed: &str) -> bool {
    let (mut listed, mut claimed) = (listed.split(':'), claimed.split(':'));
    loop {
        match (listed.next(), claimed.next()) {
            (None, None) => return true,
            (Some(octet), Some(claim)) if octet == "*" || octet == claim => {}
            _ => return false,
        }
    }
}

/// A file of an object; the default where there is none.
fn file<T: serde::de::DeserializeOwned + Default>(
    object: &ConfigMap,
    file: &str,
) -> Result<T, String> {
    let files: Option<&BTreeMap<String, String>> = object.data.as_ref();
    let Some(text) = files.and_then(|files| files.get(file)) else {
        return Ok(T::default());
    };
    serde_json::from_str(text).map_err(|error| {
        let name = object.metadata.name.as_deref().unwrap_or_default();
        format!("ConfigMap {name}, {file}: {error}")
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(name: &str, files: serde_json::Value) -> ConfigMap {
        let files = files.as_object().unwrap().iter();
        let data: serde_json::Map<_, _> = files
            .map(|(file, content)| (file.clone(), json!(content.to_string())))
            .collect();
        serde_json::from_value(json!({"metadata": {"name": name}, "data": data})).unwrap()
    }

    fn of(labels: serde_json::Value, ranges: serde_json::Value) -> serde_json::Value {
        json!({"labels": labels, "annotations": {}, "taints": [], "ranges": ranges})
    }

    fn rack(settings: &Settings, name: &str, addresses: &[&str]) -> String {
        let addresses: Vec<IpAddr> = addresses
            .iter()
            .map(|address| address.parse().unwrap())
            .collect();
        match settings.of(name, &addresses) {
            Found::Settings(found) => found.labels["rack"].clone(),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn a_node_is_recognised_by_its_name_or_its_address() {
        let mut settings = Settings::default();
        let files = json!({
            "settings.json": {
                "1": of(json!({"rack": "1"}), json!([])),
                "2": of(json!({"rack": "2"}), json!([["10.0.0.10", "10.0.0.20"]])),
            },
            "nodes.json": [["1", ["a"]]],
        });
        settings.put(&object("first", files)).unwrap();
        settings
            .put(&object(
                "second",
                json!({"nodes.json": [["2", ["b"]], ["3", ["c"]]]}),
            ))
            .unwrap();
        assert_eq!(rack(&settings, "a", &["10.0.0.10"]), "1");
        assert_eq!(rack(&settings, "b", &[]), "2");
        assert_eq!(rack(&settings, "x", &["fd00::1", "10.0.0.20"]), "2");
        assert_eq!(rack(&settings, "x", &["10.0.0.21"]), "Unlisted");
        // Its settings are not there yet.
        assert_eq!(rack(&settings, "c", &["10.0.0.10"]), "Undecided");
    }

    #[test]
    fn versions_that_do_not_agree_give_nothing() {
        let mut settings = Settings::default();
        let both = json!({
            "settings.json": {"1": of(json!({"rack": "1"}), json!([])), "2": of(json!({"rack": "2"}), json!([]))},
            "nodes.json": [["1", ["a"]]],
        });
        settings.put(&object("first", both)).unwrap();
        settings
            .put(&object("second", json!({"nodes.json": [["2", ["a"]]]})))
            .unwrap();
        assert_eq!(rack(&settings, "a", &[]), "Undecided");
        settings.remove(&object("second", json!({})));
        assert_eq!(rack(&settings, "a", &[]), "1");
    }

    #[test]
    fn nodes_are_removed_only_by_the_whole_list() {
        let machines = ["a - -", "b - -"];
        let sum = checksum(machines.into_iter());
        let first = json!({
            "settings.json": {"1": of(json!({}), json!([]))}, "nodes.json": [["1", ["a - -"]]],
            "agent.json": {"removeNodesUnlike": sum},
        });
        let mut settings = Settings::default();
        settings.put(&object("first", first)).unwrap();
        assert!(!settings.removes_nodes(), "half applied");
        let second = object("second", json!({"nodes.json": [["1", ["b - -"]]]}));
        settings.put(&second).unwrap();
        assert!(settings.removes_nodes());
        settings
            .put(&object("third", json!({"nodes.json": [["1", ["b - -"]]]})))
            .unwrap();
        assert!(!settings.removes_nodes(), "of two versions");
        settings.remove(&object("third", json!({})));
        settings
            .put(&object("first", json!({"nodes.json": [["1", ["a - -"]]]})))
            .unwrap();
        assert!(!settings.removes_nodes(), "not wanted");
    }

    #[test]
    fn what_cannot_be_read_changes_nothing() {
        let mut settings = Settings::default();
        let good = json!({"settings.json": {"1": of(json!({"rack": "1"}), json!([]))}, "nodes.json": [["1", ["a"]]]});
        settings.put(&object("first", good)).unwrap();
        let fault = settings
            .put(&object("first", json!({"nodes.json": 1})))
            .unwrap_err();
        assert!(
            fault.starts_with("ConfigMap first, nodes.json: invalid type"),
            "{fault}"
        );
        assert_eq!(rack(&settings, "a", &[]), "1");
    }

    #[test]
    fn an_address_of_two_pools_is_of_neither() {
        let mut settings = Settings::default();
        let range = json!([["10.0.0.10", "10.0.0.20"]]);
        let files = json!({"settings.json": {
            "1": of(json!({"rack": "1"}), range.clone()), "2": of(json!({"rack": "2"}), range),
        }});
        settings.put(&object("first", files)).unwrap();
        assert_eq!(rack(&settings, "x", &["10.0.0.15"]), "Undecided");
    }
}
