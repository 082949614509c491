//! Whether deleted objects are gone. Until the controllers that added finalizers have removed them, they are not
//! (kubernetes.io/docs/concepts/overview/working-with-objects/finalizers).

use std::time::Duration;

use futures::stream::{self, StreamExt, TryStreamExt};
use serde_json::Value as Json;
use tokio::time::Instant;

use super::error::ApplyError;
use crate::cluster::client::{Api, ClusterError};
use crate::cluster::event::{Event, Observer};
use crate::cluster::record::Member;
use crate::manifest::Key;
use crate::manifest::json::{text_at, value_at};

/// How often to check.
const POLL_INTERVAL: Duration = Duration::from_millis(500);

/// Those of the deleted members that are still there, and what holds each.
///
/// # Errors
/// Where the cluster refuses.
pub(super) async fn lingering(
    api: &Api,
    deleted: &[Member],
    concurrency: usize,
) -> Result<Vec<(Member, String)>, ClusterError> {
    let checks = stream::iter(deleted).map(|member| async move {
        let found = api.get(&member.resource, &member.key).await?;
        let same = found.filter(|now| text_at(now, &["metadata", "uid"]) == member.uid);
        Ok::<_, ClusterError>(same.map(|object| {
            let finalizers = value_at(&object, &["metadata", "finalizers"]);
            let finalizers = finalizers.and_then(Json::as_array).into_iter().flatten();
            let names: Vec<&str> = finalizers.filter_map(Json::as_str).collect();
            (member.clone(), names.join(", "))
        }))
    });
    let found: Vec<_> = checks.buffered(concurrency).try_collect().await?;
    Ok(found.into_iter().flatten().collect())
}

/// Those that are still there after a pause.
async fn look_again(
    api: &Api,
    left: &[(Member, String)],
    concurrency: usize,
) -> Result<Vec<(Member, String)>, ClusterError> {
    api.interrupt().pause(POLL_INTERVAL).await?;
    let members: Vec<Member> = left.iter().map(|(member, _)| member.clone()).collect();
    lingering(api, &members, concurrency).await
}

/// Waits until deleted members are gone.
///
/// # Errors
/// [`ApplyError::Stopped`] with the first that is still there at the API's deadline, or where the user interrupts.
pub(super) async fn wait_until_gone(
    api: &Api,
    deleted: &[Member],
    concurrency: usize,
    observer: &dyn Observer,
) -> Result<(), ApplyError> {
    let mut is_reported = false;
    let mut left = lingering(api, deleted, concurrency).await?;
    while let Some((first, finalizers)) = left.first() {
        let key = &first.key;
        if !is_reported {
            let count = match left.len() {
                1 => "1 object is".to_owned(),
                count => format!("{count} objects are"),
            };
            let note = format!("waiting until {count} gone; the first is {key}");
            observer.observe(&Event::Note(&note));
            is_reported = true;
        }
        let lingers = || ClusterError::Lingering {
            finalizers: finalizers.clone(),
        };
        let error = if Instant::now() + POLL_INTERVAL >= api.deadline() {
            lingers()
        } else {
            match look_again(api, &left, concurrency).await {
                Ok(found) => {
                    left = found;
                    continue;
                }
                // The time was over before the cluster answered: what it said before holds.
                Err(ClusterError::Timeout { .. }) => lingers(),
                Err(error) => error,
            }
        };
        let key = key.clone();
        let not_done: Vec<Key> = left.into_iter().map(|(member, _)| member.key).collect();
        let keys = deleted.iter().map(|member| member.key.clone());
        return Err(ApplyError::Stopped {
            key: Some(key),
            error,
            done: keys.filter(|key| !not_done.contains(key)).collect(),
            not_done,
        });
    }
    Ok(())
}
