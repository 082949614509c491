//! Helm's rules for merging values.
//!
//! There are two merges, and Helm does one after the other: every layer of the user is merged [`over`] the earlier
//! ones, and the result is then [merged over the defaults](over_defaults). Maps merge, everything else replaces; new
//! keys are added at the end. The two differ in the effect of null:
//!
//! - Among the user's layers null is a value like any other. It replaces the value of an earlier layer, and a later
//!   layer replaces it. (Helm: `MergeMaps` in `pkg/cli/values` and `pkg/chart/loader`.)
//! - Over the defaults null removes the default and itself. A null without a default stays: that is how `extraArgs:
//!   {flag: null}` reaches a chart that sets the flag on its own. (Helm: `CoalesceValues` in `pkg/chartutil`.)
//!
//! So `a: null` in one layer and `a: {x: 1}` in the next give the defaults of `a` with `x` merged over them.
//!
//! What Helm would lose silently is reported here: a list over a map, or a map over a list, is an error, and null over
//! a value of an earlier file is a warning. A section that the farm needs cannot be removed: null counts as an empty
//! section there, with a warning.

use super::problem::Problem;
use super::tree::{Entry, Map, Node, Origin, Path, Segment, Value};

/// A default that null removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removed {
    pub path: Path,
    /// Where the null was written.
    pub origin: Origin,
    /// The default, if it was a scalar.
    pub default: Option<serde_json::Value>,
}

/// Merges one of the user's layers over an earlier one. Null replaces, and stays. Errors and warnings are added to
/// `problems`.
///
/// Map keys keep the order of the earlier layer, new keys follow in their own order. A map that merges keeps the
/// earlier layer's origin; every other value has the origin of the layer it comes from, and every key that of the last
/// layer that wrote it.
pub fn over(earlier: Node, later: Node, problems: &mut Vec<Problem>) -> Node {
    let mut merge = Merge {
        path: Vec::new(),
        rules: Rules::Layers,
        problems,
    };
    merge.nodes(earlier, later)
}

/// Merges the user's values over the defaults. Null removes a default, unless that `is_section`; otherwise as [`over`].
/// Returns the removed defaults as well, which the merged tree no longer has.
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

/// The error if a map would replace a list that is not empty, or a list a map. `None` if nothing is lost.
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
        "write it as a {found} too; or remove the earlier one with null in a layer between them"
    )))
}

struct Merge<'a> {
    /// The path of the maps that are being merged.
    path: Vec<Segment>,
    rules: Rules<'a>,
    problems: &'a mut Vec<Problem>,
}

/// The effect of null.
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
            self.report_loss(&earlier, &later);
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

    /// Merges the values of one key; `None` if null removes a default.
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

    /// Whether `later` is empty and `default` is a section, which then keeps its defaults.
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
            let problem = Problem::warning("this key is empty, so its defaults stay");
            let help = "leave the key out, or write {}; null removes a single default";
            let problem = problem.at(later.origin.clone()).about(path);
            self.problems.push(problem.help(help));
        }
        true
    }

    fn report_loss(&mut self, earlier: &Node, later: &Node) {
        let is_written_null =
            later.value == Value::Null && matches!(later.origin, Origin::Place { .. });
        let problem = match clash(earlier, later) {
            None if is_written_null && is_full(earlier) => {
                let message = format!("null removes everything that {} sets", earlier.origin);
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

/// A list or a map that is not empty.
fn is_full(node: &Node) -> bool {
    match &node.value {
        Value::List(list) => !list.is_empty(),
        Value::Map(map) => !map.is_empty(),
        _ => false,
    }
}

/// Whether any leaf has a value.
fn has_content(node: &Node) -> bool {
    match &node.value {
        Value::Map(map) => map.values().any(|entry| has_content(&entry.node)),
        Value::List(list) => !list.is_empty(),
        _ => !is_nothing(node),
    }
}

#[cfg(test)]
mod tests;
