//! Deleting a farm. Data outlive it: volumes, backups and certificate authorities stay unless they are purged.

use std::collections::BTreeSet;

use super::error::ApplyError;
use super::gone::wait_until_gone;
use super::options::DeleteOptions;
use super::prune::{check_deletions, delete_all};
use crate::cluster::client::{Api, ClusterError, DeleteParams, Detail};
use crate::cluster::event::{Action, Event, Observer, Stage};
use crate::cluster::record::inventory::{self, config_map, member};
use crate::cluster::record::{Kept, Lock, Member, Parent, is_claim_of};
use crate::cluster::state::ISSUED_FOR;
use crate::farm::Release;
use crate::manifest::Key;
use crate::manifest::json::text_at;

/// What was deleted, and what was not.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Deleted {
    pub deleted: Vec<Key>,
    pub kept: Vec<(Key, Kept)>,
}

/// Deletes the farm that the cluster knows under this name; `None` where it knows none.
///
/// # Errors
/// As [`super::apply::apply`].
pub async fn delete(
    api: &Api,
    release: &Release,
    options: DeleteOptions,
    observer: &dyn Observer,
) -> Result<Option<Deleted>, ApplyError> {
    // Checked before anything is written, the Lease too.
    if inventory::read(api, release).await?.is_none() {
        return Ok(None);
    }
    if options.dry_run {
        return delete_locked(api, release, options, observer).await;
    }
    let lock = Lock::acquire(api, release.lease(), observer).await?;
    let work = async |api: &Api| delete_locked(api, release, options, observer).await;
    lock.hold(api, work).await
}

async fn delete_locked(
    api: &Api,
    release: &Release,
    options: DeleteOptions,
    observer: &dyn Observer,
) -> Result<Option<Deleted>, ApplyError> {
    let Some(parent) = inventory::read(api, release).await? else {
        return Ok(None);
    };
    let mut members = inventory::members(api, release, &parent, options.concurrency).await?;
    members.extend(issued_secrets(api, &members).await?);
    members.extend(claimed_volumes(api, release, &parent).await?);
    let (to_delete, kept) = partition(members, options.purge);
    observer.observe(&Event::Stage {
        stage: Stage::Delete,
        count: to_delete.len() + kept.len(),
    });
    for (member, reason) in &kept {
        observer.observe(&Event::Object {
            key: &member.key,
            action: Action::Kept(reason.reason()),
        });
    }
    let refusals = check_deletions(api, &to_delete, options.concurrency).await?;
    if !refusals.is_empty() {
        return Err(ApplyError::Refused(refusals));
    }
    let deleted = if options.dry_run {
        to_delete.into_iter().map(|member| member.key).collect()
    } else {
        let concurrency = options.concurrency;
        let deleted = delete_all(api, to_delete.clone(), concurrency, observer).await?;
        // The record stays until then, so that what a finalizer holds is still in it.
        wait_until_gone(api, &to_delete, concurrency, observer).await?;
        leave_record(api, release, &parent, &kept).await?;
        deleted
    };
    let kept = kept.into_iter();
    Ok(Some(Deleted {
        deleted,
        kept: kept.map(|(member, reason)| (member.key, reason)).collect(),
    }))
}

/// The members to delete, and those to keep and why.
fn partition(members: Vec<Member>, purge: bool) -> (Vec<Member>, Vec<(Member, Kept)>) {
    let mut to_delete = Vec::new();
    let mut kept = Vec::new();
    for member in members {
        match member.kept {
            Some(Kept::Asked) => kept.push((member, Kept::Asked)),
            Some(reason) if !purge => kept.push((member, reason)),
            _ => to_delete.push(member),
        }
    }
    (to_delete, kept)
}

/// The record of what was kept, for a later purge; none where nothing was.
async fn leave_record(
    api: &Api,
    release: &Release,
    parent: &Parent,
    kept: &[(Member, Kept)],
) -> Result<(), ClusterError> {
    if kept.is_empty() {
        let params = DeleteParams::background();
        return api.delete(&config_map(), &release.parent(), &params).await;
    }
    let mut left = Parent {
        claims: parent.claims.clone(),
        facts: parent.facts.clone(),
        ..Parent::default()
    };
    left.include(release, kept.iter().map(|(member, _)| &member.key));
    inventory::write(api, release, &left).await
}

/// The Secrets that cert-manager wrote for the members' Certificates. They carry no label of the set, and cert-manager
/// leaves them where they are.
async fn issued_secrets(api: &Api, members: &[Member]) -> Result<Vec<Member>, ClusterError> {
    let Some(secrets) = api.resources.preferred("", "Secret") else {
        return Ok(Vec::new());
    };
    let mut found = Vec::new();
    let certificates = members
        .iter()
        .filter(|member| member.key.kind == "Certificate");
    for owner in certificates {
        let Some(certificate) = api.get(&owner.resource, &owner.key).await? else {
            continue;
        };
        let name = text_at(&certificate, &["spec", "secretName"]);
        let key = Key::core("Secret", &owner.key.namespace, name);
        let Some(secret) = api.get(secrets, &key).await? else {
            continue;
        };
        let issued_for = text_at(&secret, &["metadata", "annotations", ISSUED_FOR]);
        let is_member = members.iter().any(|member| member.key == key);
        if issued_for == owner.key.name && !is_member {
            let secret = member(secrets, &secret);
            let kept = match owner.kept {
                Some(Kept::Asked) => owner.kept,
                other => secret.kept.or(other),
            };
            found.push(Member { kept, ..secret });
        }
    }
    Ok(found)
}

/// The volumes that StatefulSets of the farm claimed: `<template>-<set>-<ordinal>`.
async fn claimed_volumes(
    api: &Api,
    release: &Release,
    parent: &Parent,
) -> Result<Vec<Member>, ClusterError> {
    let Some(claims) = api.resources.preferred("", "PersistentVolumeClaim") else {
        return Ok(Vec::new());
    };
    let mut namespaces: BTreeSet<&str> = parent.namespaces.iter().map(String::as_str).collect();
    namespaces.insert(&release.namespace);
    let mut found = Vec::new();
    for namespace in namespaces {
        let prefixes: Vec<&str> = parent
            .claims
            .iter()
            .filter_map(|claim| claim.strip_prefix(namespace)?.strip_prefix('/'))
            .collect();
        if prefixes.is_empty() {
            continue;
        }
        let objects = api
            .list(claims, Some(namespace), "", Detail::Metadata)
            .await?;
        for object in objects {
            let name = text_at(&object, &["metadata", "name"]);
            if prefixes.iter().any(|prefix| is_claim_of(name, prefix)) {
                found.push(member(claims, &object));
            }
        }
    }
    Ok(found)
}
