//! What stands beside a backup once it is complete, for those who have no key: whether the file is still the one that
//! was written, and of when it is. A file without a record is not touched.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::error::Flaw;

/// The record of a backup, in `FILE.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    /// The name of the backup's file.
    pub file: String,
    /// `NAMESPACE.NAME`
    pub farm: String,
    pub time: Timestamp,
    /// In bytes.
    pub size: u64,
    /// Of the file as it is, encrypted or not; in lower-case hexadecimal digits.
    pub sha256: String,
    /// At least this one of etcd's is in it.
    pub revision: u64,
    pub encrypted: bool,
}

impl Record {
    /// The name of the record of a file.
    pub fn name(file: &str) -> String {
        format!("{file}.json")
    }

    /// Holds a file against its record.
    ///
    /// # Errors
    /// Where it is another one.
    pub fn compare(&self, size: u64, sha256: &str) -> Result<(), Flaw> {
        if self.size != size {
            return Err(Flaw::Record {
                wanted: format!("{} bytes", self.size),
                found: format!("{size}"),
            });
        }
        if self.sha256 != sha256 {
            return Err(Flaw::Record {
                wanted: format!("the SHA-256 {}", self.sha256),
                found: sha256.to_owned(),
            });
        }
        Ok(())
    }
}
