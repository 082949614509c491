//! Who gives leases.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::component::pods;
use super::{AccessMode, Flags, VolumeSize};

/// How leases are given.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Dhcp {
    /// `controller`: resources for dnsmasq-controller; `standalone`: a dnsmasq of this release's own.
    pub mode: DhcpMode,
    /// Render dnsmasq-controller itself too: CRDs, RBAC, DaemonSet, and the platform matchers.
    #[serde(default)]
    pub install_controller: bool,
    /// dnsmasq-controller, where it is installed from here.
    pub controller: DhcpController,
    /// The release's own dnsmasq.
    pub standalone: DhcpServer,
}

/// Who gives leases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum DhcpMode {
    Controller,
    Standalone,
}

pods! {
    /// dnsmasq-controller, a DaemonSet.
    DhcpController {
        /// More flags of dnsmasq-controller; a list repeats one, `null` removes a default.
        #[serde(default)]
        extra_args: Flags,
        /// Flags of the dnsmasq that it runs; `true` stands for a flag without a value.
        #[serde(default)]
        dnsmasq_args: Flags,
    }
}

pods! {
    /// The release's own dnsmasq, a Deployment.
    DhcpServer {
        /// Flags of dnsmasq; `true` stands for a flag without a value, `null` removes a default.
        #[serde(default)]
        extra_args: Flags,
        /// The network interface to serve. Unset: all.
        interface: Option<String>,
        /// Use the node's network: DHCP is broadcast and does not pass Services.
        #[serde(default)]
        host_network: bool,
        /// The volume for the leases.
        persistence: LeaseVolume,
    }
}

/// The volume for the leases.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LeaseVolume {
    /// Keep leases in a volume; otherwise they live as long as the pod.
    #[serde(default)]
    pub enabled: bool,
    /// The volume's size, a Kubernetes quantity.
    pub size: VolumeSize,
    /// The volume's class. Unset: the cluster's default class.
    pub storage_class_name: Option<String>,
    /// The volume's access modes.
    #[serde(default)]
    pub access_modes: Vec<AccessMode>,
}
