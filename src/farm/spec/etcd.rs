//! etcd and its backups.

use std::num::NonZeroU32;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::component::{component, pods};
use super::service::or_default;
use super::{
    Address, AgeRecipient, Annotations, CertSans, Family, FamilyPolicy, Flags, GoDuration, Labels,
    Port, Schedule, SecretName, Service, ServiceKeys, ServiceType, Spread, TopologyKey,
    null_if_empty,
};

/// etcd's ports.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EtcdPorts {
    pub client: Port,
    pub peer: Port,
    pub metrics: Port,
}

/// etcd's headless Service.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EtcdService {
    #[serde(default)]
    pub enabled: bool,
    #[serde(rename = "type", default, deserialize_with = "or_default")]
    pub kind: ServiceType,
    /// The Service's ports.
    pub ports: EtcdPorts,
    #[serde(default, serialize_with = "null_if_empty")]
    pub labels: Labels,
    #[serde(default, serialize_with = "null_if_empty")]
    pub annotations: Annotations,
    #[serde(rename = "loadBalancerIP", skip_serializing)]
    pub load_balancer_ip: Option<Address>,
    pub ip_family_policy: Option<FamilyPolicy>,
    #[serde(default, serialize_with = "null_if_empty")]
    pub ip_families: Vec<Family>,
}

/// A headless Service gets no address from a load balancer.
impl Service for EtcdService {
    fn keys(&self) -> ServiceKeys<'_> {
        ServiceKeys {
            kind: self.kind,
            labels: &self.labels,
            annotations: &self.annotations,
            load_balancer_ip: &None,
            load_balancer_class: &None,
            load_balancer_source_ranges: const { &Vec::new() },
            allocate_load_balancer_node_ports: &None,
            external_traffic_policy: &None,
            ip_family_policy: &self.ip_family_policy,
            ip_families: &self.ip_families,
        }
    }
}

component! {
    /// etcd, a StatefulSet.
    Etcd behind EtcdService {
        /// More flags of etcd; a list repeats one, `null` removes a default.
        #[serde(default)]
        extra_args: Flags,
        /// More names and addresses in etcd's server certificate.
        #[serde(rename = "certSANs", default, skip_serializing)]
        cert_sans: CertSans,
        /// The ports that etcd listens on.
        ports: EtcdPorts,
        /// Periodic snapshots.
        #[serde(skip_serializing)]
        backup: EtcdBackup,
    }
}

pods! {
    /// Periodic snapshots of etcd, a CronJob.
    EtcdBackup {
        #[serde(default)]
        enabled: bool,
        schedule: Schedule,
        #[serde(default, serialize_with = "null_if_empty")]
        recipients: Vec<AgeRecipient>,
        #[serde(default, skip_serializing)]
        unencrypted: bool,
        #[serde(default, serialize_with = "null_if_empty")]
        secrets: Vec<SecretName>,
        keep_last: Option<NonZeroU32>,
        keep_for: Option<GoDuration>,
        active_deadline_seconds: Option<NonZeroU32>,
        successful_jobs_history_limit: Option<u32>,
        failed_jobs_history_limit: Option<u32>,
        #[serde(default)]
        extra_args: Flags,
        #[serde(skip_serializing)]
        pod_affinity: Option<Spread>,
        #[serde(skip_serializing)]
        pod_affinity_topology_key: Option<TopologyKey>,
    }
}

impl EtcdBackup {
    /// Whether kubefarm makes the backups, and not `etcdctl` as in the charts of 0.13: once the values say who may read
    /// what is in them.
    pub fn is_by_kubefarm(&self) -> bool {
        self.unencrypted || !self.recipients.is_empty()
    }
}
