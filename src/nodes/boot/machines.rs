//! All machines that were seen.

use std::collections::HashMap;
use std::net::IpAddr;

use jiff::Timestamp;

use super::{Machine, Seen, Sight, Stage, Who};
use crate::nodes::mac::canonical_mac;

/// How many machines are remembered that the values do not name: anybody can claim any MAC.
const STRANGERS: usize = 4096;

/// What the values call machines.
pub trait Names {
    /// The name of the machine with this MAC.
    fn of_mac(&self, mac: &str) -> Option<String>;
    /// The name of the machine with this address.
    fn of_address(&self, address: IpAddr) -> Option<String>;
    /// Whether the values list a machine of this name.
    fn is_listed(&self, name: &str) -> bool;
    /// Whether a machine that the values do not name may have this address.
    fn is_for_unnamed(&self, address: IpAddr) -> bool;
}

/// The machines by name, or by what stands for it.
#[derive(Debug, Default)]
pub struct Machines {
    all: HashMap<String, Machine>,
    /// Who was given which address.
    macs: HashMap<IpAddr, String>,
    strangers: usize,
    revision: u64,
}

/// A machine that came further than before, or back to its beginning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    pub name: String,
    pub stage: Stage,
    /// What the last step was.
    pub text: String,
    pub fault: Option<String>,
}

impl Machines {
    /// Takes what was seen of a machine; nothing of one that is not the farm's. Gives what it changes.
    pub fn take(&mut self, sight: Sight, at: Timestamp, names: &impl Names) -> Option<Change> {
        let mac = match &sight.who {
            Who::Mac(mac) => Some(mac.clone()),
            Who::Address(address) => self.macs.get(address).cloned(),
            Who::Name(_) => None,
        };
        if let (Some(mac), Some(address)) = (&mac, sight.address) {
            self.learn(address, mac, names);
        }
        let (name, is_listed) = self.name(&sight, mac.as_deref(), names)?;
        if !self.all.contains_key(&name) && !is_listed {
            self.make_room();
        }
        let (address, text) = (address_of(&sight), sight.text.to_string());
        let machine = self.all.entry(name).or_insert_with_key(|name| {
            self.strangers += usize::from(!is_listed);
            Machine::new(name.clone(), is_listed, at)
        });
        let before = machine.clone();
        machine.mac = mac.or(machine.mac.take());
        machine.address = machine.address.or(address);
        machine.take(sight, at);
        if *machine == before {
            return None;
        }
        self.revision += 1;
        machine.revision = self.revision;
        let is_news = before.steps.is_empty()
            || (before.stage, &before.fault) != (machine.stage, &machine.fault);
        is_news.then(|| Change {
            name: machine.name.clone(),
            stage: machine.stage,
            text,
            fault: machine.fault.clone(),
        })
    }

    /// Takes the version of a Node's kubelet.
    pub fn version(&mut self, node: &str, version: &str) {
        let name = canonical_mac(node).unwrap_or_else(|| node.to_owned());
        for name in [node, &name] {
            if let Some(machine) = self.all.get_mut(name)
                && machine.version.as_deref() != Some(version)
            {
                self.revision += 1;
                machine.version = Some(version.to_owned());
                machine.revision = self.revision;
            }
        }
    }

    /// The machine that a Node is.
    pub fn get(&self, node: &str) -> Option<&Machine> {
        let by_mac = || self.all.get(&canonical_mac(node)?);
        self.all.get(node).or_else(by_mac)
    }

    /// Those that changed after a revision; 0 for all of them.
    pub fn since(&self, revision: u64) -> Seen {
        // One of an agent that was there before, or of another one.
        let revision = if revision > self.revision {
            0
        } else {
            revision
        };
        let changed = self.all.values();
        let changed = changed.filter(|machine| machine.revision > revision);
        let mut machines: Vec<Machine> = changed.cloned().collect();
        machines.sort_by(|one, other| one.name.cmp(&other.name));
        Seen {
            revision: self.revision,
            machines,
        }
    }

    /// How many there are in each stage, and how many of them do not go on for a reason.
    pub fn count(&self) -> HashMap<(Stage, bool), i64> {
        let mut counts = HashMap::new();
        for machine in self.all.values() {
            *counts
                .entry((machine.stage, machine.fault.is_some()))
                .or_default() += 1;
        }
        counts
    }

    /// Machines may have names now that they did not have before.
    pub fn rename(&mut self, names: &impl Names) {
        let unnamed = self.all.iter().filter(|(_, machine)| !machine.is_listed);
        let named: Vec<(String, String)> = unnamed
            .filter_map(|(id, machine)| {
                let by_mac = machine.mac.as_deref().and_then(|mac| names.of_mac(mac));
                let by_address = || names.of_address(machine.address?);
                Some((id.clone(), by_mac.or_else(by_address)?))
            })
            .collect();
        for (id, name) in named {
            self.merge(&id, name, true);
        }
    }

    /// What a machine is called, and whether the values list it. `None` where it is not one of the farm.
    fn name(&self, sight: &Sight, mac: Option<&str>, names: &impl Names) -> Option<(String, bool)> {
        if let Some(mac) = mac {
            let listed = names.of_mac(mac);
            return Some(listed.map_or_else(|| (mac.to_owned(), false), |name| (name, true)));
        }
        match &sight.who {
            Who::Mac(_) => None,
            Who::Name(name) if names.is_listed(name) => Some((name.clone(), true)),
            // Nodes that nobody named are called after their MAC.
            Who::Name(name) => Some((canonical_mac(name).unwrap_or_else(|| name.clone()), false)),
            Who::Address(address) => match names.of_address(*address) {
                Some(name) => Some((name, true)),
                None => names
                    .is_for_unnamed(*address)
                    .then(|| (address.to_string(), false)),
            },
        }
    }

    /// Who has an address from now on. What was seen of it before, by a log that came first, is the same machine's.
    fn learn(&mut self, address: IpAddr, mac: &str, names: &impl Names) {
        if self.macs.len() > 4 * STRANGERS && !self.macs.contains_key(&address) {
            self.macs.retain(|_, mac| names.of_mac(mac).is_some());
        }
        let before = self.macs.insert(address, mac.to_owned());
        let by_address = address.to_string();
        if before.is_none() && self.all.contains_key(&by_address) {
            let listed = names.of_mac(mac);
            let is_listed = listed.is_some();
            self.merge(
                &by_address,
                listed.unwrap_or_else(|| mac.to_owned()),
                is_listed,
            );
        }
    }

    fn merge(&mut self, from: &str, name: String, is_listed: bool) {
        let Some(other) = self.all.remove(from) else {
            return;
        };
        self.strangers = self.strangers.saturating_sub(1);
        self.revision += 1;
        let machine = self.all.entry(name).or_insert_with_key(|name| {
            self.strangers += usize::from(!is_listed);
            Machine::new(name.clone(), is_listed, other.seen)
        });
        machine.absorb(other);
        machine.revision = self.revision;
    }

    /// Forgets the strangers that were not seen for the longest time, where there are many: a part of them at once, since
    /// a machine can claim one MAC after the other.
    fn make_room(&mut self) {
        if self.strangers < STRANGERS {
            return;
        }
        let unnamed = self.all.values().filter(|machine| !machine.is_listed);
        let mut unnamed: Vec<_> = unnamed.map(|one| (one.seen, one.name.clone())).collect();
        unnamed.sort();
        let oldest = unnamed.into_iter().take(STRANGERS / 4);
        for (_, name) in oldest {
            self.all.remove(&name);
            self.strangers = self.strangers.saturating_sub(1);
        }
    }
}

fn address_of(sight: &Sight) -> Option<IpAddr> {
    match sight.who {
        Who::Address(address) => Some(address),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
