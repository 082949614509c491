//! In which order the parts of a living control plane change, where their versions do: etcd, API servers, then what talks
//! to them (Kubernetes: "Version skew policy"). Each step is awaited.

use std::fmt;

use crate::cluster::guard::{Component, ControlPlane};
use crate::manifest::Key;
use crate::version::Version;

/// The steps of an upgrade: the components of each change at the same time.
const STEPS: [(&str, &[Component]); 3] = [
    ("etcd", &[Component::Etcd]),
    ("API servers", &[Component::ApiServer]),
    (
        "controller managers and schedulers",
        &[Component::ControllerManager, Component::Scheduler],
    ),
];

/// A change of versions in a control plane that lives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upgrade {
    steps: Vec<Step>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Step {
    name: &'static str,
    workloads: Vec<Key>,
    /// `3.6.16 to 3.7.0`; the images, where their tags are not versions. Empty where nothing changes.
    change: String,
}

impl Upgrade {
    /// `None` where no image of a component changes, and where nothing lives: then no order keeps anything.
    ///
    /// The order is the other way round where API servers go back to an older version: nothing may be newer than they.
    pub fn between(before: &ControlPlane, after: &ControlPlane) -> Option<Upgrade> {
        let is_alive = before.workloads().any(|(_, workload)| workload.is_alive);
        let steps = STEPS.iter().map(|(name, components)| Step {
            name,
            workloads: components
                .iter()
                .filter_map(|component| Some(after.workload(*component)?.key.clone()))
                .collect(),
            change: components
                .iter()
                .find_map(|component| image_change(before, after, *component))
                .unwrap_or_default(),
        });
        let mut steps: Vec<Step> = steps.collect();
        if goes_back(before, after) {
            steps.reverse();
        }
        let changes = steps.iter().any(|step| !step.change.is_empty());
        (is_alive && changes).then_some(Upgrade { steps })
    }

    /// The position of the step of a workload: after all of them for whatever is not of the control plane.
    pub fn position(&self, key: &Key) -> usize {
        let mut steps = self.steps.iter();
        let position = steps.position(|step| step.workloads.contains(key));
        position.unwrap_or(self.steps.len())
    }

    /// The name of a step: `API servers`.
    pub fn name(&self, position: usize) -> Option<&'static str> {
        self.steps.get(position).map(|step| step.name)
    }
}

/// `etcd (3.6.16 to 3.7.0), API servers (1.36.4 to 1.37.2), …`: the steps that change something.
impl fmt::Display for Upgrade {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let steps = self.steps.iter().filter(|step| !step.change.is_empty());
        for (position, step) in steps.enumerate() {
            let comma = if position == 0 { "" } else { ", then " };
            write!(formatter, "{comma}{} ({})", step.name, step.change)?;
        }
        Ok(())
    }
}

fn image_change(
    before: &ControlPlane,
    after: &ControlPlane,
    component: Component,
) -> Option<String> {
    let (before, after) = (before.workload(component)?, after.workload(component)?);
    (before.image != after.image).then(|| match (before.version(), after.version()) {
        (Some(before), Some(after)) if before != after => format!("{before} to {after}"),
        _ => format!("{} to {}", before.image, after.image),
    })
}

fn goes_back(before: &ControlPlane, after: &ControlPlane) -> bool {
    let version = |plane: &ControlPlane| -> Option<Version> {
        plane.workload(Component::ApiServer)?.version()
    };
    version(before)
        .zip(version(after))
        .is_some_and(|(before, after)| after < before)
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value as Json, json};

    use super::*;
    use crate::manifest::json::into_object;

    /// The workloads of a control plane with these versions of etcd and Kubernetes.
    fn workloads(etcd: &str, kubernetes: &str, ready: u64) -> Vec<(Key, Map<String, Json>)> {
        [
            ("StatefulSet", "etcd", etcd),
            ("Deployment", "kube-apiserver", kubernetes),
            ("Deployment", "kube-controller-manager", kubernetes),
            ("Deployment", "kube-scheduler", kubernetes),
        ]
        .into_iter()
        .map(|(kind, name, version)| (key(kind, name), workload(name, version, ready)))
        .collect()
    }

    fn workload(name: &str, version: &str, ready: u64) -> Map<String, Json> {
        into_object(json!({
            "metadata": { "labels": {
                "app.kubernetes.io/part-of": "kubefarm",
                "app.kubernetes.io/name": name,
            } },
            "spec": { "template": { "spec": { "containers": [
                { "name": name, "image": format!("registry.k8s.io/{name}:v{version}") },
            ] } } },
            "status": { "readyReplicas": ready },
        }))
    }

    fn key(kind: &str, name: &str) -> Key {
        Key {
            group: "apps".to_owned(),
            ..Key::core(kind, "farm", name)
        }
    }

    fn upgrade(before: (&str, &str, u64), after: (&str, &str)) -> Option<Upgrade> {
        let plane = |(etcd, kubernetes, ready)| {
            let workloads = workloads(etcd, kubernetes, ready);
            ControlPlane::rendered(workloads.iter().map(|(key, object)| (key, object)))
        };
        Upgrade::between(&plane(before), &plane((after.0, after.1, 0)))
    }

    #[test]
    fn etcd_and_api_servers_come_first() {
        let upgrade = upgrade(("3.6.16", "1.36.4", 1), ("3.7.0", "1.37.2")).expect("one");
        let position = |kind, name| upgrade.position(&key(kind, name));
        assert_eq!(position("StatefulSet", "etcd"), 0);
        assert_eq!(position("Deployment", "kube-apiserver"), 1);
        assert_eq!(position("Deployment", "kube-controller-manager"), 2);
        assert_eq!(position("Deployment", "kube-scheduler"), 2);
        assert_eq!(position("Deployment", "konnectivity-server"), 3);
        assert_eq!(
            upgrade.to_string(),
            "etcd (3.6.16 to 3.7.0), then API servers (1.36.4 to 1.37.2), then controller managers and schedulers \
             (1.36.4 to 1.37.2)"
        );
    }

    #[test]
    fn what_goes_back_goes_in_the_opposite_order() {
        let upgrade = upgrade(("3.7.0", "1.37.2", 1), ("3.7.0", "1.37.1")).expect("one");
        assert_eq!(upgrade.position(&key("Deployment", "kube-scheduler")), 0);
        assert_eq!(upgrade.position(&key("Deployment", "kube-apiserver")), 1);
        assert_eq!(upgrade.name(1), Some("API servers"));
        assert_eq!(upgrade.position(&key("StatefulSet", "etcd")), 2);
        assert_eq!(
            upgrade.to_string(),
            "controller managers and schedulers (1.37.2 to 1.37.1), then API servers (1.37.2 to 1.37.1)"
        );
    }

    #[test]
    fn without_a_change_or_without_life_there_is_no_order() {
        assert_eq!(upgrade(("3.7.0", "1.37.2", 1), ("3.7.0", "1.37.2")), None);
        assert_eq!(upgrade(("3.6.16", "1.36.4", 0), ("3.7.0", "1.37.2")), None);
    }
}
