//! What a node of a farm gets from LTSP, by each MAC that it may boot with.

use indexmap::IndexMap;
use serde_json::Value as Json;

use super::{Booted, Conf, Evaluated, evaluate};
use crate::manifest::Manifest;
use crate::nodes::listed::Listed;
use crate::nodes::mac::canonical_mac;
use crate::render::Outcome;

const LABELS: &str = "KUBERNETES_LABELS";
const TAINTS: &str = "KUBERNETES_TAINTS";

/// What a node gets where it boots with one of these MACs; without any, LTSP finds it by address or name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Boot {
    pub macs: Vec<String>,
    pub evaluated: Evaluated,
}

/// What a node gets, once for all its MACs that make no difference. If `wanted` is one of them, for that one only.
pub fn boots(outcome: &Outcome, node: &Listed<'_>, wanted: &str) -> Vec<Boot> {
    let server = &outcome.farm.ltsp.computed;
    let parts = server.node_parts.iter();
    let parts = parts.filter_map(|part| file_of(&outcome.manifest, &part.name, &part.file));
    let file = |name: &str| file_of(&outcome.manifest, &server.workload.name, name);
    let Some(first) = file("ltsp.conf").filter(|_| !node.pool.ignore) else {
        return Vec::new();
    };
    let conf = std::iter::once(first).chain(parts).collect::<String>();
    let conf = Conf::parse(&conf);
    let mut macs: Vec<String> = node.machine.macs().map(|mac| mac.ltsp_name()).collect();
    if let Some(wanted) = canonical_mac(wanted) {
        macs.retain(|mac| *mac == wanted);
    }
    if macs.is_empty() {
        macs.push(String::new());
    }
    let address = address(node);
    let mut boots: Vec<Boot> = Vec::new();
    for mac in macs {
        let machine = Booted {
            mac: &mac,
            address: &address,
            host_name: node.name(),
        };
        let evaluated = evaluate(&conf, machine, &file);
        match boots
            .iter_mut()
            .find(|boot| boot.evaluated.is_the_same(&evaluated))
        {
            Some(boot) => boot.macs.push(mac),
            None => boots.push(Boot {
                macs: vec![mac],
                evaluated,
            }),
        }
    }
    for boot in &mut boots {
        boot.macs.retain(|mac| !mac.is_empty());
    }
    boots
}

/// The address by which LTSP looks for a section: that of IPv4, which booting needs.
fn address(node: &Listed<'_>) -> String {
    let mut addresses = node.machine.addresses();
    let ipv4 = addresses.find(|address| address.ip.is_ipv4());
    let ip = ipv4.map(|address| address.ip).or(node.first_address());
    ip.map(|ip| ip.to_string()).unwrap_or_default()
}

/// A file of a ConfigMap.
fn file_of<'a>(manifest: &'a Manifest, map: &str, file: &str) -> Option<&'a str> {
    let mut objects = manifest.objects().iter();
    let object = objects.find(|object| object.kind() == "ConfigMap" && object.name() == map)?;
    object.content.get("data")?.get(file).and_then(Json::as_str)
}

impl Boot {
    /// The labels that the Node gets, as kubelet reads them: of two with one key, the last.
    pub fn labels(&self) -> IndexMap<String, String> {
        let pairs = self.items(LABELS).into_iter();
        let pairs = pairs.map(|item| {
            let (key, value) = item.split_once('=').unwrap_or((&item, ""));
            (key.to_owned(), value.to_owned())
        });
        pairs.collect()
    }

    /// The taints that the Node gets.
    pub fn taints(&self) -> Vec<String> {
        self.items(TAINTS)
    }

    /// The items of all variables with this beginning, in the order in which `init.sh` takes them.
    fn items(&self, prefix: &str) -> Vec<String> {
        let settings = &self.evaluated.settings;
        let all = format!("{prefix}_ALL");
        let begin = format!("{prefix}_");
        let mut names: Vec<&String> = settings.keys().collect();
        names.retain(|name| name.starts_with(&begin));
        names.sort_by_key(|name| (**name != all, *name));
        let values = names
            .into_iter()
            .filter_map(|name| settings.get(name)?.value.as_deref());
        let items = values.flat_map(|value| value.split(','));
        let items = items.filter(|item| !item.is_empty());
        items.map(str::to_owned).collect()
    }
}
