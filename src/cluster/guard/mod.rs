//! What lives in a farm is looked at before it is changed: changes that lose data, split a database or cut a child cluster
//! off from its nodes are refused, each with the way that is safe.
//!
//! What is compared are the workloads of the control plane, live and rendered, so that a farm which another tool installed
//! is guarded as well. The record only remembers what no object says.

mod life;
mod memory;
mod risk;
mod rules;
mod version;

use std::collections::BTreeSet;

use serde_json::{Map, Value as Json};

use crate::cluster::client::{Api, ClusterError, Detail};
use crate::cluster::record::{Parent, is_claim_of};
use crate::manifest::json::text_at;
use crate::manifest::{Key, Object};
use life::Component;
use rules::{Change, Claim};

pub use life::Life;
pub use memory::{DNS_DOMAIN, Memory};
pub use risk::{Danger, Risk};
pub use version::{Version, image_tag};

/// What is asked for beside the objects.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// Whether what is no longer rendered is deleted.
    pub prunes: bool,
    /// The DNS domain that was rendered.
    pub dns_domain: Option<&'a str>,
    /// Dangers that the user knows of.
    pub accepted: &'a BTreeSet<Risk>,
}

/// What was found out about a change.
#[derive(Debug, Default)]
pub struct Assessment {
    /// Dangers that nobody accepted.
    pub dangers: Vec<Danger>,
    /// What the farm's record is to remember.
    pub memory: Memory,
}

/// Compares what is to be applied with what lives.
///
/// # Errors
/// Where the cluster refuses to list volume claims.
pub async fn assess(
    api: &Api,
    before: &Life,
    after: &Life,
    parent: &Parent,
    request: &Request<'_>,
) -> Result<Assessment, ClusterError> {
    let memory = Memory::read(&parent.facts);
    let claims = claimed(api, before, after, parent).await?;
    let mut dangers = rules::dangers(&Change {
        before,
        after,
        memory: &memory,
        claims: &claims,
        prunes: request.prunes,
        dns_domain: request.dns_domain,
    });
    dangers.retain(|danger| !request.accepted.contains(&danger.risk));
    Ok(Assessment {
        dangers,
        memory: memory.with(before, after),
    })
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
