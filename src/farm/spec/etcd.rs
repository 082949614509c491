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
    /// Clients.
    pub client: u16,
    /// Other members.
    pub peer: u16,
    /// Metrics and probes, without TLS.
    pub metrics: u16,
}

/// etcd's headless Service.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EtcdService {
    /// Create the Service; members find each other through it.
    #[serde(default)]
    pub enabled: bool,
    /// How it is reached; it is headless with `ClusterIP`.
    #[serde(rename = "type", default, deserialize_with = "or_default")]
    pub kind: ServiceType,
    /// The Service's ports.
    pub ports: EtcdPorts,
    /// More labels for the Service.
    #[serde(default)]
    pub labels: Labels,
    /// Annotations for the Service.
    #[serde(default)]
    pub annotations: Annotations,
    /// A fixed address, where the load balancer honours one.
    #[serde(rename = "loadBalancerIP")]
    pub load_balancer_ip: Option<Address>,
    /// One family of addresses or two.
    pub ip_family_policy: Option<FamilyPolicy>,
    /// The families, `IPv4` and `IPv6`, the first one first. Empty: what the admin cluster chooses.
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
    /// Take snapshots.
    #[serde(default)]
    pub enabled: bool,
    /// When, in cron's syntax; `H` as the minute is one of this farm's own.
    pub schedule: Schedule,
    /// After how many seconds a run is given up, so that the next one can begin. Unset: never.
    pub active_deadline_seconds: Option<NonZeroU32>,
    /// How many finished Jobs to keep.
    pub successful_jobs_history_limit: Option<u32>,
    /// How many failed Jobs to keep.
    pub failed_jobs_history_limit: Option<u32>,
    /// More flags of `etcdctl snapshot save`.
    #[serde(default)]
    pub extra_args: Flags,
    /// The container's resource requests and limits.
    #[serde(default)]
    pub resources: Fragment,
    /// More labels for the CronJob.
    #[serde(default)]
    pub labels: Labels,
    /// Annotations for the CronJob.
    #[serde(default)]
    pub annotations: Annotations,
    /// More labels for its pods.
    #[serde(default)]
    pub pod_labels: Labels,
    /// Annotations for its pods.
    #[serde(default)]
    pub pod_annotations: Annotations,
    /// Labels that a node must have to run its pods.
    #[serde(default)]
    pub node_selector: NodeSelector,
    /// Taints that its pods tolerate.
    #[serde(default)]
    pub tolerations: Vec<Fragment>,
    /// Scheduling rules.
    #[serde(default)]
    pub affinity: Fragment,
    /// Run near an etcd pod: `soft`, `hard`, or empty for no rule.
    pub pod_affinity: Option<Spread>,
    /// The node label that means near.
    pub pod_affinity_topology_key: Option<String>,
    /// The PriorityClass of its pods. Unset: the cluster's default.
    pub priority_class_name: Option<String>,
    /// How evenly its pods are spread (Kubernetes `TopologySpreadConstraint` objects).
    #[serde(default)]
    pub topology_spread_constraints: Vec<SpreadConstraint>,
    /// More environment variables.
    #[serde(default)]
    pub extra_env: Vec<Fragment>,
    /// More containers in its pods.
    #[serde(default)]
    pub sidecars: Vec<Fragment>,
    /// More volumes.
    #[serde(default)]
    pub extra_volumes: Vec<Fragment>,
    /// More volume mounts of the main container.
    #[serde(default)]
    pub extra_volume_mounts: Vec<Fragment>,
}
