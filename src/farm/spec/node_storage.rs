//! What nodes keep in RAM, and what on a disk.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{DiskLabel, DiskName, JournalSize, VolumeSize};

/// What nodes keep in RAM.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NodeMemory {
    #[serde(default)]
    pub enabled: bool,
}

/// The nodes' journal.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Journal {
    pub max_use: Option<JournalSize>,
}

/// A disk of the nodes, for what would be in RAM.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LocalDisk {
    pub label: Option<DiskLabel>,
    pub device: Option<DiskName>,
    pub min_size: Option<VolumeSize>,
    pub max_size: Option<VolumeSize>,
    #[serde(default)]
    pub wipe: bool,
    #[serde(rename = "use", default)]
    pub uses: Vec<DiskUse>,
    pub swap: Option<VolumeSize>,
}

impl LocalDisk {
    /// Whether a disk is described that may be formatted.
    pub fn has_rule(&self) -> bool {
        self.device.is_some() || self.min_size.is_some() || self.max_size.is_some()
    }

    /// Whether nodes look for a disk.
    pub fn is_wanted(&self) -> bool {
        self.label.is_some() || self.has_rule()
    }
}

/// What is put on the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum DiskUse {
    /// containerd's folder.
    Images,
    /// The kubelet's folder: emptyDirs, and what containers write.
    Kubelet,
}

impl DiskUse {
    /// As the nodes' script has it.
    pub fn name(self) -> &'static str {
        match self {
            DiskUse::Images => "images",
            DiskUse::Kubelet => "kubelet",
        }
    }
}
