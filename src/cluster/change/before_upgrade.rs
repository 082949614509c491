//! What a living farm is asked before its versions change: whether etcd's members are well, and which APIs are used that
//! the next minor version of Kubernetes does not serve.

use crate::cluster::client::Api;
use crate::cluster::event::{Event, Observer};
use crate::cluster::guard::{Component, ControlPlane, Danger, Risk};
use crate::cluster::record::InventoryError;
use crate::cluster::state::{DeprecatedApi, Etcd, Members, access, deprecated_apis};
use crate::etcd::condition;
use crate::farm::Release;
use crate::manifest::Key;
use crate::version::{Version, VersionStep};

/// The short name of the certificate that may read the child's metrics.
const CLIENT: &str = "admin-client";

/// A component that goes to the next minor version.
struct Move<'a> {
    /// The workload as it is.
    live: &'a Key,
    /// The workload that was rendered.
    key: &'a Key,
    from: Version,
    to: Version,
}

impl<'a> Move<'a> {
    /// `None` where it does not live, or stays within its minor version, or jumps, which guards refuse.
    fn of(
        before: &'a ControlPlane,
        after: &'a ControlPlane,
        component: Component,
    ) -> Option<Move<'a>> {
        let (live, after) = (before.workload(component)?, after.workload(component)?);
        let (from, to) = (live.version()?, after.version()?);
        let is_next = from.step_to(to) == VersionStep::Next;
        (live.is_alive && is_next).then_some(Move {
            live: &live.key,
            key: &after.key,
            from,
            to,
        })
    }
}

/// Asks the farm, where a minor version changes. What cannot be asked is noted, and refuses nothing: the right to forward
/// ports may be missing, and a broken control plane has to be repaired.
pub async fn dangers(
    api: &Api,
    release: &Release,
    before: &ControlPlane,
    after: &ControlPlane,
    concurrency: usize,
    observer: &dyn Observer,
) -> Vec<Danger> {
    let mut dangers = Vec::new();
    let note = |text: String| observer.observe(&Event::Note(&text));
    if let Some(moved) = Move::of(before, after, Component::Etcd) {
        match members(api, release, concurrency).await {
            Ok(etcd) => dangers.extend(of_members(&etcd, &moved)),
            Err(reason) => note(format!(
                "whether etcd's members are well is not known: {reason}"
            )),
        }
    }
    if let Some(moved) = Move::of(before, after, Component::ApiServer) {
        match used(api, release, moved.live, concurrency).await {
            Ok(apis) => {
                if !apis.is_empty() {
                    note(format!(
                        "deprecated, and used in the child: {}",
                        listed(&apis)
                    ));
                }
                dangers.extend(of_apis(&apis, &moved));
            }
            Err(reason) => note(format!(
                "which deprecated APIs are used is not known: {reason}"
            )),
        }
    }
    dangers
}

async fn members(api: &Api, release: &Release, concurrency: usize) -> Result<Etcd, String> {
    let found = Members::of(api, release, concurrency).await;
    let found = found.map_err(|error| error.to_string())?;
    let members = found.ok_or("the farm is not known yet")?;
    let etcd = members.look().await.map_err(|error| error.to_string())?;
    match etcd
        .members
        .iter()
        .find_map(|member| member.answer.as_ref().err())
    {
        Some(reason) if etcd.members.iter().all(|member| member.answer.is_err()) => {
            Err(reason.clone())
        }
        _ => Ok(etcd),
    }
}

async fn used(
    api: &Api,
    release: &Release,
    server: &Key,
    concurrency: usize,
) -> Result<Vec<DeprecatedApi>, String> {
    let said = |error: InventoryError| error.to_string();
    let found = access(api, release, concurrency).await.map_err(said)?;
    let found = found.ok_or("the farm is not known yet")?;
    let client = found.certificates.get(CLIENT);
    let client = client.ok_or_else(|| format!("the farm has no certificate {CLIENT}"))?;
    let apis = deprecated_apis(api, &server.namespace, &server.name, client).await;
    apis.map_err(|error| error.to_string())
}

/// Members that are missing, full, behind or of several versions do not survive the loss of one, which each step is.
fn of_members(etcd: &Etcd, moved: &Move) -> Option<Danger> {
    let hindered = etcd.members.iter().filter_map(|member| {
        let reason = member.hindrance()?;
        Some(format!("{} {reason}", member.name))
    });
    let mut faults = condition(&etcd.members).faults();
    faults.extend(hindered);
    (!faults.is_empty()).then(|| Danger {
        risk: Risk::EtcdVersion,
        key: moved.key.clone(),
        what: format!(
            "etcd {} would become {} while it is not well: {}",
            moved.from,
            moved.to,
            faults.join("; ")
        ),
        way: "apply again once `kubefarm etcd status` finds nothing".to_owned(),
    })
}

fn of_apis(apis: &[DeprecatedApi], moved: &Move) -> Option<Danger> {
    let is_gone = |api: &&DeprecatedApi| {
        let removed = api.removed_in.map(Version::minor_version);
        removed.is_some_and(|removed| removed <= moved.to.minor_version())
    };
    let gone: Vec<DeprecatedApi> = apis.iter().filter(is_gone).cloned().collect();
    (!gone.is_empty()).then(|| Danger {
        risk: Risk::RemovedApis,
        key: moved.key.clone(),
        what: format!(
            "Kubernetes {} would become {}, which does not serve what clients of the child use: {}",
            moved.from,
            moved.to,
            listed(&gone)
        ),
        way: "have these clients use newer versions of the APIs. API servers count since they started: after the clients \
              have changed, restart them (kubectl rollout restart) to count anew"
            .to_owned(),
    })
}

fn listed(apis: &[DeprecatedApi]) -> String {
    let apis: Vec<String> = apis.iter().map(DeprecatedApi::to_string).collect();
    apis.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moved(key: &Key) -> Move<'_> {
        let version = |text| Version::read(text).expect("a version");
        Move {
            live: key,
            key,
            from: version("1.36.4"),
            to: version("1.37.2"),
        }
    }

    #[test]
    fn what_the_next_version_does_not_serve_is_a_danger() {
        let key = Key::core("Deployment", "farm", "apiserver");
        for (removed, is_danger) in [("", false), ("1.36", true), ("1.37", true), ("1.38", false)] {
            let apis = [DeprecatedApi {
                version: "batch/v1beta1".to_owned(),
                resource: "cronjobs".to_owned(),
                removed_in: Version::read(removed),
            }];
            let danger = of_apis(&apis, &moved(&key));
            let risk = danger.as_ref().map(|danger| danger.risk);
            assert_eq!(risk, is_danger.then_some(Risk::RemovedApis), "{removed}");
            if let Some(danger) = danger {
                let text = format!("batch/v1beta1 cronjobs (removed in {removed})");
                assert!(danger.what.ends_with(&text), "{}", danger.what);
            }
        }
    }
}
