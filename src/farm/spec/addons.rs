//! What is installed inside the child cluster, and its kubelets.

use schemars::JsonSchema;
use serde::Deserialize;

use super::component::{component, pods};
use super::{Component, Flags, Fragment, Image};

pods! {
    /// kube-proxy inside the child cluster, a DaemonSet.
    KubeProxy {
        #[serde(default)]
        enabled: bool,
        /// Its container image.
        #[serde(skip_serializing)]
        image: Image,
        #[serde(default)]
        extra_args: Flags,
        #[serde(default, skip_serializing)]
        config: Fragment,
    }
}

impl Component for KubeProxy {
    fn image(&self) -> &Image {
        &self.image
    }

    fn is_enabled(&self) -> bool {
        self.enabled
    }
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
    #[serde(default)]
    pub verify_certificates: bool,
}
