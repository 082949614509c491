//! What no two nodes may share, and where it was written.

use std::borrow::Cow;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt::Display;
use std::hash::Hash;

use crate::farm::findings::Findings;
use crate::values::{Path, Problem, Segment};

/// Where a node stands, or one of the values of its keys. There are many, so that a path is made only for a problem.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    pool: &'a Segment,
    node: u32,
    /// The value's index in a list.
    item: Option<u16>,
}

impl<'a> Place<'a> {
    pub fn of_node(pool: &'a Segment, node: usize) -> Self {
        Place {
            pool,
            node: u32::try_from(node).unwrap_or(u32::MAX),
            item: None,
        }
    }

    pub fn item(self, index: Option<usize>) -> Self {
        Place {
            item: index.and_then(|index| index.try_into().ok()),
            ..self
        }
    }

    /// The node's.
    pub fn path(self) -> Path {
        let pool = Path::from("nodePools").join(self.pool.clone());
        pool.join("nodes").join(self.node as usize)
    }

    /// The path of the value of a key.
    pub fn path_of(self, key: &str) -> Path {
        let path = self.path().join(key);
        match self.item {
            Some(item) => path.join(usize::from(item)),
            None => path,
        }
    }
}

/// Values of one key, and where each was written first.
pub struct Taken<'a, K> {
    what: &'static str,
    key: &'static str,
    places: HashMap<K, Place<'a>>,
}

impl<'a, K: Eq + Hash> Taken<'a, K> {
    /// Nothing yet, with room for so many.
    pub fn of(what: &'static str, key: &'static str, count: usize) -> Self {
        let places = HashMap::with_capacity(count);
        Taken { what, key, places }
    }

    /// Takes a value that is the same as all that `is` the same.
    pub fn take(&mut self, is: K, value: &dyn Display, at: Place<'a>, findings: &mut Findings) {
        match self.places.entry(is) {
            Entry::Vacant(entry) => {
                entry.insert(at);
            }
            Entry::Occupied(first) => {
                let first = first.get().path_of(self.key);
                let written = findings.place(&first);
                let (first, what) = (findings.in_tree(&first), self.what);
                let problem =
                    Problem::error(format!("the {what} {value} is already used by {first}"));
                let problem = problem.help(format!("written at {written}"));
                findings.record(&at.path_of(self.key), problem);
            }
        }
    }
}

/// A text whose case does not count.
pub fn folded(text: &str) -> Cow<'_, str> {
    if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        text.to_ascii_lowercase().into()
    } else {
        text.into()
    }
}
