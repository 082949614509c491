//! How a farm is, read from its record and the cluster, without any values file.

use std::collections::{BTreeMap, HashSet};

use futures::stream::{self, StreamExt, TryStreamExt};

use super::judge::Judge;
use super::readiness::Readiness;
use crate::cluster::client::{Api, ClusterError, FIELD_MANAGER};
use crate::cluster::fields::managed_fields::{digest, owners_besides};
use crate::cluster::record::{InventoryError, Parent, inventory};
use crate::farm::Release;
use crate::manifest::Key;
use crate::manifest::json::{text_at, value_at};

/// The fact that says when the last backup was.
const LAST_BACKUP: &str = "last backup";
/// How the name of the CronJob ends that makes them.
const BACKUPS: &str = "-etcd-backup";

/// How a farm is.
#[derive(Debug, Clone, PartialEq)]
pub struct FarmStatus {
    pub facts: BTreeMap<String, String>,
    pub objects: Vec<ObjectStatus>,
    /// Members that no finished apply recorded: one was stopped half-way, or something was kept.
    pub unrecorded: Vec<Key>,
}

/// How an object is.
#[derive(Debug, Clone, PartialEq)]
pub struct ObjectStatus {
    pub key: Key,
    /// `None` where it is gone.
    pub readiness: Option<Readiness>,
    /// Whether fields that were applied have other values now, or another owner.
    pub drifted: bool,
    /// The field managers that own other parts.
    pub other_managers: Vec<String>,
}

impl ObjectStatus {
    /// Whether it is there, ready, and as it was applied.
    pub fn is_well(&self) -> bool {
        self.readiness == Some(Readiness::Ready) && !self.drifted
    }
}

/// Asks for every object of a farm; `None` where the cluster knows no such farm.
///
/// # Errors
/// Where the cluster refuses.
pub async fn status(
    api: &Api,
    release: &Release,
    concurrency: usize,
) -> Result<Option<FarmStatus>, InventoryError> {
    let Some(mut parent) = inventory::read(api, release).await? else {
        return Ok(None);
    };
    if let Some(backup) = last_backup(api, &parent).await? {
        parent.facts.insert(LAST_BACKUP.to_owned(), backup);
    }
    let members = inventory::members(api, release, &parent, concurrency).await?;
    let judge = Judge::new(api);
    let objects = stream::iter(&parent.objects)
        .map(|(key, digest)| object_status(api, &judge, key, digest))
        .buffered(concurrency)
        .try_collect()
        .await?;
    let recorded: HashSet<&Key> = parent.objects.iter().map(|(key, _)| key).collect();
    let unrecorded = members
        .into_iter()
        .filter(|member| !recorded.contains(&member.key));
    Ok(Some(FarmStatus {
        objects,
        unrecorded: unrecorded.map(|member| member.key).collect(),
        facts: parent.facts,
    }))
}

/// When the last backup of etcd was complete, as Kubernetes recorded it; `None` where none is made.
async fn last_backup(api: &Api, parent: &Parent) -> Result<Option<String>, ClusterError> {
    let is_it = |key: &Key| key.kind == "CronJob" && key.name.ends_with(BACKUPS);
    let mut keys = parent.objects.iter().map(|(key, _)| key);
    let found = keys.find(|key| is_it(key));
    let resource = found.and_then(|key| api.resources.preferred(&key.group, &key.kind));
    let (Some(key), Some(resource)) = (found, resource) else {
        return Ok(None);
    };
    let live = api.get(resource, key).await?;
    Ok(live.map(|live| {
        let at = |field| text_at(&live, &["status", field]);
        let (done, begun) = (at("lastSuccessfulTime"), at("lastScheduleTime"));
        let done = if done.is_empty() { "never" } else { done };
        let runs = value_at(&live, &["status", "active"]).is_some();
        // Times of Kubernetes are all in one form, in UTC.
        if runs || begun.is_empty() || (done != "never" && begun <= done) {
            done.to_owned()
        } else {
            format!("{done} (that of {begun} failed)")
        }
    }))
}

async fn object_status(
    api: &Api,
    judge: &Judge<'_>,
    key: &Key,
    applied_digest: &str,
) -> Result<ObjectStatus, ClusterError> {
    let live = match api.resources.preferred(&key.group, &key.kind) {
        Some(resource) => api.get(resource, key).await?,
        None => None,
    };
    Ok(match live {
        None => ObjectStatus {
            key: key.clone(),
            readiness: None,
            drifted: true,
            other_managers: Vec::new(),
        },
        Some(live) => ObjectStatus {
            key: key.clone(),
            readiness: Some(judge.readiness(&live).await),
            drifted: digest(&live, FIELD_MANAGER) != applied_digest,
            other_managers: owners_besides(&live, FIELD_MANAGER),
        },
    })
}
