//! Whose processes listen on a port below 1024, which an ordinary user takes only where the pod's own network allows it.

use serde::Serialize;

use super::control_plane::{ApiServer, Controller, Etcd, KonnectivityServer};
use super::spec::KonnectivityMode;

/// The first port that needs no permission (ip(7), `net.ipv4.ip_unprivileged_port_start`).
const FIRST_FREE: u16 = 1024;

/// The control plane's pods that need it allowed.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LowPorts {
    pub etcd: bool,
    pub api_server: bool,
    pub controller_manager: bool,
    pub scheduler: bool,
    pub konnectivity_server: bool,
}

impl LowPorts {
    pub fn new(
        etcd: &Etcd,
        api_server: &ApiServer,
        (controller_manager, scheduler): (&Controller, &Controller),
        konnectivity: &KonnectivityServer,
    ) -> LowPorts {
        let is_low = |port: &u16| *port < FIRST_FREE;
        let own = &konnectivity.ports;
        let beside_api_server =
            konnectivity.workload.enabled && konnectivity.mode == KonnectivityMode::Grpc;
        let beside = [own.agent, own.admin, own.health];
        LowPorts {
            etcd: [etcd.ports.client, etcd.ports.peer, etcd.ports.metrics]
                .iter()
                .any(is_low),
            api_server: is_low(&api_server.port)
                || (beside_api_server && beside.iter().any(is_low)),
            controller_manager: is_low(&controller_manager.port),
            scheduler: is_low(&scheduler.port),
            konnectivity_server: is_low(&own.server) || beside.iter().any(is_low),
        }
    }
}
