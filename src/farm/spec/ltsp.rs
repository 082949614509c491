//! The boot server and the configuration of the nodes.

use std::num::NonZeroU32;

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::component::component;
use super::node_storage::{Journal, LocalDisk, NodeMemory};
use super::service::service;
use super::{
    Endpoint, Flags, Fragment, GoDuration, NamePrefix, Namespace, Schedule, TextMap, Values,
};

component! {
    /// The network boot server (LTSP, TFTP, HTTP).
    Ltsp behind BootService {
        /// Flags of the TFTP server (dnsmasq); `true` stands for a flag without a value.
        #[serde(default)]
        extra_args: Flags,
        /// The boot server's whole name, and the DHCP tag of the release.
        #[serde(skip_serializing)]
        fullname_override: Option<NamePrefix>,
        /// The namespace of the boot server and of DHCP. Unset: the release's.
        #[serde(skip_serializing)]
        namespace: Option<Namespace>,
        /// Tell DHCP clients of this release to boot from here.
        #[serde(rename = "publishDHCP", default)]
        publish_dhcp: bool,
        /// Machines load a kernel image that the operator has signed, in place of a boot loader.
        #[serde(default)]
        unified_kernel_image: bool,
        /// The Secret with the certificate for HTTPS.
        tls_secret: Option<NamePrefix>,
        /// The configuration that nodes get at boot.
        #[serde(skip_serializing)]
        config: BootConfig,
    }
}

service! {
    /// The boot server's two Services (HTTP and TFTP), which share an address. Without a fixed one a Job waits for the
    /// one that is assigned, and publishes it.
    BootService {}
}

/// The configuration that nodes get at boot.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BootConfig {
    #[serde(default)]
    pub disable_autoupdate: bool,
    pub timezone: Option<String>,
    #[serde(default)]
    pub ssh_authorized_keys: Vec<String>,
    pub root_passwd: Option<String>,
    #[serde(default)]
    pub sysctls: TextMap,
    #[serde(default)]
    pub modules: Vec<String>,
    pub docker_config: Option<Fragment>,
    pub containerd_config: Option<ContainerdConfig>,
    /// What nodes keep in RAM.
    pub memory: NodeMemory,
    /// A disk of the nodes, for what would be in RAM.
    pub local_disk: LocalDisk,
    /// The nodes' journal.
    pub journal: Journal,
    pub syslog: Option<Endpoint>,
    #[serde(default)]
    pub options: TextMap,
    #[serde(default)]
    pub sections: TextMap,
    #[serde(default)]
    pub extra_files: TextMap,
    #[serde(default)]
    pub extra_projected_items: Vec<Fragment>,
}

/// containerd's configuration.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum ContainerdConfig {
    /// TOML text.
    Text(String),
    /// A map, which is written as TOML.
    Map(IndexMap<String, serde_json::Value>),
}

/// How machines that boot join the cluster.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Join {
    #[serde(default)]
    pub mode: Option<JoinMode>,
}

/// What machines join with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum JoinMode {
    /// A certificate of the machine's own, from the farm's agent.
    Service,
    /// The token of the moment, which is the same for all.
    Token,
    /// They do not join by themselves.
    #[serde(rename = "none")]
    Nothing,
}

impl Values {
    /// What machines join with.
    pub fn join_mode(&self) -> JoinMode {
        let kubernetes = &self.kubernetes;
        match self.join.mode {
            Some(JoinMode::Token) if !self.token_generator.enabled => JoinMode::Nothing,
            Some(mode) => mode,
            None if !self.token_generator.enabled => JoinMode::Nothing,
            None if kubernetes.enabled && kubernetes.agent.enabled => JoinMode::Service,
            None => JoinMode::Token,
        }
    }
}

/// Join tokens for booting nodes.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TokenGenerator {
    #[serde(default)]
    pub enabled: bool,
    #[serde(rename(serialize = "ttl"))]
    pub token_ttl: GoDuration,
    pub schedule: Schedule,
    pub active_deadline_seconds: Option<NonZeroU32>,
}
