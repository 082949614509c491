//! Certificates that kubefarm issues, completed from the Secrets that the cluster has; and taking Secrets over from
//! cert-manager.

use std::collections::BTreeMap;
use std::time::SystemTime;

use futures::stream::{self, StreamExt, TryStreamExt};
use jiff::Timestamp;
use serde_json::{Map, Value as Json};

use super::apply::{ApplyError, Certificates};
use super::applyset::Release;
use super::event::{Event, Observer};
use super::inventory::{self, InventoryError};
use super::{Api, ClusterError, FieldConflict, Resource, text_at, value_at};
use crate::manifest::{Key, Object};
use crate::pki::secrets::{fill, secret_names};
use crate::pki::{Change, Completed, Material, PkiError, Reason, Store, complete};

/// How far the clocks of the API server and of this machine may be apart, in seconds.
const SKEW: i64 = 300;
/// What the field managers of cert-manager's controllers begin with.
const CERT_MANAGER: &str = "cert-manager";
/// On the Secrets that cert-manager writes: the name of the Certificate.
pub(super) const ISSUED_FOR: &str = "cert-manager.io/certificate-name";

/// Puts certificates into the Secrets among `objects`: those of the cluster where they are good, new ones elsewhere.
///
/// # Errors
/// [`ApplyError::Pki`] for every authority that cannot be used; where the cluster cannot be asked.
pub(super) async fn put_in(
    api: &Api,
    namespace: &str,
    objects: &mut Vec<Object>,
    certificates: &Certificates,
    concurrency: usize,
    observer: &dyn Observer,
) -> Result<(), ApplyError> {
    let pki = &certificates.pki;
    let found = read(api, namespace, secret_names(pki), concurrency).await?;
    let tied = tied(&found);
    if !tied.is_empty() {
        return Err(ApplyError::Pki(tied));
    }
    let now = now().map_err(|error| ApplyError::Pki(vec![error]))?;
    let completed = complete(pki, &materials(&found), Some(now), &certificates.intent)
        .map_err(ApplyError::Pki)?;
    let issues = |change: &Change| matches!(change, Change::Issued(_));
    if completed.issued.iter().any(|one| issues(&one.change)) {
        check_clock(api, now).await?;
    }
    tell(&completed, observer);
    fill(objects, pki, &completed);
    Ok(())
}

/// The Secrets of these names that are there.
pub async fn read(
    api: &Api,
    namespace: &str,
    names: Vec<String>,
    concurrency: usize,
) -> Result<BTreeMap<String, Map<String, Json>>, ClusterError> {
    let secrets = &secrets();
    let found = stream::iter(names).map(|name| async move {
        let secret = api.get(secrets, &key(namespace, &name)).await?;
        Ok::<_, ClusterError>(secret.map(|secret| (name, secret)))
    });
    let found: Vec<_> = found.buffer_unordered(concurrency).try_collect().await?;
    Ok(found.into_iter().flatten().collect())
}

/// The Secrets of a farm that hold certificates, whoever issued them; `None` where the cluster knows no such farm.
///
/// # Errors
/// Where the cluster refuses.
pub async fn of_farm(
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
    let issued = issued_by(objects.iter().map(|(key, object)| (key, object)));
    let issued = issued.into_iter().map(|key| key.name).collect();
    let mut found = read(api, &release.namespace, issued, concurrency).await?;
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

/// What Secrets hold.
pub fn materials(secrets: &BTreeMap<String, Map<String, Json>>) -> Store {
    let materials = secrets
        .iter()
        .map(|(name, secret)| (name.clone(), Material::of_secret(secret)));
    materials.collect()
}

/// Secrets that would go with the Certificate that they were issued for, as cert-manager's
/// `--enable-certificate-owner-ref` has it.
fn tied(secrets: &BTreeMap<String, Map<String, Json>>) -> Vec<PkiError> {
    let owned = secrets.iter().filter(|(_, secret)| {
        let owners = value_at(secret, &["metadata", "ownerReferences"]).and_then(Json::as_array);
        let mut owners = owners.into_iter().flatten();
        owners.any(|owner| owner.get("kind").and_then(Json::as_str) == Some("Certificate"))
    });
    owned
        .map(|(name, _)| PkiError::Tied { name: name.clone() })
        .collect()
}

/// This machine's time.
///
/// # Errors
/// Where it is not a year that certificates know.
pub fn now() -> Result<Timestamp, PkiError> {
    let now = SystemTime::now();
    Timestamp::try_from(now).map_err(|_| PkiError::NoTime)
}

/// Whether what is issued here and now would be good there.
///
/// # Errors
/// [`PkiError::Skew`] where the API server's clock says another time; where it cannot be asked.
pub async fn check_clock(api: &Api, here: Timestamp) -> Result<(), ApplyError> {
    let Some(server) = api.time().await? else {
        return Ok(());
    };
    let apart = server.as_second().abs_diff(here.as_second());
    if apart > SKEW.unsigned_abs() {
        Err(ApplyError::Pki(vec![PkiError::Skew { here, server }]))
    } else {
        Ok(())
    }
}

fn tell(completed: &Completed, observer: &dyn Observer) {
    for issued in &completed.issued {
        // A Secret that is new is told of anyway.
        if let Change::Issued(reason) = &issued.change
            && *reason != Reason::Missing
        {
            let name = &issued.secret;
            observer.observe(&Event::Note(&format!("{name} is issued: {reason}")));
        }
    }
    for (name, end) in &completed.ending {
        observer.observe(&Event::Note(&format!(
            "the certificate authority {name} ends at {end}: kubefarm pki renew {name} prolongs it, \
             kubefarm pki rotate-ca {name} replaces it"
        )));
    }
}

/// Whether all that stands in the way of a Secret is cert-manager, which no longer issues it.
pub(super) fn are_cert_managers(content: &Map<String, Json>, conflicts: &[FieldConflict]) -> bool {
    let is_issued = text_at(content, &["kind"]) == "Secret"
        && !text_at(content, &["metadata", "annotations", ISSUED_FOR]).is_empty();
    is_issued
        && conflicts
            .iter()
            .all(|conflict| conflict.manager.starts_with(CERT_MANAGER))
}

/// The Secrets that Certificates among the objects are issued into.
pub(super) fn issued_by<'a>(
    objects: impl Iterator<Item = (&'a Key, &'a Map<String, Json>)>,
) -> Vec<Key> {
    let certificates =
        objects.filter(|(key, _)| key.group == "cert-manager.io" && key.kind == "Certificate");
    certificates
        .map(|(certificate, content)| {
            key(
                &certificate.namespace,
                text_at(content, &["spec", "secretName"]),
            )
        })
        .collect()
}

fn secrets() -> Resource {
    Resource::well_known("", "Secret", "secrets")
}

fn key(namespace: &str, name: &str) -> Key {
    Key {
        group: String::new(),
        kind: "Secret".to_owned(),
        namespace: namespace.to_owned(),
        name: name.to_owned(),
    }
}
