//! What a cluster has: its farms and its namespaces.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};

use crate::cluster::client::{Api, ClusterError, Detail, Resource};
use crate::cluster::record::inventory::config_map;
use crate::cluster::record::{ID, Parent, is_ours};
use crate::farm::Release;
use crate::manifest::json::text_at;

/// A farm, as in its record.
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
        let sort_key = |farm: &Farm| (farm.release.namespace.clone(), farm.release.name.clone());
        sort_key(a).cmp(&sort_key(b))
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

/// The names of all namespaces.
///
/// # Errors
/// Where the cluster cannot be asked, or refuses.
pub async fn namespaces(api: &Api) -> Result<Vec<String>, ClusterError> {
    let resource = Resource::core("Namespace", "namespaces");
    let found = api.list(&resource, None, "", Detail::Metadata).await?;
    let names = found
        .iter()
        .map(|namespace| text_at(namespace, &["metadata", "name"]).to_owned());
    Ok(names.collect())
}
