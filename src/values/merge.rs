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

use super::tree::{Entry, Map, Node, Origin, Path, Segment, Value};

/// A default that null removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removed {
    pub path: Path,
    /// Where the null was written.
    pub origin: Origin,
}

/// Lays one of the user's layers over an earlier one. Null replaces, and stays.
///
/// Map keys keep the order of the earlier layer, new keys follow in their own order. A map that merges keeps the
/// earlier layer's origin; every other value has that of the layer it comes from, and every key that of the last layer
/// that wrote it.
pub fn over(earlier: Node, later: Node) -> Node {
    merged(earlier, later, &mut Nulls::Stay)
}

/// Lays what the user wrote over the defaults. Null removes the default it meets; otherwise as [`over`]. Gives back what
/// was removed too, since the merged tree knows nothing of it.
pub fn over_defaults(defaults: Node, user: Node) -> (Node, Vec<Removed>) {
    let mut nulls = Nulls::RemoveDefaults {
        path: Vec::new(),
        removed: Vec::new(),
    };
    let node = merged(defaults, user, &mut nulls);
    match nulls {
        Nulls::Stay => (node, Vec::new()),
        Nulls::RemoveDefaults { removed, .. } => (node, removed),
    }
}

/// What null does.
enum Nulls {
    Stay,
    RemoveDefaults {
        /// The way to the maps that are being merged.
        path: Vec<Segment>,
        removed: Vec<Removed>,
    },
}

impl Nulls {
    fn enter(&mut self, key: &str) {
        if let Nulls::RemoveDefaults { path, .. } = self {
            path.push(key.into());
        }
    }

    fn leave(&mut self) {
        if let Nulls::RemoveDefaults { path, .. } = self {
            path.pop();
        }
    }

    /// Whether this value removes the default that [`enter`](Nulls::enter) went to.
    fn remove(&mut self, new: &Node) -> bool {
        match self {
            Nulls::RemoveDefaults { path, removed } if new.value == Value::Null => {
                removed.push(Removed {
                    path: Path(path.clone()),
                    origin: new.origin.clone(),
                });
                true
            }
            _ => false,
        }
    }
}

fn merged(earlier: Node, later: Node, nulls: &mut Nulls) -> Node {
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

fn merged_maps(earlier: Map, mut later: Map, nulls: &mut Nulls) -> Map {
    let mut result = Map::with_capacity_and_hasher(earlier.len() + later.len(), Default::default());
    let later_order: Vec<String> = later
        .keys()
        .filter(|key| !earlier.contains_key(*key))
        .cloned()
        .collect();
    for (key, entry) in earlier {
        let Some(new) = later.swap_remove(&key) else {
            result.insert(key, entry);
            continue;
        };
        nulls.enter(&key);
        if !nulls.remove(&new.node) {
            let entry = Entry {
                key_origin: new.key_origin,
                node: merged(entry.node, new.node, nulls),
            };
            result.insert(key, entry);
        }
        nulls.leave();
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
