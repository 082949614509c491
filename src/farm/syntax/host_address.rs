//! Addresses of nodes.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

use ipnet::IpNet;

/// An address of a node, as dnsmasq accepts it for a host (dnsmasq(8), --dhcp-host): `10.64.1.11`, `[fd00::11]`,
/// `[fd00::50/126]` for four addresses of which each of its identifiers gets one, and `[::11]` for 11 in the network of
/// any range. Brackets are optional.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct HostAddress {
    pub ip: IpAddr,
    /// The prefix length, if it stands for several addresses.
    length: Option<u8>,
}

impl HostAddress {
    /// Whether it has no network of its own.
    pub fn is_host_part(&self) -> bool {
        matches!(self.ip, IpAddr::V6(ip) if u128::from(ip) >> 64 == 0)
    }

    /// All addresses that it stands for; `None` where they depend on a range.
    pub fn network(&self) -> Option<IpNet> {
        let whole = IpNet::from(self.ip);
        let length = self.length.unwrap_or(whole.prefix_len());
        let network = IpNet::new(self.ip, length).ok()?;
        (!self.is_host_part()).then_some(network)
    }
}

impl FromStr for HostAddress {
    type Err = ();

    fn from_str(text: &str) -> Result<HostAddress, ()> {
        if let Ok(ip) = text.parse() {
            return Ok(HostAddress { ip, length: None });
        }
        let inner = text
            .strip_prefix('[')
            .and_then(|text| text.strip_suffix(']'));
        let inner = inner.unwrap_or(text);
        let (ip, length) = match inner.split_once('/') {
            Some((ip, length)) => (ip, Some(length.parse::<u8>().map_err(|_| ())?)),
            None => (inner, None),
        };
        let ip: Ipv6Addr = ip.parse().map_err(|_| ())?;
        // dnsmasq looks at the last 64 bits.
        let fits = length.is_none_or(|length| {
            let bits = u128::from(ip);
            (65..=128).contains(&length) && bits.checked_shl(length.into()).unwrap_or(0) == 0
        });
        let ip = ip.into();
        fits.then_some(HostAddress { ip, length }).ok_or(())
    }
}

impl fmt::Display for HostAddress {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match (self.ip, self.length) {
            (IpAddr::V4(ip), _) => write!(f, "{ip}"),
            (IpAddr::V6(ip), None) => write!(f, "[{ip}]"),
            (IpAddr::V6(ip), Some(length)) => write!(f, "[{ip}/{length}]"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_written_as_dnsmasq_takes_them() {
        for (text, written) in [
            ("10.64.1.11", "10.64.1.11"),
            ("fd00:0::11", "[fd00::11]"),
            ("[fd00::11]", "[fd00::11]"),
            ("[::11]", "[::11]"),
            ("[fd00::50/124]", "[fd00::50/124]"),
            ("fd00::50/128", "[fd00::50/128]"),
        ] {
            let address = text.parse().map(|address: HostAddress| address.to_string());
            assert_eq!(address.as_deref(), Ok(written), "{text}");
        }
        for text in [
            "",
            "10.64.1.300",
            "[10.64.1.11]",
            "10.64.1.0/24",
            "[fd00::51/124]",
            "[fd00::/64]",
            "[fd00::/129]",
            "[fd00::11",
            "fd00::11]",
            "[fd00::/]",
            "n1",
        ] {
            assert_eq!(text.parse::<HostAddress>(), Err(()), "{text}");
        }
    }
}
