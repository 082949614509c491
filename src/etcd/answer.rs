//! What a member answers: etcd's `api/etcdserverpb/rpc.proto`, in the JSON of its gateway. That writes 64-bit numbers as
//! text, as protobuf's JSON mapping has it, and leaves out what is zero.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The ID of a member or of a cluster; as text it is hexadecimal, as `etcdctl` prints it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Id(pub u64);

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}", self.0)
    }
}

impl Serialize for Id {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Id, D::Error> {
        number(deserializer).map(Id)
    }
}

/// Who answered, and at which point of the history.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Header {
    pub cluster_id: Id,
    pub member_id: Id,
    #[serde(deserialize_with = "number")]
    pub revision: u64,
}

/// The answer to `Maintenance.Status`, as far as it is read. Sizes are in bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Status {
    pub header: Header,
    /// The member's own: `3.7.0`.
    pub version: String,
    /// Of its database, from 3.6 on: `3.7.0`.
    pub storage_version: String,
    /// What the database has on the disk.
    #[serde(rename = "dbSize", deserialize_with = "number")]
    pub size: u64,
    /// What would be left of it by a defragmentation.
    #[serde(rename = "dbSizeInUse", deserialize_with = "number")]
    pub size_in_use: u64,
    /// Only from 3.6 on.
    #[serde(rename = "dbSizeQuota", deserialize_with = "number")]
    pub quota: u64,
    /// Zero: it knows none.
    pub leader: Id,
    pub is_learner: bool,
    #[serde(deserialize_with = "number")]
    pub raft_term: u64,
    #[serde(deserialize_with = "number")]
    pub raft_index: u64,
    #[serde(deserialize_with = "number")]
    pub raft_applied_index: u64,
    /// Alarms among them.
    pub errors: Vec<String>,
}

impl Status {
    /// Why no snapshot is taken of the member: it may be behind the others, or its data are not right.
    pub fn unfit(&self) -> Option<String> {
        let corrupt = self.errors.iter().find(|text| text.contains("CORRUPT"));
        let alarm = corrupt.map(|alarm| format!("has an alarm: {alarm}"));
        self.hindrance().or(alarm)
    }

    /// Why it takes no part, or not with a vote.
    pub fn hindrance(&self) -> Option<String> {
        if self.leader == Id::default() {
            Some("knows no leader".to_owned())
        } else if self.is_learner {
            Some("is a learner, and has no vote yet".to_owned())
        } else {
            None
        }
    }
}

/// A member in the list of members.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Listed {
    #[serde(rename = "ID")]
    pub id: Id,
    /// Empty until it has started once.
    pub name: String,
    pub is_learner: bool,
}

/// The answer to `Cluster.MemberList`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct MemberList {
    pub members: Vec<Listed>,
}

pub(super) fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map_err(serde::de::Error::custom)
}
