//! Versions move one minor version at a time, and nothing is newer than the API server that it talks to (Kubernetes:
//! "Version skew policy"; etcd: "Upgrading etcd": one minor version at a time).

use super::change::Change;
use crate::cluster::guard::control_plane::{Component, Workload};
use crate::cluster::guard::risk::{Danger, Risk};
use crate::version::{Version, VersionStep};

/// The page of the documentation for farms that began with the old charts.
const PAGE: &str = "docs/from-0.13.md";
/// From which patch release a minor version of etcd may go to the next one, and what older ones do (etcd.io, "Upgrade
/// etcd from v3.5 to v3.6": members that were removed come back; "from v3.6 to v3.7").
const LEAVE_FROM: [((u32, u32), u32, &str); 2] = [
    (
        (3, 5),
        26,
        "3.6 brings back members that an older 3.5 removed",
    ),
    ((3, 6), 11, "3.7 supports upgrades from 3.6.11 on"),
];
/// The last minor version of etcd whose log has requests that 3.7 cannot read.
const OLD_LOG: (u32, u32) = (3, 5);

/// The dangers of other versions.
pub fn dangers(change: &Change) -> Vec<Danger> {
    let mut dangers: Vec<Danger> = etcd(change).into_iter().collect();
    dangers.extend(kubernetes(change));
    dangers.extend(skew(change));
    dangers
}

fn etcd(change: &Change) -> Option<Danger> {
    let after = change.after.workload(Component::Etcd)?;
    let workload = change.before.workload(Component::Etcd);
    let is_left = change
        .claims
        .iter()
        .any(|claim| claim.set == after.key.name);
    let remembered = change
        .memory
        .versions
        .last()
        .copied()
        .filter(|_| workload.is_some() || is_left);
    let before = workload.and_then(Workload::version).or(remembered)?;
    let wanted = after.version()?;
    let what = match before.step_to(wanted) {
        VersionStep::Within => return None,
        VersionStep::Back => "etcd cannot read data of a newer minor version",
        VersionStep::Skips => {
            "etcd reads data of the minor version before it, and none that is older: it panics, or loses data"
        }
        VersionStep::Next if workload.is_some_and(|workload| !workload.is_rolled_out) => {
            "not all of its pods run the version before it yet"
        }
        VersionStep::Next => {
            let too_old = too_old_to_leave(after, before, wanted);
            return too_old.or_else(|| old_log(change, after, before, wanted));
        }
    };
    Some(Danger {
        risk: Risk::EtcdVersion,
        key: after.key.clone(),
        what: format!("etcd {before} would become {wanted}: {what}"),
        way: match before.step_to(wanted) {
            VersionStep::Back => format!(
                "set kubernetes.etcd.image.tag to the version that runs, {before}; \
                 going back takes etcdctl downgrade, or a snapshot from before"
            ),
            VersionStep::Next => {
                "wait until its StatefulSet is rolled out (kubectl rollout status)".to_owned()
            }
            _ => format!(
                "one minor version at a time, each until all members are healthy: {}; {PAGE} has the steps",
                before.way_to(wanted)
            ),
        },
    })
}

/// To the next minor version from a patch release that is too old for it.
fn too_old_to_leave(after: &Workload, before: Version, wanted: Version) -> Option<Danger> {
    let ((major, minor), patch, why) = LEAVE_FROM
        .into_iter()
        .find(|(minor, _, _)| *minor == before.minor_version())?;
    (before.patch < patch).then(|| Danger {
        risk: Risk::EtcdVersion,
        key: after.key.clone(),
        what: format!("etcd {before} would become {wanted}: {why}"),
        way: format!(
            "set kubernetes.etcd.image.tag to {major}.{minor}.{patch} or a later {major}.{minor} first, and apply {wanted} \
             once all members are healthy"
        ),
    })
}

/// From 3.6 to 3.7, while the log may still hold requests of 3.5.
fn old_log(change: &Change, after: &Workload, before: Version, wanted: Version) -> Option<Danger> {
    let is_old = |version: &Version| (version.major, version.minor) <= OLD_LOG;
    let versions = &change.memory.versions;
    let came_from_old = versions.iter().any(is_old);
    let may_be_there = came_from_old || versions.is_empty() || change.memory.ran_before;
    if (wanted.major, wanted.minor) != (3, 7) || !may_be_there {
        return None;
    }
    let why = if came_from_old {
        "it came from 3.5"
    } else {
        "kubefarm does not know whether it came from 3.5"
    };
    Some(Danger {
        risk: Risk::EtcdOldLog,
        key: after.key.clone(),
        what: format!(
            "etcd {before} would become {wanted}, and {why}: 3.7 panics on entries of 3.5 in its log, \
             which stay there until 3.6 has written a snapshot of its own"
        ),
        way: format!(
            "let each member write one with kubernetes.etcd.extraArgs.snapshot-count: 50 first, then accept; \
             {PAGE} has the steps"
        ),
    })
}

fn kubernetes(change: &Change) -> Option<Danger> {
    let workload = change.before.workload(Component::ApiServer)?;
    let after = change.after.workload(Component::ApiServer)?;
    let (before, wanted) = (workload.version()?, after.version()?);
    let what = match before.step_to(wanted) {
        VersionStep::Within => return None,
        VersionStep::Back => "an API server cannot read what a newer one stored",
        VersionStep::Skips => {
            "an API server reads what the minor version before it stored; what is older may have no reader left"
        }
        VersionStep::Next if !workload.is_rolled_out => {
            "not all of its pods run the version before it yet"
        }
        VersionStep::Next => return None,
    };
    Some(Danger {
        risk: Risk::KubernetesVersion,
        key: after.key.clone(),
        what: format!("Kubernetes {before} would become {wanted}: {what}"),
        way: match before.step_to(wanted) {
            VersionStep::Back => {
                format!("set kubernetes.version to the version that runs, v{before}")
            }
            VersionStep::Next => {
                "wait until the Deployment is rolled out (kubectl rollout status)".to_owned()
            }
            _ => format!(
                "one minor version at a time, nodes too: {}; {PAGE} says which program serves which",
                before.way_to(wanted)
            ),
        },
    })
}

fn skew(change: &Change) -> Vec<Danger> {
    let server = change
        .after
        .workload(Component::ApiServer)
        .and_then(Workload::version);
    let Some(server) = server else {
        return Vec::new();
    };
    let parts = change
        .after
        .workloads()
        .filter(|(component, _)| *component != Component::Etcd);
    let newer = parts.filter_map(|(component, workload)| {
        let version = workload.version()?;
        matches!(server.step_to(version), VersionStep::Next | VersionStep::Skips).then(|| Danger {
            risk: Risk::VersionSkew,
            key: workload.key.clone(),
            what: format!(
                "{} {version} would be newer than the API server, {server}: it needs what the API server does not have",
                component.name()
            ),
            way: "leave out its image.tag, so that it has the API server's version".to_owned(),
        })
    });
    newer.collect()
}
