//! etcd: its members, where they find each other, and the volumes that are the members.
//!
//! etcd's flags for a new cluster count on a volume's first start only; from then on membership is changed by requests to
//! etcd (etcd: "Runtime reconfiguration").

use super::change::Change;
use crate::cluster::guard::control_plane::{Component, Volumes, Workload};
use crate::cluster::guard::risk::{Danger, Risk};
use crate::farm::syntax::quantity;
use crate::manifest::Key;

/// The dangers for etcd's data, but for those of its version.
pub fn dangers(change: &Change) -> Vec<Danger> {
    let before = change.before.workload(Component::Etcd);
    let after = change.after.workload(Component::Etcd);
    match (before, after) {
        (Some(before), Some(after)) if before.key != after.key => vec![renamed(&before.key, after)],
        (Some(before), Some(after)) => {
            let found = [
                members(change, after),
                addresses(before, after),
                persistence(before, after),
                size(change, before, after),
            ];
            found.into_iter().flatten().collect()
        }
        (Some(before), None) if change.prunes => vec![removed(before)],
        (None, Some(after)) => left_behind(change, after).into_iter().collect(),
        _ => Vec::new(),
    }
}

fn renamed(before: &Key, after: &Workload) -> Danger {
    Danger {
        risk: Risk::EtcdName,
        key: before.clone(),
        what: format!(
            "etcd would be called {} from now on: a new, empty cluster, and this one would be deleted",
            after.key.name
        ),
        way: "keep the name: kubernetes.fullnameOverride, kubernetes.nameOverride and the release's name make it"
            .to_owned(),
    }
}

fn removed(before: &Workload) -> Danger {
    let fate = match before.volumes {
        Some(_) => "its volumes would stay, and the child cluster would be gone until it is back",
        None => "and its data with it, since it has no volumes",
    };
    Danger {
        risk: Risk::EtcdRemoved,
        key: before.key.clone(),
        what: format!("etcd is not among what these values render, so it would be deleted, {fate}"),
        way: "to stop a farm, set kubernetes.etcd.replicaCount: 0 and kubernetes.apiServer.replicaCount: 0; \
              to delete it, use kubefarm delete"
            .to_owned(),
    }
}

/// etcd is not there, and volumes of it are: the farm was deleted and comes back.
fn left_behind(change: &Change, after: &Workload) -> Option<Danger> {
    let first = change.claims.first()?;
    if change
        .claims
        .iter()
        .any(|claim| claim.set == after.key.name)
    {
        return members(change, after);
    }
    Some(Danger {
        risk: Risk::EtcdName,
        key: after.key.clone(),
        what: format!(
            "etcd was called {} before the farm was deleted; under another name it begins empty, beside volumes with its data",
            first.set
        ),
        way: "give it the old name, or delete what is left: kubefarm delete --purge".to_owned(),
    })
}

fn members(change: &Change, after: &Workload) -> Option<Danger> {
    let live = change
        .before
        .workload(Component::Etcd)
        .map(|workload| workload.members().len());
    let claimed = change
        .claims
        .iter()
        .filter(|claim| claim.set == after.key.name)
        .count();
    let known = live.filter(|count| *count > 0).or(change.memory.members);
    let before = known.or((claimed > 0).then_some(claimed))?;
    let wanted = after.members().len();
    // None are wanted where the farm goes to sleep.
    if wanted == 0 || wanted == before {
        return None;
    }
    let breaks = if wanted > before {
        "the cluster does not know the new members: they never answer, or form an empty cluster of their own, \
         which answers in place of the old one"
    } else {
        "the remaining members wait for a majority that no longer exists, and answer no request"
    };
    Some(Danger {
        risk: Risk::EtcdMembers,
        key: after.key.clone(),
        what: format!("etcd has {before} members, and these values want {wanted}: {breaks}"),
        way: format!(
            "leave kubernetes.etcd.replicaCount at {before}; change members with etcdctl member"
        ),
    })
}

fn addresses(before: &Workload, after: &Workload) -> Option<Danger> {
    const FLAGS: [&str; 2] = ["initial-advertise-peer-urls", "advertise-client-urls"];
    let changed = FLAGS.into_iter().find(|flag| {
        let (old, new) = (before.flag(flag), after.flag(flag));
        !old.is_empty() && !new.is_empty() && old != new
    })?;
    let list = |workload: &Workload| workload.flag(changed).join(",");
    Some(Danger {
        risk: Risk::EtcdAddress,
        key: after.key.clone(),
        what: format!(
            "etcd's --{changed} would become {} instead of {}: members keep the addresses that they joined with, \
             and no longer find each other",
            list(after),
            list(before)
        ),
        way: "keep kubernetes.etcd.ports and the names; change addresses with etcdctl member update, one by one"
            .to_owned(),
    })
}

fn persistence(before: &Workload, after: &Workload) -> Option<Danger> {
    let what = match (&before.volumes, &after.volumes) {
        (Some(_), None) => {
            "etcd would start empty, without its volumes: its data would be lost with each pod"
        }
        (None, Some(_)) => {
            "etcd would start empty, on new volumes: its data is in its pods, and is lost with them"
        }
        _ => return None,
    };
    Some(Danger {
        risk: Risk::EtcdPersistence,
        key: after.key.clone(),
        what: what.to_owned(),
        way: format!(
            "leave kubernetes.persistence.enabled at {}; or save a snapshot (etcdctl snapshot save), \
             and restore it into the new members",
            before.volumes.is_some()
        ),
    })
}

fn size(change: &Change, before: &Workload, after: &Workload) -> Option<Danger> {
    let (old, new) = (before.volumes.as_ref()?, after.volumes.as_ref()?);
    let wanted = quantity(&new.size)?;
    if quantity(&old.size)? == wanted {
        return None;
    }
    let mut behind = change.claims.iter().filter(|claim| {
        let is_mine = claim.set == after.key.name;
        is_mine && quantity(&claim.size).is_some_and(|size| size != wanted)
    });
    let first = behind.next()?;
    let shrinks = quantity(&first.size).is_some_and(|size| size > wanted);
    let what = format!(
        "kubernetes.persistence.size is {} now and was {}: existing volumes keep their size ({}: {})",
        new.size, old.size, first.name, first.size
    );
    Some(Danger {
        risk: Risk::VolumeSize,
        key: after.key.clone(),
        what,
        way: if shrinks {
            format!(
                "a volume never shrinks: leave kubernetes.persistence.size at {}",
                first.size
            )
        } else {
            grows(after, old, &new.size)
        },
    })
}

fn grows(after: &Workload, volumes: &Volumes, size: &str) -> String {
    let Key {
        namespace, name, ..
    } = &after.key;
    let template = &volumes.template;
    format!(
        "if the storage class has allowVolumeExpansion, grow each claim with kubectl -n {namespace} patch pvc \
         {template}-{name}-0 -p '{{\"spec\":{{\"resources\":{{\"requests\":{{\"storage\":\"{size}\"}}}}}}}}'; \
         then apply --replace recreates the StatefulSet with this size, and its pods keep running"
    )
}
