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
//!
//! What Helm would lose without a word is reported here: a list over a map, or a map over a list, is an error, and null over
//! what an earlier file says a warning. And a section that nothing works without cannot be removed: in its place null is
//! an empty section, with a warning.

use super::problem::Problem;
use super::tree::{Entry, Map, Node, Origin, Path, Segment, Value};

/// A default that null removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removed {
    pub path: Path,
    /// Where the null was written.
    pub origin: Origin,
    /// What the default was, where it was a scalar.
    pub default: Option<serde_json::Value>,
}

/// Lays one of the user's layers over an earlier one. Null replaces, and stays. What should be said of it goes to
/// `problems`.
///
/// Map keys keep the order of the earlier layer, new keys follow in their own order. A map that merges keeps the
/// earlier layer's origin; every other value has that of the layer it comes from, and every key that of the last layer
/// that wrote it.
pub fn over(earlier: Node, later: Node, problems: &mut Vec<Problem>) -> Node {
    let mut merge = Merge {
        path: Vec::new(),
        rules: Rules::Layers,
        problems,
    };
    merge.nodes(earlier, later)
}

/// Lays what the user wrote over the defaults. Null removes the default it meets, unless that `is_section`; otherwise as
/// [`over`]. Gives back what was removed too, since the merged tree knows nothing of it.
pub fn over_defaults(
    defaults: Node,
    user: Node,
    is_section: fn(&Path) -> bool,
    problems: &mut Vec<Problem>,
) -> (Node, Vec<Removed>) {
    let mut removed = Vec::new();
    let mut merge = Merge {
        path: Vec::new(),
        rules: Rules::Defaults {
            removed: &mut removed,
            is_section,
        },
        problems,
    };
    let node = merge.nodes(defaults, user);
    (node, removed)
}

/// A list that a map would replace with all that is in it, or the other way round: only what is alike can be extended.
/// `None` where nothing is lost.
pub fn clash(earlier: &Node, later: &Node) -> Option<Problem> {
    let (found, kind) = match (&earlier.value, &later.value) {
        (Value::List(list), Value::Map(_)) if !list.is_empty() => ("list", "a map"),
        (Value::Map(map), Value::List(_)) if !map.is_empty() => ("map", "a list"),
        _ => return None,
    };
    let message = format!(
        "{kind} would replace the whole {found} of {}",
        earlier.origin
    );
    let problem = Problem::error(message).at(later.origin.clone());
    Some(problem.help(format!(
        "write it as a {found} too; or take the earlier one away, by null in a layer between them"
    )))
}

struct Merge<'a> {
    /// The way to the maps that are being merged.
    path: Vec<Segment>,
    rules: Rules<'a>,
    problems: &'a mut Vec<Problem>,
}

/// What null does.
enum Rules<'a> {
    Layers,
    Defaults {
        removed: &'a mut Vec<Removed>,
        is_section: fn(&Path) -> bool,
    },
}

impl Merge<'_> {
    fn nodes(&mut self, earlier: Node, later: Node) -> Node {
        if let Rules::Layers = self.rules {
            self.say_what_is_lost(&earlier, &later);
        }
        match (earlier.value, later.value) {
            (Value::Map(earlier_map), Value::Map(later_map)) => {
                let map = self.maps(*earlier_map, *later_map);
                Node::new(Value::Map(Box::new(map)), earlier.origin)
            }
            (_, value) => Node { value, ..later },
        }
    }

    fn maps(&mut self, earlier: Map, mut later: Map) -> Map {
        let mut result = Map::with_capacity(earlier.len() + later.len());
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
            self.path.push(Segment::Key(key.clone()));
            if let Some(entry) = self.entries(entry, new) {
                result.insert(key, entry);
            }
            self.path.pop();
        }
        for key in later_order {
            if let Some(entry) = later.swap_remove(&key) {
                result.insert(key, entry);
            }
        }
        result
    }

    /// One key's values in both; `None` where null removes a default.
    fn entries(&mut self, earlier: Entry, later: Entry) -> Option<Entry> {
        if self.keeps_section(&earlier.node, &later.node) {
            return Some(earlier);
        }
        if let Rules::Defaults { removed, .. } = &mut self.rules
            && later.node.value == Value::Null
        {
            let is_scalar = !matches!(earlier.node.value, Value::List(_) | Value::Map(_));
            removed.push(Removed {
                path: Path(self.path.clone()),
                origin: later.node.origin,
                default: is_scalar.then(|| serde_json::Value::from(&earlier.node)),
            });
            return None;
        }
        Some(Entry {
            key_origin: later.key_origin,
            node: self.nodes(earlier.node, later.node),
        })
    }

    /// Whether nothing is written in place of a section that cannot be without its defaults.
    fn keeps_section(&mut self, default: &Node, later: &Node) -> bool {
        let Rules::Defaults { is_section, .. } = self.rules else {
            return false;
        };
        if !matches!(default.value, Value::Map(_)) || !is_nothing(later) {
            return false;
        }
        let path = Path(self.path.clone());
        if !is_section(&path) {
            return false;
        }
        if has_content(default) {
            let problem =
                Problem::warning("nothing is written here, so the defaults below it stay");
            let help = "leave the key out, or write {}; null removes single defaults";
            let problem = problem.at(later.origin.clone()).about(path);
            self.problems.push(problem.help(help));
        }
        true
    }

    fn say_what_is_lost(&mut self, earlier: &Node, later: &Node) {
        let is_written_null =
            later.value == Value::Null && matches!(later.origin, Origin::Place { .. });
        let problem = match clash(earlier, later) {
            None if is_written_null && is_full(earlier) => {
                let message = format!("null takes away all that {} says", earlier.origin);
                let problem = Problem::warning(message).at(later.origin.clone());
                Some(problem.help("leave the key out to keep it"))
            }
            problem => problem,
        };
        let path = &self.path;
        self.problems
            .extend(problem.map(|problem| problem.about(Path(path.clone()))));
    }
}

fn is_nothing(node: &Node) -> bool {
    match &node.value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        _ => false,
    }
}

/// A list or a map with anything in it.
fn is_full(node: &Node) -> bool {
    match &node.value {
        Value::List(list) => !list.is_empty(),
        Value::Map(map) => !map.is_empty(),
        _ => false,
    }
}

/// Whether anything is said at the leaves.
fn has_content(node: &Node) -> bool {
    match &node.value {
        Value::Map(map) => map.values().any(|entry| has_content(&entry.node)),
        Value::List(list) => !list.is_empty(),
        _ => !is_nothing(node),
    }
}

#[cfg(test)]
mod tests;
