//! Decodes the tree into typed values, and reports every problem at once, each with its place.
//!
//! Lenient where Helm charts were, because their templates knew no types: a number or boolean where text is wanted
//! becomes its text, text that is a decimal integer or `true`/`false` becomes one where that is wanted, and `3.0` is an
//! integer. Strict where charts were silent: a key that a struct does not have is an error, and a text that YAML
//! changed is a warning.
//!
//! A null in a struct or in a map whose values cannot be null counts as absent. So does the empty text for an optional
//! value; for a boolean it is false, for a list or a map an empty one: charts guarded optional keys with `if` and
//! `with`, for which `""` is absent. For a text that is not optional, the empty text is a text like any other.
//!
//! A type with a rule of its own refuses a value with a [`Refusal`], which has help beside its message.
//!
//! Inside `#[serde(untagged)]`, `#[serde(flatten)]` and internally tagged types, serde itself buffers the values: there
//! is no leniency, no check for unknown keys, and problems are reported at the outermost such type.

mod deserializer;
mod error;
mod found;
mod refusal;

use std::cell::RefCell;
use std::collections::{BTreeMap, HashSet};

use indexmap::IndexMap;
use serde::de::DeserializeOwned;

use super::problem::Problem;
use super::tree::{Node, Path, Segment};
use deserializer::{NodeDeserializer, Trail};
use error::{Error, Fault};
pub use refusal::Refusal;

/// The limit of runs over the whole tree to find values of a wrong type. Each run finds one, or all of one list.
pub const MAX_RUNS: usize = 500;

/// The name of newtypes whose numbers are used as text by a program that does not know YAML's rules: if that text is
/// not what was written, there is a warning.
pub const NUMBER_AS_TEXT: &str = "NumberAsText";

/// Decodes a tree, and reports everything that is wrong with it, sorted by place.
///
/// A value with an error is left out, as if it were not there, to find further problems. So if there are errors, the
/// typed value, if there is one, is not what the user wrote: use it for further checks, never for output. It is `None`
/// if a value could not be left out (the root itself, or after [`MAX_RUNS`]).
pub fn decode<T: DeserializeOwned>(tree: &Node) -> (Option<T>, Vec<Problem>) {
    let (decoded, problems, _) = decode_with_gaps(tree);
    (decoded, problems)
}

/// As [`decode`], with the paths of the list elements that were left out: what follows them has a lower index in the
/// decoded list than in the tree.
pub fn decode_with_gaps<T: DeserializeOwned>(tree: &Node) -> (Option<T>, Vec<Problem>, Vec<Path>) {
    let mut session = Session::default();
    let mut problems = Vec::new();
    let mut decoded = None;
    let mut runs = 0;
    while runs < MAX_RUNS {
        runs += 1;
        let root = NodeDeserializer::new(tree, &Trail::Root, &session);
        match T::deserialize(root).map_err(|error| error.at(&root)) {
            Ok(value) => {
                decoded = Some(value);
                break;
            }
            Err(error) => {
                session.record(&error);
                let mut may_go_on = false;
                for error in session.errors.take() {
                    let (problem, is_new) = session.leave_out(error, tree);
                    problems.extend(problem);
                    may_go_on |= is_new;
                }
                if !may_go_on {
                    break;
                }
            }
        }
    }
    if decoded.is_none() && runs == MAX_RUNS {
        let message = "further values of a wrong type were not looked for";
        problems.push(Problem::error(message));
    }
    let meant = session.meant.take();
    // The key is there, under another name.
    problems.retain(|problem| {
        let path = problem.path.as_ref();
        !(problem.message.starts_with("missing field")
            && path.is_some_and(|path| meant.contains(path)))
    });
    problems.extend(session.unknown_keys());
    let mut rewritten = session.rewritten.take();
    for problem in &mut problems {
        let cause = problem.path.as_ref();
        if let Some(cause) = cause.and_then(|path| rewritten.shift_remove(path)) {
            problem.caused_by(cause);
        }
    }
    problems.extend(rewritten.into_values());
    problems.sort_by(|left, right| left.position().cmp(&right.position()));
    (decoded, problems, session.gaps)
}

/// The warning for the node at `path` if it is used as text and YAML changed that text: it may be the cause of another
/// problem with the text.
pub fn rewritten(node: &Node, path: &Path) -> Option<Problem> {
    let problem = found::rewritten(node, path)?;
    Some(problem.at(node.origin.clone()).about(path.clone()))
}

/// What earlier runs over the same tree found.
#[derive(Default)]
struct Session {
    /// Nodes that count as absent, by address: the tree is borrowed as long as the session lives.
    left_out: HashSet<*const Node>,
    /// The paths of those that were left out for a problem.
    faulty: HashSet<Path>,
    /// List elements that are left out.
    gaps: Vec<Path>,
    /// The errors of list elements in this run: a list continues after such an element.
    errors: RefCell<Vec<Error>>,
    unknown_keys: RefCell<IndexMap<Path, Problem>>,
    /// Texts that YAML changed.
    rewritten: RefCell<IndexMap<Path, Problem>>,
    /// The structs that keys alone lead to, with their keys.
    sections: RefCell<BTreeMap<Path, &'static [&'static str]>>,
    /// Keys that were probably meant where unknown ones are written.
    meant: RefCell<HashSet<Path>>,
}

impl Session {
    fn is_left_out(&self, node: &Node) -> bool {
        !self.left_out.is_empty() && self.left_out.contains(&std::ptr::from_ref(node))
    }

    /// Records an error once, though it may pass several lists on its way up.
    fn record(&self, error: &Error) {
        let mut errors = self.errors.borrow_mut();
        if !errors.iter().any(|known| known.is_about_the_same(error)) {
            errors.push(error.clone());
        }
    }

    /// The unknown keys. An unknown key that exactly one sibling section has was meant for that section: values of a
    /// subchart used alone, or a level that was left out.
    fn unknown_keys(&self) -> impl Iterator<Item = Problem> {
        let sections = self.sections.take();
        let problems = self.unknown_keys.take().into_iter();
        problems.map(move |(path, mut problem)| {
            if let Some((Segment::Key(key), parents)) = path.0.split_last() {
                let mut owners = sections.iter().filter(|(owner, known)| {
                    let above = owner.0.split_last().map(|(_, above)| above);
                    above == Some(parents) && known.contains(&key.as_str())
                });
                if let (Some((owner, _)), None) = (owners.next(), owners.next()) {
                    problem.help = Some(format!("move it under `{owner}`"));
                }
            }
            problem
        })
    }

    /// Leaves out the value with this error. Returns the problem to report, unless it only follows from an earlier one,
    /// and whether another run can find more.
    fn leave_out(&mut self, error: Error, root: &Node) -> (Option<Problem>, bool) {
        let Some(place) = error.place.map(|place| *place) else {
            let problem = Problem::error(error.fault.message()).at(root.origin.clone());
            return (Some(problem), false);
        };
        let mut is_new = false;
        for node in place.leave_out {
            is_new |= node != std::ptr::from_ref(root) && self.left_out.insert(node);
        }
        if is_new && matches!(place.path.0.last(), Some(Segment::Index(_))) {
            self.gaps.push(place.path.clone());
        }
        if matches!(error.fault, Fault::NullEntry(_)) && is_new {
            return (None, true);
        }
        let path = match &error.fault {
            Fault::MissingField(field) => place.path.join(*field),
            _ => place.path.clone(),
        };
        let follows = matches!(error.fault, Fault::MissingField(_)) && self.faulty.contains(&path);
        self.faulty.insert(place.path.clone());
        if follows {
            return (None, is_new);
        }
        let mut problem = Problem::error(error.fault.message()).at(place.origin);
        let written = || {
            root.get(&place.path)
                .and_then(|node| error.fault.hint(node))
        };
        problem.help = error.help.or_else(|| error.fault.help()).or_else(written);
        problem.path = Some(path);
        (Some(problem), is_new)
    }
}

#[cfg(test)]
mod tests;
