//! What is installed inside the child cluster, and its kubelets.

use schemars::JsonSchema;
use serde::Deserialize;

use super::component::component;
use super::{Flags, Fragment, Image, NodeSelector};

/// kube-proxy inside the child cluster, a DaemonSet.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct KubeProxy {
    #[serde(default)]
    pub enabled: bool,
    /// Its container image.
    pub image: Image,
    #[serde(default)]
    pub resources: Fragment,
    #[serde(default)]
    pub node_selector: NodeSelector,
    #[serde(default)]
    pub tolerations: Vec<Fragment>,
    pub priority_class_name: Option<String>,
    #[serde(default)]
    pub extra_args: Flags,
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
    #[serde(default)]
    pub config: Fragment,
}
