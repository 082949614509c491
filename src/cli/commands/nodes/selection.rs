//! Which nodes are wanted.

use clap::Args;

use crate::cli::failure::Failure;
use crate::cli::unknown::unknown;
use crate::farm::spec::NodePools;
use crate::glob::Glob;
use crate::nodes::listed::{Listed, pool_name};

#[derive(Debug, Args)]
pub struct Selection {
    /// Only nodes with such names; `*` stands for any text, `?` for a letter.
    #[arg(value_name = "PATTERN")]
    pattern: Option<String>,
    /// Only nodes of this pool: its name, or its number where the pools are a list.
    #[arg(
        long,
        value_name = "POOL",
        env = "KUBEFARM_POOL",
        help_heading = "Nodes"
    )]
    pub pool: Option<String>,
    /// Only nodes whose pool has this tag; with several, all of them.
    #[arg(
        long,
        value_name = "TAG",
        env = "KUBEFARM_TAG",
        value_delimiter = ',',
        help_heading = "Nodes"
    )]
    tag: Vec<String>,
}

impl Selection {
    /// Checks that there is such a pool.
    pub fn check(&self, pools: &NodePools) -> Result<(), Failure> {
        let names: Vec<String> = pools.0.iter().map(|(step, _)| pool_name(step)).collect();
        match &self.pool {
            Some(pool) if !names.contains(pool) => {
                let names: Vec<&str> = names.iter().map(String::as_str).collect();
                Err(unknown("pool", pool, &names))
            }
            _ => Ok(()),
        }
    }

    /// Whether a node is wanted.
    pub fn has(&self, node: &Listed<'_>) -> bool {
        let has = |tag: &String| node.tags().iter().any(|own| *own == **tag);
        self.has_name(node.name())
            && self
                .pool
                .as_ref()
                .is_none_or(|pool| node.pool_name() == *pool)
            && self.tag.iter().all(has)
    }

    /// Whether a machine is wanted that the values do not list, and so has neither pool nor tags.
    pub fn has_unlisted(&self, name: &str) -> bool {
        self.pool.is_none() && self.tag.is_empty() && self.has_name(name)
    }

    /// Whether all nodes of this pool are wanted, or of any.
    pub fn has_all_of(&self, pool: &str) -> bool {
        let has_pool = self.pool.as_ref().is_none_or(|wanted| wanted == pool);
        self.pattern.is_none() && self.tag.is_empty() && has_pool
    }

    fn has_name(&self, name: &str) -> bool {
        let pattern = self.pattern.as_ref().map(|pattern| pattern.to_lowercase());
        pattern.is_none_or(|pattern| Glob::Case.matches(&pattern, &name.to_lowercase()))
    }
}
