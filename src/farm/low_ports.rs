//! Which pods listen on a port below 1024, for which an ordinary user needs a setting of the pod's own network.

use serde::Serialize;

use super::spec::{KonnectivityMode, Kubernetes, Port};

/// The first port that needs no permission (ip(7), `net.ipv4.ip_unprivileged_port_start`).
const FIRST_FREE: u16 = 1024;

/// The control plane's pods that need this setting.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LowPorts {
    pub etcd: bool,
    pub api_server: bool,
    pub controller_manager: bool,
    pub scheduler: bool,
    pub agent: bool,
    pub konnectivity_server: bool,
}

impl LowPorts {
    pub fn new(kubernetes: &Kubernetes) -> LowPorts {
        let konnectivity = &kubernetes.konnectivity_server;
        let etcd = &kubernetes.etcd.ports;
        let is_low = |port: &Port| port.get() < FIRST_FREE;
        let own = &konnectivity.ports;
        let beside_api_server = konnectivity.enabled && konnectivity.mode == KonnectivityMode::Grpc;
        let beside = [own.agent, own.admin, own.health];
        LowPorts {
            etcd: [etcd.client, etcd.peer, etcd.metrics].iter().any(is_low),
            api_server: is_low(&kubernetes.api_server.port)
                || (beside_api_server && beside.iter().any(is_low)),
            controller_manager: is_low(&kubernetes.controller_manager.port),
            scheduler: is_low(&kubernetes.scheduler.port),
            agent: is_low(&kubernetes.agent.port) || is_low(&kubernetes.agent.metrics_port),
            konnectivity_server: is_low(&own.server) || beside.iter().any(is_low),
        }
    }
}
