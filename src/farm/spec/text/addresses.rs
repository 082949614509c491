//! Addresses, networks and names of machines.

use std::net::IpAddr;

use ipnet::IpNet;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;
use serde::de::{self, Deserializer};

use super::{Text, both, pattern, written};
use crate::farm::spec::OneOrMany;
use crate::farm::syntax::{is_host_name, is_label_key, is_lower_dns_name, split_endpoint};
use crate::values::Refusal;

both! {
    /// An IP address.
    Address: IpAddr;
    /// A network: an address and the length of its prefix.
    Network: IpNet;
    /// A host and perhaps a port.
    Endpoint: HostPort;
}

/// What an endpoint is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostPort {
    /// A DNS name or an address, without brackets.
    pub host: String,
    pub port: Option<u16>,
}

impl HostPort {
    /// The host, where it is an address.
    pub fn address(&self) -> Option<IpAddr> {
        self.host.parse().ok()
    }
}

impl Text for Address {
    const EXAMPLE: &'static str = "10.64.0.10";

    fn pattern() -> String {
        pattern::address()
    }

    fn parse(text: String) -> Result<Self, Refusal> {
        match text.parse() {
            Ok(read) => Ok(Address { text, read }),
            Err(_) => Err(Refusal::new(format!("`{text}` is not an IP address"))),
        }
    }
}

impl Text for Network {
    const EXAMPLE: &'static str = "10.64.0.0/16";

    fn pattern() -> String {
        format!(" *{} *", pattern::cidr())
    }

    fn parse(text: String) -> Result<Self, Refusal> {
        match text.trim().parse() {
            Ok(read) => Ok(Network { text, read }),
            Err(_) => {
                let refusal = Refusal::new(format!("`{text}` is not a network"));
                Err(refusal.help("an address and the length of its prefix: 10.64.0.0/16"))
            }
        }
    }
}

impl Text for Endpoint {
    const EXAMPLE: &'static str = "k8s.example.org:6443";

    fn pattern() -> String {
        let (ipv6, name) = (pattern::ipv6(), pattern::dns_name());
        format!("(?:{name}|\\[{ipv6}\\])(?::[0-9]{{1,5}})?")
    }

    fn parse(text: String) -> Result<Self, Refusal> {
        let read = split_endpoint(&text)
            .filter(|(host, _)| is_host_name(host) || host.parse::<IpAddr>().is_ok())
            .map(|(host, port)| HostPort {
                host: host.to_owned(),
                port,
            });
        if let Some(read) = read {
            return Ok(Endpoint { text, read });
        }
        let refusal = Refusal::new(format!("`{text}` is not an endpoint: expected HOST:PORT"));
        Err(refusal.help(if text.contains("::") {
            "an IPv6 address goes in brackets: [fd00::1]:6443"
        } else {
            "a DNS name or an IP address, and perhaps a port: 10.0.0.1:6443"
        }))
    }
}

written! {
    /// A cluster's DNS domain.
    DnsDomain;
    /// A DNS name of a certificate, perhaps with `*.` before it. An address is taken for one.
    CertificateName;
    /// Which of several load balancers is meant.
    LoadBalancerClass;
}

impl Text for DnsDomain {
    const EXAMPLE: &'static str = "cluster.local";

    fn pattern() -> String {
        pattern::lower_dns_name()
    }

    fn parse(text: String) -> Result<Self, Refusal> {
        if is_lower_dns_name(&text) {
            return Ok(DnsDomain(text.into()));
        }
        Err(Refusal::new(format!(
            "`{text}` is not a lower-case DNS name"
        )))
    }
}

impl Text for CertificateName {
    const EXAMPLE: &'static str = "k8s.example.org";

    fn pattern() -> String {
        format!("(?:(?:\\*\\.)?{}|{})", pattern::dns_name(), pattern::ipv6())
    }

    fn parse(text: String) -> Result<Self, Refusal> {
        let plain = text.strip_prefix("*.").unwrap_or(&text);
        // An IP address is moved to where it belongs.
        if is_host_name(plain) || plain.parse::<IpAddr>().is_ok() {
            return Ok(CertificateName(text.into()));
        }
        Err(Refusal::new(format!("`{text}` is not a DNS name")))
    }
}

impl Text for LoadBalancerClass {
    const EXAMPLE: &'static str = "metallb.io/internal";

    fn pattern() -> String {
        super::LabelKey::pattern()
    }

    fn parse(text: String) -> Result<Self, Refusal> {
        if is_label_key(&text) {
            return Ok(LoadBalancerClass(text.into()));
        }
        Err(Refusal::new(format!(
            "`{text}` is not a class of load balancers, such as metallb.io/internal"
        )))
    }
}

/// A range of addresses, or two of different families: a list, or one text with a comma.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cidrs(pub Vec<IpNet>);

impl Cidrs {
    /// Reads `10.96.0.0/12`, `10.96.0.0/12,fd00::/112`, or a list of them.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn parse(texts: &OneOrMany) -> Result<Cidrs, Refusal> {
        let mut ranges = Vec::new();
        for text in texts.split() {
            let range = text.trim().parse::<IpNet>().map_err(|_| {
                Refusal::new(format!(
                    "`{text}` is not a CIDR; expected one such as 10.96.0.0/12 or fd00:10:96::/112"
                ))
            })?;
            ranges.push(range.trunc());
        }
        match ranges.as_slice() {
            [_, _, _, ..] => Err(Refusal::new("at most two CIDRs, one IPv4 and one IPv6")),
            [first, second] if first.addr().is_ipv4() == second.addr().is_ipv4() => Err(
                Refusal::new("two CIDRs must be of different families, one IPv4 and one IPv6"),
            ),
            _ => Ok(Cidrs(ranges)),
        }
    }
}

impl<'de> Deserialize<'de> for Cidrs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Cidrs::parse(&OneOrMany::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

impl JsonSchema for Cidrs {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Cidrs".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        super::one_or_many(&pattern::cidr(), "10.96.0.0/12")
    }
}
