//! How a farm is, read from its record and the cluster, without any values file.

use std::collections::{BTreeMap, HashSet};

use futures::stream::{self, StreamExt, TryStreamExt};

use super::judge::Judge;
use super::readiness::Readiness;
use crate::cluster::client::{Api, ClusterError, FIELD_MANAGER};
use crate::cluster::fields::managed_fields::{digest, owners_besides};
use crate::cluster::record::{InventoryError, inventory};
use crate::farm::Release;
use crate::manifest::Key;

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
