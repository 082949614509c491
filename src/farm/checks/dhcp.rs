//! DHCP: ranges and options in dnsmasq's own syntax.

use ipnet::IpNet;

use super::components::scalars;
use super::range::{self, Kind, Range};
use super::{dnsmasq_flags, options, text_of};
use crate::farm::findings::Findings;
use crate::farm::spec::{DhcpMode, Flags, NodePool, NodePools, Values};
use crate::farm::syntax::{DNSMASQ_LINE, dnsmasq_field_fault};
use crate::values::nearest::nearest;
use crate::values::{Path, Problem};

/// What dnsmasq-controller's DnsmasqOptions take as keys (its CRD).
const DNSMASQ_KEYS: [&str; 39] = [
    "add-mac",
    "alias",
    "auth-zone",
    "bootp-dynamic",
    "caa-record",
    "cname",
    "dhcp-boot",
    "dhcp-broadcast",
    "dhcp-circuitid",
    "dhcp-duid",
    "dhcp-generate-names",
    "dhcp-host",
    "dhcp-ignore",
    "dhcp-ignore-names",
    "dhcp-mac",
    "dhcp-match",
    "dhcp-name-match",
    "dhcp-option",
    "dhcp-option-force",
    "dhcp-range",
    "dhcp-remoteid",
    "dhcp-subscrid",
    "dhcp-userclass",
    "dhcp-vendorclass",
    "dns-rr",
    "domain",
    "host-record",
    "local",
    "mx-host",
    "naptr-record",
    "ptr-record",
    "pxe-service",
    "rebind-domain-ok",
    "rev-server",
    "server",
    "srv-host",
    "synth-domain",
    "tag-if",
    "txt-record",
];

/// What a configuration of dnsmasq's own takes besides (dnsmasq(8)).
const LINES_ALONE: [&str; 7] = [
    "dhcp-proxy",
    "dhcp-pxe-vendor",
    "dhcp-relay",
    "dhcp-reply-delay",
    "pxe-prompt",
    "ra-param",
    "shared-network",
];

/// Checks ranges, pool options and tag options.
pub fn check(values: &Values, findings: &mut Findings) {
    for (step, pool) in &values.node_pools.0 {
        let path = Path::from("nodePools").join(step.clone());
        own_range(pool, &path.join("range"), findings);
        extra_options(pool, values.dhcp.mode, &path.join("extraOpts"), findings);
    }
    tag_options(values, findings);
    server_flags(values, findings);
    forgotten_leases(values, findings);
    let interface = values.dhcp.standalone.interface.as_deref();
    if values.dhcp.mode == DhcpMode::Standalone
        && let Some(fault) = interface.and_then(dnsmasq_field_fault)
    {
        let path = Path::from("dhcp.standalone.interface");
        findings.error(&path, format!("an interface's name may not hold {fault}"));
    }
    length(
        interface.unwrap_or_default(),
        &Path::from("dhcp.standalone.interface"),
        findings,
    );
}

/// The ranges of all pools, as far as they are readable: those of their own, and those among further options.
pub fn ranges(pools: &NodePools) -> Vec<Range> {
    range::texts(pools)
        .filter_map(|text| range::parse(text).ok())
        .collect()
}

fn own_range(pool: &NodePool, path: &Path, findings: &mut Findings) {
    let Some(range) = pool.range.as_deref().filter(|range| !range.is_empty()) else {
        return;
    };
    if range.chars().any(char::is_control) {
        findings.error(
            path,
            "a line break or control character in a range would become configuration of its own",
        );
        return;
    }
    length(range, path, findings);
    let mut fields = range.split(',').map(str::trim);
    if let Some(field) = fields.find(|field| field.starts_with("set:")) {
        let problem = Problem::error(format!("`{field}` is not allowed in a range"));
        findings.record(
            path,
            problem.help("the release's own tag is set on every range"),
        );
    } else if range.contains('?') {
        findings.error(path, "`?` stands for the release's tag in extraOpts alone");
    } else {
        range_syntax(range, path, findings);
    }
}

fn range_syntax(range: &str, path: &Path, findings: &mut Findings) {
    if let Err(fault) = range::parse(range) {
        let network = range
            .split(',')
            .find_map(|field| field.trim().parse::<IpNet>().ok());
        let help = match network.map(|network| network.trunc()) {
            Some(IpNet::V4(network)) => format!(
                "write {},static,{},{},infinite",
                network.network(),
                network.netmask(),
                network.broadcast()
            ),
            Some(IpNet::V6(network)) => {
                format!("write {},static,{},infinite", network.network(), network.prefix_len())
            }
            None if range.contains("::") => {
                "FIRST, then LAST, static, constructor:INTERFACE or ra-…, then PREFIX-LENGTH,LEASE-TIME".to_owned()
            }
            None => "FIRST,LAST or FIRST,static, then NETMASK,BROADCAST,LEASE-TIME".to_owned(),
        };
        findings.record(path, Problem::error(fault).help(help));
    }
}

fn extra_options(pool: &NodePool, mode: DhcpMode, path: &Path, findings: &mut Findings) {
    for (index, options) in pool.extra_opts.iter().enumerate() {
        for (key, value) in options {
            let path = path.join(index).join(key.as_str());
            let in_lines = mode == DhcpMode::Standalone && LINES_ALONE.contains(&key.as_str());
            let is_known = in_lines || DNSMASQ_KEYS.contains(&key.as_str());
            let (message, help) = match mode {
                DhcpMode::Controller => (
                    format!("dnsmasq-controller takes no option `{key}`"),
                    "flags of the dnsmasq that it runs stand in dhcp.controller.dnsmasqArgs",
                ),
                DhcpMode::Standalone => (
                    format!("`{key}` is not an option for a pool"),
                    "flags of the farm's own dnsmasq stand in dhcp.standalone.extraArgs",
                ),
            };
            if !is_known {
                let problem = Problem::error(message);
                findings.record_key(&path, with_nearest(problem, key, &DNSMASQ_KEYS, help));
            }
            fields(value.split(','), &path, findings);
            if key == "dhcp-range" {
                range_syntax(value, &path, findings);
            }
            let longest_tag = "x".repeat(63);
            length(&value.replace('?', &longest_tag), &path, findings);
        }
    }
}

fn tag_options(values: &Values, findings: &mut Findings) {
    for (tag, settings) in &values.tags.dhcp_options {
        let path = Path::from("tags.dhcpOptions").join(tag.as_str());
        for (key, value) in settings.iter().flatten() {
            let path = path.join(key.as_str());
            for (path, text) in options::places(value, &path) {
                fields(std::iter::once(text.as_str()), &path, findings);
            }
            length(&value.split().join(","), &path, findings);
            options::option(key, value, &path, findings);
        }
    }
}

/// Flags of the farm's own dnsmasq are lines of its configuration.
fn server_flags(values: &Values, findings: &mut Findings) {
    let path = Path::from("dhcp.standalone.extraArgs");
    for (flag, value) in &values.dhcp.standalone.extra_args {
        for (path, text) in scalars(value, &path.join(flag.as_str())) {
            let text = text.as_str().unwrap_or_default();
            fields(text.split(','), &path, findings);
            length(text, &path, findings);
        }
    }
    if values.dhcp.mode == DhcpMode::Standalone {
        let server = &values.dhcp.standalone;
        dnsmasq_flags::check(&server.extra_args, &server.image, &path, findings);
        enough_leases(values, &values.dhcp.standalone.extra_args, &path, findings);
    } else if values.dhcp.install_controller {
        let path = Path::from("dhcp.controller.dnsmasqArgs");
        enough_leases(
            values,
            &values.dhcp.controller.dnsmasq_args,
            &path,
            findings,
        );
    }
}

/// dnsmasq-controller starts dnsmasq anew at each change, which then knows what is in its file of leases.
fn forgotten_leases(values: &Values, findings: &mut Findings) {
    let dhcp = &values.dhcp;
    let file = dhcp.controller.dnsmasq_args.get("dhcp-leasefile");
    let is_kept = file
        .and_then(text_of)
        .is_none_or(|file| file != "/dev/null");
    if dhcp.mode == DhcpMode::Standalone || !dhcp.install_controller || is_kept {
        return;
    }
    for (step, pool) in values.node_pools.own() {
        let range = pool.range.as_deref().map(range::parse);
        if matches!(range, Some(Ok(range)) if range.is_ipv4() && range.kind == Kind::Anybody) {
            let path = Path::from("nodePools").join(step.clone()).join("range");
            let message = "dnsmasq-controller forgets leases of this range at each change of a farm's nodes or settings";
            findings.record(
                &path,
                Problem::warning(message).help("dhcp.mode: standalone keeps them"),
            );
        }
    }
}

/// Every node keeps its lease, and dnsmasq gives no more than it is allowed to (dnsmasq(8), --dhcp-lease-max).
fn enough_leases(values: &Values, flags: &Flags, path: &Path, findings: &mut Findings) {
    const DEFAULT: usize = 1000;
    let limit = flags.get("dhcp-lease-max").and_then(text_of);
    let limit = limit.map_or(Some(DEFAULT), |text| text.parse().ok());
    let nodes = values.node_pools.own().map(|(_, pool)| pool.nodes.len());
    let nodes: usize = nodes.sum();
    if let Some(limit) = limit.filter(|limit| *limit < nodes) {
        let message = format!("{nodes} nodes need a lease each, and dnsmasq gives {limit}");
        let problem = Problem::error(message).help("raise dhcp-lease-max");
        findings.record(&path.join("dhcp-lease-max"), problem);
    }
}

/// Adds what was probably meant, or else `help`.
pub fn with_nearest(problem: Problem, word: &str, names: &[&str], help: &str) -> Problem {
    match nearest(word, names.iter().copied()) {
        Some(near) => problem.help(format!("did you mean `{near}`?")),
        None => problem.help(help),
    }
}

/// A value that fits into dnsmasq's line, whatever tags it is for.
fn length(value: &str, path: &Path, findings: &mut Findings) {
    // The longest option's name, the release's tag and another of 63 characters, and what joins them.
    const AROUND: usize = 200;
    if value.len() > DNSMASQ_LINE - AROUND {
        let message = format!(
            "{} bytes are too many: dnsmasq reads at most {DNSMASQ_LINE} with tags and option, and the rest as another line",
            value.len()
        );
        findings.error(path, message);
    }
}

fn fields<'a>(fields: impl Iterator<Item = &'a str>, path: &Path, findings: &mut Findings) {
    for field in fields {
        if let Some(fault) = dnsmasq_field_fault(field.trim_matches(' ')) {
            findings.error(path, format!("a value for dnsmasq may not hold {fault}"));
        }
    }
}
