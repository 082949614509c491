//! dnsmasq's file of leases (dnsmasq(8), --dhcp-leasefile), a line each:
//!
//! ```text
//! 1764515512 02:00:00:40:07:0a 10.64.200.17 02-00-00-40-07-0a 01:02:00:00:40:07:0a
//! duid 00:01:00:01:2c:9e:4c:1f:02:00:00:40:00:01
//! 1764515512 4196871 fd00::17 * 00:04:1b:…
//! ```
//!
//! Expiry in seconds since 1970, MAC (with the kind of hardware before it, if that is not Ethernet), address, host name
//! and client identifier, `*` for none. Behind the line `duid` are leases of DHCPv6, which have no MAC.

use std::net::IpAddr;

use super::super::mac::canonical_mac;
use super::{Found, Listing, read_mac, read_name};
use crate::values::{Origin, Problem};

const WANTED: &str = "wanted is a line of dnsmasq's file of leases: expiry, MAC, address, host name and client \
                      identifier, as in `1764515512 02:00:00:40:07:0a 10.64.200.17 r1n07 *`";

/// A lease of DHCPv4.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    pub origin: Origin,
    /// In the spelling of values.
    pub mac: String,
    pub address: String,
    pub name: Option<String>,
}

pub fn read(listing: &Listing, found: &mut Vec<Found>, problems: &mut Vec<Problem>) {
    for lease in leases(listing, problems) {
        let mut machine = Found::at(lease.origin);
        machine.name = lease.name;
        machine.macs = vec![lease.mac];
        machine.addresses = vec![lease.address];
        found.push(machine);
    }
}

/// The leases of a file.
pub fn leases(listing: &Listing, problems: &mut Vec<Problem>) -> Vec<Lease> {
    let mut found = Vec::new();
    let mut is_ipv6 = false;
    let mut left_out = 0;
    for (origin, line) in listing.lines() {
        if line.is_empty() {
            continue;
        }
        if line.starts_with("duid ") {
            is_ipv6 = true;
        } else if is_ipv6 {
            left_out += 1;
        } else {
            found.extend(lease(line, origin, problems));
        }
    }
    if left_out > 0 {
        let message = format!("leases of DHCPv6 have no MAC, and are left out: {left_out}");
        problems.push(Problem::warning(message).at(listing.line(1)));
    }
    found
}

fn lease(line: &str, origin: Origin, problems: &mut Vec<Problem>) -> Option<Lease> {
    let fields: Vec<&str> = line.split(' ').collect();
    let [expiry, mac, address, name, _] = fields.as_slice() else {
        wrong("not a lease", origin, problems);
        return None;
    };
    if expiry.is_empty() || !expiry.bytes().all(|byte| byte.is_ascii_digit()) {
        wrong(
            &format!("`{expiry}` is not a time in seconds"),
            origin,
            problems,
        );
        return None;
    }
    let address = address.parse::<IpAddr>().ok().filter(IpAddr::is_ipv4);
    let Some(address) = address else {
        wrong("the third field is not an IPv4 address", origin, problems);
        return None;
    };
    // A kind of hardware before it: `06-`.
    let plain = match mac.split_once('-') {
        Some((kind, rest)) if kind.len() == 2 && canonical_mac(mac).is_none() => rest,
        _ => mac,
    };
    let mac = read_mac(plain, &origin, problems)?;
    let name = match *name {
        "*" => None,
        name => Some(read_name(name, &origin, problems)?),
    };
    Some(Lease {
        origin,
        mac,
        address: address.to_string(),
        name,
    })
}

fn wrong(message: &str, origin: Origin, problems: &mut Vec<Problem>) {
    problems.push(Problem::error(message).at(origin).help(WANTED));
}
