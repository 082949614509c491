//! What is installed inside the child cluster, and its kubelets.

use schemars::JsonSchema;
use serde::Deserialize;

use super::component::component;
use super::{Flags, Fragment, Image, NodeSelector};

/// kube-proxy inside the child cluster, a DaemonSet.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct KubeProxy {
    /// Install it; switch it off where the network plugin replaces it.
    #[serde(default)]
    pub enabled: bool,
    /// Its container image.
    pub image: Image,
    /// The container's resource requests and limits.
    #[serde(default)]
    pub resources: Fragment,
    /// Labels that a node must have to run it.
    #[serde(default)]
    pub node_selector: NodeSelector,
    /// More taints to tolerate; it tolerates every taint by default.
    #[serde(default)]
    pub tolerations: Vec<Fragment>,
    /// The PriorityClass of its pods. Unset: the child cluster's default.
    pub priority_class_name: Option<String>,
    /// More flags of kube-proxy.
    #[serde(default)]
    pub extra_args: Flags,
    /// Merged into its KubeProxyConfiguration.
    #[serde(default)]
    pub config: Fragment,
}

component! {
    /// CoreDNS inside the child cluster, a Deployment.
    Coredns {
        /// More flags of coredns; a list repeats one, `null` removes a default.
        #[serde(default)]
        extra_args: Flags,
    }
}

/// The nodes' kubelets.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Kubelet {
    /// Merged into the child cluster's KubeletConfiguration.
    #[serde(default)]
    pub config: Fragment,
}
