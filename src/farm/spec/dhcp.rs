//! Which DHCP server gives leases.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::component::pods;
use super::{AccessMode, Component, Flags, Image, VolumeSize};

/// How leases are given.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Dhcp {
    pub mode: DhcpMode,
    #[serde(default)]
    pub install_controller: bool,
    /// dnsmasq-controller, where it is installed from here.
    pub controller: DhcpController,
    /// The release's own dnsmasq.
    pub standalone: DhcpServer,
}

/// Which DHCP server gives leases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum DhcpMode {
    Controller,
    Standalone,
}

pods! {
    /// dnsmasq-controller, a DaemonSet.
    DhcpController {
        /// Its container image.
        #[serde(skip_serializing)]
        image: Image,
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
        /// Its container image.
        #[serde(skip_serializing)]
        image: Image,
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

impl Component for DhcpController {
    fn image(&self) -> &Image {
        &self.image
    }
}

impl Component for DhcpServer {
    fn image(&self) -> &Image {
        &self.image
    }
}

/// The volume for the leases.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LeaseVolume {
    #[serde(default)]
    pub enabled: bool,
    pub size: VolumeSize,
    pub storage_class_name: Option<String>,
    #[serde(default)]
    pub access_modes: Vec<AccessMode>,
}
