//! DHCP: hosts, ranges and options, as dnsmasq-controller's resources and as dnsmasq's own lines.

mod boot;
mod hosts;
mod pools;

use std::sync::Arc;

use serde::Serialize;

pub use boot::{EFI_OF_32_BITS, PLATFORMS, has_own_services};
pub use hosts::{DhcpHost, LISTED, tags};
pub use pools::PROXIED;

use super::spec::{DhcpController, DhcpMode, DhcpServer, Tags, Values};
use super::with_computed::WithComputed;
use super::workload::Workload;

/// The name of dnsmasq-controller's objects, and the label `app` of its pods.
pub const CONTROLLER: &str = "dnsmasq-controller";
/// The container with dnsmasq, in the pods of either kind of DHCP server.
pub const DHCP_CONTAINER: &str = "dnsmasq";

/// The DHCP server and its configuration.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Dhcp {
    pub mode: DhcpMode,
    pub install_controller: bool,
    pub controller: WithComputed<DhcpController, Controller>,
    pub standalone: WithComputed<DhcpServer, Standalone>,
    #[serde(flatten)]
    pub leases: Leases,
}

/// Hosts, ranges and options.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Leases {
    /// The release's tag, which its nodes have and every option requires.
    pub tag: String,
    /// There may be many: `chart::farm_context` hands them on without a copy.
    #[serde(skip)]
    pub hosts: Vec<HostPart>,
    pub pool_options: Vec<DnsmasqOption>,
    pub boot_options: Vec<DhcpOption>,
    /// The options with the boot server's address, if that is known.
    pub address_options: Vec<DhcpOption>,
    /// The same options if it is not known: a Job writes them, with the address in place of `{address}`.
    pub published_options: Vec<DhcpOption>,
    pub tag_options: Vec<DhcpOption>,
    pub matchers: Vec<DnsmasqOption>,
}

/// What is computed for dnsmasq-controller.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Controller {
    #[serde(flatten)]
    pub workload: Workload,
    /// The name of its ClusterRole, which no other farm has: its other objects are in a namespace.
    pub cluster_role: String,
}

impl Controller {
    /// The controller that serves the resources in `namespace`.
    pub fn new(controller: &DhcpController, namespace: &str) -> Controller {
        let name = CONTROLLER.to_owned();
        Controller {
            cluster_role: format!("{name}-{namespace}"),
            workload: Workload::new(controller, name, "latest"),
        }
    }
}

/// What is computed for the release's own dnsmasq.
#[derive(Debug, Clone, Serialize)]
pub struct Standalone {
    #[serde(flatten)]
    pub workload: Workload,
    /// Lines of its configuration that are not about pools, tags or booting.
    pub settings: Vec<DnsmasqOption>,
}

/// Hosts that share an object.
#[derive(Debug, Clone)]
pub struct HostPart {
    pub name: String,
    pub hosts: Arc<[DhcpHost]>,
}

/// A `DhcpOptions.spec.options[]` item; `fields` is its line for dnsmasq.
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

impl Standalone {
    /// The dnsmasq called `name`.
    pub fn new(values: &Values, name: String, own_tag: &str) -> Standalone {
        Standalone {
            workload: Workload::new(&values.dhcp.standalone, name, own_tag),
            settings: pools::server_settings(values),
        }
    }
}

impl Leases {
    /// The hosts, ranges and options of the release with the tag `tag`, the name of its boot server.
    pub fn new(values: &Values, tag: &str) -> Leases {
        let address = values.ltsp.service.load_balancer_ip.as_deref();
        Leases {
            tag: tag.to_owned(),
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

/// Each option requires the release's tag, and its own tag unless it is for all.
fn tag_options(tags: &Tags, release: &str) -> Vec<DhcpOption> {
    let options = tags.options().map(|(tag, _, option)| {
        let asked = match tag {
            "all" => vec![release],
            tag => vec![release, tag],
        };
        let values = option.fields.iter().filter(|_| !option.is_nothing());
        let values = values.map(ToString::to_string).collect();
        DhcpOption::new(&option.key, &asked, values)
    });
    options.collect()
}
