//! DHCP: hosts, ranges and options, as dnsmasq-controller's resources and as dnsmasq's own lines.

mod boot;
mod hosts;
mod pools;

use serde::Serialize;

pub use boot::{EFI_OF_32_BITS, PLATFORMS, has_own_services};
pub use hosts::{LISTED, host};
pub use pools::PROXIED;

use super::spec::{self, Flags, LeaseVolume, Tags, Values};
use super::workload::Workload;

/// What gives leases, and which.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Dhcp {
    pub mode: spec::DhcpMode,
    pub install_controller: bool,
    /// The release's tag, which its nodes have and every option asks for.
    pub tag: String,
    pub controller: Controller,
    pub standalone: Standalone,
    pub hosts: Vec<HostPart>,
    pub pool_options: Vec<DnsmasqOption>,
    pub boot_options: Vec<DhcpOption>,
    /// What holds the boot server's address, where that is known.
    pub address_options: Vec<DhcpOption>,
    /// The same where it is not: a Job writes them, with the address in place of `{address}`.
    pub published_options: Vec<DhcpOption>,
    pub tag_options: Vec<DhcpOption>,
    pub matchers: Vec<DnsmasqOption>,
}

/// dnsmasq-controller.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Controller {
    #[serde(flatten)]
    pub workload: Workload,
    /// The name of its ClusterRole, which no other farm has: its other objects are in a namespace.
    pub cluster_role: String,
    pub extra_args: Flags,
    pub dnsmasq_args: Flags,
}

/// The release's own dnsmasq.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Standalone {
    #[serde(flatten)]
    pub workload: Workload,
    /// Lines of its configuration that are not about pools, tags or booting.
    pub settings: Vec<DnsmasqOption>,
    pub interface: Option<String>,
    pub host_network: bool,
    pub persistence: LeaseVolume,
}

/// Hosts that share an object.
#[derive(Debug, Clone, Serialize)]
pub struct HostPart {
    pub name: String,
    pub hosts: Vec<DhcpHost>,
}

/// A `DhcpHosts.spec.hosts[]` item; `fields` is the line that comes of it.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DhcpHost {
    pub macs: Option<Vec<String>>,
    #[serde(rename = "clientID")]
    pub client_id: Option<String>,
    pub set_tags: Vec<String>,
    /// Addresses, joined by commas: one field of the resource, several of the line.
    pub ip: Option<String>,
    pub hostname: Option<String>,
    pub lease_time: String,
    pub fields: Vec<String>,
}

/// A `DhcpOptions.spec.options[]` item; `fields` is the line that comes of it.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DhcpOption {
    pub key: String,
    pub tags: Vec<String>,
    pub values: Vec<String>,
    pub fields: Vec<String>,
}

impl DhcpOption {
    fn new(key: &str, tags: &[&str], values: Vec<String>) -> DhcpOption {
        let asked = tags.iter().map(|tag| format!("tag:{tag}"));
        DhcpOption {
            fields: asked
                .chain([key.to_owned()])
                .chain(values.iter().cloned())
                .collect(),
            key: key.to_owned(),
            tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
            values,
        }
    }
}

/// A `DnsmasqOptions.spec.options[]` item: `key=values`, joined by commas.
#[derive(Debug, Clone, Serialize)]
pub struct DnsmasqOption {
    pub key: String,
    pub values: Vec<String>,
}

impl DnsmasqOption {
    fn new(key: &str, values: &[&str]) -> DnsmasqOption {
        DnsmasqOption {
            key: key.to_owned(),
            values: values.iter().map(|value| (*value).to_owned()).collect(),
        }
    }
}

impl Dhcp {
    /// The leases of the release whose boot server, and so whose tag, is `tag`, and in whose namespace they are.
    pub fn new(values: &Values, tag: &str, namespace: &str, own_tag: &str) -> Dhcp {
        let dhcp = &values.dhcp;
        let standalone = &dhcp.standalone;
        let address = values.ltsp.service.load_balancer_ip.as_deref();
        let controller = Workload::new(&dhcp.controller, "dnsmasq-controller".to_owned(), "latest");
        Dhcp {
            mode: dhcp.mode,
            install_controller: dhcp.install_controller,
            tag: tag.to_owned(),
            controller: Controller {
                workload: controller,
                cluster_role: format!("dnsmasq-controller-{namespace}"),
                extra_args: dhcp.controller.extra_args.clone(),
                dnsmasq_args: dhcp.controller.dnsmasq_args.clone(),
            },
            standalone: Standalone {
                workload: Workload::new(standalone, format!("{tag}-dhcp"), own_tag),
                settings: pools::server_settings(values),
                interface: standalone.interface.clone(),
                host_network: standalone.host_network,
                persistence: standalone.persistence.clone(),
            },
            hosts: hosts::parts(values, tag),
            pool_options: [
                pools::options(&values.node_pools, tag),
                boot::proxied(values, tag),
                pools::by_mac(values).into_iter().collect(),
            ]
            .concat(),
            boot_options: boot::options(values, tag),
            address_options: address
                .map(|address| boot::address_options(values, tag, address))
                .unwrap_or_default(),
            published_options: match address {
                Some(_) => Vec::new(),
                None => boot::address_options(values, tag, "{address}"),
            },
            tag_options: tag_options(&values.tags, tag),
            matchers: boot::matchers(),
        }
    }
}

/// Each option asks for the release's tag, and for its own where it is not for all.
fn tag_options(tags: &Tags, release: &str) -> Vec<DhcpOption> {
    let mut options = Vec::new();
    for (tag, settings) in &tags.dhcp_options {
        for (key, values) in settings.iter().flatten() {
            let asked = match tag.as_str() {
                "all" => vec![release],
                tag => vec![release, tag],
            };
            let values = if values.is_nothing() {
                Vec::new()
            } else {
                values.split()
            };
            let values = values.iter().map(|value| value.trim().to_owned());
            options.push(DhcpOption::new(&option_key(key), &asked, values.collect()));
        }
    }
    options
}

/// An option's key as dnsmasq takes it: a number, or `option:NAME`.
pub fn option_key(key: &str) -> String {
    match key.strip_prefix("option:").unwrap_or(key) {
        // dnsmasq fills this option itself and has no name for it; only its number sets it.
        name if name.eq_ignore_ascii_case("broadcast") => "28".to_owned(),
        number if number.bytes().all(|byte| byte.is_ascii_digit()) => number.to_owned(),
        name if name.contains(':') => name.to_owned(),
        name => format!("option:{name}"),
    }
}
