//! The control plane of a child cluster, read from its workloads: those in the admin cluster, or those that were rendered.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};

use crate::manifest::Key;
use crate::manifest::json::{text_at, value_at};
use crate::version::Version;

/// A component of the control plane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Component {
    Etcd,
    ApiServer,
    ControllerManager,
    Scheduler,
}

impl Component {
    const ALL: [Component; 4] = [
        Component::Etcd,
        Component::ApiServer,
        Component::ControllerManager,
        Component::Scheduler,
    ];

    /// Its name: that of the container, and the value of the label `app.kubernetes.io/name`.
    pub fn name(self) -> &'static str {
        match self {
            Component::Etcd => "etcd",
            Component::ApiServer => "kube-apiserver",
            Component::ControllerManager => "kube-controller-manager",
            Component::Scheduler => "kube-scheduler",
        }
    }

    /// The component that a workload of a farm runs.
    fn of(key: &Key, object: &Map<String, Json>) -> Option<Component> {
        let label = |name| text_at(object, &["metadata", "labels", name]);
        if label("app.kubernetes.io/part-of") != "kubefarm" {
            return None;
        }
        let name = label("app.kubernetes.io/name");
        let component = Component::ALL
            .into_iter()
            .find(|component| component.name() == name)?;
        let kind = match component {
            Component::Etcd => "StatefulSet",
            _ => "Deployment",
        };
        (key.group == "apps" && key.kind == kind).then_some(component)
    }
}

/// The workload of a component.
#[derive(Debug, Clone, PartialEq)]
pub struct Workload {
    pub key: Key,
    pub image: String,
    /// Whether every pod is of the newest template, or none was asked for yet.
    pub is_rolled_out: bool,
    /// Whether a pod is ready.
    pub is_alive: bool,
    pub volumes: Option<Volumes>,
    flags: BTreeMap<String, Vec<String>>,
    secrets: BTreeMap<String, String>,
}

/// The volume that a StatefulSet claims for each pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Volumes {
    /// Claims are called `<template>-<StatefulSet>-<ordinal>`.
    pub template: String,
    pub size: String,
}

impl Workload {
    fn read(component: Component, key: &Key, object: &Map<String, Json>) -> Option<Workload> {
        let pod = value_at(object, &["spec", "template", "spec"])?;
        let containers = pod.get("containers").and_then(Json::as_array)?;
        let container = containers
            .iter()
            .find(|container| container["name"] == component.name())?;
        Some(Workload {
            key: key.clone(),
            image: container["image"].as_str().unwrap_or_default().to_owned(),
            is_rolled_out: is_rolled_out(object),
            is_alive: number_at(object, &["status", "readyReplicas"]).unwrap_or_default() > 0,
            volumes: volumes(object),
            flags: flags(container),
            secrets: secrets(pod),
        })
    }

    /// The version, where the image's tag has one.
    pub fn version(&self) -> Option<Version> {
        Version::of_image(&self.image)
    }

    /// What a flag is set to, each time that it is given.
    pub fn flag(&self, name: &str) -> &[String] {
        self.flags.get(name).map(Vec::as_slice).unwrap_or_default()
    }

    /// The members that etcd's flags name, with their peer URLs.
    pub fn members(&self) -> Vec<&str> {
        let list = self.flag("initial-cluster").last();
        let members = list.into_iter().flat_map(|list| list.split(','));
        members.filter(|member| !member.is_empty()).collect()
    }

    /// The Secret behind each volume.
    pub fn secrets(&self) -> &BTreeMap<String, String> {
        &self.secrets
    }
}

/// The control plane of a farm.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ControlPlane {
    workloads: BTreeMap<Component, Workload>,
}

impl ControlPlane {
    /// Reads what was rendered.
    pub fn rendered<'a>(
        objects: impl Iterator<Item = (&'a Key, &'a Map<String, Json>)>,
    ) -> ControlPlane {
        let workloads = objects.filter_map(|(key, object)| {
            let component = Component::of(key, object)?;
            Some((component, Workload::read(component, key, object)?))
        });
        ControlPlane {
            workloads: workloads.collect(),
        }
    }

    /// Reads what is in the cluster. Workloads that another tool installed lack our labels: they are recognised by the key
    /// of a rendered one.
    pub fn live<'a>(
        objects: impl Iterator<Item = (&'a Key, &'a Map<String, Json>)>,
        rendered: &ControlPlane,
    ) -> ControlPlane {
        let by_key = |key: &Key| {
            let mut workloads = rendered.workloads.iter();
            workloads
                .find(|(_, workload)| workload.key == *key)
                .map(|(component, _)| *component)
        };
        let mut workloads = BTreeMap::new();
        for (key, object) in objects {
            let same = by_key(key);
            let Some(component) = same.or_else(|| Component::of(key, object)) else {
                continue;
            };
            let Some(workload) = Workload::read(component, key, object) else {
                continue;
            };
            // Of two, the one with the rendered name counts: the other is left over.
            if same.is_some() || !workloads.contains_key(&component) {
                workloads.insert(component, workload);
            }
        }
        ControlPlane { workloads }
    }

    /// The workload of a component.
    pub fn workload(&self, component: Component) -> Option<&Workload> {
        self.workloads.get(&component)
    }

    /// Every component with its workload.
    pub fn workloads(&self) -> impl Iterator<Item = (Component, &Workload)> {
        self.workloads
            .iter()
            .map(|(component, workload)| (*component, workload))
    }
}

fn flags(container: &Json) -> BTreeMap<String, Vec<String>> {
    let mut flags: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let words = ["command", "args"]
        .into_iter()
        .filter_map(|key| container[key].as_array());
    for word in words.flatten().filter_map(Json::as_str) {
        if let Some((name, value)) = word
            .strip_prefix("--")
            .and_then(|flag| flag.split_once('='))
        {
            flags
                .entry(name.to_owned())
                .or_default()
                .push(value.to_owned());
        }
    }
    flags
}

fn secrets(pod: &Json) -> BTreeMap<String, String> {
    let volumes = pod
        .get("volumes")
        .and_then(Json::as_array)
        .into_iter()
        .flatten();
    let pairs = volumes.filter_map(|volume| {
        let secret = volume.pointer("/secret/secretName")?.as_str()?;
        Some((volume.get("name")?.as_str()?.to_owned(), secret.to_owned()))
    });
    pairs.collect()
}

fn volumes(object: &Map<String, Json>) -> Option<Volumes> {
    let template = value_at(object, &["spec", "volumeClaimTemplates"])?.get(0)?;
    Some(Volumes {
        template: template.pointer("/metadata/name")?.as_str()?.to_owned(),
        size: template
            .pointer("/spec/resources/requests/storage")?
            .as_str()?
            .to_owned(),
    })
}

/// By the rule of `kubectl rollout status`, but for whether the new pods are ready.
fn is_rolled_out(object: &Map<String, Json>) -> bool {
    let number = |path| number_at(object, path);
    let Some(seen) = number(&["status", "observedGeneration"]) else {
        return true;
    };
    let is_seen = Some(seen) >= number(&["metadata", "generation"]);
    let updated = number(&["status", "updatedReplicas"]).unwrap_or_default();
    let all = number(&["status", "replicas"]).unwrap_or_default();
    is_seen && updated >= all
}

fn number_at(object: &Map<String, Json>, path: &[&str]) -> Option<u64> {
    value_at(object, path).and_then(Json::as_u64)
}
