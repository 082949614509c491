//! What the nodes of a layer have already.

use std::net::IpAddr;

use super::NewNode;
use crate::nodes::mac::canonical_mac;
use crate::values::{Node, Problem, Value};

/// The problems of a node that has its name, MAC or address in common with one of a layer, each at the place of that.
pub fn taken(layer: &Node, new: &NewNode) -> Vec<Problem> {
    let mut problems = Vec::new();
    for node in nodes(layer) {
        for (key, what, value) in [
            ("name", "name", Some(&new.name)),
            ("mac", "MAC", Some(&new.mac)),
            ("ip", "address", new.address.as_ref()),
        ] {
            let (Some(value), Some(own)) = (value, child(node, key)) else {
                continue;
            };
            let is_taken = |text: &&str| is_same(key, text, value);
            if let Some((at, _)) = texts(own).into_iter().find(|(_, text)| is_taken(text)) {
                let problem = Problem::error(format!("the {what} {value} is already used here"));
                problems.push(problem.at(at.origin.clone()));
            }
        }
    }
    problems
}

fn is_same(key: &str, written: &str, new: &str) -> bool {
    match key {
        "mac" => {
            // A kind of hardware may precede it.
            let plain = written.split_once('-').filter(|(kind, _)| kind.len() <= 2);
            let plain = plain.filter(|(_, rest)| rest.contains(':'));
            canonical_mac(plain.map_or(written, |(_, rest)| rest)).as_deref() == Some(new)
        }
        "ip" => {
            let ip = |text: &str| text.trim_matches(['[', ']']).parse::<IpAddr>();
            ip(written).is_ok_and(|written| ip(new).is_ok_and(|new| written == new))
        }
        _ => written.eq_ignore_ascii_case(new),
    }
}

/// Every node of every pool.
fn nodes(layer: &Node) -> Vec<&Node> {
    let pools: Vec<&Node> = child(layer, "nodePools").map(children).unwrap_or_default();
    let nodes = pools.into_iter().filter_map(|pool| child(pool, "nodes"));
    nodes.flat_map(children).collect()
}

fn children(node: &Node) -> Vec<&Node> {
    match &node.value {
        Value::List(list) => list.iter().collect(),
        Value::Map(map) => map.values().map(|entry| &entry.node).collect(),
        _ => Vec::new(),
    }
}

fn child<'a>(node: &'a Node, key: &str) -> Option<&'a Node> {
    match &node.value {
        Value::Map(map) => map.get(key).map(|entry| &entry.node),
        _ => None,
    }
}

/// The texts of a value: one, several with commas between them, or a list.
fn texts(node: &Node) -> Vec<(&Node, &str)> {
    match &node.value {
        Value::String(text) => text.split(',').map(|text| (node, text.trim())).collect(),
        Value::List(list) => list.iter().flat_map(texts).collect(),
        _ => Vec::new(),
    }
}
