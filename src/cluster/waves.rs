//! In which steps objects are applied: all of a wave at once, the next wave when it is done.

use super::plan::Planned;
use super::text_at;
use crate::farm::certificates::AUTHORITY;
use crate::manifest::{Key, Object};
use crate::pki::secrets::ROTATION;

/// A step. Later ones need what earlier ones made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wave {
    Namespaces,
    CustomResourceDefinitions,
    Rbac,
    /// Certificate authorities, before anything that they sign.
    Authorities,
    Configuration,
    Pki,
    Services,
    Storage,
    Workloads,
    Jobs,
    /// Everything else: DHCP resources, a user's own kinds.
    Others,
}

impl Wave {
    /// The wave of a group and kind.
    pub fn of(group: &str, kind: &str) -> Wave {
        match (group, kind) {
            ("", "Namespace") => Wave::Namespaces,
            ("apiextensions.k8s.io", _) => Wave::CustomResourceDefinitions,
            ("", "ServiceAccount") | ("rbac.authorization.k8s.io", _) => Wave::Rbac,
            ("", "Secret" | "ConfigMap" | "ResourceQuota" | "LimitRange")
            | ("scheduling.k8s.io", _) => Wave::Configuration,
            ("cert-manager.io", _) => Wave::Pki,
            ("", "Service" | "Endpoints")
            | ("discovery.k8s.io" | "networking.k8s.io" | "policy", _) => Wave::Services,
            ("", "PersistentVolume" | "PersistentVolumeClaim") | ("storage.k8s.io", _) => {
                Wave::Storage
            }
            ("", "Pod") | ("apps" | "autoscaling", _) => Wave::Workloads,
            ("batch", _) => Wave::Jobs,
            _ => Wave::Others,
        }
    }

    /// The wave of an object of the cluster, of which no more than its key need be known.
    pub fn of_key(key: &Key) -> Wave {
        Wave::of(&key.group, &key.kind)
    }

    /// The wave of an object that is applied.
    pub fn of_planned(planned: &Planned) -> Wave {
        let says = |annotation| {
            let path = ["metadata", "annotations", annotation];
            !text_at(&planned.content, &path).is_empty()
        };
        if planned.key.kind == "Secret" && (says(AUTHORITY) || says(ROTATION)) {
            Wave::Authorities
        } else {
            Wave::of_key(&planned.key)
        }
    }

    /// As people read it.
    pub fn name(self) -> &'static str {
        match self {
            Wave::Namespaces => "namespaces",
            Wave::CustomResourceDefinitions => "CRDs",
            Wave::Rbac => "RBAC",
            Wave::Authorities => "certificate authorities",
            Wave::Configuration => "configuration",
            Wave::Pki => "PKI",
            Wave::Services => "services",
            Wave::Storage => "storage",
            Wave::Workloads => "workloads",
            Wave::Jobs => "jobs",
            Wave::Others => "others",
        }
    }
}

/// The kinds that the CustomResourceDefinitions among `objects` define: group and kind.
pub fn defined_kinds(objects: &[Object]) -> Vec<(String, String)> {
    let definitions = objects
        .iter()
        .filter(|object| object.kind() == "CustomResourceDefinition");
    definitions
        .filter_map(|object| {
            let spec = object.content.get("spec")?;
            let group = spec.get("group")?.as_str()?;
            let kind = spec.get("names")?.get("kind")?.as_str()?;
            Some((group.to_owned(), kind.to_owned()))
        })
        .collect()
}
