//! Why an apply failed, and how far it had come.

use super::planned::Refusal;
use crate::cluster::client::ClusterError;
use crate::cluster::record::{InventoryError, LockError};
use crate::manifest::Key;
use crate::pki::PkiError;

/// Why an apply failed.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// Nothing was changed.
    #[error("refused: {} of the objects; nothing was changed", .0.len())]
    Refused(Vec<(Key, Refusal)>),
    /// Nothing was changed, since only the same was to be applied again.
    #[error("something else was applied since; nothing was changed")]
    Other,
    #[error("namespace {0} does not exist; --create-namespace makes it")]
    NoNamespace(String),
    #[error("namespace {0} is being deleted; nothing was changed")]
    Terminating(String),
    #[error("{0}; nothing was changed")]
    NotBegun(ClusterError),
    /// Certificates cannot be issued or used. Nothing was changed.
    #[error("the certificates are not complete; nothing was changed")]
    Pki(Vec<PkiError>),
    #[error(transparent)]
    Lock(LockError),
    #[error(transparent)]
    Inventory(#[from] InventoryError),
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// Something went wrong half-way. The next apply goes on from there.
    #[error("{}{error}", .key.as_ref().map(|key| format!("{key}: ")).unwrap_or_default())]
    Stopped {
        /// The object that failed.
        key: Option<Key>,
        error: ClusterError,
        done: Vec<Key>,
        not_done: Vec<Key>,
    },
}

impl From<LockError> for ApplyError {
    fn from(error: LockError) -> ApplyError {
        match error {
            // As long as nobody has the Lease, nobody has changed anything.
            LockError::Cluster(error) => ApplyError::NotBegun(error),
            other => ApplyError::Lock(other),
        }
    }
}

impl ApplyError {
    /// The error, for a failure before anything was changed.
    pub(super) fn not_begun(self) -> ApplyError {
        match self {
            ApplyError::Cluster(error) | ApplyError::Inventory(InventoryError::Cluster(error)) => {
                ApplyError::NotBegun(error)
            }
            other => other,
        }
    }
}
