//! DHCP: ranges and options in dnsmasq's own syntax.

use super::{dnsmasq_flags, options};
use crate::farm::findings::Findings;
use crate::farm::spec::{
    DhcpMode, DhcpRange, Field, Flags, NodePool, RangeKind, Text as _, Values,
};
use crate::farm::syntax::{dnsmasq_field_fault, dnsmasq_value_fault};
use crate::values::{Path, Problem};

/// The keys that dnsmasq-controller's DnsmasqOptions accept (its CRD).
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

/// Further keys in dnsmasq's own configuration (dnsmasq(8)).
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
        findings.error(
            &path,
            format!("the name of an interface must not contain {fault}"),
        );
    }
    length(
        interface.unwrap_or_default(),
        &Path::from("dhcp.standalone.interface"),
        findings,
    );
}

fn extra_options(pool: &NodePool, mode: DhcpMode, path: &Path, findings: &mut Findings) {
    for (index, options) in pool.extra_opts.iter().enumerate() {
        for key in options.keys() {
            let in_lines = mode == DhcpMode::Standalone && LINES_ALONE.contains(&key.as_str());
            let is_known = in_lines || DNSMASQ_KEYS.contains(&key.as_str());
            let (message, help) = match mode {
                DhcpMode::Controller => (
                    format!("dnsmasq-controller has no option `{key}`"),
                    "flags of its dnsmasq go into dhcp.controller.dnsmasqArgs",
                ),
                DhcpMode::Standalone => (
                    format!("`{key}` is not an option for a pool"),
                    "flags of the farm's own dnsmasq go into dhcp.standalone.extraArgs",
                ),
            };
            if !is_known {
                let problem = Problem::error(message);
                let path = path.join(index).join(key.as_str());
                findings.record_key(&path, problem.help_nearest(key, &DNSMASQ_KEYS, help));
            }
        }
    }
}

fn tag_options(values: &Values, findings: &mut Findings) {
    for (tag, name, value) in values.tags.options() {
        let path = Path::from("tags.dhcpOptions").join(tag).join(name);
        options::option(name, value, &path, findings);
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

/// The values of a flag, with their paths: one, or a list that repeats it.
fn scalars<'a>(value: &'a serde_json::Value, path: &Path) -> Vec<(Path, &'a serde_json::Value)> {
    let items = value.as_array().map(|items| items.iter().enumerate());
    match items {
        Some(items) => items
            .map(|(index, item)| (path.join(index), item))
            .collect(),
        None => vec![(path.clone(), value)],
    }
}

/// dnsmasq-controller restarts dnsmasq at each change, and dnsmasq then knows only the leases in its file.
fn forgotten_leases(values: &Values, findings: &mut Findings) {
    let dhcp = &values.dhcp;
    let file = dhcp.controller.dnsmasq_args.text("dhcp-leasefile");
    let is_kept = file.is_none_or(|file| file != "/dev/null");
    if dhcp.mode == DhcpMode::Standalone || !dhcp.install_controller || is_kept {
        return;
    }
    for (step, pool) in values.node_pools.own() {
        let range = pool.range.as_ref().map(DhcpRange::read);
        if range.is_some_and(|range| range.is_ipv4() && range.kind == RangeKind::Dynamic) {
            let path = Path::from("nodePools").join(step.clone()).join("range");
            let message = "dnsmasq-controller forgets leases of this range at each change of a farm's nodes or settings";
            findings.record(
                &path,
                Problem::warning(message).help("dhcp.mode: standalone keeps them"),
            );
        }
    }
}

/// Every node keeps its lease, and dnsmasq gives no more than its limit (dnsmasq(8), --dhcp-lease-max).
fn enough_leases(values: &Values, flags: &Flags, path: &Path, findings: &mut Findings) {
    const DEFAULT: usize = 1000;
    let limit = flags.text("dhcp-lease-max");
    let limit = limit.map_or(Some(DEFAULT), |text| text.parse().ok());
    let nodes = values.node_pools.own().map(|(_, pool)| pool.nodes.len());
    let nodes: usize = nodes.sum();
    if let Some(limit) = limit.filter(|limit| *limit < nodes) {
        let message = format!("{nodes} nodes need a lease each, but dnsmasq gives at most {limit}");
        let problem = Problem::error(message).help("raise dhcp-lease-max");
        findings.record(&path.join("dhcp-lease-max"), problem);
    }
}

fn length(value: &str, path: &Path, findings: &mut Findings) {
    if let Some(fault) = dnsmasq_value_fault(value) {
        findings.error(path, fault);
    }
}

fn fields<'a>(fields: impl Iterator<Item = &'a str>, path: &Path, findings: &mut Findings) {
    for field in fields {
        if let Err(refusal) = Field::parse(field.trim_matches(' ').to_owned()) {
            findings.refusal(path, refusal);
        }
    }
}
