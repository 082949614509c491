//! Tags: their names, their use, and their labels and taints.

use std::collections::{BTreeMap, BTreeSet};

use crate::farm::dhcp::{EFI_OF_32_BITS, LISTED, PLATFORMS, PROXIED};
use crate::farm::findings::Findings;
use crate::farm::spec::{Tag, Tags, TaintEffect, Values};
use crate::farm::tag_settings::fold;
use crate::values::nearest::nearest;
use crate::values::{Path, Problem};

/// Checks the tags that pools use and those that settings are written for. The release has a tag of its own.
pub fn check(values: &Values, release_tag: &str, findings: &mut Findings) {
    let defined = defined(&values.tags);
    names(&defined, findings);
    used(values, release_tag, &defined, findings);
    taints(&values.tags, findings);
    taints_of_nodes(values, findings);
}

/// Tags that a DHCP request has for other reasons than its pool: dnsmasq's own (dnsmasq(8), --dhcp-host, --dhcp-range),
/// those of platforms, and the release's.
pub fn is_given_otherwise(tag: &str, release_tag: &str) -> bool {
    const DNSMASQ: [&str; 4] = ["known", "known-othernet", "bootp", "dhcpv6"];
    let ours = ["iPXE", EFI_OF_32_BITS, LISTED, PROXIED];
    DNSMASQ.contains(&tag)
        || ours.contains(&tag)
        || PLATFORMS.iter().any(|platform| platform.tag == tag)
        || tag == release_tag
}

/// Every tag with settings of some kind, and the path of one of them.
pub fn defined(tags: &Tags) -> BTreeMap<&str, Path> {
    let kinds: [(&str, Vec<&String>); 5] = [
        ("dhcpOptions", tags.dhcp_options.keys().collect()),
        ("ltspOptions", tags.ltsp_options.keys().collect()),
        ("kubernetesLabels", tags.kubernetes_labels.keys().collect()),
        ("kubernetesTaints", tags.kubernetes_taints.keys().collect()),
        (
            "kubernetesAnnotations",
            tags.kubernetes_annotations.keys().collect(),
        ),
    ];
    let mut defined = BTreeMap::new();
    for (kind, names) in kinds {
        let kind = Path::from("tags").join(kind);
        for name in names {
            defined
                .entry(name.as_str())
                .or_insert_with(|| kind.join(name.as_str()));
        }
    }
    defined
}

/// LTSP changes section names, so that `a-b` and `a_b` would become the same.
fn names(defined: &BTreeMap<&str, Path>, findings: &mut Findings) {
    let mut folded: BTreeMap<String, (&str, Path)> = BTreeMap::new();
    folded.insert(fold("all"), ("all", Path::from("tags")));
    for (name, path) in defined {
        if let Some(refusal) = Tag::refusal(name) {
            findings.key_error(path, refusal.message);
        }
        match folded.get(&fold(name)) {
            Some((other, place)) if other != name => {
                let place = findings.place(place);
                let problem = Problem::error(format!(
                    "to LTSP, the tags `{name}` and `{other}` are the same: it changes both names to `{}`",
                    fold(name)
                ));
                findings.record_key(
                    path,
                    problem.help(format!("the other is written at {place}")),
                );
            }
            _ => {
                folded.insert(fold(name), (name, path.clone()));
            }
        }
    }
}

fn used(
    values: &Values,
    release_tag: &str,
    defined: &BTreeMap<&str, Path>,
    findings: &mut Findings,
) {
    let in_options: BTreeSet<&str> = values
        .node_pools
        .own()
        .flat_map(|(_, pool)| pool.lines())
        .flat_map(|(_, line)| line.fields())
        .filter_map(|field| field.strip_prefix("tag:"))
        .collect();
    for (step, pool) in values.node_pools.own() {
        let path = Path::from("nodePools").join(step.clone()).join("tags");
        for (index, tag) in pool.tags.iter().enumerate() {
            let path = path.join(index);
            if is_given_otherwise(tag, release_tag) {
                findings.error(
                    &path,
                    format!(
                        "the tag `{tag}` is set by the DHCP server itself, and cannot mark nodes"
                    ),
                );
            } else if *tag == *"all" {
                findings.warning(&path, "the tag `all` applies to every node anyway");
            } else if !defined.contains_key(&**tag) && !in_options.contains(&**tag) {
                let problem =
                    Problem::warning(format!("the tag `{tag}` is not defined under `tags`"));
                findings.record(
                    &path,
                    match nearest(tag, defined.keys().copied()) {
                        Some(near) => problem.help(format!("did you mean `{near}`?")),
                        None => problem,
                    },
                );
            }
        }
    }
}

fn taints(tags: &Tags, findings: &mut Findings) {
    for (tag, taints) in &tags.kubernetes_taints {
        let path = Path::from("tags.kubernetesTaints").join(tag.as_str());
        let mut seen = Vec::new();
        for (index, taint) in taints.iter().flat_map(|list| &list.0).enumerate() {
            let path = path.join(index);
            let identity = (&taint.key, taint.effect);
            if seen.contains(&identity) {
                findings.error(
                    &path,
                    format!(
                        "the taint `{}` is in the list twice with the same effect, which kubelet refuses",
                        taint.key
                    ),
                );
            }
            seen.push(identity);
        }
    }
}

/// A node registers with the taints of all its tags, and kubelet does not start where two are the same.
fn taints_of_nodes(values: &Values, findings: &mut Findings) {
    let pools = values.node_pools.own();
    for (step, pool) in pools.filter(|(_, pool)| !pool.nodes.is_empty()) {
        let path = Path::from("nodePools").join(step.clone()).join("tags");
        let mut seen: Vec<(&str, &str, TaintEffect)> = taints_of("all", values).collect();
        for (index, tag) in pool
            .tags
            .iter()
            .enumerate()
            .filter(|(_, tag)| **tag != *"all")
        {
            for (_, key, effect) in taints_of(tag, values) {
                let other = seen
                    .iter()
                    .find(|(_, other, with)| (*other, *with) == (key, effect));
                if let Some((other, ..)) = other.filter(|(other, ..)| *other != &**tag) {
                    let problem = Problem::error(format!(
                        "the taint `{key}` comes from the tags `{other}` and `{tag}` with the same effect, which kubelet refuses"
                    ));
                    let place = Path::from("tags.kubernetesTaints").join(*other);
                    let help = format!("the other is written at {}", findings.place(&place));
                    findings.record(&path.join(index), problem.help(help));
                }
            }
            seen.extend(taints_of(tag, values));
        }
    }
}

/// A tag's taints: the tag, the taint's key and its effect.
fn taints_of<'a>(
    tag: &'a str,
    values: &'a Values,
) -> impl Iterator<Item = (&'a str, &'a str, TaintEffect)> {
    let list = values.tags.kubernetes_taints.get(tag);
    let taints = list.and_then(Option::as_ref).into_iter();
    taints
        .flat_map(|list| &list.0)
        .map(move |taint| (tag, &*taint.key, taint.effect))
}
