//! Konnectivity's agent inside the child cluster, and the address of its server.

use serde::Serialize;

use super::control_plane::agents_port;
use super::spec::{KonnectivityMode, ServiceType, Values};
use super::workload::Workload;

/// What is computed for Konnectivity's agent.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct KonnectivityAgent {
    #[serde(flatten)]
    pub workload: Workload,
    /// The address of the server for nodes; null if the user's flags set it.
    pub proxy_server_host: Option<String>,
    pub proxy_server_port: Option<u16>,
}

impl KonnectivityAgent {
    /// The agent, with the address of its server from the values.
    pub fn new(values: &Values) -> KonnectivityAgent {
        let agent = &values.kubernetes.konnectivity_agent;
        let (host, port) = konnectivity_address(values);
        let unless_told = |flag: &str| !agent.extra_args.contains_key(flag);
        KonnectivityAgent {
            workload: Workload::new(agent, "konnectivity-agent".to_owned(), "latest"),
            proxy_server_host: host.filter(|_| unless_told("proxy-server-host")),
            proxy_server_port: unless_told("proxy-server-port").then_some(port),
        }
    }
}

/// Whether agents connect to a node port that is not known beforehand.
pub fn agents_port_is_unknown(values: &Values) -> bool {
    let kubernetes = &values.kubernetes;
    let own = &kubernetes.konnectivity_server.service;
    let kind = match kubernetes.konnectivity_server.mode {
        KonnectivityMode::Grpc => kubernetes.api_server.service.kind,
        KonnectivityMode::HttpConnect => own.kind,
    };
    let flags = &kubernetes.konnectivity_agent.extra_args;
    kind == ServiceType::NodePort
        && own.node_ports.agent.is_none()
        && !flags.contains_key("proxy-server-port")
}

/// The server's address for agents: the API server's with GRPC, else the server's own.
fn konnectivity_address(values: &Values) -> (Option<String>, u16) {
    let kubernetes = &values.kubernetes;
    let (api, own) = (
        &kubernetes.api_server.service,
        &kubernetes.konnectivity_server.service,
    );
    let (kind, address) = match kubernetes.konnectivity_server.mode {
        KonnectivityMode::Grpc => (api.kind, &api.load_balancer_ip),
        KonnectivityMode::HttpConnect => (own.kind, &own.load_balancer_ip),
    };
    let address = address.as_ref().map(ToString::to_string);
    let endpoint = kubernetes.control_plane_endpoint.as_ref();
    let endpoint_host = endpoint.map(|endpoint| endpoint.read().host.clone());
    let host = match kubernetes.konnectivity_server.mode {
        KonnectivityMode::Grpc => address.or(endpoint_host),
        KonnectivityMode::HttpConnect => address,
    };
    let port = match (kind, own.node_ports.agent) {
        (ServiceType::NodePort, Some(port)) => port,
        _ => agents_port(&kubernetes.konnectivity_server).get(),
    };
    (host, port)
}
