//! The settings of Nodes, as they stand in the ConfigMaps of a farm.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;

use k8s_openapi::api::core::v1::ConfigMap;

use crate::farm::node_settings::{NamesByDigest, NodeSettings, SettingsByDigest};

/// The file with the settings.
const SETTINGS: &str = "settings.json";
/// The file with the Nodes that have them.
const NAMES: &str = "nodes.json";

/// The ConfigMaps as they are at the moment. While a farm is applied they are not all of one version: a Node whose
/// settings are not there, or for which two objects name different ones, has none.
#[derive(Debug, Default)]
pub(super) struct Settings {
    objects: HashMap<String, (SettingsByDigest, NamesByDigest)>,
    by_name: HashMap<String, Digest>,
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

#[derive(Debug, PartialEq)]
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
        let read = (file(object, SETTINGS)?, file(object, NAMES)?);
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
        match self.by_name.get(name) {
            Some(Digest::Of(digest)) => self.of_digest(digest),
            Some(Digest::Several) => Found::Undecided,
            None => self.of_range(addresses),
        }
    }

    fn of_digest(&self, digest: &str) -> Found<'_> {
        let mut settings = self.objects.values().map(|(settings, _)| settings);
        let found = settings.find_map(|settings| settings.get(digest));
        found.map_or(Found::Undecided, Found::Settings)
    }

    fn of_range(&self, addresses: &[IpAddr]) -> Found<'_> {
        let is_in = |(first, last): &(IpAddr, IpAddr)| {
            let mut addresses = addresses.iter();
            addresses.any(|address| first <= address && address <= last)
        };
        let all = self
            .objects
            .values()
            .flat_map(|(settings, _)| settings.values());
        let mut found = all.filter(|settings| settings.ranges.iter().any(is_in));
        match (found.next(), found.next()) {
            (Some(settings), None) => Found::Settings(settings),
            (Some(_), Some(_)) => Found::Undecided,
            (None, _) => Found::Unlisted,
        }
    }

    fn index(&mut self) {
        self.by_name.clear();
        for (digest, names) in self.objects.values().flat_map(|(_, names)| names) {
            for name in names {
                let of = Digest::Of(digest.clone());
                match self.by_name.get_mut(name) {
                    Some(other) if *other != of => *other = Digest::Several,
                    Some(_) => {}
                    None => {
                        self.by_name.insert(name.clone(), of);
                    }
                }
            }
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
