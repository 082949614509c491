//! What lives in a farm is looked at before it is changed: changes that lose data, split a database or cut a child cluster
//! off from its nodes are refused, each with the way that is safe.
//!
//! What is compared are the workloads of the control plane, live and rendered, so that a farm which another tool installed
//! is guarded as well. The record only remembers what no object says.

mod life;
mod record;
mod risk;
mod rules;
mod version;

use std::collections::{BTreeSet, HashMap};

use serde_json::{Map, Value as Json};

use super::apply::Options;
use super::applyset::Parent;
use super::delete::is_claim_of;
use super::plan::{Planned, Refusal};
use super::{Api, ClusterError, Detail, text_at};
use crate::manifest::{Key, Object};
use life::{Component, Life};
use rules::{Change, Claim};

pub use record::{DNS_DOMAIN, Memory};
pub use risk::{Danger, Risk};
pub use version::{Version, image_tag};

type Objects = HashMap<Key, Map<String, Json>>;

/// What was found out about a change.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Dangers that nobody accepted.
    pub dangers: Vec<Danger>,
    /// What the farm's record is to remember.
    pub memory: Memory,
}

/// Compares what is planned with what lives.
///
/// # Errors
/// Where the cluster refuses to list volume claims.
pub(super) async fn look(
    api: &Api,
    planned: &[Planned],
    known: &Objects,
    parent: &Parent,
    options: &Options,
) -> Result<Found, ClusterError> {
    let after = Life::rendered(planned.iter().map(|one| (&one.key, &one.content)));
    let seen = planned
        .iter()
        .filter_map(|one| Some((&one.key, one.live.as_ref()?)));
    let before = Life::live(seen.chain(known), &after);
    let memory = Memory::read(&parent.facts);
    let claims = claimed(api, &before, &after, parent).await?;
    let change = Change {
        before: &before,
        after: &after,
        memory: &memory,
        claims: &claims,
        prunes: options.prune,
        dns_domain: options.facts.get(DNS_DOMAIN).map(String::as_str),
    };
    let mut dangers = change.dangers();
    dangers.retain(|danger| !options.accepted.contains(&danger.risk));
    Ok(Found {
        dangers,
        memory: memory.with(&before, &after),
    })
}

impl Found {
    /// Adds the dangers to what is refused. Where the server refuses the same object only because a part of it is fixed,
    /// its words would lead to deleting it.
    pub fn refuse(&mut self, refusals: &mut Vec<(Key, Refusal)>) {
        for danger in self.dangers.drain(..) {
            refusals.retain(|(key, refusal)| {
                *key != danger.key || !matches!(refusal, Refusal::Immutable { .. })
            });
            refusals.push((danger.key.clone(), Refusal::Danger(danger)));
        }
    }
}

/// The versions that run where a farm is to be applied.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Running {
    /// The tag of etcd's image, and what version that is.
    pub etcd: Option<(String, Version)>,
    /// The tag of the API server's image, and what version that is.
    pub kubernetes: Option<(String, Version)>,
}

/// The versions of the workloads that have the names of those that were rendered.
///
/// # Errors
/// Where the cluster cannot be asked.
pub async fn running(api: &Api, objects: &[Object]) -> Result<Running, ClusterError> {
    let keys: Vec<(Key, &Map<String, Json>)> = objects
        .iter()
        .map(|object| (object.key(), &object.content))
        .collect();
    let rendered = Life::rendered(keys.iter().map(|(key, content)| (key, *content)));
    let mut live = Vec::new();
    for (_, part) in rendered.parts() {
        let key = &part.key;
        let Some(resource) = api.resources.preferred(&key.group, &key.kind) else {
            continue;
        };
        live.extend(api.get(resource, key).await?.map(|object| (key, object)));
    }
    let live = Life::live(live.iter().map(|(key, object)| (*key, object)), &rendered);
    let version = |component| {
        let part = live.part(component)?;
        Some((image_tag(&part.image)?.to_owned(), part.version()?))
    };
    Ok(Running {
        etcd: version(Component::Etcd),
        kubernetes: version(Component::ApiServer),
    })
}

/// etcd's volume claims, as long as there is or was one.
async fn claimed(
    api: &Api,
    before: &Life,
    after: &Life,
    parent: &Parent,
) -> Result<Vec<Claim>, ClusterError> {
    let Some(etcd) = before.part(Component::Etcd).or(after.part(Component::Etcd)) else {
        return Ok(Vec::new());
    };
    let mut prefixes: BTreeSet<String> = parent.claims.clone();
    for part in [before, after]
        .into_iter()
        .filter_map(|life| life.part(Component::Etcd))
    {
        if let Some(volumes) = &part.volumes {
            let Key {
                namespace, name, ..
            } = &part.key;
            prefixes.insert(format!("{namespace}/{}-{name}", volumes.template));
        }
    }
    let namespace = &etcd.key.namespace;
    let prefixes: Vec<&str> = prefixes
        .iter()
        .filter_map(|claim| claim.strip_prefix(namespace.as_str())?.strip_prefix('/'))
        .collect();
    let Some(resource) = api.resources.preferred("", "PersistentVolumeClaim") else {
        return Ok(Vec::new());
    };
    if prefixes.is_empty() {
        return Ok(Vec::new());
    }
    let objects = api
        .list(resource, Some(namespace), "", Detail::Whole)
        .await?;
    let claims = objects.iter().filter_map(|object| {
        let name = text_at(object, &["metadata", "name"]);
        let prefix = prefixes.iter().find(|prefix| is_claim_of(name, prefix))?;
        // What other StatefulSets of a farm claim has other templates.
        let (_, set) = prefix.split_once("-data-")?;
        Some(Claim {
            name: name.to_owned(),
            size: text_at(object, &["spec", "resources", "requests", "storage"]).to_owned(),
            set: set.to_owned(),
        })
    });
    Ok(claims.collect())
}
