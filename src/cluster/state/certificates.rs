//! The Secrets of a cluster that hold a farm's certificates.

use std::collections::BTreeMap;

use futures::stream::{self, StreamExt, TryStreamExt};
use serde_json::{Map, Value as Json};

use crate::cluster::client::{Api, ClusterError, Resource};
use crate::cluster::record::{InventoryError, inventory};
use crate::farm::Release;
use crate::manifest::Key;
use crate::manifest::json::text_at;
use crate::pki::{Material, Store};

/// On the Secrets that cert-manager writes: the name of the Certificate.
pub const ISSUED_FOR: &str = "cert-manager.io/certificate-name";

/// Those of these Secrets that are there, by their names.
pub async fn read_secrets(
    api: &Api,
    keys: Vec<Key>,
    concurrency: usize,
) -> Result<BTreeMap<String, Map<String, Json>>, ClusterError> {
    let secrets = &Resource::core("Secret", "secrets");
    let found = stream::iter(keys).map(|key| async move {
        let secret = api.get(secrets, &key).await?;
        Ok::<_, ClusterError>(secret.map(|secret| (key.name, secret)))
    });
    let found: Vec<_> = found.buffer_unordered(concurrency).try_collect().await?;
    Ok(found.into_iter().flatten().collect())
}

/// The Secrets of a farm with certificates of any issuer; `None` if the cluster has no such farm.
///
/// # Errors
/// Where the cluster refuses.
pub async fn farm_secrets(
    api: &Api,
    release: &Release,
    concurrency: usize,
) -> Result<Option<BTreeMap<String, Map<String, Json>>>, InventoryError> {
    let Some(mut parent) = inventory::read(api, release).await? else {
        return Ok(None);
    };
    parent
        .kinds
        .retain(|kind| matches!(kind.kind.as_str(), "Secret" | "Certificate"));
    let objects = inventory::objects(api, release, &parent, concurrency).await?;
    let objects: Vec<(Key, Map<String, Json>)> = objects
        .into_iter()
        .map(|(member, object)| (member.key, object))
        .collect();
    let issued = issued_secrets(objects.iter().map(|(key, object)| (key, object)));
    let mut found = read_secrets(api, issued, concurrency).await?;
    let own = objects.into_iter().filter(|(key, object)| {
        key.kind == "Secret" && text_at(object, &["type"]) == "kubernetes.io/tls"
    });
    found.extend(own.map(|(key, object)| (key.name, object)));
    Ok(Some(found))
}

/// `apiserver-server`, of `farm-kubernetes-pki-apiserver-server`.
pub fn short_name(secret: &str) -> &str {
    secret
        .rsplit_once("-pki-")
        .map_or(secret, |(_, short)| short)
}

/// The contents of Secrets.
pub fn materials(secrets: &BTreeMap<String, Map<String, Json>>) -> Store {
    let materials = secrets
        .iter()
        .map(|(name, secret)| (name.clone(), Material::of_secret(secret)));
    materials.collect()
}

/// The Secrets that Certificates among the objects are issued into.
pub fn issued_secrets<'a>(
    objects: impl Iterator<Item = (&'a Key, &'a Map<String, Json>)>,
) -> Vec<Key> {
    let certificates =
        objects.filter(|(key, _)| key.group == "cert-manager.io" && key.kind == "Certificate");
    certificates
        .map(|(certificate, content)| {
            let name = text_at(content, &["spec", "secretName"]);
            Key::core("Secret", &certificate.namespace, name)
        })
        .collect()
}
