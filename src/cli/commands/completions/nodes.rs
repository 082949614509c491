//! The nodes of the values that a line names, as candidates.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::Candidate;
use crate::chart::Charts;
use crate::cli::sources::builtin;
use crate::farm::spec::{NodePools, Values};
use crate::nodes::listed::{listed, pool_name};
use crate::values::{Input, decode, load};

/// The pools of these files, where they can be read.
pub fn pools_of(files: &[String]) -> Option<NodePools> {
    // Stdin, and a file that is only going to be there.
    let is_there = |file: &&String| file.starts_with("builtin:") || Path::new(file).is_file();
    let inputs = files.iter().filter(is_there);
    let inputs = inputs.map(|file| match file.strip_prefix("builtin:") {
        Some(name) => builtin(name).map(|text| Input::Builtin {
            name: name.to_owned(),
            text: text.to_owned(),
        }),
        None => Some(Input::File(PathBuf::from(file))),
    });
    let inputs: Option<Vec<Input>> = inputs.collect();
    let tree = load(&Charts::embedded().default_values(), &inputs?).ok()?;
    let (values, _) = decode::<Values>(&tree);
    values.map(|values| values.node_pools)
}

/// Names, and MACs of nodes without one.
pub fn names(pools: &NodePools) -> Vec<Candidate> {
    let nodes = listed(pools).into_iter();
    let candidates = nodes.filter_map(|node| {
        let name = node.ways_to_call_it().into_iter().next()?;
        Some((name, node.macs().join(" ")))
    });
    candidates.collect()
}

pub fn pools(pools: &NodePools) -> Vec<Candidate> {
    let names = pools.0.iter().map(|(step, pool)| {
        let count = pool.nodes.len();
        (pool_name(step), format!("nodes: {count}"))
    });
    names.collect()
}

pub fn tags(pools: &NodePools) -> Vec<Candidate> {
    let tags = pools.0.iter().flat_map(|(_, pool)| &pool.tags);
    let tags: BTreeSet<&str> = tags.map(|tag| &**tag).collect();
    let tags = tags.into_iter().map(|tag| (tag.to_owned(), String::new()));
    tags.collect()
}
