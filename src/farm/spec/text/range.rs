//! Ranges in the syntax of dnsmasq's `--dhcp-range` (dnsmasq(8)):
//!
//! ```text
//! [tag:TAG,…][set:TAG,]FIRST[,LAST|static|proxy][,NETMASK[,BROADCAST]][,LEASE]
//! [tag:TAG,…][set:TAG,]FIRST6[,LAST6][,MODE|static|constructor:INTERFACE…][,PREFIX-LENGTH][,LEASE]
//! ```

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::{Text, both, pattern};
use crate::farm::syntax::{
    HostAddress, dnsmasq_field_fault, dnsmasq_value_fault, is_lease_time, is_tag, netmask_prefix,
};
use crate::values::Refusal;

both! {
    /// A pool's own range, whose tag to set is the release's.
    DhcpRange: Range;
}

impl Text for DhcpRange {
    const EXAMPLE: &'static str = "10.64.0.0,static,255.255.0.0,10.64.255.255,infinite";

    /// Tags, the first address, and at least one field more.
    fn pattern() -> String {
        let address = pattern::address();
        format!("(?: *(?:tag|set):[^,]+,)* *{address} *(?:,[^,]+)+")
    }

    fn parse(text: String) -> Result<Self, Refusal> {
        if text.chars().any(char::is_control) {
            return Err(Refusal::new(
                "a line break or control character in a range would become configuration of its own",
            ));
        }
        if let Some(fault) = dnsmasq_value_fault(&text) {
            return Err(Refusal::new(fault));
        }
        let mut fields = text.split(',').map(str::trim);
        if let Some(field) = fields.find(|field| field.starts_with("set:")) {
            let refusal = Refusal::new(format!("`{field}` is not allowed in a range"));
            return Err(refusal.help("the release's own tag is set on every range"));
        }
        if text.contains('?') {
            return Err(Refusal::new(
                "`?` stands for the release's tag in extraOpts alone",
            ));
        }
        let read = Range::parse(&text)?;
        Ok(DhcpRange { text, read })
    }
}

/// A range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Range {
    place: Place,
    pub kind: Kind,
    /// The first and the last address.
    ends: (IpAddr, IpAddr),
    /// Whether it contains its network; otherwise dnsmasq uses that of its interface, or guesses.
    says_network: bool,
}

/// Where a range's addresses are.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    /// Addresses of this network.
    Of(IpNet),
    /// IPv6 addresses of networks that only the server knows.
    Any6,
}

/// Which machines a range serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `static`: machines that are listed.
    Listed,
    /// Every machine.
    Dynamic,
    /// `proxy`: machines that have their addresses from another server.
    Proxy,
}

impl Range {
    /// Reads a range; `?` stands for the release's tag.
    ///
    /// # Errors
    /// What dnsmasq would not accept.
    pub fn parse(text: &str) -> Result<Range, Refusal> {
        parse(text).map_err(|fault| Refusal::new(fault).help(help(text)))
    }

    /// Whether it is about IPv4.
    pub fn is_ipv4(&self) -> bool {
        matches!(self.place, Place::Of(IpNet::V4(_)))
    }

    /// The network, if the range contains it.
    pub fn network(&self) -> Option<IpNet> {
        match self.place {
            Place::Of(network) if self.says_network => Some(network),
            _ => None,
        }
    }

    /// Whether `address` is leased to any machine.
    pub fn leases(&self, address: IpAddr) -> bool {
        let (first, last) = self.ends;
        self.is_for_any_machine() && first <= address && address <= last
    }

    /// Whether both lease some addresses to any machine.
    pub fn shares_leases(&self, other: &Range) -> bool {
        let both = self.is_for_any_machine() && other.is_for_any_machine();
        both && (self.leases(other.ends.0) || other.leases(self.ends.0))
    }

    /// The first and the last address that are leased to any machine; `None` where only listed machines get one.
    pub fn leased(&self) -> Option<(IpAddr, IpAddr)> {
        self.is_for_any_machine().then_some(self.ends)
    }

    fn is_for_any_machine(&self) -> bool {
        self.kind == Kind::Dynamic && self.place != Place::Any6
    }

    /// Whether dnsmasq may give `address` to a host.
    pub fn may_hold(&self, address: &HostAddress) -> bool {
        match self.place {
            Place::Of(network) if address.is_host_part() => network.prefix_len() == 64,
            Place::Of(network) => network.contains(&address.ip),
            Place::Any6 => address.ip.is_ipv6(),
        }
    }
}

/// The modes of router advertisements for an IPv6 range, except `off-link`, which can be combined with each of them.
const RA_MODES: [&str; 5] = [
    "ra-only",
    "slaac",
    "ra-names",
    "ra-advrouter",
    "ra-stateless",
];

/// The help for a text that is not a range.
fn help(text: &str) -> String {
    let network = text
        .split(',')
        .find_map(|field| field.trim().parse::<IpNet>().ok());
    match network.map(|network| network.trunc()) {
        Some(IpNet::V4(network)) => format!(
            "write {},static,{},{},infinite",
            network.network(),
            network.netmask(),
            network.broadcast()
        ),
        Some(IpNet::V6(network)) => format!(
            "write {},static,{},infinite",
            network.network(),
            network.prefix_len()
        ),
        None if text.contains("::") => {
            "FIRST, then LAST, static, constructor:INTERFACE or ra-…, then PREFIX-LENGTH,LEASE-TIME"
                .to_owned()
        }
        None => "FIRST,LAST or FIRST,static, then NETMASK,BROADCAST,LEASE-TIME".to_owned(),
    }
}

fn parse(text: &str) -> Result<Range, String> {
    let mut fields = text.split(',').map(str::trim).peekable();
    let mut set = false;
    while let Some(field) = fields.peek() {
        let is_named = match field.split_once(':') {
            Some(("tag", tag)) => is_asked(tag),
            Some(("set", tag)) if !std::mem::replace(&mut set, true) => is_tag(tag) || tag == "?",
            Some(("set", _)) => return Err(format!("`{field}` is a second tag to set")),
            _ => break,
        };
        if !is_named {
            return Err(format!("`{field}` is not the name of a tag"));
        }
        fields.next();
    }
    let first = fields.next().unwrap_or_default();
    let rest: Vec<&str> = fields.collect();
    match first.parse() {
        Err(_) => Err(format!("expected the first address, found `{first}`")),
        Ok(_) if rest.is_empty() => Err(format!(
            "{first} alone is not a range: a last address or a word such as `static` has to follow"
        )),
        Ok(address) => Ok(Range {
            kind: kind(&rest),
            ends: (address, last(&rest).unwrap_or(address)),
            says_network: address.is_ipv6() || dotted(rest.get(1..).unwrap_or_default()).is_some(),
            place: match address {
                IpAddr::V4(first) => range4(first, &rest)?,
                IpAddr::V6(first) => range6(first, &rest)?,
            },
        }),
    }
}

fn kind(fields: &[&str]) -> Kind {
    match fields {
        fields if fields.contains(&"static") => Kind::Listed,
        ["proxy", ..] => Kind::Proxy,
        _ => Kind::Dynamic,
    }
}

/// The last address, in the fields after the first one.
fn last(fields: &[&str]) -> Option<IpAddr> {
    fields.first()?.parse().ok()
}

fn is_asked(tag: &str) -> bool {
    let tag = tag.strip_prefix('!').unwrap_or(tag);
    is_tag(tag) || tag == "?"
}

fn range4(first: Ipv4Addr, fields: &[&str]) -> Result<Place, String> {
    let (mode, mut rest) = fields.split_first().unwrap_or((&"", &[]));
    let last = match (*mode, mode.parse::<Ipv4Addr>()) {
        ("static" | "proxy", _) => first,
        (_, Ok(last)) => last,
        (other, Err(_)) => {
            return Err(format!(
                "expected the last IPv4 address, `static` or `proxy`, found `{other}`"
            ));
        }
    };
    // Of a network that it cannot see, dnsmasq guesses the netmask by its class (dnsmasq(8)).
    let mut prefix = match first.octets()[0] {
        0..128 => 8,
        128..192 => 16,
        _ => 24,
    };
    if let Some((mask, after)) = dotted(rest) {
        prefix = netmask_prefix(mask).ok_or_else(|| format!("`{mask}` is not a netmask"))?;
        rest = after;
        let network = Ipv4Net::new(first, prefix).map_err(|error| error.to_string())?;
        if !network.contains(&last) {
            return Err(format!(
                "{first} and {last} are in two networks by the netmask {mask}"
            ));
        }
        rest = dotted(rest).map_or(rest, |(_, after)| after);
    }
    lease(rest)?;
    let network = Ipv4Net::new(first, prefix).map_err(|error| error.to_string())?;
    Ok(Place::Of(network.trunc().into()))
}

/// An IPv4 address at the start, and what follows it.
fn dotted<'a, 'b>(fields: &'a [&'b str]) -> Option<(Ipv4Addr, &'a [&'b str])> {
    let (field, rest) = fields.split_first()?;
    Some((field.parse().ok()?, rest))
}

fn range6(first: Ipv6Addr, fields: &[&str]) -> Result<Place, String> {
    let (last, rest) = match fields
        .split_first()
        .map(|(last, rest)| (last.parse(), rest))
    {
        Some((Ok(last), rest)) => (last, rest),
        _ => (first, fields),
    };
    let Words {
        announced,
        constructed,
        mut rest,
    } = words(rest)?;
    let mut length = 64;
    if let Some((field, after)) = rest.split_first()
        && let Ok(found) = field.parse::<u8>()
        && found <= 128
    {
        (length, rest) = (found, after);
    }
    lease(rest)?;
    if length < 64 || (length > 64 && (announced || constructed)) {
        let needed = if length < 64 { "at least" } else { "exactly" };
        return Err(format!(
            "the prefix length {length} has to be {needed} 64 here"
        ));
    }
    let network = Ipv6Net::new(first, length).map_err(|error| error.to_string())?;
    if !network.contains(&last) {
        return Err(format!(
            "{first} and {last} are in two networks of /{length}"
        ));
    }
    if constructed && !network.contains(&Ipv6Addr::UNSPECIFIED) {
        return Err(format!(
            "{first} has to begin with zeros, which `constructor:` puts the interface's prefix for"
        ));
    }
    // `::` alone is any network of any interface (dnsmasq(8), --dhcp-range=::,…).
    if constructed || first.is_unspecified() {
        Ok(Place::Any6)
    } else {
        Ok(Place::Of(network.trunc().into()))
    }
}

/// The meaning of the words of an IPv6 range, and the fields after them.
struct Words<'a, 'b> {
    announced: bool,
    constructed: bool,
    rest: &'a [&'b str],
}

fn words<'a, 'b>(fields: &'a [&'b str]) -> Result<Words<'a, 'b>, String> {
    let mut words = Words {
        announced: false,
        constructed: false,
        rest: fields,
    };
    while let Some((field, after)) = words.rest.split_first() {
        if let Some(interface) = field.strip_prefix("constructor:") {
            words.constructed = true;
            if interface.is_empty() || dnsmasq_field_fault(interface).is_some() {
                return Err(format!("`{field}` is not the name of an interface"));
            }
        } else if RA_MODES.contains(field) {
            words.announced = true;
        } else if !matches!(*field, "static" | "off-link") {
            break;
        }
        words.rest = after;
    }
    Ok(words)
}

/// The lease time at the end. An empty field there is ignored.
fn lease(fields: &[&str]) -> Result<(), String> {
    match fields {
        [] | [""] => Ok(()),
        [time] if is_lease_time(time) => Ok(()),
        [first, ..] => Err(format!("dnsmasq has no `{first}` at that place of a range")),
    }
}

#[cfg(test)]
mod tests;
