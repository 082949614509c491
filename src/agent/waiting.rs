//! Waiting for clusters and objects that are not there yet.

use std::time::Duration;

use serde_json::{Map, Value as Json};
use tokio::time::Instant;

use super::error::AgentError;
use crate::cluster::{Api, ClusterError, Event, Interrupt, Observer, Resource, Target};
use crate::manifest::Key;

/// How often something that is waited for is checked.
pub(super) const POLL_INTERVAL: Duration = Duration::from_secs(1);
/// How long one attempt to reach a cluster may take: one that does not answer may have been replaced by another.
const ATTEMPT: Duration = Duration::from_secs(20);

/// What every Job has: how long it waits, what ends it, and where it reports.
pub struct JobContext<'a> {
    pub timeout: Duration,
    pub interrupt: Interrupt,
    pub observer: &'a dyn Observer,
}

/// Connects to a cluster that may not be up yet.
///
/// # Errors
/// The last reason, when the time is over; at once where no waiting can help.
pub(super) async fn connect(target: Target, context: &JobContext<'_>) -> Result<Api, AgentError> {
    let deadline = Instant::now().checked_add(context.timeout);
    let deadline =
        deadline.ok_or_else(|| AgentError::TooLate("no clock knows this time".to_owned()))?;
    let mut reported = String::new();
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let interrupt = context.interrupt.clone();
        let error = match Api::open(target.clone(), left.min(ATTEMPT), interrupt).await {
            Ok(api) => return Ok(api.until(deadline, context.interrupt.clone())),
            Err(error) => error,
        };
        if !may_recover(&error) {
            return Err(error.into());
        }
        let reason = error.to_string();
        if deadline <= Instant::now() + POLL_INTERVAL {
            return Err(AgentError::TooLate(reason));
        }
        if reported != reason {
            let note = format!("{reason}; waiting");
            context.observer.observe(&Event::Note(&note));
            reported = reason;
        }
        context.interrupt.pause(POLL_INTERVAL).await?;
    }
}

/// Whether a cluster that failed so may answer later.
fn may_recover(error: &ClusterError) -> bool {
    match error {
        ClusterError::Unreachable { .. } | ClusterError::Timeout { .. } => true,
        // It is still starting: its own roles are not there, or not all of it is.
        ClusterError::Refused(status) => matches!(status.code, 403 | 429 | 500..),
        _ => false,
    }
}

/// Polls an object until `wanted` finds what it needs in it; its error is what is missing.
///
/// # Errors
/// [`AgentError::TooLate`] with what is missing; where the cluster refuses.
pub(super) async fn wait_for<T>(
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
        if Instant::now() + POLL_INTERVAL >= api.deadline() {
            return Err(AgentError::TooLate(format!("{key}: {missing}")));
        }
        observer.observe(&Event::Waiting {
            key,
            reason: &missing,
        });
        api.interrupt().pause(POLL_INTERVAL).await?;
    }
}
