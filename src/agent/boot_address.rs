//! `kubefarm agent publish-boot-address`: gives the DHCP server the address of the boot server.

use std::net::{IpAddr, Ipv4Addr};

use indexmap::IndexMap;
use serde_json::{Value as Json, json};

use super::address::{addresses_of, service_address};
use super::error::AgentError;
use super::waiting::{JobContext, connect};
use crate::cluster::state::ServiceAddress;
use crate::cluster::{Api, Resource, Target};
use crate::farm::syntax::dnsmasq_field_fault;
use crate::manifest::Key;

/// What stands for the address in an option.
const ADDRESS: &str = "{address}";

/// What is published, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BootAddress {
    /// The namespace of everything.
    pub namespace: String,
    /// The boot server's Services.
    pub services: Vec<String>,
    /// The DHCP options that nodes get.
    pub options: Vec<DhcpOption>,
    pub target: Published,
}

/// A DHCP option with the boot server's address somewhere in its values, as `{address}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DhcpOption {
    tags: Vec<String>,
    key: String,
    values: Vec<String>,
}

impl DhcpOption {
    /// Reads `tag:TAG,…,KEY,VALUE,…`: a line of `--dhcp-optsfile` (dnsmasq(8)).
    ///
    /// # Errors
    /// A line that dnsmasq would not take for one option.
    pub fn parse(line: &str) -> Result<DhcpOption, String> {
        if let Some(fault) = line.split(',').find_map(dnsmasq_field_fault) {
            return Err(format!("it has {fault}"));
        }
        let mut fields = line.split(',').peekable();
        let mut tags = Vec::new();
        while let Some(tag) = fields.peek().and_then(|field| field.strip_prefix("tag:")) {
            tags.push(tag.to_owned());
            fields.next();
        }
        let key = fields.next().filter(|key| !key.is_empty());
        let key = key.ok_or("it names no option")?.to_owned();
        let values = fields.map(str::to_owned).collect();
        Ok(DhcpOption { tags, key, values })
    }

    fn values(&self, address: Ipv4Addr) -> Vec<String> {
        let address = address.to_string();
        let values = self.values.iter();
        values
            .map(|value| value.replace(ADDRESS, &address))
            .collect()
    }

    /// The file of a ConfigMap that it is written into: `option:router` and `tag:x,option:router` into `router`.
    fn file(&self) -> &str {
        self.key.strip_prefix("option:").unwrap_or(&self.key)
    }

    fn line(&self, address: Ipv4Addr) -> String {
        let tags = self.tags.iter().map(|tag| format!("tag:{tag}"));
        let fields: Vec<String> = tags
            .chain([self.key.clone()])
            .chain(self.values(address))
            .collect();
        fields.join(",") + "\n"
    }
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
    context: &JobContext<'_>,
) -> Result<Ipv4Addr, AgentError> {
    let api = connect(cluster, context).await?;
    let mut found: Vec<(&String, Ipv4Addr)> = Vec::new();
    for service in &wanted.services {
        let at = service_address(&api, &wanted.namespace, service, context.observer).await?;
        found.push((service, address(service, at)?));
    }
    let Some((first, address)) = found.first() else {
        return Err(AgentError::Unusable(
            "there is no Service to ask".to_owned(),
        ));
    };
    if let Some((other, others)) = found.iter().find(|(_, other)| other != address) {
        return Err(AgentError::Unusable(format!(
            "Service {first} has the address {address} and Service {other} has {others}, but nodes use only one: \
             the load balancer has to share it, as MetalLB does by metallb.io/allow-shared-ip"
        )));
    }
    write(&api, wanted, *address).await?;
    Ok(*address)
}

/// The address for a machine's firmware, which DHCP can only give as one of IPv4.
fn address(service: &str, found: ServiceAddress) -> Result<Ipv4Addr, AgentError> {
    let help = "set ltsp.service.loadBalancerIP to the address at which nodes reach it";
    let reason = match addresses_of(found) {
        Ok(all) => {
            let mut families = all.iter().filter_map(|address| match address {
                IpAddr::V4(address) => Some(*address),
                IpAddr::V6(_) => None,
            });
            match families.next() {
                Some(address) => return Ok(address),
                None => "has IPv6 addresses only, which boot loaders cannot use".to_owned(),
            }
        }
        Err(reason) => reason,
    };
    Err(AgentError::Unusable(format!(
        "Service {service} {reason}: {help}"
    )))
}

async fn write(api: &Api, wanted: &BootAddress, address: Ipv4Addr) -> Result<(), AgentError> {
    let (resource, key, path, value) = match &wanted.target {
        Published::ConfigMap(name) => (
            Resource::core("ConfigMap", "configmaps"),
            Key::core("ConfigMap", &wanted.namespace, name),
            "/data",
            files(&wanted.options, address),
        ),
        Published::DhcpOptions(name) => {
            let resource = dhcp_options(api)?;
            let key = resource.key(&wanted.namespace, name);
            let value = options(&wanted.options, address);
            (resource, key, "/spec/options", value)
        }
    };
    // The object is among the rendered ones; this field of it is ours alone.
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

/// In the form of dnsmasq-controller.
fn options(options: &[DhcpOption], address: Ipv4Addr) -> Json {
    let options = options.iter().map(|option| {
        json!({ "key": option.key, "tags": option.tags, "values": option.values(address) })
    });
    options.collect()
}

/// In the form of the farm's own dnsmasq: lines of `--dhcp-optsfile`, and a file for each option.
fn files(options: &[DhcpOption], address: Ipv4Addr) -> Json {
    let mut files: IndexMap<&str, String> = IndexMap::new();
    for option in options {
        *files.entry(option.file()).or_default() += &option.line(address);
    }
    json!(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(lines: &[&str]) -> Vec<DhcpOption> {
        let options = lines.iter().map(|line| DhcpOption::parse(line));
        options.collect::<Result<_, _>>().expect("options")
    }

    #[test]
    fn options_hold_the_address() {
        let address = Ipv4Addr::new(10, 64, 0, 11);
        let lines = [
            "tag:farm,option:server-ip-address,{address}",
            "tag:farm,tag:!gpu,67,http://{address}/boot.ipxe",
            "option:bootfile-name,a,{address}",
            "tag:x,67,b",
        ];
        let all = parsed(&lines);
        let expected = json!({
            "server-ip-address": "tag:farm,option:server-ip-address,10.64.0.11\n",
            "67": "tag:farm,tag:!gpu,67,http://10.64.0.11/boot.ipxe\ntag:x,67,b\n",
            "bootfile-name": "option:bootfile-name,a,10.64.0.11\n",
        });
        assert_eq!(files(&all, address), expected);
        let expected = json!({
            "key": "67", "tags": ["farm", "!gpu"], "values": ["http://10.64.0.11/boot.ipxe"],
        });
        assert_eq!(options(&all, address)[1], expected);
    }

    #[test]
    fn lines_that_are_not_an_option_are_refused() {
        for line in ["", "tag:x", "tag:x,,a", "tag:x\n,67,a", "67,\"a", "67, a"] {
            assert!(DhcpOption::parse(line).is_err(), "{line:?}");
        }
    }
}
