//! Why a Job failed.

use std::path::{Path, PathBuf};

use crate::backup::BackupError;
use crate::cluster::ClusterError;
use crate::cluster::change::ApplyError;
use crate::cluster::record::LockError;
use crate::etcd::EtcdError;
use crate::manifest::ManifestError;

/// Why a Job failed.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    #[error("{}: {reason}", path.display())]
    File { path: PathBuf, reason: String },
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    #[error(transparent)]
    Apply(Box<ApplyError>),
    #[error(transparent)]
    Lock(#[from] LockError),
    #[error("etcd, {0}")]
    Etcd(#[from] EtcdError),
    #[error("no backup: {0}")]
    Backup(BackupError),
    /// It was waited for in vain.
    #[error("{0}; gave up waiting")]
    TooLate(String),
    #[error("{0}")]
    Unusable(String),
}

impl From<ApplyError> for AgentError {
    fn from(error: ApplyError) -> AgentError {
        AgentError::Apply(Box::new(error))
    }
}

/// The text of a file.
pub(super) fn read(path: &Path) -> Result<String, AgentError> {
    std::fs::read_to_string(path).map_err(|error| unreadable(path, &error))
}

pub(super) fn unreadable(path: &Path, reason: &dyn ToString) -> AgentError {
    AgentError::File {
        path: path.to_owned(),
        reason: reason.to_string(),
    }
}
