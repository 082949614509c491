//! The child cluster as a whole: its parts, networking, storage.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    AccessMode, Admin, Agent, Annotations, ApiServer, Cidrs, ControllerManager, Coredns, DnsDomain,
    Endpoint, Etcd, ExtraManifest, FileName, KonnectivityAgent, KonnectivityServer, KubeProxy,
    Kubelet, KubernetesVersion, Labels, NamePrefix, Network, Scheduler, VolumeSize, null_if_empty,
};

/// The child cluster's control plane and what is set up inside it.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Kubernetes {
    #[serde(default)]
    pub enabled: bool,
    pub version: KubernetesVersion,
    pub name_override: Option<String>,
    pub fullname_override: Option<NamePrefix>,
    pub certname_override: Option<String>,
    pub control_plane_endpoint: Option<Endpoint>,
    /// The child cluster's address ranges and DNS domain.
    pub networking: Networking,
    /// Volumes for etcd and its backups.
    pub persistence: Persistence,
    /// etcd, a StatefulSet.
    pub etcd: Etcd,
    /// kube-apiserver.
    pub api_server: ApiServer,
    /// kube-controller-manager.
    pub controller_manager: ControllerManager,
    /// kube-scheduler.
    pub scheduler: Scheduler,
    /// A pod with kubectl, kubeadm and kubefarm that holds the admin kubeconfig, and the bootstrap Job.
    pub admin: Admin,
    /// The farm's agent, which looks after the Nodes.
    pub agent: Agent,
    /// kube-proxy inside the child cluster.
    pub kube_proxy: KubeProxy,
    /// CoreDNS inside the child cluster.
    pub coredns: Coredns,
    /// Konnectivity's server, beside the API server.
    pub konnectivity_server: KonnectivityServer,
    /// Konnectivity's agent, inside the child cluster.
    pub konnectivity_agent: KonnectivityAgent,
    /// The nodes' kubelets.
    pub kubelet: Kubelet,
    #[serde(default)]
    pub extra_manifests: IndexMap<FileName, ExtraManifest>,
}

/// The child cluster's address ranges and DNS domain.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Networking {
    pub dns_domain: DnsDomain,
    pub service_subnet: Cidrs,
    pub pod_subnet: Option<Cidrs>,
    pub pods_are_routed: Option<bool>,
    pub node_networks: Option<Vec<Network>>,
}

/// Volumes for etcd and its backups.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Persistence {
    #[serde(default)]
    pub enabled: bool,
    #[serde(default)]
    pub access_modes: Vec<AccessMode>,
    pub size: VolumeSize,
    pub storage_class_name: Option<String>,
    #[serde(default, serialize_with = "null_if_empty")]
    pub annotations: Annotations,
    #[serde(default, serialize_with = "null_if_empty")]
    pub labels: Labels,
    #[serde(default, serialize_with = "null_if_empty")]
    pub finalizers: Vec<String>,
    /// The volume for etcd's backups.
    pub backup: BackupVolume,
}

/// The volume for etcd's backups.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BackupVolume {
    pub existing_claim: Option<String>,
    pub sub_path: Option<String>,
    #[serde(default)]
    pub access_modes: Vec<AccessMode>,
    pub size: VolumeSize,
    pub storage_class_name: Option<String>,
    #[serde(default, serialize_with = "null_if_empty")]
    pub annotations: Annotations,
    #[serde(default, serialize_with = "null_if_empty")]
    pub labels: Labels,
    #[serde(default, serialize_with = "null_if_empty")]
    pub finalizers: Vec<String>,
}
