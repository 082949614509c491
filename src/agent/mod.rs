//! What the Jobs of a farm do, inside the admin cluster: prepare the child cluster, make join tokens, publish the boot
//! server's address. Each may run at any time, twice, and beside another of its kind.
//!
//! Files are read before a cluster is asked, so that a wrong one is told at once.

mod address;
mod announce;
mod authorities;
mod boot_address;
mod bootstrap;
mod join_token;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Map, Value as Json};
use tokio::time::Instant;

use crate::cluster::change::ApplyError;
use crate::cluster::{Api, ClusterError, Event, Interrupt, Observer, Resource, Target};
use crate::manifest::{Key, ManifestError};

pub use announce::Announce;
pub use boot_address::{BootAddress, DhcpOption, Published, publish_boot_address};
pub use bootstrap::{Bootstrap, bootstrap};
pub use join_token::{JoinToken, join_token};

/// How often something that is waited for is looked at.
const LOOK: Duration = Duration::from_secs(1);
/// How long one attempt to reach a cluster may take: one that does not answer may have been replaced by another.
const ATTEMPT: Duration = Duration::from_secs(20);

/// How a Job works on clusters, whatever it does there.
pub struct Running<'a> {
    pub timeout: Duration,
    pub interrupt: Interrupt,
    pub observer: &'a dyn Observer,
}

/// Why a Job did not do its work.
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
    /// What was waited for did not come.
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

/// Connects to a cluster that may not be up yet.
///
/// # Errors
/// The last reason, when the time is over; at once where no waiting can help.
async fn connect(target: Target, running: &Running<'_>) -> Result<Api, AgentError> {
    let deadline = Instant::now().checked_add(running.timeout);
    let deadline =
        deadline.ok_or_else(|| AgentError::TooLate("no clock knows this time".to_owned()))?;
    let mut told = String::new();
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let interrupt = running.interrupt.clone();
        let error = match Api::open(target.clone(), left.min(ATTEMPT), interrupt).await {
            Ok(api) => return Ok(api.until(deadline, running.interrupt.clone())),
            Err(error) => error,
        };
        if !may_come(&error) {
            return Err(error.into());
        }
        let reason = error.to_string();
        if deadline <= Instant::now() + LOOK {
            return Err(AgentError::TooLate(reason));
        }
        if told != reason {
            let note = format!("{reason}; waiting");
            running.observer.observe(&Event::Note(&note));
            told = reason;
        }
        running.interrupt.pause(LOOK).await?;
    }
}

/// Whether a cluster that did this may do better later.
fn may_come(error: &ClusterError) -> bool {
    match error {
        ClusterError::Unreachable { .. } | ClusterError::Timeout { .. } => true,
        // It is still starting: its own roles are not there, or not all of it is.
        ClusterError::Refused(status) => matches!(status.code, 403 | 429 | 500..),
        _ => false,
    }
}

/// Looks at an object until it has what is wanted of it; `wanted` says what is missing.
///
/// # Errors
/// [`AgentError::TooLate`] with what is missing; where the cluster refuses.
async fn wait_for<T>(
    api: &Api,
    resource: &Resource,
    key: &Key,
    observer: &dyn Observer,
    wanted: impl Fn(&Map<String, Json>) -> Result<T, String>,
) -> Result<T, AgentError> {
    loop {
        let missing = match api.get(resource, key).await? {
            None => "it does not exist".to_owned(),
            Some(object) => match wanted(&object) {
                Ok(found) => return Ok(found),
                Err(missing) => missing,
            },
        };
        if Instant::now() + LOOK >= api.deadline() {
            return Err(AgentError::TooLate(format!("{key}: {missing}")));
        }
        observer.observe(&Event::Waiting {
            key,
            reason: &missing,
        });
        api.interrupt().pause(LOOK).await?;
    }
}

fn read(path: &Path) -> Result<String, AgentError> {
    std::fs::read_to_string(path).map_err(|error| unreadable(path, &error))
}

fn unreadable(path: &Path, reason: &dyn ToString) -> AgentError {
    AgentError::File {
        path: path.to_owned(),
        reason: reason.to_string(),
    }
}

/// A kind of version `v1` in the core group.
fn core(kind: &str, plural: &str) -> Resource {
    Resource::well_known("", kind, plural)
}

fn core_key(kind: &str, namespace: &str, name: &str) -> Key {
    Key {
        group: String::new(),
        kind: kind.to_owned(),
        namespace: namespace.to_owned(),
        name: name.to_owned(),
    }
}
