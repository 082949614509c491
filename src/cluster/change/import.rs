//! Secrets of a farm that lived elsewhere, written before the farm is applied.

use std::collections::BTreeMap;

use super::error::ApplyError;
use super::namespaces;
use crate::cluster::client::{Api, ApplyMode, ClusterError, DeleteParams, Resource};
use crate::cluster::event::{Action, Event, Observer};
use crate::cluster::record::Lock;
use crate::cluster::state::read_secrets;
use crate::farm::Release;
use crate::farm::certificates::{Certificate as Wanted, Pki};
use crate::manifest::{Key, Object};
use crate::pki::secrets::secret_names;
use crate::pki::{Certificate, Material, PkiError};

/// How an import may change a cluster.
#[derive(Debug, Clone, Copy)]
pub struct ImportOptions {
    /// Overwrite authorities that are not the imported ones.
    pub replaces_authorities: bool,
    pub creates_namespaces: bool,
    pub concurrency: usize,
}

/// Writes Secrets of a release: all authorities come before what they signed, so that a killed import is finished by the
/// next one. Gives the number of those that were written.
///
/// # Errors
/// [`ApplyError::Pki`] where the cluster has other authorities; where it refuses, or cannot be asked.
pub async fn import(
    api: &Api,
    release: &Release,
    pki: &Pki,
    secrets: &[Object],
    options: ImportOptions,
    observer: &dyn Observer,
) -> Result<usize, ApplyError> {
    let missing = namespaces::missing(api, release, secrets).await;
    for name in missing.map_err(ApplyError::not_begun)? {
        if !options.creates_namespaces {
            return Err(ApplyError::NoNamespace(name));
        }
        let created = namespaces::create(api, &name).await;
        created.map_err(ApplyError::NotBegun)?;
    }
    let lock = Lock::acquire(api, release.lease(), observer).await?;
    let work = async |api: &Api| {
        let plan = plan(api, release, pki, secrets, options).await?;
        carry_out(api, plan, observer).await
    };
    lock.hold(api, work).await
}

/// What becomes of a Secret.
enum Turn<'a> {
    Keep,
    Write(&'a Object),
    /// An authority that is no longer there signed it, and it is issued anew.
    Delete,
}

async fn plan<'a>(
    api: &Api,
    release: &Release,
    pki: &Pki,
    secrets: &'a [Object],
    options: ImportOptions,
) -> Result<Vec<(Key, Turn<'a>)>, ApplyError> {
    let imported: BTreeMap<&str, &Object> = secrets.iter().map(|one| (one.name(), one)).collect();
    let place = |name: &String| match imported.get(name.as_str()) {
        Some(object) => object.key(),
        None => Key::core("Secret", &release.namespace, name),
    };
    let names = secret_names(pki);
    let keys = names.iter().map(place).collect();
    let live = read_secrets(api, keys, options.concurrency).await;
    let live = live.map_err(ApplyError::NotBegun)?;
    let live = live
        .iter()
        .map(|(name, secret)| (name.as_str(), Material::of_secret(secret)))
        .filter(|(_, material)| !is_empty(material));
    let comparison = Comparison {
        pki,
        imported: secrets.iter().map(|one| (one.name(), of(one))).collect(),
        live: live.collect(),
    };
    let replaced = comparison.replaced();
    if !options.replaces_authorities && !replaced.is_empty() {
        let names = replaced.into_iter().map(str::to_owned).collect();
        return Err(ApplyError::Pki(vec![PkiError::Replaces { names }]));
    }
    let checked = comparison.check_rotations();
    checked.map_err(|error| ApplyError::Pki(vec![error]))?;
    let turns = names.iter().filter_map(|name| {
        let is_live = comparison.live.contains_key(name.as_str());
        let turn = match imported.get(name.as_str()) {
            Some(_) if is_live && comparison.stays(name, &replaced) => Turn::Keep,
            Some(object) => Turn::Write(object),
            None if is_live && !replaced.is_empty() && !comparison.stays(name, &replaced) => {
                Turn::Delete
            }
            None => return None,
        };
        Some((place(name), turn))
    });
    let mut turns: Vec<_> = turns.collect();
    turns.sort_by_key(|(key, _)| comparison.leaf(&key.name).is_some());
    Ok(turns)
}

/// What is imported beside what the cluster has.
struct Comparison<'a> {
    pki: &'a Pki,
    imported: BTreeMap<&'a str, Material>,
    live: BTreeMap<&'a str, Material>,
}

impl Comparison<'_> {
    fn leaf(&self, name: &str) -> Option<&Wanted> {
        let mut leaves = self.pki.certificates.iter().filter(|one| !one.is_ca);
        leaves.find(|leaf| leaf.secret_name == name)
    }

    /// The Secrets of other authorities, and those of certificates that other authorities signed.
    fn replaced(&self) -> Vec<&str> {
        let names = self
            .live
            .iter()
            .filter(|(name, material)| match self.leaf(name) {
                None => {
                    let new = self.imported.get(*name);
                    new.is_none_or(|new| !is_same(new, material))
                }
                Some(leaf) => self.is_of_another_authority(leaf, material),
            });
        names.map(|(name, _)| *name).collect()
    }

    fn is_of_another_authority(&self, leaf: &Wanted, material: &Material) -> bool {
        let authority = self.pki.authority_of(leaf);
        let authority = authority.and_then(|by| self.imported.get(by.secret_name.as_str()));
        let Some((authority, Ok(certificate))) =
            authority.map(|by| (by, Certificate::parse(&material.certificate)))
        else {
            return false;
        };
        let trusted = Certificate::parse_all(&authority.authorities).unwrap_or_default();
        !trusted.iter().any(|by| certificate.is_signed_by(by))
    }

    /// Refuses what is left of a rotation that the imported authorities know nothing of: it would be taken for theirs.
    fn check_rotations(&self) -> Result<(), PkiError> {
        let is_rest =
            |name: &&&str| !self.imported.contains_key(**name) && self.leaf(name).is_none();
        let Some(name) = self.live.keys().find(is_rest) else {
            return Ok(());
        };
        Err(PkiError::Rotation {
            name: (*name).to_owned(),
            reason: "it belongs to a rotation that is under way in the cluster: finish that, or delete the Secret first",
        })
    }

    /// Whether a Secret of the cluster stays: an authority that is the imported one, and certificates where no authority
    /// is replaced, since these are newer, or were issued for other values.
    fn stays(&self, name: &str, replaced: &[&str]) -> bool {
        match self.leaf(name) {
            None => !replaced.contains(&name),
            Some(_) => replaced.is_empty(),
        }
    }
}

async fn carry_out(
    api: &Api,
    turns: Vec<(Key, Turn<'_>)>,
    observer: &dyn Observer,
) -> Result<usize, ApplyError> {
    let all: Vec<Key> = turns.iter().map(|(key, _)| key.clone()).collect();
    let mut written = 0;
    for (number, (key, turn)) in turns.into_iter().enumerate() {
        let action = take(api, &key, turn).await.map_err(|error| {
            let (done, not_done) = all.split_at(number.min(all.len()));
            ApplyError::Stopped {
                key: Some(key.clone()),
                error,
                done: done.to_vec(),
                not_done: not_done.to_vec(),
            }
        })?;
        written += usize::from(matches!(action, Action::Created | Action::Changed));
        observer.observe(&Event::Object { key: &key, action });
    }
    Ok(written)
}

async fn take(api: &Api, key: &Key, turn: Turn<'_>) -> Result<Action, ClusterError> {
    if api.interrupt().is_set() {
        return Err(ClusterError::Interrupted);
    }
    let resource = Resource::core("Secret", "secrets");
    match turn {
        Turn::Keep => Ok(Action::Unchanged),
        Turn::Write(object) => {
            // Whoever wrote it: only what is empty, or was to be replaced, gets here.
            let mode = ApplyMode {
                dry_run: false,
                force: true,
            };
            let answer = api.apply(&resource, key, &object.content, mode).await?;
            Ok(if answer.created {
                Action::Created
            } else {
                Action::Changed
            })
        }
        Turn::Delete => {
            api.delete(&resource, key, &DeleteParams::background())
                .await?;
            Ok(Action::Deleted)
        }
    }
}

fn of(object: &Object) -> Material {
    Material::of_secret(&object.content)
}

/// As it is after `render` without certificates.
fn is_empty(material: &Material) -> bool {
    material.certificate.trim().is_empty() && material.key.trim().is_empty()
}

/// Whether it is the same certificate with the same key, however they are written.
fn is_same(one: &Material, other: &Material) -> bool {
    match (one.pair(), other.pair()) {
        (Ok((one, _)), Ok((other, _))) => one == other,
        _ => false,
    }
}
