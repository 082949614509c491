//! What is installed inside the child cluster, and its kubelets.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::component::component;
use super::{Flags, Fragment, Image, NodeSelector, null_if_empty};

/// kube-proxy inside the child cluster, a DaemonSet.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct KubeProxy {
    #[serde(default)]
    pub enabled: bool,
    /// Its container image.
    #[serde(skip_serializing)]
    pub image: Image,
    #[serde(default, serialize_with = "null_if_empty")]
    pub resources: Fragment,
    #[serde(default, serialize_with = "null_if_empty")]
    pub node_selector: NodeSelector,
    #[serde(default, serialize_with = "null_if_empty")]
    pub tolerations: Vec<Fragment>,
    pub priority_class_name: Option<String>,
    #[serde(default)]
    pub extra_args: Flags,
    #[serde(default, skip_serializing)]
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
