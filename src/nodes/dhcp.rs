//! What DHCP gives one node: its line, its ranges, and the options that apply to it.
//!
//! dnsmasq chooses by tags (dnsmasq(8), --dhcp-option, --tag-if). A node has those of its line and of its ranges from
//! the start. Others follow from its request, such as the firmware's: an option that depends on those is shown with
//! them.

use std::collections::BTreeSet;

use super::listed::Listed;
use crate::farm::dhcp::{DhcpHost, DhcpOption, DnsmasqOption, Leases};
use crate::farm::spec::{Range, RangeKind};

/// The tag that dnsmasq sets for a listed machine, and those that it sets by the request.
const OF_LISTED: &str = "known";
const OF_REQUESTS: [&str; 3] = ["bootp", "dhcpv6", "known-othernet"];

/// What a node gets from DHCP.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Granted {
    /// Its line, as dnsmasq reads it; `None` for a node of another farm, of which this farm's server knows nothing.
    pub host: Option<String>,
    /// The tags that it has whatever it requests.
    pub tags: Vec<String>,
    /// Further lines that apply: the ranges that may hold its addresses, and the pools' own.
    pub lines: Vec<GrantedLine>,
    pub options: Vec<GrantedOption>,
}

/// A line of dnsmasq's configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantedLine {
    pub text: String,
    pub needs: Vec<String>,
}

/// An option that a node gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantedOption {
    /// `option:router`, or a number.
    pub key: String,
    pub values: Vec<String>,
    /// The tags of a request that it depends on: `iPXE`, `!iPXE`.
    pub needs: Vec<String>,
}

/// What a node gets, by the farm's leases.
pub fn granted(leases: &Leases, node: &Listed<'_>) -> Granted {
    let mut hosts = leases.hosts.iter().flat_map(|part| part.hosts.iter());
    let host = hosts.find(|host| is_of(host, node));
    let fields = |host: &DhcpHost| host.fields().collect::<Vec<_>>().join(",");
    let is_served = host.is_some_and(|host| host.lease_time().is_some());
    let line = host.map(|host| format!("dhcp-host={}", fields(host)));
    if !is_served {
        return Granted {
            host: line,
            ..Granted::default()
        };
    }
    let mut tags = Tags::of(leases, host);
    // dnsmasq knows the range before it looks at conditions, and those before anything that asks for a tag.
    let mut lines: Vec<&DnsmasqOption> = leases.pool_options.iter().collect();
    lines.sort_by_key(|line| match line.key.as_str() {
        "dhcp-range" => 0,
        "tag-if" => 1,
        _ => 2,
    });
    let lines = lines.into_iter();
    let lines = lines.filter_map(|line| tags.line(line, node)).collect();
    let options = [
        &leases.boot_options,
        &leases.address_options,
        &leases.published_options,
        &leases.tag_options,
    ];
    let options = options.into_iter().flatten();
    Granted {
        host: line,
        options: options.filter_map(|option| tags.option(option)).collect(),
        tags: tags.set.into_iter().collect(),
        lines,
    }
}

fn is_of(host: &DhcpHost, node: &Listed<'_>) -> bool {
    let macs = node.machine.macs().map(|mac| &**mac);
    let name = node.machine.name.as_deref();
    host.macs().eq(macs)
        && host.client_id() == node.machine.client_id.as_deref()
        && (host.hostname() == name || host.lease_time().is_none())
}

/// The tags of a node's request: those that are set in any case, and those that may be.
struct Tags {
    set: BTreeSet<String>,
    possible: BTreeSet<String>,
}

impl Tags {
    fn of(leases: &Leases, host: Option<&DhcpHost>) -> Tags {
        let own = host.into_iter().flat_map(DhcpHost::set_tags);
        let set = own.chain([OF_LISTED]).map(str::to_owned).collect();
        let mut possible: BTreeSet<String> = OF_REQUESTS.map(str::to_owned).into();
        for line in leases.matchers.iter().chain(&leases.pool_options) {
            let is_decided = matches!(line.key.as_str(), "dhcp-range" | "tag-if");
            possible.extend(sets(line).filter(|_| !is_decided).map(str::to_owned));
        }
        Tags { set, possible }
    }

    /// The tags of a request that these conditions need; `None` where they cannot be met.
    fn needs<'a>(&self, conditions: impl Iterator<Item = &'a str>) -> Option<Vec<String>> {
        let mut needs = Vec::new();
        for condition in conditions {
            let (tag, is_wanted) = match condition.strip_prefix('!') {
                Some(tag) => (tag, false),
                None => (condition, true),
            };
            let is_set = self.set.contains(tag);
            if !is_set && self.possible.contains(tag) {
                needs.push(condition.to_owned());
            } else if is_set != is_wanted {
                return None;
            }
        }
        Some(needs)
    }

    fn option(&self, option: &DhcpOption) -> Option<GrantedOption> {
        let needs = self.needs(option.tags.iter().map(String::as_str))?;
        Some(GrantedOption {
            key: option.key.clone(),
            values: option.values.clone(),
            needs,
        })
    }

    /// A pool's line, if it applies; what it sets counts for the lines behind it.
    fn line(&mut self, line: &DnsmasqOption, node: &Listed<'_>) -> Option<GrantedLine> {
        let text = line.values.join(",");
        if line.key == "dhcp-range" && !may_hold(&text, node) {
            return None;
        }
        let asked = line.values.iter();
        let needs = self.needs(asked.filter_map(|value| value.strip_prefix("tag:")))?;
        if matches!(line.key.as_str(), "dhcp-range" | "tag-if") {
            let known = if needs.is_empty() {
                &mut self.set
            } else {
                &mut self.possible
            };
            known.extend(sets(line).map(str::to_owned));
        }
        // These are about other machines, or about all.
        let is_shown = !matches!(line.key.as_str(), "dhcp-host" | "tag-if");
        is_shown.then(|| GrantedLine {
            text: format!("{}={text}", line.key),
            needs,
        })
    }
}

fn sets(line: &DnsmasqOption) -> impl Iterator<Item = &str> {
    let values = line.values.iter();
    values.filter_map(|value| value.strip_prefix("set:"))
}

/// Whether a range may hold an address of a node, or gives one to a node that has none.
fn may_hold(range: &str, node: &Listed<'_>) -> bool {
    let Ok(range) = Range::parse(range) else {
        return false;
    };
    let mut addresses = node.machine.addresses();
    let mut own = addresses
        .clone()
        .filter(|address| address.ip.is_ipv4() == range.is_ipv4());
    let has_none = own.next().is_none();
    addresses.any(|address| range.may_hold(address))
        || (has_none && range.kind == RangeKind::Dynamic)
}
