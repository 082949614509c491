//! What no two nodes may share, and where it was written.

use std::borrow::Cow;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt::Display;
use std::hash::Hash;
use std::net::IpAddr;

use crate::farm::findings::Findings;
use crate::values::{Path, Problem, Segment};

/// Where a node stands, or one of its values. There are many of them, so that a path is made only for a problem.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    pool: &'a Segment,
    node: u32,
    key: Option<&'static str>,
    /// The value's index in a list.
    item: Option<u16>,
}

impl<'a> Place<'a> {
    pub fn of_node(pool: &'a Segment, node: usize) -> Self {
        Place {
            pool,
            node: u32::try_from(node).unwrap_or(u32::MAX),
            key: None,
            item: None,
        }
    }

    pub fn key(self, key: &'static str) -> Self {
        Place {
            key: Some(key),
            ..self
        }
    }

    pub fn item(self, index: Option<usize>) -> Self {
        Place {
            item: index.and_then(|index| index.try_into().ok()),
            ..self
        }
    }

    pub fn path(self) -> Path {
        let steps = [
            Some("nodePools".into()),
            Some(self.pool.clone()),
            Some("nodes".into()),
            Some(Segment::Index(self.node as usize)),
            self.key.map(Segment::from),
            self.item.map(|item| Segment::Index(item.into())),
        ];
        Path(steps.into_iter().flatten().collect())
    }
}

/// What earlier nodes have: each value, and where it was written.
pub struct Taken<'a> {
    pub names: Known<'a, Cow<'a, str>>,
    pub macs: Known<'a, Cow<'a, str>>,
    pub addresses: Known<'a, IpAddr>,
    pub identifiers: Known<'a, String>,
}

impl Taken<'_> {
    /// Nothing yet, of so many nodes.
    pub fn of(nodes: usize) -> Self {
        Taken {
            names: Known::with_capacity(nodes),
            macs: Known::with_capacity(nodes),
            addresses: Known::with_capacity(nodes),
            identifiers: Known::new(),
        }
    }
}

pub type Known<'a, K> = HashMap<K, Place<'a>>;

/// Takes a value that is the same as all that has the same `key`; `what` is its kind.
pub fn take<'a, K: Eq + Hash>(
    known: &mut Known<'a, K>,
    key: K,
    (what, value): (&str, &dyn Display),
    place: Place<'a>,
    findings: &mut Findings,
) {
    match known.entry(key) {
        Entry::Vacant(entry) => {
            entry.insert(place);
        }
        Entry::Occupied(first) => {
            let first = first.get().path();
            let written = findings.place(&first);
            let first = findings.in_tree(&first);
            let problem = Problem::error(format!("the {what} {value} is already {first}'s"));
            let problem = problem.help(format!("written at {written}"));
            findings.record(&place.path(), problem);
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
