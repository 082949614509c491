//! etcd and its backups.

use std::num::NonZeroU32;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::component::component;
use super::service::or_default;
use super::{
    Address, Annotations, CertSans, Family, FamilyPolicy, Flags, Fragment, Labels, NodeSelector,
    Schedule, ServiceKeys, ServiceType, Spread, SpreadConstraint,
};

/// etcd's ports.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EtcdPorts {
    pub client: u16,
    pub peer: u16,
    pub metrics: u16,
}

/// etcd's headless Service.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EtcdService {
    #[serde(default)]
    pub enabled: bool,
    #[serde(rename = "type", default, deserialize_with = "or_default")]
    pub kind: ServiceType,
    /// The Service's ports.
    pub ports: EtcdPorts,
    #[serde(default)]
    pub labels: Labels,
    #[serde(default)]
    pub annotations: Annotations,
    #[serde(rename = "loadBalancerIP")]
    pub load_balancer_ip: Option<Address>,
    pub ip_family_policy: Option<FamilyPolicy>,
    #[serde(default)]
    pub ip_families: Vec<Family>,
}

impl EtcdService {
    /// The keys that it has of those that all Services have. It has no address that a load balancer could give it.
    pub fn keys(&self) -> ServiceKeys<'_> {
        ServiceKeys {
            kind: self.kind,
            load_balancer_ip: None,
            load_balancer_class: None,
            source_ranges: &[],
            node_ports: None,
            traffic_policy: None,
            family_policy: self.ip_family_policy,
            families: &self.ip_families,
        }
    }
}

component! {
    /// etcd, a StatefulSet.
    Etcd {
        /// More flags of etcd; a list repeats one, `null` removes a default.
        #[serde(default)]
        extra_args: Flags,
        /// More names and addresses in etcd's server certificate.
        #[serde(rename = "certSANs", default)]
        cert_sans: CertSans,
        /// The ports that etcd listens on.
        ports: EtcdPorts,
        /// The Service in front of it.
        service: EtcdService,
        /// Periodic snapshots.
        backup: EtcdBackup,
    }
}

/// Periodic snapshots of etcd, a CronJob.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EtcdBackup {
    #[serde(default)]
    pub enabled: bool,
    pub schedule: Schedule,
    pub active_deadline_seconds: Option<NonZeroU32>,
    pub successful_jobs_history_limit: Option<u32>,
    pub failed_jobs_history_limit: Option<u32>,
    #[serde(default)]
    pub extra_args: Flags,
    #[serde(default)]
    pub resources: Fragment,
    #[serde(default)]
    pub labels: Labels,
    #[serde(default)]
    pub annotations: Annotations,
    #[serde(default)]
    pub pod_labels: Labels,
    #[serde(default)]
    pub pod_annotations: Annotations,
    #[serde(default)]
    pub node_selector: NodeSelector,
    #[serde(default)]
    pub tolerations: Vec<Fragment>,
    #[serde(default)]
    pub affinity: Fragment,
    pub pod_affinity: Option<Spread>,
    pub pod_affinity_topology_key: Option<String>,
    pub priority_class_name: Option<String>,
    #[serde(default)]
    pub topology_spread_constraints: Vec<SpreadConstraint>,
    #[serde(default)]
    pub extra_env: Vec<Fragment>,
    #[serde(default)]
    pub sidecars: Vec<Fragment>,
    #[serde(default)]
    pub extra_volumes: Vec<Fragment>,
    #[serde(default)]
    pub extra_volume_mounts: Vec<Fragment>,
}
