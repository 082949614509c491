//! The child cluster's address ranges, and the addresses that follow from them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::findings::Findings;
use super::spec::Cidrs;
use crate::values::{Path, Problem};
use crate::version::Version;

/// Ranges in which no Service and no pod can be reached, whatever the routes (RFC 6890, RFC 5771, RFC 4291).
const NOT_ROUTED: [(IpNet, &str); 4] = [
    (
        IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::new(127, 0, 0, 0), 8)),
        "the loopback addresses",
    ),
    (
        IpNet::V6(Ipv6Net::new_assert(Ipv6Addr::LOCALHOST, 128)),
        "the loopback address",
    ),
    (
        IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::new(224, 0, 0, 0), 4)),
        "the multicast addresses",
    ),
    (
        IpNet::V6(Ipv6Net::new_assert(
            Ipv6Addr::new(0xff00, 0, 0, 0, 0, 0, 0, 0),
            8,
        )),
        "the multicast addresses",
    ),
];

/// One range, or two of different families.
#[derive(Debug, Clone, Default)]
pub struct Subnets(Vec<IpNet>);

impl From<&Cidrs> for Subnets {
    fn from(cidrs: &Cidrs) -> Subnets {
        Subnets(cidrs.0.clone())
    }
}

impl Subnets {
    /// The ranges as flags and kubeadm expect them, joined by commas; `None` without any.
    pub fn joined(&self) -> Option<String> {
        (!self.0.is_empty()).then(|| self.texts().join(","))
    }

    /// The ranges, one text each.
    pub fn texts(&self) -> Vec<String> {
        self.0.iter().map(ToString::to_string).collect()
    }

    /// `IPv4` and `IPv6`, in the ranges' order.
    pub fn families(&self) -> Vec<&'static str> {
        self.0
            .iter()
            .map(|subnet| match subnet {
                IpNet::V4(_) => "IPv4",
                IpNet::V6(_) => "IPv6",
            })
            .collect()
    }

    /// The first address of every range, which the Service `kubernetes` gets.
    pub fn api_addresses(&self) -> Vec<IpAddr> {
        self.0.iter().map(|subnet| nth(subnet, 1)).collect()
    }

    /// The tenth address of every range, which kubeadm gives to kube-dns; in a smaller range the last usable one.
    pub fn dns_addresses(&self) -> Vec<IpAddr> {
        self.0
            .iter()
            .map(|subnet| nth(subnet, 10.min(size(subnet).saturating_sub(2))))
            .collect()
    }

    /// Records ranges of addresses that are not routed.
    pub fn check_routed(&self, path: &Path, findings: &mut Findings) {
        for subnet in &self.0 {
            for (special, what) in &NOT_ROUTED {
                if shared(subnet, special) {
                    findings.error(path, format!("{subnet} overlaps with {special}, {what}"));
                }
            }
        }
    }

    /// Finds ranges that a kube-apiserver of this version refuses: it asks for at least 8 addresses, and counted them all
    /// before 1.34 (cmd/kube-apiserver/app/options/validation.go; registry/core/service/ipallocator).
    pub fn check_services(&self, version: Option<Version>, path: &Path, findings: &mut Findings) {
        let counts_all = version.is_some_and(|version| version.minor_version() < (1, 34));
        for subnet in &self.0 {
            if size(subnet) < 8 {
                findings.error(
                    path,
                    format!("{subnet} has fewer than the 8 addresses that kube-apiserver requires"),
                );
            }
            let longest = subnet.max_prefix_len();
            let shortest = match subnet {
                _ if counts_all => longest - 20,
                IpNet::V4(_) => 0,
                IpNet::V6(_) => 64,
            };
            if subnet.prefix_len() < shortest {
                let problem = Problem::error(format!(
                    "{subnet} has more addresses than kube-apiserver allows for Services"
                ));
                let widest = widened(subnet, shortest);
                findings.record(path, problem.help(format!("use {widest} or a part of it")));
            }
        }
    }

    /// Records ranges of which the controller manager cannot give every node a part with a prefix of this length, for
    /// IPv4 and IPv6 (pkg/controller/nodeipam/node_ipam_controller.go, ipam/cidrset), or not to this number of nodes.
    pub fn check_pods(
        &self,
        node_prefixes: (u8, u8),
        nodes: usize,
        path: &Path,
        findings: &mut Findings,
    ) {
        for subnet in &self.0 {
            let (part, widest, flag) = match subnet {
                IpNet::V4(_) => (node_prefixes.0, 0, "node-cidr-mask-size-ipv4"),
                IpNet::V6(_) => (
                    node_prefixes.1,
                    node_prefixes.1.saturating_sub(16),
                    "node-cidr-mask-size-ipv6",
                ),
            };
            let prefix = subnet.prefix_len();
            let parts = 1usize.checked_shl(u32::from(part.saturating_sub(prefix)));
            let problem = if prefix > part {
                Problem::error(format!(
                    "{subnet} is smaller than the /{part} that every node gets from it"
                ))
            } else if prefix < widest {
                Problem::error(format!(
                    "{subnet} is more than 16 bits wider than the /{part} that every node gets from it"
                ))
            } else if parts.is_some_and(|parts| parts < nodes) {
                Problem::warning(format!(
                    "{nodes} nodes do not fit into {subnet}, with a /{part} for each"
                ))
            } else {
                continue;
            };
            let help = format!("use another range, or set controllerManager.extraArgs.{flag}");
            findings.record(path, problem.help(help));
        }
    }

    /// The range that overlaps with `network`.
    pub fn meeting(&self, network: &IpNet) -> Option<IpNet> {
        self.0
            .iter()
            .find(|subnet| shared(subnet, network))
            .copied()
    }

    /// Whether any range here shares an address with one of `others`.
    pub fn overlaps(&self, others: &Subnets) -> bool {
        let meets = |subnet| others.0.iter().any(|other| shared(subnet, other));
        self.0.iter().any(meets)
    }
}

fn shared(one: &IpNet, other: &IpNet) -> bool {
    one.contains(other) || other.contains(one)
}

/// The range that begins where `subnet` does and has a prefix of this length.
fn widened(subnet: &IpNet, prefix: u8) -> String {
    format!("{}/{prefix}", subnet.network())
}

fn size(subnet: &IpNet) -> u128 {
    1u128
        .checked_shl(u32::from(subnet.max_prefix_len() - subnet.prefix_len()))
        .unwrap_or(u128::MAX)
}

fn nth(subnet: &IpNet, index: u128) -> IpAddr {
    match subnet {
        IpNet::V4(subnet) => {
            let offset = u32::try_from(index).unwrap_or(u32::MAX);
            Ipv4Addr::from(u32::from(subnet.network()).saturating_add(offset)).into()
        }
        IpNet::V6(subnet) => {
            Ipv6Addr::from(u128::from(subnet.network()).saturating_add(index)).into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::{Node, Origin, Value};

    fn subnets(texts: &[&str]) -> Subnets {
        Subnets(texts.iter().map(|text| text.parse().unwrap()).collect())
    }

    fn addresses(subnet: &str) -> (String, String) {
        let subnets = subnets(&[subnet]);
        (
            subnets.api_addresses()[0].to_string(),
            subnets.dns_addresses()[0].to_string(),
        )
    }

    #[test]
    fn addresses_follow_from_any_prefix_length() {
        let pair = |api: &str, dns: &str| (api.to_owned(), dns.to_owned());
        assert_eq!(addresses("10.96.0.0/12"), pair("10.96.0.1", "10.96.0.10"));
        assert_eq!(
            addresses("192.168.7.128/25"),
            pair("192.168.7.129", "192.168.7.138")
        );
        assert_eq!(addresses("10.0.0.248/29"), pair("10.0.0.249", "10.0.0.254"));
        assert_eq!(
            addresses("fd00:ffff::/112"),
            pair("fd00:ffff::1", "fd00:ffff::a")
        );
        assert_eq!(addresses("::/0"), pair("::1", "::a"));
    }

    /// The messages of a check.
    fn found(check: impl FnOnce(&Path, &mut Findings)) -> Vec<String> {
        let origin = Origin::Flag("--set".to_owned().into());
        let tree = Node::new(Value::Null, origin);
        let mut findings = Findings::new(&tree, Vec::new(), Vec::new());
        check(&Path::from("a"), &mut findings);
        let problems = findings.into_problems().into_iter();
        problems.map(|problem| problem.message).collect()
    }

    #[test]
    fn service_ranges_have_a_smallest_and_a_widest_size() {
        let check = |subnet: &str, minor: u32| {
            let subnets = subnets(&[subnet]);
            let version = Version::read(&format!("v1.{minor}.0"));
            found(|path, findings| subnets.check_services(version, path, findings)).len()
        };
        for (narrow, narrower) in [("10.0.0.8/29", "10.0.0.8/30"), ("fd00::/125", "fd00::/126")] {
            assert_eq!((check(narrow, 34), check(narrower, 34)), (0, 1), "{narrow}");
        }
        for (minor, wide, wider) in [
            (33, "10.0.0.0/12", "10.0.0.0/11"),
            (33, "fd00::/108", "fd00::/107"),
            (34, "fd00::/64", "fd00::/63"),
        ] {
            assert_eq!((check(wide, minor), check(wider, minor)), (0, 1), "{wide}");
        }
        assert_eq!(check("0.0.0.0/0", 34), 0);
    }

    #[test]
    fn every_node_gets_a_part_of_the_pods_range() {
        let check = |subnet: &str, nodes| {
            let subnets = subnets(&[subnet]);
            found(|path, findings| subnets.check_pods((24, 64), nodes, path, findings)).len()
        };
        for (subnet, nodes, expected) in [
            ("10.0.0.0/24", 1, 0),
            ("10.0.0.0/24", 2, 1),
            ("10.0.0.0/25", 1, 1),
            ("10.0.0.0/22", 4, 0),
            ("10.0.0.0/22", 5, 1),
            ("10.0.0.0/4", 1, 0),
            ("fd00::/64", 1, 0),
            ("fd00::/65", 1, 1),
            ("fd00::/48", 65_536, 0),
            ("fd00::/47", 1, 1),
        ] {
            assert_eq!(check(subnet, nodes), expected, "{subnet} {nodes}");
        }
    }

    #[test]
    fn special_ranges_are_found_whichever_is_the_wider() {
        let check = |subnet: &str| {
            let subnets = subnets(&[subnet]);
            found(|path, findings| subnets.check_routed(path, findings)).len()
        };
        for (subnet, expected) in [
            ("127.0.0.0/16", 1),
            ("126.0.0.0/7", 1),
            ("224.1.0.0/16", 1),
            ("::/64", 1),
            ("ff02::/16", 1),
            ("10.96.0.0/12", 0),
            ("fd00::/112", 0),
            ("0.0.0.0/0", 2),
        ] {
            assert_eq!(check(subnet), expected, "{subnet}");
        }
    }

    #[test]
    fn overlaps_are_seen_in_both_directions() {
        let wide = subnets(&["10.0.0.0/8"]);
        let narrow = subnets(&["fd00::/64", "10.96.0.0/12"]);
        assert!(wide.overlaps(&narrow) && narrow.overlaps(&wide));
        assert!(!subnets(&["10.112.0.0/12"]).overlaps(&narrow));
    }
}
