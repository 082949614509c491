//! What the farm's record remembers that no object shows.

use std::collections::BTreeMap;

use super::control_plane::{Component, ControlPlane};
use crate::version::Version;

const MEMBERS: &str = "etcd-members";
const VERSIONS: &str = "etcd-versions";
/// Stands before the versions where earlier ones are unknown.
const UNKNOWN: &str = "?";
/// The child cluster's DNS domain.
pub const DNS_DOMAIN: &str = "dns-domain";
/// More than a farm sees in its life; the oldest are forgotten.
const KEPT_VERSIONS: usize = 50;

/// What is remembered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Memory {
    /// How many members etcd has, also while the farm sleeps.
    pub members: Option<usize>,
    /// Every version of etcd that was applied, the oldest first.
    pub versions: Vec<Version>,
    /// Whether etcd ran before the first of them, in an unknown version.
    pub ran_before: bool,
    pub dns_domain: Option<String>,
}

impl Memory {
    /// Reads the facts of a record.
    pub fn read(facts: &BTreeMap<String, String>) -> Memory {
        let versions = facts.get(VERSIONS).map(String::as_str).unwrap_or_default();
        Memory {
            members: facts.get(MEMBERS).and_then(|text| text.parse().ok()),
            versions: versions.split(' ').filter_map(Version::read).collect(),
            ran_before: versions.starts_with(UNKNOWN),
            dns_domain: facts.get(DNS_DOMAIN).cloned(),
        }
    }

    /// What is to be remembered once `after` is applied: the versions that ran, and the one to be applied.
    pub fn with(mut self, before: &ControlPlane, after: &ControlPlane) -> Memory {
        self.ran_before |= self.versions.is_empty() && before.workload(Component::Etcd).is_some();
        for control_plane in [before, after] {
            let Some(etcd) = control_plane.workload(Component::Etcd) else {
                continue;
            };
            let members = etcd.members().len();
            if members > 0 {
                self.members = Some(members);
            }
            let version = etcd.version();
            if version != self.versions.last().copied() {
                self.versions.extend(version);
            }
        }
        let surplus = self.versions.len().saturating_sub(KEPT_VERSIONS);
        self.versions.drain(..surplus);
        self
    }

    /// Writes it among the facts of a record.
    pub fn write(&self, facts: &mut BTreeMap<String, String>) {
        if let Some(members) = self.members {
            facts.insert(MEMBERS.to_owned(), members.to_string());
        }
        if !self.versions.is_empty() {
            let unknown = self.ran_before.then(|| UNKNOWN.to_owned());
            let versions = self.versions.iter().map(Version::to_string);
            let versions: Vec<String> = unknown.into_iter().chain(versions).collect();
            facts.insert(VERSIONS.to_owned(), versions.join(" "));
        }
        if let Some(domain) = &self.dns_domain {
            facts
                .entry(DNS_DOMAIN.to_owned())
                .or_insert_with(|| domain.clone());
        }
    }
}
