//! DHCP: hosts, ranges and options, as dnsmasq-controller's resources and as dnsmasq's own lines.

use serde::Serialize;

use super::boot::{PART_SIZE, part_suffix};
use super::spec::{self, Flags, LeaseVolume, Machine, NodePools, Tags, Values};
use super::split::{Limits, split};
use super::syntax::dnsmasq_address;
use super::workload::Workload;

/// What gives leases, and which.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Dhcp {
    pub mode: spec::DhcpMode,
    pub install_controller: bool,
    /// The release's tag, on every range and every option.
    pub tag: String,
    pub controller: Controller,
    pub standalone: Standalone,
    pub hosts: Vec<HostPart>,
    pub pool_options: Vec<DnsmasqOption>,
    pub boot_options: Vec<DhcpOption>,
    pub address_options: Vec<DhcpOption>,
    pub tag_options: Vec<DhcpOption>,
    pub matchers: Vec<DnsmasqOption>,
}

/// dnsmasq-controller.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Controller {
    #[serde(flatten)]
    pub workload: Workload,
    pub extra_args: Flags,
    pub dnsmasq_args: Flags,
}

/// The release's own dnsmasq.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Standalone {
    #[serde(flatten)]
    pub workload: Workload,
    pub extra_args: Flags,
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
    pub set_tags: Option<Vec<String>>,
    pub ip: Option<String>,
    pub hostname: Option<String>,
    pub lease_time: String,
    pub fields: Vec<String>,
}

impl DhcpHost {
    /// What it is recognised by: its first MAC, else its client identifier or address.
    fn key(&self) -> &str {
        self.fields.first().map_or("", String::as_str)
    }
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
    /// The leases of the release whose boot server, and so whose tag, is `tag`.
    pub fn new(values: &Values, tag: &str, own_tag: &str) -> Dhcp {
        let dhcp = &values.dhcp;
        let standalone = &dhcp.standalone;
        let controller = Workload::new(&dhcp.controller, "dnsmasq-controller".to_owned(), "latest");
        Dhcp {
            mode: dhcp.mode,
            install_controller: dhcp.install_controller,
            tag: tag.to_owned(),
            controller: Controller {
                workload: controller,
                extra_args: dhcp.controller.extra_args.clone(),
                dnsmasq_args: dhcp.controller.dnsmasq_args.clone(),
            },
            standalone: Standalone {
                workload: Workload::new(standalone, format!("{tag}-dhcp"), own_tag),
                extra_args: standalone.extra_args.clone(),
                interface: standalone.interface.clone(),
                host_network: standalone.host_network,
                persistence: standalone.persistence.clone(),
            },
            hosts: host_parts(&values.node_pools, tag),
            pool_options: pool_options(&values.node_pools, tag),
            boot_options: boot_options(values, tag),
            address_options: address_options(values, tag),
            tag_options: tag_options(&values.tags, tag),
            matchers: matchers(),
        }
    }
}

/// How a firmware says what it can run: tag, architecture (RFC 4578, IANA "Processor Architecture Types"), boot loader.
pub const PLATFORMS: [(&str, &[&str], &str); 3] = [
    ("X86PC", &["0"], "ltsp/grub/i386-pc/core.0"),
    ("X86-64_EFI", &["7", "9"], "ltsp/grub/x86_64-efi/core.efi"),
    ("ARM64_EFI", &["11"], "ltsp/grub/arm64-efi/core.efi"),
];

fn matchers() -> Vec<DnsmasqOption> {
    // iPXE announces itself by its own encapsulating option (ipxe.org/howto/dhcpd).
    let ipxe = DnsmasqOption::new("dhcp-match", &["set:iPXE", "175"]);
    let platforms = PLATFORMS.iter().flat_map(|(tag, architectures, _)| {
        architectures.iter().map(move |architecture| {
            let tag = format!("set:{tag}");
            DnsmasqOption::new("dhcp-match", &[&tag, "option:client-arch", architecture])
        })
    });
    std::iter::once(ipxe).chain(platforms).collect()
}

fn boot_options(values: &Values, tag: &str) -> Vec<DhcpOption> {
    if !values.ltsp.enabled || !values.ltsp.publish_dhcp {
        return Vec::new();
    }
    let server = DhcpOption::new("option:tftp-server", &[tag], vec![tag.to_owned()]);
    let loaders = PLATFORMS.iter().map(|(platform, _, loader)| {
        let loader = vec![(*loader).to_owned()];
        DhcpOption::new("option:bootfile-name", &[tag, platform], loader)
    });
    std::iter::once(server).chain(loaders).collect()
}

fn address_options(values: &Values, tag: &str) -> Vec<DhcpOption> {
    let address = values.ltsp.service.load_balancer_ip.iter();
    address
        .filter(|_| values.ltsp.enabled && values.ltsp.publish_dhcp)
        .map(|address| DhcpOption::new("option:server-ip-address", &[tag], vec![address.clone()]))
        .collect()
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
            let values = values.split();
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

fn pool_options(pools: &NodePools, tag: &str) -> Vec<DnsmasqOption> {
    let mut options = Vec::new();
    for (_, pool) in &pools.0 {
        if let Some(range) = pool.range.as_deref().filter(|range| !range.is_empty()) {
            let fields = std::iter::once(format!("set:{tag}"))
                .chain(range.split(',').map(|field| field.trim().to_owned()));
            options.push(DnsmasqOption {
                key: "dhcp-range".to_owned(),
                values: fields.collect(),
            });
        }
        for (key, values) in pool.extra_opts.iter().flatten() {
            options.push(DnsmasqOption {
                key: key.clone(),
                values: values
                    .split(',')
                    .map(|value| value.trim().replace('?', tag))
                    .collect(),
            });
        }
    }
    options
}

fn host_parts(pools: &NodePools, tag: &str) -> Vec<HostPart> {
    let hosts: Vec<DhcpHost> = pools
        .0
        .iter()
        .flat_map(|(_, pool)| pool.nodes.iter().map(|node| host(node, &pool.tags)))
        .collect();
    // As JSON an item repeats its fields with their keys around them.
    let size = |host: &DhcpHost| 128 + 4 * host.fields.iter().map(String::len).sum::<usize>();
    split(&hosts, size, DhcpHost::key, Limits::up_to(PART_SIZE))
        .into_iter()
        .map(|range| HostPart {
            name: match range.start {
                0 => format!("{tag}-clients"),
                start => format!("{tag}-clients-{}", part_suffix(hosts[start].key())),
            },
            hosts: hosts[range].to_vec(),
        })
        .collect()
}

/// A client identifier without the `id:` that stands before it in dnsmasq's line, which we write.
pub fn client_id(text: &str) -> &str {
    text.strip_prefix("id:").unwrap_or(text)
}

/// A node with the tags of its pool.
pub fn host(node: &Machine, tags: &[String]) -> DhcpHost {
    let macs: Vec<String> = node
        .mac
        .as_ref()
        .map(|mac| mac.split())
        .unwrap_or_default()
        .iter()
        .map(|mac| mac.trim().to_owned())
        .collect();
    let ip = node.ip.as_deref().map(dnsmasq_address);
    let lease_time = node
        .lease_time
        .clone()
        .unwrap_or_else(|| "infinite".to_owned());
    let mut fields = macs.clone();
    let client_id = node.client_id.as_deref().map(client_id);
    fields.extend(client_id.iter().map(|id| format!("id:{id}")));
    fields.extend(tags.iter().map(|tag| format!("set:{tag}")));
    fields.extend(ip.clone());
    fields.extend(node.name.clone());
    fields.push(lease_time.clone());
    DhcpHost {
        macs: (!macs.is_empty()).then_some(macs),
        client_id: client_id.map(str::to_owned),
        set_tags: (!tags.is_empty()).then(|| tags.to_vec()),
        ip,
        hostname: node.name.clone(),
        lease_time,
        fields,
    }
}
