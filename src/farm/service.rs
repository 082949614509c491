//! Services as the templates see them.

use std::net::IpAddr;

use serde::Serialize;

use super::spec::{
    Address, Family, FamilyPolicy, Network, PortService, ServiceKeys, ServiceType, TextMap,
    TrafficPolicy,
};
use super::workload::{some_list, some_text};

/// How a Service is reached: the keys that all of them have. What is unset or empty is `null`, and so left out.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Reach {
    #[serde(rename = "type")]
    pub kind: ServiceType,
    #[serde(rename = "loadBalancerIP")]
    pub load_balancer_ip: Option<String>,
    pub load_balancer_class: Option<String>,
    pub load_balancer_source_ranges: Option<Vec<Network>>,
    pub allocate_load_balancer_node_ports: Option<bool>,
    pub external_traffic_policy: Option<TrafficPolicy>,
    pub ip_family_policy: Option<FamilyPolicy>,
    pub ip_families: Option<Vec<Family>>,
}

impl From<ServiceKeys<'_>> for Reach {
    fn from(keys: ServiceKeys<'_>) -> Reach {
        Reach {
            kind: keys.kind,
            load_balancer_ip: keys.load_balancer_ip.map(ToString::to_string),
            load_balancer_class: keys.load_balancer_class.map(ToString::to_string),
            load_balancer_source_ranges: some_list(keys.source_ranges),
            allocate_load_balancer_node_ports: keys.node_ports,
            external_traffic_policy: keys.traffic_policy,
            ip_family_policy: keys.family_policy,
            ip_families: families(keys),
        }
    }
}

/// A cluster gives a Service the family of its own Services unless it is told otherwise, and a load balancer then refuses
/// an address of the other one.
fn families(keys: ServiceKeys<'_>) -> Option<Vec<Family>> {
    match keys.load_balancer_ip.map(Address::read) {
        Some(IpAddr::V6(_)) if keys.families.is_empty() => Some(vec![Family::IPv6]),
        _ => some_list(keys.families),
    }
}

/// A Service with ports of type `P`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Service<P> {
    pub enabled: bool,
    #[serde(flatten)]
    pub reach: Reach,
    pub ports: P,
    pub labels: Option<TextMap>,
    pub annotations: Option<TextMap>,
}

/// A Service with one port.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OnePortService {
    pub enabled: bool,
    #[serde(flatten)]
    pub reach: Reach,
    pub port: u16,
    pub node_port: Option<u16>,
    pub labels: Option<TextMap>,
    pub annotations: Option<TextMap>,
}

impl From<&PortService> for OnePortService {
    fn from(service: &PortService) -> Self {
        OnePortService {
            enabled: service.enabled,
            reach: service.keys().into(),
            port: service.port,
            node_port: service.node_port,
            labels: some_text(&service.labels),
            annotations: some_text(&service.annotations),
        }
    }
}
