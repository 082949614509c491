//! The boot server and what it tells the nodes.

use std::num::NonZeroU32;

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;

use super::component::component;
use super::service::service;
use super::{Flags, Fragment, GoDuration, NamePrefix, Namespace, Schedule, TextMap};

component! {
    /// The network boot server (LTSP, TFTP, HTTP).
    Ltsp {
        /// Flags of the TFTP server (dnsmasq); `true` stands for a flag without a value.
        #[serde(default)]
        extra_args: Flags,
        /// The boot server's whole name, and the DHCP tag of the release.
        fullname_override: Option<NamePrefix>,
        /// The namespace of the boot server and of DHCP. Unset: the release's.
        namespace: Option<Namespace>,
        /// Tell DHCP clients of this release to boot from here.
        #[serde(rename = "publishDHCP", default)]
        publish_dhcp: bool,
        /// The two Services (HTTP and TFTP), which share an address.
        service: BootService,
        /// What the nodes are told at boot.
        config: BootConfig,
    }
}

service! {
    /// The boot server's two Services, which share an address. Without a fixed one a Job waits for the one that is
    /// assigned, and publishes it.
    BootService {}
}

/// What the nodes are told at boot.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BootConfig {
    /// Switch apt's daily timers off.
    #[serde(default)]
    pub disable_autoupdate: bool,
    /// The nodes' time zone, a path below /usr/share/zoneinfo: `Europe/Berlin`.
    pub timezone: Option<String>,
    /// Public keys that may log in as root.
    #[serde(default)]
    pub ssh_authorized_keys: Vec<String>,
    /// root's password, hashed: what `openssl passwd -6` prints.
    pub root_passwd: Option<String>,
    /// Kernel settings, by their sysctl names.
    #[serde(default)]
    pub sysctls: TextMap,
    /// Kernel modules to load.
    #[serde(default)]
    pub modules: Vec<String>,
    /// /etc/docker/daemon.json. Kubernetes has not run on Docker since 1.24: see `containerdConfig`.
    pub docker_config: Option<Fragment>,
    /// /etc/containerd/config.toml: a map, or TOML text.
    pub containerd_config: Option<ContainerdConfig>,
    /// Settings for the `[common]` section of ltsp.conf.
    #[serde(default)]
    pub options: TextMap,
    /// More sections of ltsp.conf: a map of section name (`init/`) to shell text.
    #[serde(default)]
    pub sections: TextMap,
    /// Files for /etc/ltsp on every node: a map of name to text. Units (`*.service`) are enabled.
    #[serde(default)]
    pub extra_files: TextMap,
    /// More sources of the projected volume that becomes /etc/ltsp (Kubernetes `VolumeProjection` objects).
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

/// Join tokens for booting nodes.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TokenGenerator {
    /// Make tokens.
    #[serde(default)]
    pub enabled: bool,
    /// How long a token is good for, a Go duration.
    pub token_ttl: GoDuration,
    /// When a new one is made, in cron's syntax; `H` as the minute is one of this farm's own.
    pub schedule: Schedule,
    /// After how many seconds a run is given up, so that the next one can begin. Unset: never.
    pub active_deadline_seconds: Option<NonZeroU32>,
}
