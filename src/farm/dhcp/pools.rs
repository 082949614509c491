//! Ranges and extra options of node pools, and the settings of the farm's own server that follow from them.

use serde_json::Value;

use super::DnsmasqOption;
use super::hosts::LISTED;
use crate::farm::spec::{DhcpMode, Flags, Line, NodePools, Range, RangeKind as Kind, Values};

/// The tag of every machine with an address from another server, by the range of any farm.
pub const PROXIED: &str = "proxy-dhcp";

/// Lines about the pools.
///
/// A machine has the tag of one release: a node that of the release that lists it, any other machine that of the
/// release with the range of its address. So two farms may have ranges in the same network, on one server.
pub fn options(pools: &NodePools, release: &str) -> Vec<DnsmasqOption> {
    let [leased, proxied] = range_tags(release);
    let mut options = Vec::new();
    for (_, pool) in pools.own() {
        if let Some(range) = &pool.range {
            let is_proxy = range.read().kind == Kind::Proxy;
            let tag = if is_proxy { &proxied } else { &leased };
            let fields = [format!("set:{tag}")].into_iter().chain(fields(range));
            options.push(DnsmasqOption {
                key: "dhcp-range".to_owned(),
                values: fields.collect(),
            });
        }
        let lines = pool.lines();
        options.extend(lines.map(|(key, line)| further(key, line, release)));
    }
    let sets = |tag: &str| {
        let set = format!("set:{tag}");
        let mut ranges = options.iter().filter(|option| option.key == "dhcp-range");
        ranges.any(|range| range.values.contains(&set))
    };
    let unlisted = format!("!{LISTED}");
    let conditions = [
        (&leased, tag_if(release, &[&leased, &unlisted])),
        (&proxied, tag_if(release, &[&proxied, &unlisted])),
        (&proxied, tag_if(PROXIED, &[&proxied])),
    ];
    let conditions = conditions.into_iter().filter(|(tag, _)| sets(tag));
    // Before the user's, which may require these tags: dnsmasq evaluates them once, in order.
    let conditions: Vec<DnsmasqOption> = conditions.map(|(_, condition)| condition).collect();
    [conditions, options].concat()
}

/// The tags of ranges: those that lease addresses, and those of `proxy`.
fn range_tags(release: &str) -> [String; 2] {
    ["range", "proxy"].map(|kind| format!("{release}-{kind}"))
}

/// Whether machines of a pool have their addresses from another server.
pub fn has_proxy(pools: &NodePools) -> bool {
    pools.ranges().any(|range| range.kind == Kind::Proxy)
}

fn tag_if(set: &str, asked: &[&str]) -> DnsmasqOption {
    let asked = asked.iter().map(|tag| format!("tag:{tag}"));
    DnsmasqOption {
        key: "tag-if".to_owned(),
        values: [format!("set:{set}")].into_iter().chain(asked).collect(),
    }
}

/// Makes dnsmasq recognise unknown machines by MAC only: firmware, initrd and system of one machine have different
/// client identifiers, and each would get an address (dnsmasq(8), --dhcp-host, `id:*`). Nodes that are listed by MAC or
/// identifier match first. Nodes that are listed by name only do not, so the line is left out if there are any.
pub fn by_mac(values: &Values) -> Option<DnsmasqOption> {
    let pools = &values.node_pools;
    let mut kinds = kinds(pools).into_iter();
    let is_needed = kinds.any(|kind| kind == Kind::Dynamic) && !ignores_client_ids(values);
    let mut nodes = pools.own().flat_map(|(_, pool)| &pool.nodes);
    let has_names = nodes.any(|node| node.mac.is_none() && node.client_id.is_none());
    let line = || DnsmasqOption::new("dhcp-host", &["*:*:*:*:*:*", "id:*"]);
    (is_needed && !has_names).then(line)
}

/// An extra option of a pool. Hosts and ranges among them get the release's tags.
fn further(key: &str, line: &Line, release: &str) -> DnsmasqOption {
    let [leased, proxied] = range_tags(release);
    let range = line.range();
    let is_proxy = range.is_some_and(|range| range.kind == Kind::Proxy);
    let of_range = if is_proxy { proxied } else { leased };
    let in_tag = |field: &str| match field {
        "set:?" if range.is_some() => format!("set:{of_range}"),
        "?" => release.to_owned(),
        tag if tag.starts_with("tag:") || tag.starts_with("set:") => tag.replace('?', release),
        other => other.to_owned(),
    };
    let mut values: Vec<String> = line.fields().map(in_tag).collect();
    let own = [release, LISTED].map(|tag| format!("set:{tag}"));
    let is_node = key == "dhcp-host" && !values.iter().any(|value| value == "ignore");
    let own = own.into_iter().filter(|_| is_node);
    let own: Vec<String> = own.filter(|tag| !values.contains(tag)).collect();
    values.extend(own);
    DnsmasqOption {
        key: key.to_owned(),
        values,
    }
}

fn fields(text: &str) -> impl Iterator<Item = String> {
    text.split(',').map(|field| field.trim().to_owned())
}

/// Lines for the farm's own server: those that follow from its nodes and ranges, and the user's flags.
pub fn server_settings(values: &Values) -> Vec<DnsmasqOption> {
    let pools = &values.node_pools;
    let mut settings = Vec::new();
    if only_listed(pools) {
        // Unknown machines get no answer, not even a refusal: they belong to another server.
        let unknown = ["tag:!known", "tag:!dhcpv6"];
        settings.push(DnsmasqOption::new("dhcp-ignore", &unknown));
    }
    if ignores_client_ids(values) {
        settings.push(DnsmasqOption::new("dhcp-ignore-clid", &[]));
    }
    settings.extend(flags(&values.dhcp.standalone.extra_args));
    settings
}

/// Whether there are IPv4 ranges, all of them for listed nodes.
fn only_listed(pools: &NodePools) -> bool {
    let kinds = kinds(pools);
    !kinds.is_empty() && kinds.iter().all(|kind| *kind == Kind::Listed)
}

/// The kinds of the IPv4 ranges.
fn kinds(pools: &NodePools) -> Vec<Kind> {
    let ranges = pools.ranges().filter(Range::is_ipv4);
    ranges.map(|range| range.kind).collect()
}

/// Whether the server can recognise all machines by MAC only: it is the farm's own, and no node has an identifier.
fn ignores_client_ids(values: &Values) -> bool {
    let has_one = values.node_pools.0.iter().any(|(_, pool)| {
        let mut hosts = pool.lines().filter(|(key, _)| *key == "dhcp-host");
        pool.nodes.iter().any(|node| node.client_id.is_some())
            || hosts.any(|(_, line)| line.fields().any(|field| field.contains("id:")))
    });
    values.dhcp.mode == DhcpMode::Standalone && !has_one
}

/// Flags as lines: `true` is a flag without a value, `false` and null leave it out, a list repeats it.
fn flags(flags: &Flags) -> impl Iterator<Item = DnsmasqOption> {
    flags.iter().flat_map(|(flag, value)| {
        let values = match value {
            Value::Array(values) => values.as_slice(),
            value => std::slice::from_ref(value),
        };
        values.iter().filter_map(|value| {
            let values = match value {
                Value::Null | Value::Bool(false) => return None,
                Value::Bool(true) => Vec::new(),
                Value::String(text) => fields(text).collect(),
                other => vec![other.to_string()],
            };
            let key = flag.clone();
            Some(DnsmasqOption { key, values })
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lines for `key` of a server whose pools have these ranges.
    fn lines(key: &str, pools: serde_json::Value) -> Vec<String> {
        let pools = serde_json::from_value(pools).expect("pools");
        let found = options(&pools, "farm").into_iter();
        let found = found.filter(|option| option.key == key);
        found.map(|option| option.values.join(",")).collect()
    }

    #[test]
    fn the_farms_tag_stands_in_tags_and_alone_and_nowhere_else() {
        let url = "http://10.0.0.1/boot.ipxe?mac=x";
        let pools = serde_json::json!([{"extraOpts": [
            {"dhcp-boot": format!("tag:?,tag:!?,{url}")}, {"dhcp-mac": "set:?,?"},
        ]}]);
        let expected = format!("tag:farm,tag:!farm,{url}");
        assert_eq!(lines("dhcp-boot", pools.clone()), [expected]);
        assert_eq!(lines("dhcp-mac", pools), ["set:farm,farm"]);
    }

    #[test]
    fn further_ranges_tag_unknown_machines_as_the_pools_ranges_do() {
        let pools = serde_json::json!([{"extraOpts": [
            {"tag-if": "set:x,tag:?"}, {"dhcp-range": "set:?,tag:port,10.0.0.1,10.0.0.9"},
            {"dhcp-range": "set:?,10.1.0.0,proxy"}, {"dhcp-range": "set:mine,10.2.0.1,10.2.0.9"},
        ]}]);
        let ranges = [
            "set:farm-range,tag:port,10.0.0.1,10.0.0.9",
            "set:farm-proxy,10.1.0.0,proxy",
            "set:mine,10.2.0.1,10.2.0.9",
        ];
        assert_eq!(lines("dhcp-range", pools.clone()), ranges);
        let conditions = [
            "set:farm,tag:farm-range,tag:!listed",
            "set:farm,tag:farm-proxy,tag:!listed",
            "set:proxy-dhcp,tag:farm-proxy",
            "set:x,tag:farm",
        ];
        assert_eq!(lines("tag-if", pools), conditions);
    }

    #[test]
    fn further_hosts_are_the_farms_nodes_and_ignored_ones_are_not() {
        let pools = serde_json::json!([{"extraOpts": [
            {"dhcp-host": "02:00:00:00:00:01,10.0.0.9"}, {"dhcp-host": "02:00:00:00:00:02,set:?"},
            {"dhcp-host": "02:00:00:00:00:03,ignore"},
        ]}]);
        let expected = [
            "02:00:00:00:00:01,10.0.0.9,set:farm,set:listed",
            "02:00:00:00:00:02,set:farm,set:listed",
            "02:00:00:00:00:03,ignore",
        ];
        assert_eq!(lines("dhcp-host", pools), expected);
    }

    #[test]
    fn only_static_ranges_are_for_listed_nodes_only() {
        for (ranges, expected) in [
            (&["10.0.0.0,static"] as &[&str], true),
            (&["10.0.0.0,static", "tag:x,10.1.0.0,static,1h"], true),
            (&["10.0.0.0,static", "::,ra-only", "fd00::1,fd00::9"], true),
            (&["10.0.0.0,static", "10.1.0.1,10.1.0.9"], false),
            (&["10.0.0.0,proxy"], false),
            (&["fd00::,static"], false),
            (&[], false),
        ] {
            let pools: Vec<_> = ranges
                .iter()
                .map(|range| serde_json::json!({"range": range}))
                .collect();
            let pools = serde_json::from_value(pools.into()).expect("pools");
            assert_eq!(only_listed(&pools), expected, "{ranges:?}");
        }
    }
}
