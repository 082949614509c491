//! The farms of a cluster, and how they are: read from their records, without any values file.

use std::collections::{BTreeMap, HashSet};

use futures::stream::{self, StreamExt, TryStreamExt};
use serde_json::{Map, Value as Json};

use super::applyset::{ID, Parent, Release, is_ours};
use super::inventory::{self, InventoryError, config_map};
use super::judge::Judge;
use super::readiness::Readiness;
use super::{Api, ClusterError, Detail, FIELD_MANAGER, fields, text_at};
use crate::manifest::Key;

/// A farm, as its record says.
#[derive(Debug, Clone, PartialEq)]
pub struct Farm {
    pub release: Release,
    pub facts: BTreeMap<String, String>,
    /// How many objects were applied; none where the farm was deleted and something of it kept.
    pub objects: usize,
}

/// The farms of a namespace, or of all of them, by name.
///
/// # Errors
/// Where the cluster refuses to list ConfigMaps.
pub async fn list(api: &Api, namespace: Option<&str>) -> Result<Vec<Farm>, ClusterError> {
    let found = api
        .list(&config_map(), namespace, ID, Detail::Whole)
        .await?;
    let farms = found.iter().filter(|object| is_ours(object));
    let mut farms: Vec<Farm> = farms.filter_map(farm).collect();
    farms.sort_by(|a, b| {
        let key = |farm: &Farm| (farm.release.namespace.clone(), farm.release.name.clone());
        key(a).cmp(&key(b))
    });
    Ok(farms)
}

fn farm(object: &Map<String, Json>) -> Option<Farm> {
    let parent = Parent::read(object).ok()?;
    Some(Farm {
        release: Release {
            name: text_at(
                object,
                &["metadata", "labels", "app.kubernetes.io/instance"],
            )
            .to_owned(),
            namespace: text_at(object, &["metadata", "namespace"]).to_owned(),
        },
        objects: parent.objects.len(),
        facts: parent.facts,
    })
}

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
    let Some(parent) = inventory::read(api, release).await? else {
        return Ok(None);
    };
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

async fn object_status(
    api: &Api,
    judge: &Judge<'_>,
    key: &Key,
    digest: &str,
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
            drifted: fields::digest(&live, FIELD_MANAGER) != digest,
            other_managers: fields::owners_besides(&live, FIELD_MANAGER),
        },
    })
}
