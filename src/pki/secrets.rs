//! Fills the rendered Secrets with certificates, and adds checksums so that pods restart when theirs change.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value as Json, json};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::material::{AUTHORITIES, CERTIFICATE, KEY};
use super::{Completed, Material, Store};
use crate::farm::certificates::{Certificate as Wanted, Pki};
use crate::hexadecimal::hexadecimal;
use crate::manifest::Object;
use crate::manifest::json::into_object;

/// Marks the Secrets that are there only while an authority is rotated: `next` or `previous`.
pub const ROTATION: &str = "kubefarm.io/rotation";
/// On Secrets that cert-manager watches; it does not see one while it adds this itself, and would issue anew.
const KNOWN_TO_CERT_MANAGER: &str = "controller.cert-manager.io/fao";
/// In pod templates: changes with the certificates and keys that the pod reads.
const CHECKSUM: &str = "checksum/certificates";

impl Material {
    /// What a Secret holds. What is not base64 of a text counts as missing.
    pub fn of_secret(secret: &Map<String, Json>) -> Material {
        let text = |key| {
            let encoded = secret.get("data").and_then(|data| data.get(key));
            let encoded = encoded.and_then(Json::as_str).unwrap_or_default();
            let bytes = Zeroizing::new(STANDARD.decode(encoded).unwrap_or_default());
            std::str::from_utf8(&bytes).unwrap_or_default().to_owned()
        };
        Material {
            certificate: text(CERTIFICATE),
            key: Zeroizing::new(text(KEY)),
            authorities: text(AUTHORITIES),
        }
    }

    fn part(&self, key: &str) -> &str {
        match key {
            CERTIFICATE => &self.certificate,
            KEY => &self.key,
            AUTHORITIES => &self.authorities,
            _ => "",
        }
    }

    fn data(&self) -> Json {
        let encoded = |key| STANDARD.encode(self.part(key));
        json!({
            AUTHORITIES: encoded(AUTHORITIES),
            CERTIFICATE: encoded(CERTIFICATE),
            KEY: encoded(KEY),
        })
    }
}

/// The names of the Secrets in which a farm's certificates are, or may be while an authority is rotated.
pub fn secret_names(pki: &Pki) -> Vec<String> {
    let mut names = Vec::new();
    for certificate in &pki.certificates {
        names.push(certificate.secret_name.clone());
        if certificate.is_ca {
            names.push(super::authority::next_secret(&certificate.secret_name));
            names.push(super::authority::previous_secret(&certificate.secret_name));
        }
    }
    names
}

/// Puts certificates and keys into the Secrets of a manifest's objects, and checksums into the pods that read them.
pub fn fill(objects: &mut Vec<Object>, pki: &Pki, completed: &Completed) {
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    for (place, object) in objects.iter().enumerate() {
        if is_of(object, pki) {
            places.insert(object.name().to_owned(), place);
        }
    }
    let mut beside = Vec::new();
    let mut store = Store::new();
    for issued in &completed.issued {
        store.insert(issued.secret.clone(), issued.material.clone());
        let place = places.get(&issued.secret);
        if let Some(object) = place.and_then(|place| objects.get_mut(*place)) {
            let data = issued.material.data();
            object.content.insert("data".to_owned(), data);
            continue;
        }
        let certificate = pki
            .certificates
            .iter()
            .find(|certificate| certificate.short == issued.certificate);
        let place = certificate.and_then(|found| places.get(&found.secret_name));
        if let Some((place, object)) = place.and_then(|place| Some((place, objects.get(*place)?))) {
            beside.push((
                *place + 1,
                rotated(object, &issued.secret, &issued.material),
            ));
        }
    }
    // From the end, so that the places before stay as they are.
    beside.sort_by_key(|(place, _)| std::cmp::Reverse(*place));
    for (place, object) in beside {
        objects.insert(place, object);
    }
    objects
        .iter_mut()
        .for_each(|object| mark_readers(object, &store));
}

/// A Secret that cert-manager and an apply take for their own: `name` is that of a certificate's Secret, or of one
/// beside it while an authority is rotated.
pub fn secret(wanted: &Wanted, name: &str, namespace: &str, material: &Material) -> Object {
    let annotations = if name == wanted.secret_name {
        json!(wanted.annotations)
    } else {
        json!({ ROTATION: stage(name) })
    };
    let content = json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": name,
            "namespace": namespace,
            "labels": { KNOWN_TO_CERT_MANAGER: "true" },
            "annotations": annotations,
        },
        "type": "kubernetes.io/tls",
        "data": material.data(),
    });
    Object::new("import", into_object(content))
}

/// `next` or `previous`, of a Secret beside an authority's own.
fn stage(name: &str) -> &str {
    name.rsplit('-').next().unwrap_or_default()
}

/// Takes the Secrets without data away.
pub fn leave_out(objects: &mut Vec<Object>, pki: &Pki) {
    objects.retain(|object| !is_of(object, pki));
}

/// Whether an object is a Secret of one of the certificates.
fn is_of(object: &Object, pki: &Pki) -> bool {
    let is_secret = object.group().is_empty() && object.kind() == "Secret";
    let mut certificates = pki.certificates.iter();
    is_secret && certificates.any(|certificate| certificate.secret_name == object.name())
}

/// The Secret beside an authority's own.
fn rotated(authority: &Object, name: &str, material: &Material) -> Object {
    let mut content = authority.content.clone();
    if let Some(Json::Object(metadata)) = content.get_mut("metadata") {
        metadata.insert("name".to_owned(), name.into());
        metadata.insert("annotations".to_owned(), json!({ ROTATION: stage(name) }));
    }
    content.insert("data".to_owned(), material.data());
    Object::new(&authority.source, content)
}

/// Writes a checksum of what its pods read of the Secrets into a workload. A Job gets another name instead, as it cannot
/// be changed, and only where the trusted authorities change: its pods read their certificates when they start, but it
/// has to publish the authorities (cluster-info, the pins of join tokens) again.
fn mark_readers(object: &mut Object, store: &Store) {
    let workload = matches!(object.kind(), "Deployment" | "StatefulSet" | "DaemonSet");
    let only = match object.kind() {
        "Job" => Some(AUTHORITIES),
        _ if workload => None,
        _ => return,
    };
    let template = object
        .content
        .get_mut("spec")
        .and_then(|spec| spec.get_mut("template"));
    let Some(Json::Object(template)) = template else {
        return;
    };
    let Some(checksum) = checksum(template, store, only) else {
        return;
    };
    let metadata = template.entry("metadata").or_insert_with(|| json!({}));
    if let Json::Object(metadata) = metadata {
        let annotations = metadata.entry("annotations").or_insert_with(|| json!({}));
        annotations[CHECKSUM] = checksum.as_str().into();
    }
    if only.is_some() {
        rename(object, &checksum);
    }
}

/// Of the parts of Secrets that a pod template mounts, or of one kind of them only; `None` where it mounts none.
fn checksum(template: &Map<String, Json>, store: &Store, only: Option<&str>) -> Option<String> {
    let volumes = template.get("spec").and_then(|spec| spec.get("volumes"));
    let mut digest = Sha256::new();
    let mut reads_any = false;
    for volume in volumes.and_then(Json::as_array).into_iter().flatten() {
        let Some((material, keys)) = read_by(volume, store) else {
            continue;
        };
        for key in keys {
            if only.is_none_or(|only| only == key) {
                reads_any = true;
                digest.update(material.part(key));
                digest.update([0]);
            }
        }
    }
    reads_any.then(|| hexadecimal(digest.finalize()))
}

/// A Job's name ends in a hash of its content. The new one is of the checksum as well, and as long.
fn rename(job: &mut Object, checksum: &str) {
    let name = job.name().to_owned();
    let Some((stem, hash)) = name.rsplit_once('-') else {
        return;
    };
    let digest = Sha256::new().chain_update(hash).chain_update(checksum);
    let mut new = hexadecimal(digest.finalize());
    new.truncate(hash.len());
    if let Some(Json::Object(metadata)) = job.content.get_mut("metadata") {
        metadata.insert("name".to_owned(), format!("{stem}-{new}").into());
    }
}

/// What a volume reads of which Secret.
fn read_by<'a>(volume: &'a Json, store: &'a Store) -> Option<(&'a Material, Vec<&'a str>)> {
    let secret = volume.get("secret")?;
    let material = store.get(secret.get("secretName")?.as_str()?)?;
    let items = secret.get("items").and_then(Json::as_array);
    let keys = match items {
        None => vec![AUTHORITIES, CERTIFICATE, KEY],
        Some(items) => items
            .iter()
            .filter_map(|item| item.get("key")?.as_str())
            .collect(),
    };
    Some((material, keys))
}
