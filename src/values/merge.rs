//! Helm's rules for laying values over values.
//!
//! There are two, and Helm applies them one after the other: every layer of the user's is laid [`over`] the earlier
//! ones, and what comes out is then [laid over the defaults](over_defaults). Maps merge, everything else replaces; what
//! is new is added after what was there. The two differ in what null does:
//!
//! - Among the user's layers null is a value like any other. It replaces what an earlier layer says, and a later layer
//!   replaces it. (Helm: `MergeMaps` in `pkg/cli/values` and `pkg/chart/loader`.)
//! - Over the defaults null removes the default and itself. A null that meets no default stays: that is how
//!   `extraArgs: {flag: null}` reaches a chart that sets the flag on its own. (Helm: `CoalesceValues` in
//!   `pkg/chartutil`.)
//!
//! So `a: null` in one layer and `a: {x: 1}` in the next give the defaults of `a` with `x` laid over them.

use super::tree::{Entry, Map, Node, Value};

/// Lays one of the user's layers over an earlier one. Null replaces, and stays.
///
/// Map keys keep the order of the earlier layer, new keys follow in their own order. A map that merges keeps the
/// earlier layer's origin; every other value has that of the layer it comes from, and every key that of the last layer
/// that wrote it.
pub fn over(earlier: Node, later: Node) -> Node {
    merged(earlier, later, Nulls::Stay)
}

/// Lays what the user wrote over the defaults. Null removes the default it meets; otherwise as [`over`].
pub fn over_defaults(defaults: Node, user: Node) -> Node {
    merged(defaults, user, Nulls::RemoveDefaults)
}

#[derive(Clone, Copy, PartialEq)]
enum Nulls {
    Stay,
    RemoveDefaults,
}

fn merged(earlier: Node, later: Node, nulls: Nulls) -> Node {
    match (earlier.value, later.value) {
        (Value::Map(earlier_map), Value::Map(later_map)) => Node {
            value: Value::Map(merged_maps(earlier_map, later_map, nulls)),
            origin: earlier.origin,
        },
        (_, value) => Node {
            value,
            origin: later.origin,
        },
    }
}

fn merged_maps(earlier: Map, mut later: Map, nulls: Nulls) -> Map {
    let mut result = Map::with_capacity_and_hasher(earlier.len() + later.len(), Default::default());
    let later_order: Vec<String> = later
        .keys()
        .filter(|key| !earlier.contains_key(*key))
        .cloned()
        .collect();
    for (key, entry) in earlier {
        let entry = match later.swap_remove(&key) {
            None => entry,
            Some(new) if nulls == Nulls::RemoveDefaults && new.node.value == Value::Null => {
                continue;
            }
            Some(new) => Entry {
                key_origin: new.key_origin,
                node: merged(entry.node, new.node, nulls),
            },
        };
        result.insert(key, entry);
    }
    for key in later_order {
        if let Some(entry) = later.swap_remove(&key) {
            result.insert(key, entry);
        }
    }
    result
}

#[cfg(test)]
mod tests;
