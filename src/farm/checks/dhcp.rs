//! DHCP: ranges and options in dnsmasq's own syntax.

use std::net::IpAddr;

use crate::farm::findings::Findings;
use crate::farm::leases::option_key;
use crate::farm::spec::{DhcpMode, NodePool, Values};
use crate::farm::syntax::{DNSMASQ_LINE, dnsmasq_field_fault, is_lease_time, is_tag};
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

/// The names that `dnsmasq --help dhcp` lists, and `broadcast`, which is written as its number.
const OPTION_NAMES: [&str; 55] = [
    "netmask",
    "time-offset",
    "router",
    "dns-server",
    "log-server",
    "lpr-server",
    "boot-file-size",
    "domain-name",
    "swap-server",
    "root-path",
    "extension-path",
    "ip-forward-enable",
    "non-local-source-routing",
    "policy-filter",
    "max-datagram-reassembly",
    "default-ttl",
    "mtu",
    "all-subnets-local",
    "router-discovery",
    "router-solicitation",
    "static-route",
    "trailer-encapsulation",
    "arp-timeout",
    "ethernet-encap",
    "tcp-ttl",
    "tcp-keepalive",
    "nis-domain",
    "nis-server",
    "ntp-server",
    "netbios-ns",
    "netbios-dd",
    "netbios-nodetype",
    "netbios-scope",
    "x-windows-fs",
    "x-windows-dm",
    "T1",
    "T2",
    "vendor-class",
    "tftp-server",
    "bootfile-name",
    "mobile-ip-home",
    "smtp-server",
    "pop3-server",
    "nntp-server",
    "irc-server",
    "user-class",
    "rapid-commit",
    "client-arch",
    "posix-timezone",
    "tzdb-timezone",
    "domain-search",
    "sip-server",
    "classless-static-route",
    "server-ip-address",
    "broadcast",
];

/// The names that `dnsmasq --help dhcp6` lists.
const OPTION6_NAMES: [&str; 15] = [
    "sip-server-domain",
    "sip-server",
    "dns-server",
    "domain-search",
    "nis-server",
    "nis+-server",
    "nis-domain",
    "nis+-domain",
    "sntp-server",
    "information-refresh-time",
    "posix-timezone",
    "tzdb-timezone",
    "ntp-server",
    "bootfile-url",
    "bootfile-param",
];

/// Checks ranges, pool options and tag options.
pub fn check(values: &Values, findings: &mut Findings) {
    for (step, pool) in &values.node_pools.0 {
        let path = Path::from("nodePools").join(step.clone());
        range(pool, &path.join("range"), findings);
        extra_options(pool, &path.join("extraOpts"), findings);
    }
    tag_options(values, findings);
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

fn range(pool: &NodePool, path: &Path, findings: &mut Findings) {
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
    let fields: Vec<&str> = range.split(',').map(str::trim).collect();
    for field in &fields {
        if field.starts_with("set:") {
            let problem = Problem::error(format!("`{field}` is not allowed in a range"));
            findings.record(
                path,
                problem.help("the release's own tag is set on every range"),
            );
        } else if !is_range_field(field) {
            let problem = Problem::error(format!(
                "`{field}` is nothing that dnsmasq knows in a range"
            ));
            findings.record(
                path,
                problem.help("FIRST,LAST or FIRST,static, then NETMASK,BROADCAST,LEASE-TIME"),
            );
        }
    }
    if !fields
        .iter()
        .any(|field| field.parse::<IpAddr>().is_ok() || field.starts_with("constructor:"))
    {
        findings.error(path, "a range needs a first address");
    }
}

/// One field of `--dhcp-range` (dnsmasq(8)).
fn is_range_field(field: &str) -> bool {
    const MODES: [&str; 9] = [
        "static",
        "proxy",
        "ra-only",
        "ra-names",
        "ra-stateless",
        "slaac",
        "ra-advrouter",
        "off-link",
        "deprecated",
    ];
    field.parse::<IpAddr>().is_ok()
        || is_lease_time(field)
        || MODES.contains(&field)
        || field
            .strip_prefix("tag:")
            .is_some_and(|tag| is_tag(tag.trim_start_matches('!')))
        || field
            .strip_prefix("constructor:")
            .is_some_and(|name| !name.is_empty() && dnsmasq_field_fault(name).is_none())
}

fn extra_options(pool: &NodePool, path: &Path, findings: &mut Findings) {
    for (index, options) in pool.extra_opts.iter().enumerate() {
        for (key, value) in options {
            let path = path.join(index).join(key.as_str());
            if !DNSMASQ_KEYS.contains(&key.as_str()) {
                let problem = Problem::error(format!("dnsmasq-controller takes no option `{key}`"));
                findings.record_key(&path, with_nearest(problem, key, &DNSMASQ_KEYS));
            }
            fields(value.split(','), &path, findings);
            let longest_tag = "x".repeat(63);
            length(&value.replace('?', &longest_tag), &path, findings);
        }
    }
}

fn tag_options(values: &Values, findings: &mut Findings) {
    for (tag, options) in &values.tags.dhcp_options {
        let path = Path::from("tags.dhcpOptions").join(tag.as_str());
        for (key, value) in options.iter().flatten() {
            let path = path.join(key.as_str());
            option_name(key, &path, findings);
            let texts = value.split();
            fields(texts.iter().map(String::as_str), &path, findings);
            length(&texts.join(","), &path, findings);
            addresses(&texts, &path, findings);
        }
    }
}

/// dnsmasq takes a value of digits and dots for an address, and does not start where it is none.
fn addresses(texts: &[String], path: &Path, findings: &mut Findings) {
    for text in texts.iter().map(|text| text.trim()) {
        let dotted = text.contains('.')
            && text
                .bytes()
                .all(|byte| byte.is_ascii_digit() || byte == b'.');
        if dotted && text.parse::<IpAddr>().is_err() {
            findings.error(path, format!("`{text}` is no IP address"));
        }
    }
}

fn option_name(key: &str, path: &Path, findings: &mut Findings) {
    let full = option_key(key);
    let (names, name): (&[&str], &str) = match full.split_once(':') {
        None => {
            if !full
                .parse::<u8>()
                .is_ok_and(|number| (1..=254).contains(&number))
            {
                findings.key_error(
                    path,
                    format!("{key} is no DHCP option: the numbers are 1 to 254"),
                );
            }
            return;
        }
        Some(("option", name)) => (&OPTION_NAMES, name),
        Some(("option6", name)) => (&OPTION6_NAMES, name),
        Some((prefix, _)) => {
            findings.key_error(path, format!("`{prefix}:` begins no DHCP option; expected a number, a name, option:NAME or option6:NAME"));
            return;
        }
    };
    let number = name.bytes().all(|byte| byte.is_ascii_digit()) && !name.is_empty();
    if !number && !names.contains(&name) {
        let problem = Problem::error(format!("dnsmasq knows no DHCP option `{name}`"));
        findings.record_key(path, with_nearest(problem, name, names));
    }
}

fn with_nearest(problem: Problem, word: &str, names: &[&str]) -> Problem {
    match nearest(word, names.iter().copied()) {
        Some(near) => problem.help(format!("did you mean `{near}`?")),
        None => problem.help("a number works for any option"),
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
