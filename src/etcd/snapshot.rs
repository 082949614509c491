//! The snapshot of a member's database, as it comes: a stream of answers is one JSON object a line.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use serde::Deserialize;
use serde_json::Value as Json;
use tokio::time::timeout;

use super::answer::number;
use super::error::EtcdError;

/// How long the next part may take: the member reads it from its disk.
const PATIENCE: Duration = Duration::from_secs(60);
/// More than one part has: 32 KiB in base64.
const LARGEST_LINE: usize = 1024 * 1024;

/// The parts of a snapshot.
pub struct Parts {
    host: String,
    body: Incoming,
    /// What was read of lines that have no end yet.
    read: Vec<u8>,
}

/// A part of a snapshot.
pub struct Part {
    pub bytes: Vec<u8>,
    /// The bytes of the database that follow; its SHA-256 comes after them, in a part of its own.
    pub remaining: u64,
}

#[derive(Deserialize)]
struct Line {
    result: Option<Answer>,
    error: Option<Json>,
}

/// `SnapshotResponse` of etcd's `rpc.proto`.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Answer {
    #[serde(deserialize_with = "number")]
    remaining_bytes: u64,
    blob: String,
}

impl Parts {
    pub(super) fn of(host: String, body: Incoming) -> Parts {
        Parts {
            host,
            body,
            read: Vec::new(),
        }
    }

    /// The next part; `None` after the last one.
    ///
    /// # Errors
    /// Where the stream ends early, is silent, or the member reports that it failed.
    pub async fn next(&mut self) -> Result<Option<Part>, EtcdError> {
        loop {
            if let Some(end) = self.read.iter().position(|byte| *byte == b'\n') {
                let rest = self.read.split_off(end + 1);
                let line = std::mem::replace(&mut self.read, rest);
                return self.part(&line).map(Some);
            }
            let frame = timeout(PATIENCE, self.body.frame()).await;
            let frame = frame.map_err(|_| self.garbled("the snapshot does not go on"))?;
            match frame {
                Some(frame) => {
                    let frame = frame.map_err(|error| self.garbled(error))?;
                    let data = frame.into_data().unwrap_or_default();
                    self.read.extend_from_slice(&data);
                }
                None if self.read.is_empty() => return Ok(None),
                None => return Err(self.garbled("the snapshot ends in the middle")),
            }
            if self.read.len() > LARGEST_LINE {
                return Err(self.garbled("a line is too long"));
            }
        }
    }

    fn part(&self, line: &[u8]) -> Result<Part, EtcdError> {
        let line: Line = serde_json::from_slice(line).map_err(|error| self.garbled(error))?;
        if let Some(error) = line.error {
            let host = self.host.clone();
            let message = error.get("message").and_then(Json::as_str);
            let reason = message.map_or_else(|| error.to_string(), str::to_owned);
            return Err(EtcdError::Refused { host, reason });
        }
        let Answer {
            remaining_bytes,
            blob,
        } = line.result.unwrap_or_default();
        let bytes = STANDARD.decode(blob).map_err(|error| self.garbled(error))?;
        Ok(Part {
            bytes,
            remaining: remaining_bytes,
        })
    }

    fn garbled(&self, reason: impl ToString) -> EtcdError {
        EtcdError::Garbled {
            host: self.host.clone(),
            reason: reason.to_string(),
        }
    }
}
