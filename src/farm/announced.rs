//! The endpoints of the Service `kubernetes` inside the child cluster, if kubefarm maintains them.
//!
//! kube-apiserver can maintain them too, with a lease for each address. Replicas behind one address share that lease,
//! and each of them removes it when it stops (pkg/controlplane/reconcilers/lease.go).

use std::net::{IpAddr, SocketAddr};

use serde::Serialize;

use super::spec::{Endpoint, HostPort, ServiceType, Values};
use crate::values::Path;

/// What the bootstrap Job needs to know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Announced {
    /// One of each family; empty if only the load balancer knows them.
    pub addresses: Vec<SocketAddr>,
    /// The port for the addresses that the load balancer gives.
    pub balanced_port: Option<u16>,
}

/// An address of the values at which nodes reach the API server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    pub path: Path,
    pub address: IpAddr,
}

impl Announced {
    /// `None` if the API servers maintain them, or the user does.
    pub fn new(values: &Values) -> Option<Announced> {
        if !is_ours(values) {
            return None;
        }
        let given = given(values).into_iter();
        let addresses: Vec<SocketAddr> = given
            .filter_map(|given| Some(SocketAddr::new(given.address, port(values, given.address)?)))
            .collect();
        let balanced_port = addresses
            .is_empty()
            .then_some(values.kubernetes.api_server.service.port.get());
        Some(Announced {
            addresses,
            balanced_port,
        })
    }
}

/// Whether the bootstrap Job maintains the endpoints: a flag of the user overrides that, and without the Job nothing
/// would.
pub fn is_ours(values: &Values) -> bool {
    let kubernetes = &values.kubernetes;
    let server = &kubernetes.api_server;
    kubernetes.enabled
        && server.enabled
        && kubernetes.admin.job.enabled
        && !server.extra_args.contains_key("endpoint-reconciler-type")
}

/// Whether the addresses are known only when the Service exists.
pub fn may_be_balanced(values: &Values) -> bool {
    let service = &values.kubernetes.api_server.service;
    service.kind == ServiceType::LoadBalancer || !service.enabled
}

/// The addresses in the values; the first of each family.
pub fn given(values: &Values) -> Vec<Given> {
    let server = &values.kubernetes.api_server;
    let path = Path::from("kubernetes.apiServer");
    let flag = server.extra_args.get("advertise-address");
    let addresses = [
        (
            path.join("extraArgs").join("advertise-address"),
            flag.and_then(|flag| flag.as_str()?.parse().ok()),
        ),
        (
            path.join("service").join("loadBalancerIP"),
            server
                .service
                .load_balancer_ip
                .as_ref()
                .map(|address| *address.read()),
        ),
        (
            Path::from("kubernetes.controlPlaneEndpoint"),
            endpoint(values).and_then(HostPort::address),
        ),
    ];
    let mut found: Vec<Given> = Vec::new();
    for (path, address) in addresses {
        if let Some(address) = address
            && !found
                .iter()
                .any(|other| other.address.is_ipv4() == address.is_ipv4())
        {
            found.push(Given { path, address });
        }
    }
    found
}

/// The port at an address; `None` if it is a node port that the cluster chooses.
pub fn port(values: &Values, address: IpAddr) -> Option<u16> {
    let service = &values.kubernetes.api_server.service;
    let endpoint = endpoint(values);
    let given = endpoint.and_then(|endpoint| endpoint.port);
    let is_endpoint = endpoint.and_then(HostPort::address) == Some(address);
    match service.kind {
        _ if is_endpoint => Some(given.unwrap_or(service.port.get())),
        ServiceType::LoadBalancer => Some(service.port.get()),
        ServiceType::NodePort => service.node_port.or(given),
        // The address is that of another system, which forwards to the Service.
        ServiceType::ClusterIP => Some(given.unwrap_or(service.port.get())),
    }
}

fn endpoint(values: &Values) -> Option<&HostPort> {
    values
        .kubernetes
        .control_plane_endpoint
        .as_ref()
        .map(Endpoint::read)
}
