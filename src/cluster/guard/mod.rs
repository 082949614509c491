//! Dangerous changes to a living farm: those that lose data, split a database or cut a child cluster off from its nodes
//! are refused, each with the safe way.
//!
//! The workloads of the control plane are compared, live and rendered, so that a farm which another tool installed is
//! guarded as well. The record only remembers what no object shows.

mod control_plane;
mod memory;
mod risk;
mod rules;

use std::collections::BTreeSet;

use serde_json::{Map, Value as Json};

use crate::cluster::client::{Api, ClusterError, Detail};
use crate::cluster::record::{Parent, is_claim_of};
use crate::manifest::json::text_at;
use crate::manifest::{Key, Object};
use crate::version::{Version, image_tag};
use rules::{Change, Claim};

pub use control_plane::{Component, ControlPlane};
pub use memory::{DNS_DOMAIN, Memory};
pub use risk::{Danger, Risk};

/// The volume claim template of etcd's StatefulSet, in these charts and the old ones.
const DATA_TEMPLATE: &str = "etcd-data";

/// What is asked for beside the objects.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// Whether what is no longer rendered is deleted.
    pub prunes: bool,
    /// The DNS domain that was rendered.
    pub dns_domain: Option<&'a str>,
    /// Dangers that the user accepts.
    pub accepted: &'a BTreeSet<Risk>,
}

/// The dangers of a change.
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
    before: &ControlPlane,
    after: &ControlPlane,
    parent: &Parent,
    request: &Request<'_>,
) -> Result<Assessment, ClusterError> {
    let memory = Memory::read(&parent.facts);
    let claims = etcd_claims(api, before, after, parent).await?;
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

/// The versions that run in a farm.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunningVersions {
    /// The tag of etcd's image, and what version that is.
    pub etcd: Option<(String, Version)>,
    /// The tag of the API server's image, and what version that is.
    pub kubernetes: Option<(String, Version)>,
}

/// The versions of the workloads that have the names of those that were rendered.
///
/// # Errors
/// Where the cluster cannot be asked.
pub async fn running_versions(
    api: &Api,
    objects: &[Object],
) -> Result<RunningVersions, ClusterError> {
    let keys: Vec<(Key, &Map<String, Json>)> = objects
        .iter()
        .map(|object| (object.key(), &object.content))
        .collect();
    let rendered = ControlPlane::rendered(keys.iter().map(|(key, content)| (key, *content)));
    let mut live = Vec::new();
    for (_, workload) in rendered.workloads() {
        let key = &workload.key;
        let Some(resource) = api.resources.preferred(&key.group, &key.kind) else {
            continue;
        };
        live.extend(api.get(resource, key).await?.map(|object| (key, object)));
    }
    let live = ControlPlane::live(live.iter().map(|(key, object)| (*key, object)), &rendered);
    let version = |component| {
        let workload = live.workload(component)?;
        let tag = image_tag(&workload.image)?;
        Some((tag.to_owned(), workload.version()?))
    };
    Ok(RunningVersions {
        etcd: version(Component::Etcd),
        kubernetes: version(Component::ApiServer),
    })
}

/// etcd's volume claims, as long as there is or was one.
async fn etcd_claims(
    api: &Api,
    before: &ControlPlane,
    after: &ControlPlane,
    parent: &Parent,
) -> Result<Vec<Claim>, ClusterError> {
    let Some(etcd) = before
        .workload(Component::Etcd)
        .or(after.workload(Component::Etcd))
    else {
        return Ok(Vec::new());
    };
    let workloads = [before, after]
        .into_iter()
        .filter_map(|control_plane| control_plane.workload(Component::Etcd));
    let mut templates = BTreeSet::from([DATA_TEMPLATE]);
    let mut prefixes: BTreeSet<String> = parent.claims.clone();
    for workload in workloads {
        if let Some(volumes) = &workload.volumes {
            let Key {
                namespace, name, ..
            } = &workload.key;
            templates.insert(&volumes.template);
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
        // Claims of other StatefulSets have other templates.
        let mut sets = templates.iter().filter_map(|template| {
            let rest = prefix.strip_prefix(template)?;
            rest.strip_prefix('-')
        });
        let set = sets.next()?;
        Some(Claim {
            name: name.to_owned(),
            size: text_at(object, &["spec", "resources", "requests", "storage"]).to_owned(),
            set: set.to_owned(),
        })
    });
    Ok(claims.collect())
}
