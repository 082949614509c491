//! What the parts of the farm's agent share.

use std::cell::RefCell;

use super::boots::Boots;
use super::farm_agent::{Clusters, NodeAgent};
use super::faults::Faults;
use super::known::Known;

/// The clusters, and what is known of them.
pub(super) struct Shared<'a> {
    pub clusters: &'a Clusters,
    pub agent: &'a NodeAgent,
    pub known: &'a RefCell<Known>,
    pub faults: &'a Faults<'a>,
    pub boots: &'a Boots<'a>,
}
