//! Backups of a farm: one file with etcd's snapshot and with what a restore needs beside it, so that nothing else has to
//! survive. It is a tar archive, encrypted for the farm's people with age (age-encryption.org/v1), so that
//! `age -d FILE | tar x` opens it without kubefarm.
//!
//! Everything is streamed: a snapshot may be larger than the memory of a pod.

mod archive;
mod error;
mod folder;
mod manifest;
mod record;
mod retention;
mod sealed;
mod snapshot;
mod tape;
#[cfg(test)]
mod tests;
mod verify;

pub use archive::Archive;
pub use error::{BackupError, Flaw};
pub use folder::{Folder, NAME_TIME, Unfinished, digest};
pub use manifest::{EtcdState, MANIFEST, Manifest, SECRETS, SNAPSHOT};
pub use record::Record;
pub use retention::Retention;
pub use sealed::{Keys, Recipients};
pub use snapshot::SnapshotSum;
pub use verify::{Contents, verify};
