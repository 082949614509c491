//! Konnectivity: connections from the API server to nodes and pods without a route.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::component::component;
use super::service::service;
use super::{Flags, Port};

/// How the API server talks to Konnectivity's server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum KonnectivityMode {
    /// The server is a container beside the API server, reached over a Unix socket.
    #[serde(rename = "GRPC")]
    Grpc,
    /// The server is a Deployment of its own.
    #[serde(rename = "HTTPConnect")]
    HttpConnect,
}

/// The Konnectivity server's ports.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct KonnectivityPorts {
    pub server: Port,
    pub agent: Port,
    pub admin: Port,
    pub health: Port,
}

service! {
    /// The Konnectivity server's Service. With GRPC only `enabled` is used, which opens the agents' port on the API
    /// server's Service, and the agents' ports.
    KonnectivityService {
        /// The Service's ports.
        ports: KonnectivityServicePorts,
        /// Fixed node ports.
        #[serde(default)]
        node_ports: KonnectivityNodePorts,
    }
}

/// The Service's ports.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct KonnectivityServicePorts {
    pub server: Port,
    pub agent: Option<Port>,
    pub admin: Option<Port>,
}

/// Fixed node ports (30000-32767).
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct KonnectivityNodePorts {
    pub server: Option<u16>,
    pub agent: Option<u16>,
    /// An old name of `agent`.
    pub client: Option<u16>,
    pub admin: Option<u16>,
}

component! {
    /// Konnectivity's server.
    KonnectivityServer behind KonnectivityService {
        /// More flags of proxy-server; a list repeats one, `null` removes a default.
        #[serde(default)]
        extra_args: Flags,
        /// `GRPC` or `HTTPConnect`.
        mode: KonnectivityMode,
        /// The ports that it listens on.
        ports: KonnectivityPorts,
    }
}

/// The Konnectivity agent's ports.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct KonnectivityAgentPorts {
    pub admin: Port,
    pub health: Port,
}

component! {
    /// Konnectivity's agent, inside the child cluster.
    KonnectivityAgent {
        /// More flags of proxy-agent; a list repeats one, `null` removes a default.
        #[serde(default)]
        extra_args: Flags,
        /// One agent on every node instead of a few.
        #[serde(default)]
        daemon_set: bool,
        /// Use the node's network, so that it works before a network plugin does.
        #[serde(default)]
        host_network: bool,
        /// The ports that it listens on.
        ports: KonnectivityAgentPorts,
    }
}
