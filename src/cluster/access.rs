//! How the child cluster of a farm is reached: where its API server is, and with which certificates.

use serde_json::{Map, Value as Json};

use super::applyset::Release;
use super::certificates::{materials, of_farm, short_name};
use super::inventory::{self, InventoryError};
use super::{Api, text_at, value_at};
use crate::pki::Store;

/// What the API server's Service is labelled with, whatever it is called.
const LABEL: (&str, &str) = ("app.kubernetes.io/name", "kube-apiserver");
/// The name of its port for clients.
const PORT: &str = "client";

/// What the cluster knows of a child.
#[derive(Debug)]
pub struct Access {
    /// Hosts and the port, or why there are none: a predicate of the API server's Service.
    pub addresses: Result<(Vec<String>, u16), String>,
    /// What the Secrets with certificates hold, by the certificates' short names.
    pub certificates: Store,
}

/// Looks up how a farm's child is reached; `None` where the cluster knows no such farm.
///
/// # Errors
/// Where the cluster refuses.
pub async fn access(
    api: &Api,
    release: &Release,
    concurrency: usize,
) -> Result<Option<Access>, InventoryError> {
    let Some(secrets) = of_farm(api, release, concurrency).await? else {
        return Ok(None);
    };
    let Some(mut parent) = inventory::read(api, release).await? else {
        return Ok(None);
    };
    parent.kinds.retain(|kind| kind.kind == "Service");
    let services = inventory::objects(api, release, &parent, concurrency).await?;
    let service = services
        .iter()
        .map(|(_, object)| object)
        .find(|object| text_at(object, &["metadata", "labels", LABEL.0]) == LABEL.1);
    let certificates = materials(&secrets).into_iter();
    Ok(Some(Access {
        addresses: match service {
            Some(service) => addresses(service),
            None => Err("the farm has no Service for the API server".to_owned()),
        },
        certificates: certificates
            .map(|(name, material)| (short_name(&name).to_owned(), material))
            .collect(),
    }))
}

/// Where a Service is reached from outside.
fn addresses(service: &Map<String, Json>) -> Result<(Vec<String>, u16), String> {
    let name = text_at(service, &["metadata", "name"]);
    let kind = text_at(service, &["spec", "type"]);
    if kind != "LoadBalancer" {
        return Err(format!(
            "the Service {name} is of type {kind}, which has no address outside of the cluster"
        ));
    }
    let ports = value_at(service, &["spec", "ports"]).and_then(Json::as_array);
    let port = ports
        .into_iter()
        .flatten()
        .find(|port| port.get("name").and_then(Json::as_str) == Some(PORT))
        .and_then(|port| port.get("port")?.as_u64())
        .and_then(|port| u16::try_from(port).ok());
    let ingress = value_at(service, &["status", "loadBalancer", "ingress"]);
    let ingress = ingress.and_then(Json::as_array).into_iter().flatten();
    let hosts: Vec<String> = ingress
        .filter_map(|entry| entry.get("ip").or_else(|| entry.get("hostname"))?.as_str())
        .map(str::to_owned)
        .collect();
    match (port, hosts.is_empty()) {
        (None, _) => Err(format!("the Service {name} has no port called {PORT}")),
        (_, true) => Err(format!(
            "the load balancer has given the Service {name} no address yet"
        )),
        (Some(port), false) => Ok((hosts, port)),
    }
}
