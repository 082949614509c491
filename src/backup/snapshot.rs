//! etcd's snapshot: a database in whole pages, and after it the SHA-256 of all of it (etcd, `server/etcdserver/api/v3rpc`,
//! `Snapshot`). `etcdutl snapshot status` does not compare the two.

use sha2::{Digest as _, Sha256};

use super::error::Flaw;

/// The bytes of the sum at the end.
const SUM: usize = 32;
/// Databases have whole pages, and a page has a multiple of these bytes (etcdutl, `hasChecksum`).
const PAGES: u64 = 512;
/// The number in the first page of a database, and where it is (bbolt, `meta.magic`, in the byte order of amd64 and
/// arm64).
const MAGIC: [u8; 4] = 0xED0C_DAED_u32.to_le_bytes();
const MAGIC_AT: usize = 16;

/// Checks a snapshot while it passes by.
#[derive(Debug, Default)]
pub struct SnapshotSum {
    hash: Sha256,
    /// The last bytes so far, which are the sum if nothing follows.
    tail: Vec<u8>,
    /// The first bytes.
    head: Vec<u8>,
    size: u64,
}

impl SnapshotSum {
    pub fn update(&mut self, bytes: &[u8]) {
        self.size += bytes.len() as u64;
        let wanted = (MAGIC_AT + MAGIC.len()).saturating_sub(self.head.len());
        self.head.extend(bytes.iter().take(wanted));
        self.tail.extend_from_slice(bytes);
        let ready = self.tail.len().saturating_sub(SUM);
        self.hash.update(self.tail.get(..ready).unwrap_or_default());
        self.tail.drain(..ready);
    }

    /// Whether a file that begins so is a database of etcd.
    pub fn begins(head: &[u8]) -> bool {
        head.get(MAGIC_AT..MAGIC_AT + MAGIC.len()) == Some(MAGIC.as_slice())
    }

    /// Ends it.
    ///
    /// # Errors
    /// What is wrong with the snapshot.
    pub fn check(self) -> Result<(), Flaw> {
        if self.size == 0 {
            return Err(Flaw::Empty);
        }
        if !SnapshotSum::begins(&self.head) {
            return Err(Flaw::NoDatabase);
        }
        if self.size % PAGES != SUM as u64 {
            return Err(Flaw::NoSum(self.size));
        }
        let is_right = self.hash.finalize().as_slice() == self.tail.as_slice();
        if is_right { Ok(()) } else { Err(Flaw::Sum) }
    }
}
