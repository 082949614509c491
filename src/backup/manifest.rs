//! What a backup says of itself, in its last entry.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::hexadecimal::hexadecimal;

/// The entry with the manifest, after all that it lists.
pub const MANIFEST: &str = "manifest.json";
/// The last entry: the digest of the manifest, as `sha256sum` writes it.
pub(super) const MANIFEST_SUM: &str = "manifest.json.sha256";
/// The entry with etcd's snapshot, which is the first one.
pub const SNAPSHOT: &str = "etcd/snapshot.db";
/// The folder of the Secrets, each a folder with a file for each key.
pub const SECRETS: &str = "secrets";
/// The format that this module writes.
pub(super) const FORMAT: u64 = 1;

/// What a backup says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    pub format: u64,
    /// The name of the farm's control plane, with which its objects begin.
    pub farm: String,
    pub namespace: String,
    /// When it was begun.
    pub time: Timestamp,
    /// The version of kubefarm that made it.
    pub kubefarm: String,
    /// `v1.37.2`
    pub kubernetes: String,
    pub etcd: EtcdState,
    /// Everything before the manifest, in order.
    pub files: Vec<Listed>,
}

/// The etcd that the snapshot is of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EtcdState {
    /// The member's: `3.7.0`.
    pub version: String,
    /// Hexadecimal, as `etcdctl` prints them.
    pub cluster_id: String,
    pub member_id: String,
    /// The member's when the snapshot was asked for: the snapshot has at least this one.
    pub revision: u64,
}

/// An entry of the archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed {
    pub path: String,
    /// In bytes.
    pub size: u64,
    /// In lower-case hexadecimal digits.
    pub sha256: String,
}

/// What the last entry has.
pub(super) fn manifest_sum(text: &[u8]) -> String {
    format!("{}  {MANIFEST}\n", hexadecimal(Sha256::digest(text)))
}
