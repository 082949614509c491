//! DHCP options: their names and numbers, and which of them are addresses.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::farm::findings::Findings;
use crate::farm::spec::DhcpOptionValue;
use crate::values::{Path, Problem};
use Kind::{Addresses, Other};

/// The kind of an option's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A list of addresses; dnsmasq does not start with anything else (its option.c, OT_ADDR_LIST).
    Addresses,
    Other,
}

type Option4Or6 = (u16, &'static str, Kind);

/// What `dnsmasq --help dhcp` lists, and `broadcast`, which is written as its number.
const OPTIONS: [Option4Or6; 62] = [
    (1, "netmask", Addresses),
    (2, "time-offset", Other),
    (3, "router", Addresses),
    (6, "dns-server", Addresses),
    (7, "log-server", Addresses),
    (9, "lpr-server", Addresses),
    (13, "boot-file-size", Other),
    (15, "domain-name", Other),
    (16, "swap-server", Addresses),
    (17, "root-path", Other),
    (18, "extension-path", Other),
    (19, "ip-forward-enable", Other),
    (20, "non-local-source-routing", Other),
    (21, "policy-filter", Addresses),
    (22, "max-datagram-reassembly", Other),
    (23, "default-ttl", Other),
    (26, "mtu", Other),
    (27, "all-subnets-local", Other),
    (28, "broadcast", Addresses),
    (31, "router-discovery", Other),
    (32, "router-solicitation", Addresses),
    (33, "static-route", Addresses),
    (34, "trailer-encapsulation", Other),
    (35, "arp-timeout", Other),
    (36, "ethernet-encap", Other),
    (37, "tcp-ttl", Other),
    (38, "tcp-keepalive", Other),
    (40, "nis-domain", Other),
    (41, "nis-server", Addresses),
    (42, "ntp-server", Addresses),
    (44, "netbios-ns", Addresses),
    (45, "netbios-dd", Addresses),
    (46, "netbios-nodetype", Other),
    (47, "netbios-scope", Other),
    (48, "x-windows-fs", Addresses),
    (49, "x-windows-dm", Addresses),
    (58, "T1", Other),
    (59, "T2", Other),
    (60, "vendor-class", Other),
    (64, "nis+-domain", Other),
    (65, "nis+-server", Addresses),
    (66, "tftp-server", Other),
    (67, "bootfile-name", Other),
    (68, "mobile-ip-home", Addresses),
    (69, "smtp-server", Addresses),
    (70, "pop3-server", Addresses),
    (71, "nntp-server", Addresses),
    (74, "irc-server", Addresses),
    (77, "user-class", Other),
    (80, "rapid-commit", Other),
    (93, "client-arch", Other),
    (94, "client-interface-id", Other),
    (97, "client-machine-id", Other),
    (100, "posix-timezone", Other),
    (101, "tzdb-timezone", Other),
    (108, "ipv6-only", Other),
    (119, "domain-search", Other),
    (120, "sip-server", Other),
    (121, "classless-static-route", Other),
    (125, "vendor-id-encap", Other),
    (150, "tftp-server-address", Addresses),
    (255, "server-ip-address", Addresses),
];

/// What `dnsmasq --help dhcp6` lists.
const OPTIONS6: [Option4Or6; 15] = [
    (21, "sip-server-domain", Other),
    (22, "sip-server", Addresses),
    (23, "dns-server", Addresses),
    (24, "domain-search", Other),
    (27, "nis-server", Addresses),
    (28, "nis+-server", Addresses),
    (29, "nis-domain", Other),
    (30, "nis+-domain", Other),
    (31, "sntp-server", Addresses),
    (32, "information-refresh-time", Other),
    (41, "posix-timezone", Other),
    (42, "tzdb-timezone", Other),
    (56, "ntp-server", Other),
    (59, "bootfile-url", Other),
    (60, "bootfile-param", Other),
];

/// Checks the option `key` in `path`: its name, and that its values are addresses if the option needs them.
pub fn option(key: &str, value: &DhcpOptionValue, path: &Path, findings: &mut Findings) {
    if is_vendors(key, value, path, findings) {
        return;
    }
    let full = &value.key;
    let (prefix, name) = full.split_once(':').unwrap_or(("option", full));
    let options: &[Option4Or6] = match prefix {
        "option" => &OPTIONS,
        "option6" => &OPTIONS6,
        prefix => {
            findings.key_error(
                path,
                format!(
                    "`{prefix}:` is not the beginning of a DHCP option; expected a \
                                              number, a name, option:NAME or option6:NAME"
                ),
            );
            return;
        }
    };
    let is_number = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit());
    let number = name.parse::<u16>().ok();
    let last = if prefix == "option" { 254 } else { u16::MAX };
    if is_number && !number.is_some_and(|number| (1..=last).contains(&number)) {
        let message = format!("{key} is not a DHCP option: the numbers are 1 to {last}");
        findings.key_error(path, message);
        return;
    }
    let known = options.iter().find(|(known, title, _)| {
        title.eq_ignore_ascii_case(name) || number.is_some_and(|number| number == *known)
    });
    match known {
        Some((_, _, Addresses)) => addresses(value, prefix == "option6", path, findings),
        Some(_) => dotted(value, path, findings),
        None if is_number => dotted(value, path, findings),
        None => {
            let problem = Problem::error(format!("dnsmasq has no DHCP option `{name}`"));
            let names: Vec<&str> = options.iter().map(|(_, name, _)| *name).collect();
            let problem =
                problem.help_nearest(name, &names, "use its number, which works for any option");
            findings.record_key(path, problem);
        }
    }
}

/// Whether the key has the prefix for the options of a vendor (dnsmasq(8), --dhcp-option). If there is only the prefix,
/// the number is the first of the values.
fn is_vendors(key: &str, value: &DhcpOptionValue, path: &Path, findings: &mut Findings) -> bool {
    let mut rest = key;
    while let Some((prefix, _)) = rest.split_once(':')
        && ["encap", "vi-encap", "vendor"].contains(&prefix)
    {
        let Some((_, after)) = rest.split_once(',') else {
            let first = value.fields.iter().next();
            if first.is_none_or(|first| first.parse::<u8>().is_err()) {
                let problem = Problem::error(format!(
                    "`{prefix}:` must be followed by the number of an option"
                ));
                let help = format!(
                    "write it as the first of several values, or in the key: \"{rest},NUMBER\""
                );
                findings.record_key(path, problem.help(help));
            }
            return true;
        };
        rest = after;
    }
    if rest == key {
        return false;
    }
    // Only the vendor knows the meaning of its numbers.
    if rest.parse::<u8>().is_err() {
        let problem = Problem::error(format!("`{rest}` is not the number of a vendor's option"));
        findings.record_key(path, problem.help("1 to 254"));
    }
    true
}

/// dnsmasq(8), --dhcp-option: IPv6 addresses are written in brackets; without brackets they are accepted if only one
/// can be meant.
fn addresses(value: &DhcpOptionValue, six: bool, path: &Path, findings: &mut Findings) {
    if value.is_nothing() {
        return;
    }
    for (path, text) in value.fields.places(path) {
        let inner = text
            .strip_prefix('[')
            .and_then(|text| text.strip_suffix(']'))
            .filter(|_| six)
            .unwrap_or(text);
        // A prefix length is accepted, as routes have one.
        let (address, length) = match inner.split_once('/') {
            Some((address, length)) if !six => (address, length),
            _ => (inner, "0"),
        };
        let is_address = if six {
            address.parse::<Ipv6Addr>().is_ok()
        } else {
            address.parse::<Ipv4Addr>().is_ok()
        };
        if !is_address || !length.parse::<u8>().is_ok_and(|length| length <= 32) {
            let family = if six { "IPv6" } else { "IPv4" };
            findings.error(
                &path,
                format!("`{text}` is not an {family} address, which this option needs"),
            );
        }
    }
}

/// dnsmasq reads a value of digits and dots as an address, and does not start if it is not one.
fn dotted(value: &DhcpOptionValue, path: &Path, findings: &mut Findings) {
    for (path, text) in value.fields.places(path) {
        let dotted = text.contains('.')
            && text
                .bytes()
                .all(|byte| byte.is_ascii_digit() || byte == b'.');
        if dotted && text.parse::<IpAddr>().is_err() {
            findings.error(&path, format!("`{text}` is not an IP address"));
        }
    }
}
