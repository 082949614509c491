//! Bringing a cluster to what was rendered: checked as a whole, then applied wave by wave, then tidied up.

use std::collections::HashMap;

use serde_json::{Map, Value as Json};

use super::before_upgrade;
use super::certificates::{check_rotations, complete_secrets};
use super::error::ApplyError;
use super::namespaces;
use super::options::ApplyOptions;
use super::plan::plan;
use super::planned::{Planned, Refusal, Step};
use super::prune::{check_deletions, prune, stale};
use super::rollout::Rollout;
use super::upgrade::Upgrade;
use crate::cluster::client::{Api, ClusterError};
use crate::cluster::event::{Event, Observer, Stage};
use crate::cluster::guard::{self, ControlPlane, Danger, Memory};
use crate::cluster::record::inventory::{self, is_shared};
use crate::cluster::record::{Lock, Member, Parent, claims};
use crate::farm::Release;
use crate::manifest::{Key, Object};

/// What was done.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Applied {
    /// Every rendered object, in the order of the waves.
    pub objects: Vec<Key>,
    /// Helm releases whose own record still has some of the objects.
    pub helm_releases: Vec<String>,
}

/// Applies the objects of a release.
///
/// # Errors
/// Where anything was refused, nothing was changed; where anything failed later, the error lists what was done.
pub async fn apply(
    api: &Api,
    release: &Release,
    objects: Vec<Object>,
    options: &ApplyOptions,
    observer: &dyn Observer,
) -> Result<Applied, ApplyError> {
    if options.allowed.create_namespace {
        create_namespaces(api, release, &objects, options, observer).await?;
    } else {
        let is_ready = namespaces::is_ready(api, &release.namespace).await;
        if !is_ready.map_err(ApplyError::not_begun)? {
            return Err(ApplyError::NoNamespace(release.namespace.clone()));
        }
    }
    let lock = Lock::acquire(api, release.lease(), observer).await?;
    let work = async |api: &Api| apply_locked(api, release, objects, options, observer).await;
    lock.hold(api, work).await
}

/// Creates the namespaces of a release that are missing, once nothing of it is refused.
async fn create_namespaces(
    api: &Api,
    release: &Release,
    objects: &[Object],
    options: &ApplyOptions,
    observer: &dyn Observer,
) -> Result<(), ApplyError> {
    let missing = namespaces::missing(api, release, objects).await;
    let missing = missing.map_err(ApplyError::not_begun)?;
    if !missing.is_empty() {
        let checked = check(api, release, objects.to_vec(), options, observer).await;
        checked.map_err(ApplyError::not_begun)?;
    }
    for name in missing {
        namespaces::create(api, &name).await?;
    }
    Ok(())
}

/// What an apply would do, none of it refused.
#[derive(Debug)]
pub struct Checked {
    pub planned: Vec<Planned>,
    /// The farm's record in the cluster; empty if it has none.
    pub parent: Parent,
    /// Members that are no longer rendered.
    pub stale: Vec<Member>,
    /// What the record is to remember.
    memory: Memory,
    /// The order of the control plane's workloads.
    upgrade: Option<Upgrade>,
}

/// The plan of an apply and the members that it would delete, with everything refused that would be refused.
///
/// # Errors
/// The refusals, or where the cluster cannot be asked.
pub async fn check(
    api: &Api,
    release: &Release,
    mut objects: Vec<Object>,
    options: &ApplyOptions,
    observer: &dyn Observer,
) -> Result<Checked, ApplyError> {
    if let Some(certificates) = &options.certificates {
        let namespace = &release.namespace;
        let concurrency = options.concurrency;
        complete_secrets(
            api,
            namespace,
            &mut objects,
            certificates,
            concurrency,
            observer,
        )
        .await?;
    }
    observer.observe(&Event::Stage {
        stage: Stage::Check,
        count: objects.len(),
    });
    let parent = inventory::read(api, release).await?;
    let knows = |parent: &Parent| {
        let mut facts = options.facts.iter();
        facts.all(|(name, fact)| parent.facts.get(name) == Some(fact))
    };
    if options.only_same && !parent.as_ref().is_none_or(knows) {
        return Err(ApplyError::Other);
    }
    let live = match &parent {
        Some(parent) => inventory::objects(api, release, parent, options.concurrency).await?,
        None => Vec::new(),
    };
    let mut members = Vec::with_capacity(live.len());
    let mut known = HashMap::with_capacity(live.len());
    for (member, object) in live {
        known.insert(member.key.clone(), object);
        members.push(member);
    }
    check_rotations(&known, &objects).map_err(ApplyError::Pki)?;
    let planned = plan(
        api,
        release,
        objects,
        &known,
        options.allowed,
        options.concurrency,
        observer,
    )
    .await?;
    let stale = stale(members, &planned, &known);
    let mut refusals = refusals(&planned);
    let parent = parent.unwrap_or_default();
    let (assessment, upgrade) =
        assess(api, release, &planned, &known, &parent, options, observer).await?;
    refuse_dangers(assessment.dangers, &mut refusals);
    if options.prune {
        let deletable = stale.iter().filter(|member| member.kept.is_none());
        refusals.extend(check_deletions(api, deletable, options.concurrency).await?);
    }
    if !refusals.is_empty() {
        return Err(ApplyError::Refused(refusals));
    }
    if let Some(upgrade) = &upgrade {
        let note =
            format!("versions change in order, each step once the one before is ready: {upgrade}");
        observer.observe(&Event::Note(&note));
    }
    Ok(Checked {
        planned,
        parent,
        stale,
        memory: assessment.memory,
        upgrade,
    })
}

/// Compares the plan with the live control plane: what is dangerous, and in which order its versions change.
async fn assess(
    api: &Api,
    release: &Release,
    planned: &[Planned],
    known: &HashMap<Key, Map<String, Json>>,
    parent: &Parent,
    options: &ApplyOptions,
    observer: &dyn Observer,
) -> Result<(guard::Assessment, Option<Upgrade>), ClusterError> {
    let after = ControlPlane::rendered(contents(planned));
    let seen = planned
        .iter()
        .filter_map(|planned| Some((&planned.key, planned.live.as_ref()?)));
    let before = ControlPlane::live(seen.chain(known), &after);
    let request = guard::Request {
        prunes: options.prune,
        dns_domain: options.facts.get(guard::DNS_DOMAIN).map(String::as_str),
        accepted: &options.accepted,
    };
    let mut assessment = guard::assess(api, &before, &after, parent, &request).await?;
    // Those that are refused anyway are not asked.
    if assessment.dangers.is_empty() {
        let concurrency = options.concurrency;
        let mut dangers =
            before_upgrade::dangers(api, release, &before, &after, concurrency, observer).await;
        dangers.retain(|danger| !options.accepted.contains(&danger.risk));
        assessment.dangers = dangers;
    }
    Ok((assessment, Upgrade::between(&before, &after)))
}

/// Adds dangers to the refusals. A refusal of the same object for an immutable field goes: its text would suggest to
/// delete the object.
fn refuse_dangers(dangers: Vec<Danger>, refusals: &mut Vec<(Key, Refusal)>) {
    for danger in dangers {
        refusals.retain(|(key, refusal)| {
            *key != danger.key || !matches!(refusal, Refusal::Immutable { .. })
        });
        refusals.push((danger.key.clone(), Refusal::Danger(danger)));
    }
}

fn refusals(planned: &[Planned]) -> Vec<(Key, Refusal)> {
    let refused = planned.iter().filter_map(|planned| match &planned.step {
        Step::Refuse(refusal) => Some((planned.key.clone(), refusal.clone())),
        _ => None,
    });
    refused.collect()
}

/// Everything that happens while the Lease is held.
async fn apply_locked(
    api: &Api,
    release: &Release,
    objects: Vec<Object>,
    options: &ApplyOptions,
    observer: &dyn Observer,
) -> Result<Applied, ApplyError> {
    let Checked {
        planned,
        parent,
        stale,
        memory,
        upgrade,
    } = check(api, release, objects, options, observer)
        .await
        .map_err(ApplyError::not_begun)?;
    if api.interrupt().is_set() {
        return Err(ApplyError::NotBegun(ClusterError::Interrupted));
    }
    let announced = announced(release, &parent, &planned, options, &memory);
    let written = inventory::write(api, release, &announced).await;
    written.map_err(ApplyError::NotBegun)?;

    let mut rollout = Rollout::new(api.clone(), options, observer);
    rollout.apply_waves(planned, upgrade.as_ref()).await?;
    rollout.apply_vanished(release, &announced).await?;
    let left = prune(api, stale, options, observer).await?;
    let settled = settled(release, &rollout, &left, &announced, options, &memory);
    let written = inventory::write(api, release, &settled).await;
    written.map_err(|error| rollout.stopped(None, error))?;
    Ok(Applied {
        helm_releases: rollout.helm_releases(),
        objects: rollout
            .planned
            .into_iter()
            .map(|planned| planned.key)
            .collect(),
    })
}

/// The record before the first object is created: it covers what is there and what will be.
fn announced(
    release: &Release,
    parent: &Parent,
    planned: &[Planned],
    options: &ApplyOptions,
    memory: &Memory,
) -> Parent {
    let mut announced = parent.clone();
    announced.include(release, members(planned));
    announced.claims.extend(claims(contents(planned)));
    if announced.facts.is_empty() {
        announced.facts.clone_from(&options.facts);
    }
    memory.write(&mut announced.facts);
    announced
}

/// The record after the last one was deleted.
fn settled(
    release: &Release,
    rollout: &Rollout,
    left: &[Key],
    announced: &Parent,
    options: &ApplyOptions,
    memory: &Memory,
) -> Parent {
    let mut settled = Parent::default();
    settled.include(release, members(&rollout.planned));
    settled.include(release, left.iter());
    settled.facts.clone_from(&options.facts);
    memory.write(&mut settled.facts);
    // Volumes of StatefulSets that are gone are still there.
    settled.claims.clone_from(&announced.claims);
    let objects = rollout.planned.iter().filter_map(|planned| {
        let digest = rollout.digests.get(&planned.key)?;
        Some((planned.key.clone(), digest.clone()))
    });
    settled.objects = objects.collect();
    settled
}

/// The planned objects that belong to this farm only.
fn members(planned: &[Planned]) -> impl Iterator<Item = &Key> {
    let members = planned
        .iter()
        .filter(|planned| !is_shared(&planned.content));
    members.map(|planned| &planned.key)
}

fn contents(planned: &[Planned]) -> impl Iterator<Item = (&Key, &Map<String, Json>)> {
    planned
        .iter()
        .map(|planned| (&planned.key, &planned.content))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::client::Status;
    use crate::cluster::guard::Risk;

    #[test]
    fn a_danger_takes_the_place_of_an_immutable_field_of_its_object() {
        let key = |name: &str| Key::core("Service", "farm", name);
        let immutable = Refusal::Immutable {
            status: Status::new(422, "Invalid", "field is immutable"),
            replaceable: true,
        };
        let danger = Danger {
            risk: Risk::EtcdName,
            key: key("etcd"),
            what: String::new(),
            way: String::new(),
        };
        let mut refusals = vec![
            (key("etcd"), immutable.clone()),
            (key("etcd"), Refusal::NoNamespace),
            (key("other"), immutable.clone()),
            (key("other"), Refusal::NoNamespace),
        ];
        refuse_dangers(vec![danger.clone()], &mut refusals);
        let expected = [
            (key("etcd"), Refusal::NoNamespace),
            (key("other"), immutable),
            (key("other"), Refusal::NoNamespace),
            (key("etcd"), Refusal::Danger(danger)),
        ];
        assert_eq!(refusals, expected);
    }
}
