//! The rules for which changes of a control plane are dangerous. No cluster is asked here.

mod change;
mod etcd;
mod identity;
#[cfg(test)]
mod tests;
mod versions;

use super::risk::Danger;

pub use change::{Change, Claim};

/// Every danger of a change.
pub fn dangers(change: &Change<'_>) -> Vec<Danger> {
    let mut dangers = etcd::dangers(change);
    dangers.extend(versions::dangers(change));
    dangers.extend(identity::dangers(change));
    dangers
}
