//! How the child cluster of a farm is reached: where its API server is, and with which certificates.

use std::net::IpAddr;

use serde_json::{Map, Value as Json};

use super::certificates::{farm_secrets, materials, short_name};
use super::service_address::ServiceAddress;
use crate::cluster::client::Api;
use crate::cluster::record::InventoryError;
use crate::cluster::record::inventory::{self, Part};
use crate::farm::Release;
use crate::manifest::json::{text_at, value_at};
use crate::pki::Store;

/// The API server's Service, whatever its name.
const PART: Part = Part {
    kind: "Service",
    component: "kube-apiserver",
};
/// The fact in a farm's record with the endpoint at which its nodes reach the API server.
pub const ENDPOINT: &str = "endpoint";
/// The name of its port for clients.
const PORT: &str = "client";

/// How a child cluster is reached, as far as its admin cluster knows.
#[derive(Debug)]
pub struct Access {
    /// Hosts and the port, or why there are none: a predicate of the API server's Service.
    pub addresses: Result<(Vec<String>, u16), String>,
    /// `host:port`, as the farm's values had `kubernetes.controlPlaneEndpoint` when it was applied last.
    pub endpoint: Option<String>,
    /// The contents of the Secrets with certificates, by the certificates' short names.
    pub certificates: Store,
}

/// How a farm's child is reached; `None` where the cluster knows no such farm.
///
/// # Errors
/// Where the cluster refuses.
pub async fn access(
    api: &Api,
    release: &Release,
    concurrency: usize,
) -> Result<Option<Access>, InventoryError> {
    let Some(secrets) = farm_secrets(api, release, concurrency).await? else {
        return Ok(None);
    };
    let Some(mut parent) = inventory::read(api, release).await? else {
        return Ok(None);
    };
    let endpoint = parent.facts.remove(ENDPOINT);
    let services = inventory::parts(api, release, parent, PART, concurrency).await?;
    let certificates = materials(&secrets).into_iter();
    Ok(Some(Access {
        endpoint,
        addresses: match services.first() {
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
    let ports = value_at(service, &["spec", "ports"]).and_then(Json::as_array);
    let port = ports
        .into_iter()
        .flatten()
        .find(|port| port.get("name").and_then(Json::as_str) == Some(PORT))
        .and_then(|port| port.get("port")?.as_u64())
        .and_then(|port| u16::try_from(port).ok());
    let port = port.ok_or_else(|| format!("the Service {name} has no port called {PORT}"))?;
    let hosts = match ServiceAddress::of(service) {
        // The caller chooses the one that the certificate is valid for.
        ServiceAddress::Addresses { ips, names } => {
            ips.iter().map(IpAddr::to_string).chain(names).collect()
        }
        ServiceAddress::Names(names) => names,
        ServiceAddress::Pending => {
            return Err(format!(
                "the load balancer has given the Service {name} no address yet"
            ));
        }
        ServiceAddress::Never(kind) => {
            return Err(format!(
                "the Service {name} is of type {kind}, which has no address outside of the cluster"
            ));
        }
    };
    Ok((hosts, port))
}
