//! What changes between two lives of a control plane must not be made in passing. No cluster is asked here.

mod etcd;
mod identity;
mod versions;

use super::life::Life;
use super::record::Memory;
use super::risk::Danger;

pub use etcd::Claim;

/// What is compared.
#[derive(Debug)]
pub struct Change<'a> {
    pub before: &'a Life,
    pub after: &'a Life,
    /// What the farm's record remembers.
    pub memory: &'a Memory,
    /// The volumes that etcd's StatefulSet has claimed, now or before it was deleted.
    pub claims: &'a [Claim],
    /// Whether what is no longer rendered is deleted.
    pub prunes: bool,
    /// The DNS domain that was rendered.
    pub dns_domain: Option<&'a str>,
}

impl Change<'_> {
    /// Every danger of the change.
    pub fn dangers(&self) -> Vec<Danger> {
        let mut dangers = etcd::dangers(self);
        dangers.extend(versions::dangers(self));
        dangers.extend(identity::dangers(self));
        dangers
    }
}
