//! DHCP options for booting: where the boot server is, and what machines with another DHCP server get.

use std::net::{IpAddr, Ipv4Addr};

use crate::farm::dhcp::has_own_services;
use crate::farm::findings::Findings;
use crate::farm::spec::{DhcpRange, Line, RangeKind, Values};
use crate::farm::syntax::is_dns_name;
use crate::values::{Path, Problem};

/// Checks what DHCP tells the nodes about the boot server.
pub fn check(values: &Values, findings: &mut Findings) {
    boot_address(values, findings);
    proxies(values, findings);
    server_names(values, findings);
    for (step, pool) in values.node_pools.own() {
        let path = Path::from("nodePools").join(step.clone()).join("extraOpts");
        for (index, options) in pool.extra_opts.iter().enumerate() {
            for (key, line) in options.iter() {
                own_lines(key, line, &path.join(index).join(key.as_str()), findings);
            }
        }
    }
}

/// DHCP sends the boot server's address in a field of four bytes (RFC 2131, siaddr).
fn boot_address(values: &Values, findings: &mut Findings) {
    let ltsp = &values.ltsp;
    let Some(address) = &ltsp.service.load_balancer_ip else {
        return;
    };
    if ltsp.enabled && ltsp.publish_dhcp && address.read().is_ipv6() {
        let problem = Problem::error(format!(
            "nodes boot over IPv4, and {address} is not an IPv4 address"
        ));
        let help = "with ltsp.publishDHCP: false, set the boot server in a DHCP server of your own";
        findings.record(
            &Path::from("ltsp.service.loadBalancerIP"),
            problem.help(help),
        );
    }
}

/// Beside another DHCP server, dnsmasq answers only machines for which there is a `pxe-service`, and that line contains
/// the boot server's address.
fn proxies(values: &Values, findings: &mut Findings) {
    let ltsp = &values.ltsp;
    if has_own_services(&values.node_pools) {
        return;
    }
    let (message, help) = match (
        ltsp.enabled && ltsp.publish_dhcp,
        &ltsp.service.load_balancer_ip,
    ) {
        (true, Some(_)) => return,
        (true, None) => (
            "with `proxy`, dnsmasq gives no answers while the boot server's address is not known beforehand",
            "set ltsp.service.loadBalancerIP, or add a pxe-service to extraOpts",
        ),
        (false, _) => (
            "with `proxy`, dnsmasq gives no answers unless a `pxe-service` is set",
            "add one for each platform to extraOpts: \
             {pxe-service: \"tag:?,x86PC,Boot,ltsp/grub/i386-pc/core.0,10.0.0.1\"}",
        ),
    };
    for (step, pool) in values.node_pools.own() {
        let range = pool.range.as_ref().map(DhcpRange::read);
        if range.is_some_and(|range| range.kind == RangeKind::Proxy) {
            let path = Path::from("nodePools").join(step.clone()).join("range");
            findings.record(&path, Problem::warning(message).help(help));
        }
    }
}

/// Option 66 is the name or address of a server (RFC 2132, section 9.4), which the firmware has to resolve.
fn server_names(values: &Values, findings: &mut Findings) {
    for (tag, name, option) in values.tags.options() {
        if option.is(66, "tftp-server") {
            let path = Path::from("tags.dhcpOptions").join(tag).join(name);
            server_name(&option.joined(), &path, findings);
        }
    }
}

fn server_name(name: &str, path: &Path, findings: &mut Findings) {
    if !is_dns_name(name) && name.parse::<IpAddr>().is_err() {
        findings.warning(
            path,
            format!(
                "`{name}` is neither an address nor a host name: no firmware finds that server"
            ),
        );
    }
}

/// `dhcp-boot=[tag:TAG,]FILE[,NAME[,ADDRESS]]` and `pxe-service=[tag:TAG,]ARCHITECTURE,TEXT[,FILE[,ADDRESS]]`.
fn own_lines(key: &str, line: &Line, path: &Path, findings: &mut Findings) {
    let fields: Vec<&str> = line
        .fields()
        .skip_while(|field| field.starts_with("tag:") || field.starts_with("net:"))
        .collect();
    let field = |index: usize| fields.get(index).copied().filter(|text| !text.is_empty());
    let (name, address) = match key {
        "dhcp-boot" => (field(1), field(2)),
        "pxe-service" => (None, field(3)),
        _ => return,
    };
    if let Some(name) = name {
        server_name(name, path, findings);
    }
    if let Some(address) = address.filter(|text| text.parse::<Ipv4Addr>().is_err()) {
        let problem = Problem::warning(format!(
            "dnsmasq would look `{address}` up in a hosts file, and has none"
        ));
        findings.record(path, problem.help("write the server's IPv4 address"));
    }
}
