//! Why a backup cannot be made, and what is wrong with one that was made.

use std::io;

use crate::files::FileError;

/// Why a backup cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    #[error(transparent)]
    File(#[from] FileError),
    /// What is to be written is not right.
    #[error(transparent)]
    Flaw(#[from] Flaw),
    #[error("{0} is not an age recipient: age1..., as age-keygen prints it")]
    Recipient(String),
    /// What the disk gives back is not what was written.
    #[error("{0}: what the volume gives back differs from what was written")]
    ReadBack(String),
    #[error("{0} exists already")]
    Exists(String),
}

/// What is wrong with a backup, or with the snapshot in it.
#[derive(Debug, thiserror::Error)]
pub enum Flaw {
    #[error("it cannot be read: {0}")]
    Unreadable(#[from] io::Error),
    #[error("it cannot be written: {0}")]
    Unwritable(io::Error),
    #[error("it is empty")]
    Empty,
    #[error(
        "it is not a backup: neither an archive of kubefarm's, nor a snapshot of etcd, nor encrypted with age"
    )]
    NotABackup,
    #[error("it ends in the middle: {0}")]
    Truncated(String),
    /// At this offset in the archive, in bytes.
    #[error("it is damaged at byte {at}: {what}")]
    Damaged { at: u64, what: String },
    #[error("it goes on after its end")]
    Longer,
    #[error("{path} in it is damaged: the digest is {found}, and {wanted} in the manifest")]
    Digest {
        path: String,
        found: String,
        wanted: String,
    },
    #[error("its manifest does not list what it holds: {0}")]
    Listing(String),
    #[error("its manifest is damaged: {0}")]
    Manifest(String),
    #[error("it has format {0}; this kubefarm reads format 1 only")]
    Format(u64),
    #[error("the snapshot of etcd is damaged: its last 32 bytes are not the SHA-256 of the rest")]
    Sum,
    #[error(
        "the snapshot of etcd has no checksum at its end: {0} bytes are not whole pages and 32 bytes"
    )]
    NoSum(u64),
    #[error("the snapshot is not a database of etcd")]
    NoDatabase,
    #[error("it is encrypted for other keys than those in {0}")]
    WrongKey(String),
    #[error("its encryption is damaged: {0}")]
    Encryption(String),
    #[error("{path} cannot be used as a file of age identities: {reason}")]
    Identity { path: String, reason: String },
    #[error(
        "it is encrypted, and has neither a record beside it nor a key (--identity): nothing was checked"
    )]
    Unchecked,
    #[error("its record says {wanted}, and it has {found}: it was changed or swapped")]
    Record { wanted: String, found: String },
}
