//! The child cluster as a whole: its parts, networking, storage.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    AccessMode, Admin, Annotations, ApiServer, Cidrs, ControllerManager, Coredns, DnsDomain,
    Endpoint, Etcd, ExtraManifest, FileName, KonnectivityAgent, KonnectivityServer, KubeProxy,
    Kubelet, KubernetesVersion, Labels, NamePrefix, Scheduler, VolumeSize,
};

/// The child cluster's control plane and what is set up inside it.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Kubernetes {
    /// Render a control plane at all.
    #[serde(default)]
    pub enabled: bool,
    /// The Kubernetes version of every component (`v1.37.2`), where its own image tag is unset.
    pub version: KubernetesVersion,
    /// Replaces `kubernetes` in the names of the control plane's objects.
    pub name_override: Option<String>,
    /// The prefix of the names of all of the control plane's objects.
    pub fullname_override: Option<NamePrefix>,
    /// The prefix of the certificates' common names.
    pub certname_override: Option<String>,
    /// `host:port` at which nodes reach the API server. Unset: the API server's Service.
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
    /// Objects to apply inside the child cluster: a map of file name to an object, a list of objects, or YAML text.
    /// What is taken out is deleted there, unless its annotation `kubefarm.io/keep` is `true`.
    #[serde(default)]
    pub extra_manifests: IndexMap<FileName, ExtraManifest>,
}

/// The child cluster's address ranges and DNS domain.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Networking {
    /// The cluster's DNS domain.
    pub dns_domain: DnsDomain,
    /// The Services' CIDR; for dual stack two, separated by a comma or as a list.
    pub service_subnet: Cidrs,
    /// The pods' CIDR, or two. Unset: the network plugin hands out addresses.
    pub pod_subnet: Option<Cidrs>,
    /// Whether pods of the admin cluster have a route to pods of the child, which its API server needs for webhooks and
    /// aggregated APIs where Konnectivity does not carry them. Unset: nobody said.
    pub pods_are_routed: Option<bool>,
}

/// Volumes for etcd and its backups.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Persistence {
    /// Keep etcd's data in volumes; otherwise it lives as long as its pods.
    #[serde(default)]
    pub enabled: bool,
    /// The volumes' access modes.
    #[serde(default)]
    pub access_modes: Vec<AccessMode>,
    /// A volume's size, a Kubernetes quantity.
    pub size: VolumeSize,
    /// The volumes' class. Unset: the cluster's default class.
    pub storage_class_name: Option<String>,
    /// Annotations for the claims.
    #[serde(default)]
    pub annotations: Annotations,
    /// More labels for the claims.
    #[serde(default)]
    pub labels: Labels,
    /// Finalizers for the claims.
    #[serde(default)]
    pub finalizers: Vec<String>,
    /// The volume for etcd's backups.
    pub backup: BackupVolume,
}

/// The volume for etcd's backups.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BackupVolume {
    /// Use this claim instead of making one.
    pub existing_claim: Option<String>,
    /// A folder in the volume.
    pub sub_path: Option<String>,
    /// The volume's access modes.
    #[serde(default)]
    pub access_modes: Vec<AccessMode>,
    /// The volume's size, a Kubernetes quantity.
    pub size: VolumeSize,
    /// The volume's class. Unset: the cluster's default class.
    pub storage_class_name: Option<String>,
    /// Annotations for the claim.
    #[serde(default)]
    pub annotations: Annotations,
    /// More labels for the claim.
    #[serde(default)]
    pub labels: Labels,
    /// Finalizers for the claim.
    #[serde(default)]
    pub finalizers: Vec<String>,
}
