//! The Job that waits for the address that a load balancer gives the boot server, and publishes it to the DHCP server.

use serde::Serialize;

use super::boot::BootServer;
use super::dhcp::Leases;
use super::spec::{DhcpMode, Values};

/// The Job, and the object that it writes the address to: the resource of dnsmasq-controller, or the ConfigMap of the
/// farm's own dnsmasq.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PublishAddress {
    /// Without the hash of its content.
    pub name: String,
    /// The Services that get the address.
    pub services: [String; 2],
    /// The object that it changes, for its Role.
    pub api_group: &'static str,
    pub resource: &'static str,
    pub resource_name: String,
    /// The arguments of `kubefarm agent publish-boot-address`.
    pub args: Vec<String>,
}

impl PublishAddress {
    /// The Job of a farm; `None` if the address is known, or there is no boot server to publish.
    pub fn new(values: &Values, server: &BootServer, leases: &Leases) -> Option<PublishAddress> {
        let ltsp = &values.ltsp;
        let is_wanted = ltsp.enabled && server.publish_address && ltsp.service.enabled;
        is_wanted.then(|| PublishAddress::of(values.dhcp.mode, server, leases))
    }

    fn of(mode: DhcpMode, server: &BootServer, leases: &Leases) -> PublishAddress {
        let name = &server.workload.name;
        let services = ["http", "tftp"].map(|port| format!("{name}-{port}"));
        let (api_group, resource, resource_name, flag) = match mode {
            DhcpMode::Controller => (
                "dnsmasq.kvaps.cf",
                "dhcpoptions",
                format!("{name}-ip"),
                "dhcp-options",
            ),
            DhcpMode::Standalone => (
                "",
                "configmaps",
                format!("{name}-dhcp-address"),
                "config-map",
            ),
        };
        let mut args = vec![format!("--namespace={}", server.namespace)];
        args.extend(
            services
                .iter()
                .map(|service| format!("--service={service}")),
        );
        args.push(format!("--{flag}={resource_name}"));
        let options = leases.published_options.iter();
        args.extend(options.map(|option| format!("--option={}", option.fields.join(","))));
        PublishAddress {
            name: PublishAddress::name(name),
            services,
            api_group,
            resource,
            resource_name,
            args,
        }
    }

    /// The name of the Job for the boot server of this name, without the hash of its content.
    pub fn name(server: &str) -> String {
        format!("{server}-publish-address")
    }
}
