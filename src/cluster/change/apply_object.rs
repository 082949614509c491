//! One object applied as it was planned.

use std::time::Duration;

use serde_json::{Map, Value as Json};
use tokio::time::Instant;

use super::planned::{Planned, Step, masked};
use crate::cluster::client::{
    Answer, Api, ApplyMode, ClusterError, DeleteParams, Resource, Status, only,
};
use crate::cluster::event::{Action, Event, Observer};
use crate::cluster::fields::helm;
use crate::manifest::Key;
use crate::manifest::json::text_at;

/// How often to check whether a deleted object is gone.
const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// Applies an object; gives it as it is then, and what was done.
pub(super) async fn apply_planned(
    api: &Api,
    planned: &Planned,
) -> Result<(Map<String, Json>, Action), ClusterError> {
    let Some(resource) = &planned.resource else {
        return Err(unserved(&planned.key));
    };
    let live = planned.live.as_ref();
    let force = match (&planned.step, live) {
        (Step::Nothing, Some(live)) => return Ok((live.clone(), Action::Unchanged)),
        (Step::Adopt(_), Some(live)) => {
            helm::take_over(api, resource, &planned.key, live).await?;
            false
        }
        (Step::Replace, Some(live)) => {
            delete_and_wait(api, resource, &planned.key, live).await?;
            false
        }
        (Step::Take(..), _) => true,
        _ => false,
    };
    let answer = send(api, resource, planned, force).await?;
    let action = action(planned, live, &answer);
    Ok((answer.object, action))
}

/// Reports what was done with an object, and which fields were taken from whom.
pub(super) fn report(observer: &dyn Observer, planned: &Planned, action: &Action) {
    let key = &planned.key;
    if let Step::Take(_, conflicts) = &planned.step {
        observer.observe(&Event::Taken { key, conflicts });
    }
    observer.observe(&Event::Object {
        key,
        action: action.clone(),
    });
}

async fn send(
    api: &Api,
    resource: &Resource,
    planned: &Planned,
    force: bool,
) -> Result<Answer, ClusterError> {
    let mode = ApplyMode {
        dry_run: false,
        force,
    };
    let applied = api.apply(resource, &planned.key, &planned.content, mode);
    applied.await.map_err(|error| match error {
        ClusterError::Refused(status) => {
            ClusterError::Refused(Box::new(masked(*status, &planned.key)))
        }
        other => other,
    })
}

fn action(planned: &Planned, live: Option<&Map<String, Json>>, answer: &Answer) -> Action {
    let version = |object| text_at(object, &["metadata", "resourceVersion"]);
    match (&planned.step, live) {
        (Step::Replace, _) => Action::Replaced,
        _ if answer.created => Action::Created,
        (_, Some(live)) if version(live) == version(&answer.object) => Action::Unchanged,
        _ => Action::Changed,
    }
}

/// Deletes an object that will be recreated, and waits until it is gone. Pods of a StatefulSet or Deployment stay for
/// the new one, so that an etcd keeps its quorum.
async fn delete_and_wait(
    api: &Api,
    resource: &Resource,
    key: &Key,
    live: &Map<String, Json>,
) -> Result<(), ClusterError> {
    let params = match key.kind.as_str() {
        "StatefulSet" | "Deployment" | "DaemonSet" | "ReplicaSet" => DeleteParams::orphan(),
        _ => DeleteParams::background(),
    };
    let uid = text_at(live, &["metadata", "uid"]);
    api.delete(resource, key, &only(uid, params)).await?;
    loop {
        let now = api.get(resource, key).await?;
        if now.is_none_or(|now| text_at(&now, &["metadata", "uid"]) != uid) {
            return Ok(());
        }
        if Instant::now() + POLL_INTERVAL >= api.deadline() {
            return Err(ClusterError::Timeout {
                server: api.server().to_owned(),
                last: "the old object is still being deleted".to_owned(),
            });
        }
        api.interrupt().pause(POLL_INTERVAL).await?;
    }
}

fn unserved(key: &Key) -> ClusterError {
    let message = format!("the cluster does not serve the kind {}", key.kind);
    ClusterError::Refused(Box::new(Status::new(404, "NotFound", &message)))
}
