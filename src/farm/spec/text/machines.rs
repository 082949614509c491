//! The names and addresses by which DHCP recognises a machine, and its lease.

use std::net::Ipv4Addr;

use super::{Text, pattern, texts, written};
use crate::farm::syntax::{
    HostAddress, dnsmasq_field_fault, is_dns_name, is_dnsmasq_mac, is_lease_time, is_mac,
};
use crate::values::Refusal;

written! {
    /// A MAC address as dnsmasq accepts it for a host: octets may be `*`, and a kind of hardware may precede it.
    Mac;
    /// A machine's name.
    HostName;
    /// A DHCP client identifier, without the prefix `id:`, which kubefarm writes.
    ClientId;
    /// How long a lease lasts.
    LeaseTime;
}

impl Mac {
    /// LTSP's name for a machine with this MAC: without the kind of hardware (`06-`), in lower case.
    pub fn ltsp_name(&self) -> String {
        let name = self.to_ascii_lowercase();
        match name.split_once('-') {
            Some((_, mac)) => mac.to_owned(),
            None => name,
        }
    }
}

impl Text for Mac {
    const EXAMPLE: &'static str = "02:00:00:40:01:0a";

    /// dnsmasq(8), --dhcp-host: a kind of hardware may precede it, and octets may be `*`.
    fn pattern() -> String {
        let octet = "(?:[0-9A-Fa-f]{2}|\\*)";
        format!("(?:[0-9A-Fa-f]{{1,2}}-)?(?:{octet}:){{5}}{octet}")
    }

    fn parse(text: String) -> Result<Self, Refusal> {
        if is_dnsmasq_mac(&text) {
            return match fault(&text) {
                Some(fault) => Err(Refusal::new(format!(
                    "no network card has the MAC {text}: {fault}"
                ))),
                None => Ok(Mac(text.into())),
            };
        }
        let refusal = Refusal::new(format!(
            "`{text}` is not a MAC address: six pairs of hexadecimal digits joined by colons"
        ));
        const INFINIBAND: usize = 20;
        let colons = text.replace(['-', '.'], ":").to_ascii_lowercase();
        Err(if text.split(':').count() == INFINIBAND {
            refusal
                .help("those of InfiniBand do not fit into a request; give such a port a clientID")
        } else if is_mac(&colons) {
            refusal.help(format!("write {colons}"))
        } else {
            refusal
        })
    }
}

/// Why no single card can have a MAC (IEEE 802, section 8.2).
fn fault(mac: &str) -> Option<&'static str> {
    let first = u8::from_str_radix(mac.get(..2)?, 16).ok()?;
    let fault = if mac.bytes().all(|byte| matches!(byte, b'0' | b':')) {
        "all zeros means none"
    } else if first & 1 == 1 {
        "with an odd first octet it is the address of a group"
    } else {
        return None;
    };
    is_mac(mac).then_some(fault)
}

texts!(HostAddress);

impl Text for HostAddress {
    const EXAMPLE: &'static str = "10.64.1.11";

    fn pattern() -> String {
        let (ipv4, ipv6) = (pattern::ipv4(), pattern::ipv6());
        let ipv6 = format!("{ipv6}(?:/[0-9]{{1,3}})?");
        format!("(?:{ipv4}|{ipv6}|\\[{ipv6}\\])")
    }

    fn parse(text: String) -> Result<Self, Refusal> {
        text.parse()
            .map_err(|()| Refusal::new(format!("`{text}` is not an IP address")))
    }
}

impl Text for HostName {
    const EXAMPLE: &'static str = "node1";

    /// dnsmasq would read the others as a lease time, an address or a keyword.
    fn pattern() -> String {
        let (ipv4, name) = (pattern::ipv4(), pattern::dns_name());
        format!("(?!(?:localhost|ignore|infinite|deprecated|[0-9]+[smhdwSMHDW]?|{ipv4})$){name}")
    }

    fn parse(text: String) -> Result<Self, Refusal> {
        Err(Refusal::new(if !is_dns_name(&text) {
            format!(
                "`{text}` is not a host name: letters, digits and inner hyphens, in labels of at most 63 characters (RFC 1123)"
            )
        } else if text.eq_ignore_ascii_case("localhost") {
            "every machine is `localhost` to itself".to_owned()
        } else if is_lease_time(&text) || text == "ignore" || text.parse::<Ipv4Addr>().is_ok() {
            format!("dnsmasq would read the host name `{text}` as a lease time, address or keyword")
        } else {
            return Ok(HostName(text.into()));
        }))
    }
}

impl Text for ClientId {
    const SCALARS: &'static [&'static str] = &["number", "boolean"];

    fn pattern() -> String {
        "[^,\"\\\\\\n]+".to_owned()
    }

    fn parse(text: String) -> Result<Self, Refusal> {
        let id = text.strip_prefix("id:").unwrap_or(&text);
        if let Some(fault) = dnsmasq_field_fault(id) {
            let message = format!("a client identifier must not contain {fault}");
            Err(Refusal::new(message))
        } else if id.is_empty() {
            Err(Refusal::new("a client identifier must not be empty"))
        } else if ["set:", "tag:", "net:"]
            .iter()
            .any(|prefix| id.starts_with(prefix))
        {
            let refusal = Refusal::new(format!("`{id}` is not a client identifier, but a tag"));
            Err(refusal.help("tags go into the pool's `tags`"))
        } else {
            Ok(ClientId(id.into()))
        }
    }
}

impl Text for LeaseTime {
    const EXAMPLE: &'static str = "12h";
    const SCALARS: &'static [&'static str] = &["number"];

    fn pattern() -> String {
        "infinite|[0-9]+[smhdwSMHDW]?".to_owned()
    }

    fn parse(text: String) -> Result<Self, Refusal> {
        // `deprecated` is a word of ranges; with a host it would be its name (dnsmasq(8), --dhcp-host).
        if is_lease_time(&text) && text != "deprecated" {
            return Ok(LeaseTime(text.into()));
        }
        Err(Refusal::new(format!(
            "`{text}` is not a lease time: seconds, a number with s, m, h, d or w, or `infinite`"
        )))
    }
}
