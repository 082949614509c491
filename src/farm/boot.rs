//! The boot server and its configuration: the sections of ltsp.conf, and the files beside it.

mod files;
mod init_settings;
mod projected;
mod sections;

use std::sync::Arc;

use indexmap::IndexMap;
use serde::Serialize;

pub use super::setting::{Setting, TagSection};
pub use super::tag_settings::fold;
pub use files::{own_files, toml_text};
use init_settings::init_settings;
use projected::projected_items;
pub use projected::{ProjectedFile, ProjectedSecret, projected_secrets};
pub use sections::{section_file, shell_text, split_section};

use super::names::non_empty;
use super::spec::{Fragment, Mac, Machine, NodePools, TextMap, Values};
use super::split::{Limits, split};
use super::tag_settings::{TagSettings, user_setting};
use super::workload::Workload;

/// The limit for a part of a list that grows with the nodes: half of a ConfigMap (1 MiB), and a third of etcd's limit
/// (1.5 MiB), so that labels, managed fields and the rest of an object fit beside it.
pub const PART_SIZE: usize = 512 * 1024;

/// What is computed for the boot server.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BootServer {
    #[serde(flatten)]
    pub workload: Workload,
    /// The namespace of everything that boots nodes: the boot server, DHCP, the Secret with the join token.
    pub namespace: String,
    /// Whether a Job has to wait for the address of the Services.
    pub publish_address: bool,
    /// The user's settings of `[common]`.
    pub options: Vec<Setting>,
    /// Settings of `[common]` that `init.sh` reads.
    pub settings: Vec<Setting>,
    pub sections: Vec<ScriptSection>,
    pub tags: Vec<TagSection>,
    /// The sections of nodes that fit beside the rest. There may be many: `chart::farm_context` hands them on without a
    /// copy.
    #[serde(skip)]
    pub nodes: Arc<[NodeSection]>,
    /// The sections of further nodes, each part a ConfigMap of its own.
    #[serde(skip)]
    pub node_parts: Vec<NodePart>,
    /// Files of /etc/ltsp: those of kubefarm that depend on values, then the user's.
    pub files: IndexMap<String, String>,
    pub extra_projected_items: Vec<Fragment>,
}

/// A section of the user's own: what it includes, and the file that it runs.
#[derive(Debug, Clone, Serialize)]
pub struct ScriptSection {
    pub header: String,
    pub includes: Vec<String>,
    pub script: Option<String>,
}

/// A node's section, which includes those of its tags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeSection {
    pub section: String,
    pub includes: Arc<[String]>,
}

/// Sections of nodes that go into a ConfigMap of their own.
#[derive(Debug, Clone)]
pub struct NodePart {
    pub name: String,
    pub file: String,
    pub nodes: Arc<[NodeSection]>,
}

impl BootServer {
    /// The boot server called `name` of a release in `namespace`.
    pub fn new(
        values: &Values,
        name: &str,
        namespace: &str,
        own_tag: &str,
        tags: &TagSettings,
    ) -> BootServer {
        let ltsp = &values.ltsp;
        let address = &ltsp.service.load_balancer_ip;
        let sections = node_sections(&values.node_pools, tags);
        let (nodes, node_parts) = in_parts(sections, name);
        BootServer {
            workload: Workload::new(ltsp, name.to_owned(), own_tag),
            namespace: non_empty(&ltsp.namespace).unwrap_or(namespace).to_owned(),
            publish_address: ltsp.publish_dhcp && address.is_none(),
            options: settings(&ltsp.config.options),
            settings: init_settings(&ltsp.config, values.join_mode()),
            sections: script_sections(&ltsp.config.sections),
            tags: tags.sections(),
            nodes,
            node_parts,
            files: files::files(&ltsp.config),
            extra_projected_items: projected_items(values),
        }
    }
}

fn settings(map: &TextMap) -> Vec<Setting> {
    map.iter()
        .flat_map(|(key, value)| user_setting(key, value))
        .collect()
}

/// The user's sections; `init/` is always there and first.
fn script_sections(sections: &TextMap) -> Vec<ScriptSection> {
    let init = sections
        .get("init/")
        .map(String::as_str)
        .unwrap_or_default();
    let others = sections.iter().filter(|(header, _)| *header != "init/");
    std::iter::once(("init/", init))
        .chain(others.map(|(header, text)| (header.as_str(), text.as_str())))
        .map(|(header, text)| {
            let (includes, script) = split_section(text);
            ScriptSection {
                header: header.to_owned(),
                includes,
                script: script.map(|_| section_file(header)),
            }
        })
        .collect()
}

/// A section for each of a node's MACs, or for its addresses or name, if its tags have settings.
pub fn node_sections(pools: &NodePools, tags: &TagSettings) -> Vec<NodeSection> {
    let mut sections = Vec::new();
    for (_, pool) in pools.own() {
        let includes: Arc<[String]> = pool
            .tags
            .iter()
            .filter(|tag| tags.has_section(tag))
            .map(|tag| format!("tag_{tag}"))
            .collect();
        if includes.is_empty() {
            continue;
        }
        for node in &pool.nodes {
            sections.extend(names(node).into_iter().map(|section| NodeSection {
                section,
                includes: Arc::clone(&includes),
            }));
        }
    }
    sections
}

/// What LTSP looks a node up by: its MACs, else its addresses, else its name.
fn names(node: &Machine) -> Vec<String> {
    let macs: Vec<String> = node.macs().map(Mac::ltsp_name).collect();
    if !macs.is_empty() {
        return macs;
    }
    let addresses = node.addresses().map(|address| address.ip.to_string());
    let addresses: Vec<String> = addresses.collect();
    if !addresses.is_empty() {
        return addresses;
    }
    let name = node.name.iter();
    name.map(|name| name.to_ascii_lowercase()).collect()
}

/// The first part of the sections, and the rest as further ConfigMaps, named after their first node.
fn in_parts(sections: Vec<NodeSection>, name: &str) -> (Arc<[NodeSection]>, Vec<NodePart>) {
    let size = |section: &NodeSection| {
        let includes = section
            .includes
            .iter()
            .map(|tag| "INCLUDE=\n".len() + tag.len());
        "[]\n".len() + section.section.len() + includes.sum::<usize>()
    };
    let limits = Limits::up_to(PART_SIZE);
    let ranges = split(&sections, size, |section| &section.section, limits);
    let mut sections = sections.into_iter();
    let mut parts = ranges
        .into_iter()
        .map(|range| sections.by_ref().take(range.len()).collect());
    let first = parts.next().unwrap_or_default();
    let rest = parts.map(|nodes: Arc<[NodeSection]>| {
        let suffix = part_suffix(nodes.first().map_or("", |node| &node.section));
        NodePart {
            name: format!("{name}-nodes-{suffix}"),
            file: format!("nodes-{suffix}.conf"),
            nodes,
        }
    });
    let rest = rest.collect();
    (first, rest)
}

/// A node's key as part of an object's name: `9457a5d3ecf2`.
pub fn part_suffix(key: &str) -> String {
    fold(key).replace('_', "")
}
