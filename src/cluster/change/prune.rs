//! Members of a farm that are no longer rendered: found, checked, and deleted in reverse order.

use std::collections::{HashMap, HashSet};

use futures::stream::{self, StreamExt, TryStreamExt};
use serde_json::{Map, Value as Json};

use super::error::ApplyError;
use super::gone::lingering;
use super::options::ApplyOptions;
use super::planned::{Planned, Refusal};
use super::waves::Wave;
use crate::cluster::client::{Api, ClusterError, DeleteParams, only};
use crate::cluster::event::{Action, Event, Observer, Stage};
use crate::cluster::record::{Kept, Member};
use crate::cluster::state::issued_secrets;
use crate::manifest::Key;

/// The members that are not among the planned objects, nor the Secrets of planned Certificates.
///
/// A CA's Certificate may go when its Secret is rendered: the Secret itself is kept.
pub(super) fn stale(
    members: Vec<Member>,
    planned: &[Planned],
    live: &HashMap<Key, Map<String, Json>>,
) -> Vec<Member> {
    let contents = planned
        .iter()
        .map(|planned| (&planned.key, &planned.content));
    let issued = issued_secrets(contents);
    let rendered: HashSet<&Key> = planned.iter().map(|planned| &planned.key).collect();
    let is_stale = |key: &Key| !rendered.contains(key) && !issued.contains(key);
    let mut stale: Vec<Member> = members
        .into_iter()
        .filter(|member| is_stale(&member.key))
        .collect();
    for member in &mut stale {
        let object = live.get_key_value(&member.key);
        let secrets = issued_secrets(object.into_iter());
        let is_taken_over = secrets.iter().any(|secret| rendered.contains(secret));
        if is_taken_over && member.kept == Some(Kept::Authority) {
            member.kept = None;
        }
    }
    stale
}

/// Tries every deletion in a dry run.
///
/// # Errors
/// Where the cluster cannot be asked. What it refuses is given back.
pub(super) async fn check_deletions(
    api: &Api,
    members: impl IntoIterator<Item = &Member>,
    concurrency: usize,
) -> Result<Vec<(Key, Refusal)>, ClusterError> {
    let checks = stream::iter(members).map(|member| async move {
        match delete(api, member, true).await {
            Ok(()) => Ok(None),
            Err(ClusterError::Refused(status)) => {
                Ok(Some((member.key.clone(), Refusal::Server(*status))))
            }
            Err(error) => Err(error),
        }
    });
    let checks: Vec<_> = checks.buffered(concurrency).try_collect().await?;
    Ok(checks.into_iter().flatten().collect())
}

/// Deletes what may be deleted, the last wave first. Gives the members that are left.
///
/// # Errors
/// Where the cluster refuses; what is left stays in the farm's record.
pub(super) async fn prune(
    api: &Api,
    stale: Vec<Member>,
    options: &ApplyOptions,
    observer: &dyn Observer,
) -> Result<Vec<Key>, ApplyError> {
    if !options.prune {
        return Ok(stale.into_iter().map(|member| member.key).collect());
    }
    if stale.is_empty() {
        return Ok(Vec::new());
    }
    observer.observe(&Event::Stage {
        stage: Stage::Prune,
        count: stale.len(),
    });
    let mut deletable = Vec::new();
    let mut left = Vec::new();
    for member in stale {
        let Some(reason) = member.kept else {
            deletable.push(member);
            continue;
        };
        observer.observe(&Event::Object {
            key: &member.key,
            action: Action::Kept(reason.reason()),
        });
        left.push(member.key);
    }
    delete_all(api, deletable.clone(), options.concurrency, observer).await?;
    // What a finalizer holds stays in the record, for the next run to check.
    let lingering = lingering(api, &deletable, options.concurrency).await?;
    left.extend(lingering.into_iter().map(|(member, _)| member.key));
    Ok(left)
}

/// Deletes members, wave after wave from the last to the first.
///
/// # Errors
/// The object that could not be deleted, with those that were.
pub(super) async fn delete_all(
    api: &Api,
    mut members: Vec<Member>,
    concurrency: usize,
    observer: &dyn Observer,
) -> Result<Vec<Key>, ApplyError> {
    members.sort_by_key(|member| std::cmp::Reverse(Wave::of_key(&member.key)));
    let mut deleted: Vec<Key> = Vec::new();
    let waves = members.chunk_by(|a, b| Wave::of_key(&a.key) == Wave::of_key(&b.key));
    for wave in waves {
        let deletions = stream::iter(wave).map(|member| async move {
            if api.interrupt().is_set() {
                return (member, Err(ClusterError::Interrupted));
            }
            let result = delete(api, member, false).await;
            if result.is_ok() {
                observer.observe(&Event::Object {
                    key: &member.key,
                    action: Action::Deleted,
                });
            }
            (member, result)
        });
        let results: Vec<_> = deletions.buffer_unordered(concurrency).collect().await;
        let mut failure = None;
        for (member, result) in results {
            match result {
                Ok(()) => deleted.push(member.key.clone()),
                Err(error) => failure = failure.or(Some((member.key.clone(), error))),
            }
        }
        if let Some((key, error)) = failure {
            let keys = members.iter().map(|member| member.key.clone());
            let not_done = keys.filter(|key| !deleted.contains(key)).collect();
            return Err(ApplyError::Stopped {
                key: Some(key),
                error,
                done: deleted,
                not_done,
            });
        }
    }
    Ok(deleted)
}

async fn delete(api: &Api, member: &Member, dry_run: bool) -> Result<(), ClusterError> {
    let params = DeleteParams {
        dry_run,
        ..only(&member.uid, DeleteParams::background())
    };
    api.delete(&member.resource, &member.key, &params).await
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::cluster::change::planned::Step;
    use crate::cluster::client::Resource;
    use crate::manifest::json::into_object;

    fn certificate(name: &str) -> Key {
        Key {
            group: "cert-manager.io".to_owned(),
            ..Key::core("Certificate", "farm", name)
        }
    }

    #[test]
    fn only_an_authority_whose_secret_is_rendered_may_go() {
        let spec = |name: &str| into_object(json!({ "spec": { "secretName": name } }));
        let keys = ["rendered", "alone", "asked"].map(certificate);
        let live: HashMap<Key, Map<String, Json>> = keys
            .iter()
            .map(|key| (key.clone(), spec(&key.name)))
            .collect();
        let secret = |name: &str| Planned {
            key: Key::core("Secret", "farm", name),
            content: Map::new(),
            resource: None,
            live: None,
            step: Step::Unseen,
            warnings: Vec::new(),
        };
        let member = |key: &Key, kept: Kept| Member {
            key: key.clone(),
            resource: Resource::well_known(&key.group, &key.kind, "certificates"),
            uid: String::new(),
            kept: Some(kept),
        };
        let [rendered, alone, asked] = &keys;
        let members = vec![
            member(rendered, Kept::Authority),
            member(alone, Kept::Authority),
            member(asked, Kept::Asked),
        ];
        let stale = stale(members, &[secret("rendered"), secret("asked")], &live);
        let kept: Vec<(&Key, Option<Kept>)> = stale
            .iter()
            .map(|member| (&member.key, member.kept))
            .collect();
        let expected = [
            (rendered, None),
            (alone, Some(Kept::Authority)),
            (asked, Some(Kept::Asked)),
        ];
        assert_eq!(kept, expected);
    }
}
