//! The lists of Kubernetes' objects that are merged by a key of their items.
//!
//! From the `patchMergeKey` of Kubernetes' API types ("Update API Objects in Place Using kubectl patch", "Notes on the
//! strategic merge patch"), as far as objects of a farm can have them. Lists that are not here are replaced.

use crate::manifest::Object;

/// The lists of a pod's spec: the path in it, `*` for the items of a list, and the key of their items.
const OF_PODS: [(&[&str], &str); 15] = [
    (&["containers"], "name"),
    (&["containers", "*", "env"], "name"),
    (&["containers", "*", "ports"], "containerPort"),
    (&["containers", "*", "volumeDevices"], "devicePath"),
    (&["containers", "*", "volumeMounts"], "mountPath"),
    (&["hostAliases"], "ip"),
    (&["imagePullSecrets"], "name"),
    (&["initContainers"], "name"),
    (&["initContainers", "*", "env"], "name"),
    (&["initContainers", "*", "ports"], "containerPort"),
    (&["initContainers", "*", "volumeDevices"], "devicePath"),
    (&["initContainers", "*", "volumeMounts"], "mountPath"),
    (&["resourceClaims"], "name"),
    (&["topologySpreadConstraints"], "topologyKey"),
    (&["volumes"], "name"),
];

/// The lists of other objects, each with the path from the object's root.
const OF_OTHERS: [(&str, &str, &[&str], &str); 3] = [
    ("", "Service", &["spec", "ports"], "port"),
    ("", "ServiceAccount", &["imagePullSecrets"], "name"),
    ("", "ServiceAccount", &["secrets"], "name"),
];

/// The path of the pods' spec in each kind with pods.
const PODS: [(&str, &str, &[&str]); 7] = [
    ("", "Pod", &["spec"]),
    ("apps", "DaemonSet", &["spec", "template", "spec"]),
    ("apps", "Deployment", &["spec", "template", "spec"]),
    ("apps", "ReplicaSet", &["spec", "template", "spec"]),
    ("apps", "StatefulSet", &["spec", "template", "spec"]),
    ("batch", "Job", &["spec", "template", "spec"]),
    (
        "batch",
        "CronJob",
        &["spec", "jobTemplate", "spec", "template", "spec"],
    ),
];

/// The lists of one object that are merged.
pub(super) struct MergedLists {
    /// Each with its path from the object's root.
    lists: Vec<(Vec<&'static str>, &'static str)>,
}

impl MergedLists {
    pub fn of(object: &Object) -> MergedLists {
        let is = |group: &str, kind: &str| (object.group(), object.kind()) == (group, kind);
        let pods = PODS.iter().filter(|(group, kind, _)| is(group, kind));
        let of_pods = pods.flat_map(|(_, _, spec)| {
            OF_PODS
                .iter()
                .map(|(path, key)| ([*spec, *path].concat(), *key))
        });
        let others = OF_OTHERS.iter().filter(|(group, kind, ..)| is(group, kind));
        let others = others.map(|(_, _, path, key)| (path.to_vec(), *key));
        MergedLists {
            lists: of_pods.chain(others).collect(),
        }
    }

    /// The key of the items of the list at a path, in which `*` stands for an item of a list that is merged.
    pub fn key(&self, path: &[String]) -> Option<&'static str> {
        let found = self
            .lists
            .iter()
            .find(|(list, _)| list.iter().eq(path.iter()));
        found.map(|(_, key)| *key)
    }
}
