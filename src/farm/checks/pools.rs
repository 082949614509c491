//! Node pools: whether their nodes get addresses and a router, and whether tags and settings match.

use std::collections::BTreeSet;

use super::tags::{defined, is_given_otherwise};
use crate::farm::boot::split_section;
use crate::farm::findings::Findings;
use crate::farm::spec::{DhcpOptionValue, DhcpRange, NodePool, RangeKind, Values};
use crate::farm::syntax::is_tag;
use crate::values::{Path, Problem, Segment, Value, nearest};

/// Checks the farm's own pools. The release has a tag of its own.
pub fn check(values: &Values, release_tag: &str, findings: &mut Findings) {
    without_range(values, findings);
    for (step, pool) in values.node_pools.own() {
        tags_twice(step, pool, findings);
        router(values, step, pool, findings);
    }
    unused_settings(values, release_tag, findings);
}

/// dnsmasq leases only addresses in its ranges, also to listed nodes (dnsmasq(8), --dhcp-range).
fn without_range(values: &Values, findings: &mut Findings) {
    let mut pools = values.node_pools.own();
    let has_nodes = pools.any(|(_, pool)| !pool.nodes.is_empty());
    let path = Path::from("nodePools");
    let has_range = values.node_pools.ranges().next().is_some();
    if has_nodes && !has_range && !findings.is_wrong_inside(&path) {
        let problem =
            Problem::warning("no pool has a range, so DHCP gives none of these nodes an address");
        let help = "add one: range: 10.64.0.0,static,255.255.0.0,10.64.255.255,infinite; \
                    unless another release serves them";
        findings.record(&path, problem.help(help));
    }
}

fn tags_twice(step: &Segment, pool: &NodePool, findings: &mut Findings) {
    let path = Path::from("nodePools").join(step.clone()).join("tags");
    let mut seen = BTreeSet::new();
    for (index, tag) in pool.tags.iter().enumerate() {
        if !seen.insert(tag) {
            let message = format!("this pool has the tag `{tag}` already");
            findings.warning(&path.join(index), message);
        }
    }
}

/// Nodes with DHCP options but without a router: dnsmasq then gives its own address, or that of the relay (dnsmasq(8),
/// --dhcp-option).
fn router(values: &Values, step: &Segment, pool: &NodePool, findings: &mut Findings) {
    let range = pool.range.as_ref().map(DhcpRange::read);
    if !range.is_some_and(|range| range.is_ipv4() && range.kind != RangeKind::Proxy) {
        return;
    }
    let is_told = |tag: &str| tag == "all" || pool.tags.iter().any(|own| *own == *tag);
    let options = values.tags.options().filter(|(tag, ..)| is_told(tag));
    let options: Vec<&DhcpOptionValue> = options.map(|(.., option)| option).collect();
    let has_ipv4 = options
        .iter()
        .any(|option| !option.key.starts_with("option6:"));
    // An option for some of the nodes, in a line of the user's own.
    let in_lines = pool.lines().any(|(key, _)| key.starts_with("dhcp-option"));
    let has_router = options.iter().any(|option| option.is(3, "router"));
    if has_ipv4 && !in_lines && !has_router {
        let problem = Problem::warning(
            "no router is set for these nodes: dnsmasq gives its own address, or that of the relay",
        );
        let help = "set tags.dhcpOptions.all.router; [] means that there is none";
        let path = Path::from("nodePools").join(step.clone()).join("range");
        findings.record(&path, problem.help(help));
    }
}

/// Settings for a tag that no pool has.
fn unused_settings(values: &Values, release_tag: &str, findings: &mut Findings) {
    let own = || values.node_pools.own().map(|(_, pool)| pool);
    let of_pools: BTreeSet<&str> = own()
        .flat_map(|pool| &pool.tags)
        .map(|tag| &**tag)
        .collect();
    if own().next().is_none() {
        return;
    }
    let lines = own().flat_map(NodePool::lines);
    let set_by_lines: BTreeSet<&str> = lines
        .flat_map(|(_, line)| line.fields())
        .filter_map(|field| field.strip_prefix("set:"))
        .collect();
    let sections = values.ltsp.config.sections.values();
    let included: BTreeSet<String> = sections
        .flat_map(|text| split_section(text).0)
        .flat_map(|names| {
            names
                .split_whitespace()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        })
        .filter_map(|name| name.strip_prefix("tag_").map(str::to_owned))
        .collect();
    for (tag, path) in defined(&values.tags) {
        let is_met = tag == "all"
            || of_pools.contains(tag)
            || set_by_lines.contains(tag)
            || included.contains(tag)
            || is_given_otherwise(tag, release_tag);
        // The charts' own settings need not be used.
        let is_nothing = findings
            .node(&path)
            .is_none_or(|node| node.value == Value::Null);
        if is_met || is_nothing || !is_tag(tag) || findings.is_default(&path) {
            continue;
        }
        let problem = Problem::warning(format!("no pool has the tag `{tag}`"));
        let help = match nearest(tag, of_pools.iter().copied().chain(["all"])) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "add it to the `tags` of a pool".to_owned(),
        };
        findings.record_key(&path, problem.help(help));
    }
}
