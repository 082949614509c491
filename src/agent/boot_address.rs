//! `kubefarm agent publish-boot-address`: tells the DHCP server where the boot server is.

use std::net::{IpAddr, Ipv4Addr};

use serde_json::{Value as Json, json};

use super::address::{Outside, outside};
use super::{AgentError, Running, connect, core, core_key};
use crate::cluster::{Api, Resource, Target};
use crate::farm::syntax::dnsmasq_field_fault;
use crate::manifest::Key;

/// The DHCP option that says from where a boot loader fetches (RFC 2131's `siaddr`), by dnsmasq's name.
const OPTION: &str = "option:server-ip-address";
/// The file that a farm's own dnsmasq reads it from.
const FILE: &str = "server-ip-address";

/// What is published, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BootAddress {
    /// The namespace of everything.
    pub namespace: String,
    /// The boot server's Services.
    pub services: Vec<String>,
    /// The DHCP tag of the nodes that are told.
    pub tag: String,
    pub target: Published,
}

/// Where the address is written to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Published {
    /// A DhcpOptions resource of dnsmasq-controller.
    DhcpOptions(String),
    /// A ConfigMap that the farm's own dnsmasq reads.
    ConfigMap(String),
}

/// Waits until all Services have an address, and publishes it where it is the same one.
///
/// # Errors
/// Where addresses do not come in time or differ, or the cluster refuses.
pub async fn publish_boot_address(
    cluster: Target,
    wanted: &BootAddress,
    running: &Running<'_>,
) -> Result<Ipv4Addr, AgentError> {
    if let Some(fault) = dnsmasq_field_fault(&wanted.tag) {
        let tag = &wanted.tag;
        return Err(AgentError::Unusable(format!("the tag {tag:?} has {fault}")));
    }
    let api = connect(cluster, running).await?;
    let mut found: Vec<(&String, Ipv4Addr)> = Vec::new();
    for service in &wanted.services {
        let outside = outside(&api, &wanted.namespace, service, running.observer).await?;
        found.push((service, address(service, outside)?));
    }
    let Some((first, address)) = found.first() else {
        return Err(AgentError::Unusable(
            "there is no Service to ask".to_owned(),
        ));
    };
    if let Some((other, others)) = found.iter().find(|(_, other)| other != address) {
        return Err(AgentError::Unusable(format!(
            "Service {first} has the address {address} and Service {other} has {others}, but nodes are told only one: \
             the load balancer has to share it, as MetalLB does by metallb.io/allow-shared-ip"
        )));
    }
    write(&api, wanted, *address).await?;
    Ok(*address)
}

/// The address that a machine's firmware can be told by DHCP, which is one of IPv4.
fn address(service: &str, outside: Outside) -> Result<Ipv4Addr, AgentError> {
    let help = "set ltsp.service.loadBalancerIP to the address at which nodes reach it";
    let reason = match outside {
        Outside::Addresses(all) => {
            let mut families = all.iter().filter_map(|address| match address {
                IpAddr::V4(address) => Some(*address),
                IpAddr::V6(_) => None,
            });
            match families.next() {
                Some(address) => return Ok(address),
                None => "has IPv6 addresses only, which boot loaders cannot be told".to_owned(),
            }
        }
        Outside::Name(name) => format!("has the name {name} and no address"),
        Outside::Never(kind) => format!("is a {kind}, which is given no address"),
    };
    Err(AgentError::Unusable(format!(
        "Service {service} {reason}: {help}"
    )))
}

async fn write(api: &Api, wanted: &BootAddress, address: Ipv4Addr) -> Result<(), AgentError> {
    let (resource, key, path, value) = match &wanted.target {
        Published::ConfigMap(name) => (
            core("ConfigMap", "configmaps"),
            core_key("ConfigMap", &wanted.namespace, name),
            "/data",
            json!({ FILE: line(&wanted.tag, address) }),
        ),
        Published::DhcpOptions(name) => {
            let resource = dhcp_options(api)?;
            let key = Key {
                group: resource.group.clone(),
                kind: resource.kind.clone(),
                namespace: wanted.namespace.clone(),
                name: name.clone(),
            };
            let value = options(&wanted.tag, address);
            (resource, key, "/spec/options", value)
        }
    };
    // The object is among the rendered ones; what it is told is ours alone.
    let operation = json!({ "op": "add", "path": path, "value": value });
    match api.patch(&resource, &key, &[operation]).await {
        Ok(_) => Ok(()),
        Err(error) if error.is_not_found() => Err(AgentError::Unusable(format!(
            "{key} does not exist; it comes with the farm: apply it"
        ))),
        Err(error) => Err(error.into()),
    }
}

fn dhcp_options(api: &Api) -> Result<Resource, AgentError> {
    let (group, kind) = ("dnsmasq.kvaps.cf", "DhcpOptions");
    let resource = api.resources.preferred(group, kind).cloned();
    resource.ok_or_else(|| {
        let reason = format!("the cluster does not serve {kind}.{group}");
        AgentError::Unusable(reason)
    })
}

/// As dnsmasq-controller is told.
pub(super) fn options(tag: &str, address: Ipv4Addr) -> Json {
    json!([{ "key": OPTION, "tags": [tag], "values": [address] }])
}

/// A line of `--dhcp-optsfile` (dnsmasq(8)).
pub(super) fn line(tag: &str, address: Ipv4Addr) -> String {
    format!("tag:{tag},{OPTION},{address}\n")
}
