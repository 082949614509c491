//! The names of machines by what servers know of them.

use std::collections::HashMap;
use std::net::IpAddr;

use crate::agent::settings::{Settings, is_mac};
use crate::nodes::boot::machines::Names;

/// An index of the machines in the values.
#[derive(Debug, Default)]
pub(super) struct FarmNames {
    by_mac: HashMap<String, String>,
    /// MACs with `*` in place of octets.
    patterns: Vec<(String, String)>,
    by_address: HashMap<IpAddr, String>,
}

/// The index, and the rest of the settings.
pub(super) struct OfFarm<'a> {
    names: &'a FarmNames,
    settings: &'a Settings,
}

impl FarmNames {
    pub fn of(settings: &Settings) -> FarmNames {
        let mut names = FarmNames::default();
        for (name, machine) in settings.machines() {
            for mac in &machine.macs {
                if mac.contains('*') {
                    names.patterns.push((mac.clone(), name.to_owned()));
                } else {
                    names.by_mac.insert(mac.clone(), name.to_owned());
                }
            }
            for network in &machine.addresses {
                // One that is the beginning of many is nobody's.
                if network.prefix_len() == network.max_prefix_len() {
                    names.by_address.insert(network.addr(), name.to_owned());
                }
            }
        }
        names
    }

    pub fn with<'a>(&'a self, settings: &'a Settings) -> OfFarm<'a> {
        OfFarm {
            names: self,
            settings,
        }
    }

    pub fn has_mac(&self, mac: &str) -> bool {
        self.find_mac(mac).is_some()
    }

    fn find_mac(&self, mac: &str) -> Option<&String> {
        let by_pattern = || {
            let mut patterns = self.patterns.iter();
            let found = patterns.find(|(pattern, _)| is_mac(pattern, mac));
            found.map(|(_, name)| name)
        };
        self.by_mac.get(mac).or_else(by_pattern)
    }
}

impl Names for OfFarm<'_> {
    fn of_mac(&self, mac: &str) -> Option<String> {
        self.names.find_mac(mac).cloned()
    }

    fn of_address(&self, address: IpAddr) -> Option<String> {
        self.names.by_address.get(&address).cloned()
    }

    fn is_listed(&self, name: &str) -> bool {
        self.settings.machine(name).is_some()
    }

    fn is_for_unnamed(&self, address: IpAddr) -> bool {
        self.settings.is_for_unnamed(address)
    }
}
