//! Where a Service is reached from outside of its cluster.

use std::net::IpAddr;

use serde_json::{Map, Value as Json};

use super::{AgentError, core, core_key, wait_for};
use crate::cluster::{Api, Observer};
use crate::manifest::json::{text_at, value_at};

/// What leads to a Service from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outside {
    /// IP addresses: one, or one a family.
    Addresses(Vec<IpAddr>),
    /// A load balancer that has a name only.
    Name(String),
    /// Nothing, and nothing will: the Service is of this type.
    Never(String),
}

impl Outside {
    /// The addresses, or what there is in their place.
    pub(super) fn addresses(self) -> Result<Vec<IpAddr>, String> {
        match self {
            Outside::Addresses(addresses) => Ok(addresses),
            Outside::Name(name) => Err(format!("has the name {name} and no address")),
            Outside::Never(kind) => Err(format!("is a {kind}, which is given no address")),
        }
    }
}

/// Waits until a Service has addresses, or shows that it will never have any.
///
/// # Errors
/// Where none comes in time, or the cluster refuses.
pub(super) async fn outside(
    api: &Api,
    namespace: &str,
    service: &str,
    observer: &dyn Observer,
) -> Result<Outside, AgentError> {
    let key = core_key("Service", namespace, service);
    let services = core("Service", "services");
    wait_for(api, &services, &key, observer, |service| {
        of_service(service).ok_or_else(|| "its load balancer has given it no address".to_owned())
    })
    .await
}

/// What leads to a Service; `None` while its load balancer has not said.
pub(super) fn of_service(service: &Map<String, Json>) -> Option<Outside> {
    let list = |path: &[&str]| value_at(service, path).and_then(Json::as_array);
    let ingress = list(&["status", "loadBalancer", "ingress"]);
    let ingress = ingress.map(Vec::as_slice).unwrap_or_default();
    let texts = |key: &'static str| {
        let texts = ingress.iter().filter_map(move |entry| entry.get(key));
        texts.filter_map(Json::as_str)
    };
    let mut addresses: Vec<IpAddr> = texts("ip").filter_map(|ip| ip.parse().ok()).collect();
    if addresses.is_empty() {
        let external = list(&["spec", "externalIPs"]).into_iter().flatten();
        let external = external.filter_map(Json::as_str);
        addresses.extend(external.filter_map(|ip| ip.parse::<IpAddr>().ok()));
    }
    if !addresses.is_empty() {
        return Some(Outside::Addresses(addresses));
    }
    if let Some(name) = texts("hostname").next() {
        return Some(Outside::Name(name.to_owned()));
    }
    match text_at(service, &["spec", "type"]) {
        "LoadBalancer" => None,
        other => Some(Outside::Never(other.to_owned())),
    }
}
