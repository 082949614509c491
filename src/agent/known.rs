//! What the agent knows of the farm and of its Nodes: watched all the time, so that a machine that asks gets its answer
//! at once.

mod life;

use std::collections::HashMap;
use std::net::IpAddr;

use ipnet::IpNet;
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::{ConfigMap, Node};
use kube::ResourceExt as _;
use kube::runtime::watcher::Event as WatchEvent;
use tokio::time::Instant;

pub(super) use self::life::{Alive, Ready};
use self::life::{Pulse, SeenLease, is_gone};
use super::farm_agent;
use super::settings::{Machine, Settings, is_mac};
use crate::farm::join::JoinSettings;

/// What is known at the moment.
#[derive(Debug, Default)]
pub(super) struct Known {
    pub settings: Settings,
    settings_are_whole: bool,
    nodes: HashMap<String, Ready>,
    nodes_are_whole: bool,
    leases: HashMap<String, SeenLease>,
    /// Since when all Leases were seen once; `None` until then.
    leases_since: Option<Instant>,
    pub pulse: Pulse,
}

/// Why a machine does not get a name by the farm's values.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Stranger {
    /// The values are being changed.
    Undecided,
    Refused(String),
}

impl Known {
    /// How machines join, once everything was read.
    pub fn join(&self) -> Option<&JoinSettings> {
        let is_whole =
            self.settings_are_whole && self.nodes_are_whole && self.leases_since.is_some();
        self.settings.join().filter(|_| is_whole)
    }

    pub fn settings_event(&mut self, event: WatchEvent<ConfigMap>) -> Result<(), String> {
        match event {
            WatchEvent::Init => {
                self.settings_are_whole = false;
                self.settings = Settings::default();
            }
            WatchEvent::InitApply(object) | WatchEvent::Apply(object) => {
                return self.settings.put(&object);
            }
            WatchEvent::InitDone => self.settings_are_whole = true,
            WatchEvent::Delete(object) => self.settings.remove(&object),
        }
        Ok(())
    }

    pub fn node_event(&mut self, event: WatchEvent<Node>) {
        match event {
            WatchEvent::Init => {
                self.nodes_are_whole = false;
                self.nodes.clear();
            }
            WatchEvent::InitApply(node) | WatchEvent::Apply(node) => {
                self.nodes.insert(node.name_any(), ready(&node));
            }
            WatchEvent::InitDone => self.nodes_are_whole = true,
            WatchEvent::Delete(node) => {
                self.nodes.remove(&node.name_any());
            }
        }
    }

    /// A new list after an interruption leaves the times of Leases that are as they were.
    pub fn lease_event(&mut self, event: WatchEvent<Lease>, now: Instant) {
        match event {
            WatchEvent::Init => {}
            WatchEvent::InitApply(lease) | WatchEvent::Apply(lease) => {
                self.saw_lease(&lease.name_any(), lease.resource_version(), now);
            }
            WatchEvent::InitDone => {
                self.leases_since.get_or_insert(now);
            }
            WatchEvent::Delete(lease) => self.saw_lease(&lease.name_any(), None, now),
        }
    }

    /// Takes what was read of a Lease.
    pub fn saw_lease(&mut self, name: &str, version: Option<String>, now: Instant) {
        let seen = self.lease(name, now);
        if seen.version != version {
            let seen = SeenLease {
                version,
                since: now,
            };
            self.leases.insert(name.to_owned(), seen);
        }
    }

    fn lease(&self, name: &str, now: Instant) -> SeenLease {
        let never = || SeenLease {
            version: None,
            since: self.leases_since.unwrap_or(now),
        };
        self.leases.get(name).cloned().unwrap_or_else(never)
    }

    /// Takes what was read of a Node.
    pub fn saw_node(&mut self, name: &str, node: Option<Ready>) {
        match node {
            Some(ready) => self.nodes.insert(name.to_owned(), ready),
            None => self.nodes.remove(name),
        };
    }

    /// Whether the machine that has a name now is gone.
    ///
    /// # Errors
    /// Why it is taken for alive.
    pub fn is_gone(&self, name: &str, now: Instant) -> Result<(), Alive> {
        let node = self.nodes.get(name).copied();
        is_gone(node, &self.lease(name, now), &self.pulse, now)
    }

    /// Whether the values give a machine with these MACs, at this address, the name that it asks for.
    ///
    /// # Errors
    /// Why not.
    pub fn belongs(
        &self,
        name: &str,
        macs: &[String],
        source: IpAddr,
        join: &JoinSettings,
    ) -> Result<(), Stranger> {
        let refused = |reason: String| Err(Stranger::Refused(reason));
        let Some(machine) = self.settings.machine(name) else {
            // Anybody could ask for names that no machine has.
            return if !join.verify_addresses {
                refused(format!(
                    "the values do not list {name}, and where the request comes from is not known: kubernetes.agent.service.externalTrafficPolicy is not Local"
                ))
            } else if self.settings.is_for_unnamed(source) {
                Ok(())
            } else {
                refused(format!(
                    "the values do not list {name}, and {source} is not in a range for any machine"
                ))
            };
        };
        if machine.is_undecided() {
            return Err(Stranger::Undecided);
        }
        if join.verify_addresses && !self.is_at(machine, source, join) {
            return refused(format!("{source} is not an address of {name}"));
        }
        let mut claims = macs.iter();
        let is_claimed = claims.any(|claim| machine.macs.iter().any(|mac| is_mac(mac, claim)));
        if !machine.macs.is_empty() && !is_claimed {
            return refused(format!("the machine has none of the MACs of {name}"));
        }
        Ok(())
    }
}

impl Known {
    /// Whether a listed machine may have an address: its own, one of a range if it has none, or one of a further network.
    fn is_at(&self, machine: &Machine, address: IpAddr, join: &JoinSettings) -> bool {
        let is_its_own = if machine.addresses.is_empty() {
            self.settings.is_leased(address)
        } else {
            contains(&machine.addresses, address)
        };
        is_its_own || contains(&join.networks, address)
    }

    /// Whether a Node with this name is the farm's: listed, or one of machines that need not be.
    ///
    /// # Errors
    /// That it is not.
    pub fn is_of_farm(&self, name: &str) -> Result<(), String> {
        if self.settings.machine(name).is_some() || self.settings.has_unnamed() {
            return Ok(());
        }
        Err(format!("the values do not list {name}"))
    }

    /// Whether a Node may have an address.
    ///
    /// # Errors
    /// That it may not.
    pub fn has_address(
        &self,
        name: &str,
        address: IpAddr,
        join: &JoinSettings,
    ) -> Result<(), String> {
        let is_at = match self.settings.machine(name) {
            Some(machine) => self.is_at(machine, address, join),
            None => self.settings.is_for_unnamed(address),
        };
        if is_at {
            return Ok(());
        }
        Err(format!("{address} is not an address of {name}"))
    }
}

fn contains(networks: &[IpNet], address: IpAddr) -> bool {
    networks.iter().any(|network| network.contains(&address))
}

/// A Node without the condition was never reported on.
pub(super) fn ready(node: &Node) -> Ready {
    match farm_agent::ready(node).map(|ready| ready.status.as_str()) {
        Some("True") => Ready::True,
        Some("Unknown") => Ready::Unknown,
        _ => Ready::False,
    }
}

#[cfg(test)]
pub(super) mod tests {
    use serde_json::json;

    use super::*;

    pub fn known(join: &JoinSettings) -> Known {
        let range = json!([["10.64.8.10", "10.64.8.20"]]);
        let of = |ranges: serde_json::Value| json!({"labels": {}, "annotations": {}, "taints": [], "ranges": ranges});
        let data = json!({
            "settings.json": json!({"1": of(json!([])), "2": of(range)}).to_string(),
            "nodes.json": json!([["1", [
                "r1n01 10.64.1.11 02:00:00:40:01:0a", "any - -", "rack - 02:00:00:*:*:0a", "- 10.64.2.2 -",
            ]]]).to_string(),
            "join.json": json!(join).to_string(),
        });
        let object = json!({"metadata": {"name": "agent"}, "data": data});
        let mut known = Known::default();
        let object: ConfigMap = serde_json::from_value(object).unwrap();
        known.settings_event(WatchEvent::Apply(object)).unwrap();
        known.settings_event(WatchEvent::InitDone).unwrap();
        known.node_event(WatchEvent::InitDone);
        known.lease_event(WatchEvent::InitDone, Instant::now());
        known
    }

    fn ask(join: &JoinSettings, name: &str, macs: &[&str], source: &str) -> Result<(), Stranger> {
        let macs: Vec<String> = macs.iter().map(|mac| (*mac).to_owned()).collect();
        known(join).belongs(name, &macs, source.parse().unwrap(), join)
    }

    const MAC: &str = "02:00:00:40:01:0a";

    #[test]
    fn a_listed_machine_has_its_address_and_its_mac() {
        let join = JoinSettings {
            verify_addresses: true,
            ..JoinSettings::default()
        };
        assert_eq!(
            ask(&join, "r1n01", &["02:00:00:00:00:01", MAC], "10.64.1.11"),
            Ok(())
        );
        for (macs, source) in [
            (&[MAC][..], "10.64.1.12"),
            (&[MAC], "10.64.8.15"),
            (&[], "10.64.1.11"),
            (&["02:00:00:40:01:0b"], "10.64.1.11"),
            (&["02:00:00:40:01"], "10.64.1.11"),
        ] {
            assert!(
                ask(&join, "r1n01", macs, source).is_err(),
                "{macs:?} {source}"
            );
        }
        // Without an address of its own it has one of a range.
        assert_eq!(ask(&join, "any", &[], "10.64.8.10"), Ok(()));
        assert!(ask(&join, "any", &[], "10.64.1.11").is_err());
        assert_eq!(
            ask(&join, "rack", &["02:00:00:99:98:0a"], "10.64.8.10"),
            Ok(())
        );
    }

    #[test]
    fn a_machine_that_is_not_listed_has_an_address_for_such() {
        let join = JoinSettings {
            verify_addresses: true,
            ..JoinSettings::default()
        };
        for (source, is_granted) in [
            ("10.64.8.20", true),
            ("10.64.2.2", true),
            ("10.64.8.21", false),
            ("10.64.1.11", false),
        ] {
            assert_eq!(
                ask(&join, "02-00-00-40-07-0a", &[], source).is_ok(),
                is_granted,
                "{source}"
            );
        }
    }

    #[test]
    fn addresses_that_nobody_sees_prove_nothing_but_names_are_listed() {
        let join = JoinSettings::default();
        assert_eq!(ask(&join, "r1n01", &[MAC], "10.0.0.1"), Ok(()));
        assert!(ask(&join, "r1n01", &[], "10.0.0.1").is_err());
        assert!(ask(&join, "02-00-00-40-07-0a", &[], "10.64.8.20").is_err());
    }

    #[test]
    fn further_networks_are_for_listed_machines() {
        let networks = vec!["10.70.0.0/16".parse().unwrap()];
        let join = JoinSettings {
            verify_addresses: true,
            networks,
            ..JoinSettings::default()
        };
        assert_eq!(ask(&join, "r1n01", &[MAC], "10.70.1.2"), Ok(()));
        assert!(ask(&join, "02-00-00-40-07-0a", &[], "10.70.1.2").is_err());
    }

    #[test]
    fn a_lease_keeps_its_time_until_it_changes() {
        let lease = |version: &str| -> Lease {
            serde_json::from_value(json!({"metadata": {"name": "a", "resourceVersion": version}}))
                .unwrap()
        };
        let start = Instant::now();
        let later = |seconds: u64| start + std::time::Duration::from_secs(seconds);
        let mut known = Known::default();
        known.lease_event(WatchEvent::InitApply(lease("1")), start);
        known.lease_event(WatchEvent::InitDone, start);
        known.lease_event(WatchEvent::Init, later(5));
        known.lease_event(WatchEvent::InitApply(lease("1")), later(5));
        known.lease_event(WatchEvent::InitDone, later(5));
        assert_eq!(known.lease("a", later(6)).since, start);
        known.lease_event(WatchEvent::Apply(lease("2")), later(7));
        assert_eq!(known.lease("a", later(8)).since, later(7));
        known.lease_event(WatchEvent::Delete(lease("2")), later(9));
        assert_eq!(
            known.lease("a", later(9)),
            SeenLease {
                version: None,
                since: later(9)
            }
        );
        assert_eq!(known.lease("b", later(9)).since, start);
    }
}
