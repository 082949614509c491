//! Which hosts are reached without the proxy of the environment: the variable `NO_PROXY`.

use std::env;
use std::net::IpAddr;

use ipnet::IpNet;

/// The value of `NO_PROXY`, or else of `no_proxy`.
pub(super) fn exemptions() -> String {
    let variable = env::var("NO_PROXY").or_else(|_| env::var("no_proxy"));
    variable.unwrap_or_default()
}

/// Whether a host needs no proxy, by the rules of kubectl (Go's `httpproxy.Config`), which hyper-util's matcher does not
/// have: it knows neither ports nor domains without their apex. A list with commas of `*`,
/// addresses, networks, and domains, which stand for their subdomains, too; with `:port` for that port alone.
pub(super) fn is_exempt(exemptions: &str, host: &str, port: u16) -> bool {
    let host = host.trim_matches(['[', ']']).to_ascii_lowercase();
    let entries = exemptions.split(',').map(str::trim);
    let mut given = entries.filter(|entry| !entry.is_empty());
    given.any(|entry| entry == "*" || is_named(&entry.to_ascii_lowercase(), &host, port))
}

fn is_named(entry: &str, host: &str, port: u16) -> bool {
    if let (Ok(network), Ok(address)) = (entry.parse::<IpNet>(), host.parse::<IpAddr>()) {
        return network.contains(&address);
    }
    // An IPv6 address has colons of its own.
    if entry.parse::<IpAddr>().is_ok() {
        return entry == host;
    }
    let name = match entry.rsplit_once(':') {
        Some((name, number)) if number.parse() == Ok(port) => name,
        Some(_) => return false,
        None => entry,
    };
    let name = name.trim_matches(['[', ']']);
    match name.strip_prefix("*.").or(name.strip_prefix('.')) {
        Some(domain) => is_below(host, domain),
        None => host == name || is_below(host, name),
    }
}

fn is_below(host: &str, domain: &str) -> bool {
    let rest = host.strip_suffix(domain);
    rest.is_some_and(|rest| rest.ends_with('.')) && host.parse::<IpAddr>().is_err()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_exempt_by_address_network_and_domain() {
        let exempt = |list, host| is_exempt(list, host, 6443);
        assert!(exempt("*", "a.example.org"));
        assert!(exempt("x, Example.org", "a.example.ORG"));
        assert!(exempt("example.org", "example.org"));
        assert!(exempt("example.org:6443", "example.org"));
        assert!(exempt(".example.org", "a.example.org"));
        assert!(exempt("10.0.0.0/8", "10.1.2.3"));
        assert!(exempt("10.1.2.3:6443", "10.1.2.3"));
        assert!(exempt("fd00::1", "[fd00::1]"));
    }

    #[test]
    fn other_hosts_are_not() {
        let exempt = |list, host| is_exempt(list, host, 6443);
        assert!(!exempt("", "a.example.org"));
        assert!(!exempt("example.org", "badexample.org"));
        assert!(!exempt("example.org:443", "example.org"));
        assert!(!exempt(".example.org", "example.org"));
        assert!(!exempt("10.0.0.0/8", "11.1.2.3"));
        assert!(!exempt("2.3", "10.1.2.3"));
    }
}
