//! In which steps objects are applied: all of a wave at once, the next wave when it is done.

use serde_json::{Map, Value as Json};

use crate::farm::certificates::AUTHORITY;
use crate::manifest::Key;
use crate::manifest::json::text_at;
use crate::pki::secrets::ROTATION;

/// A step. Later ones need what earlier ones made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wave {
    Namespaces,
    CustomResourceDefinitions,
    Rbac,
    /// Certificate authorities, before anything that they sign.
    Authorities,
    Configuration,
    Pki,
    Services,
    Storage,
    Workloads,
    Jobs,
    /// Everything else: DHCP resources, a user's own kinds.
    Others,
}

impl Wave {
    /// The wave of a group and kind.
    pub fn of(group: &str, kind: &str) -> Wave {
        match (group, kind) {
            ("", "Namespace") => Wave::Namespaces,
            ("apiextensions.k8s.io", _) => Wave::CustomResourceDefinitions,
            ("", "ServiceAccount") | ("rbac.authorization.k8s.io", _) => Wave::Rbac,
            ("", "Secret" | "ConfigMap" | "ResourceQuota" | "LimitRange")
            | ("scheduling.k8s.io", _) => Wave::Configuration,
            ("cert-manager.io", _) => Wave::Pki,
            ("", "Service" | "Endpoints")
            | ("discovery.k8s.io" | "networking.k8s.io" | "policy", _) => Wave::Services,
            ("", "PersistentVolume" | "PersistentVolumeClaim") | ("storage.k8s.io", _) => {
                Wave::Storage
            }
            ("", "Pod") | ("apps" | "autoscaling", _) => Wave::Workloads,
            ("batch", _) => Wave::Jobs,
            _ => Wave::Others,
        }
    }

    /// The wave of an object that is known by its key only.
    pub fn of_key(key: &Key) -> Wave {
        Wave::of(&key.group, &key.kind)
    }

    /// The wave of an object that is applied.
    pub fn of_object(key: &Key, content: &Map<String, Json>) -> Wave {
        let has = |annotation| {
            let path = ["metadata", "annotations", annotation];
            !text_at(content, &path).is_empty()
        };
        if key.kind == "Secret" && (has(AUTHORITY) || has(ROTATION)) {
            Wave::Authorities
        } else {
            Wave::of_key(key)
        }
    }

    /// As people read it.
    pub fn name(self) -> &'static str {
        match self {
            Wave::Namespaces => "namespaces",
            Wave::CustomResourceDefinitions => "CRDs",
            Wave::Rbac => "RBAC",
            Wave::Authorities => "certificate authorities",
            Wave::Configuration => "configuration",
            Wave::Pki => "PKI",
            Wave::Services => "services",
            Wave::Storage => "storage",
            Wave::Workloads => "workloads",
            Wave::Jobs => "jobs",
            Wave::Others => "others",
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::manifest::json::into_object;

    #[test]
    fn what_others_need_comes_first() {
        let steps = [
            ("", "Namespace"),
            ("apiextensions.k8s.io", "CustomResourceDefinition"),
            ("", "ServiceAccount"),
            ("", "Secret"),
            ("cert-manager.io", "Certificate"),
            ("", "Service"),
            ("", "PersistentVolumeClaim"),
            ("apps", "Deployment"),
            ("batch", "Job"),
            ("example.org", "Rack"),
        ];
        let waves = steps.map(|(group, kind)| Wave::of(group, kind));
        assert!(
            waves.is_sorted_by(|before, after| before < after),
            "{waves:?}"
        );
        for (as_one, others) in [
            (steps[2], &[("rbac.authorization.k8s.io", "Role")][..]),
            (
                steps[3],
                &[
                    ("", "ConfigMap"),
                    ("", "ResourceQuota"),
                    ("", "LimitRange"),
                    ("scheduling.k8s.io", "PriorityClass"),
                ],
            ),
            (
                steps[5],
                &[
                    ("", "Endpoints"),
                    ("discovery.k8s.io", "EndpointSlice"),
                    ("networking.k8s.io", "NetworkPolicy"),
                    ("policy", "PodDisruptionBudget"),
                ],
            ),
            (
                steps[6],
                &[("", "PersistentVolume"), ("storage.k8s.io", "StorageClass")],
            ),
            (
                steps[7],
                &[("", "Pod"), ("autoscaling", "HorizontalPodAutoscaler")],
            ),
            (steps[9], &[("", "Node"), ("example.org", "Secret")]),
        ] {
            for (group, kind) in others {
                let wave = Wave::of(as_one.0, as_one.1);
                assert_eq!(Wave::of(group, kind), wave, "{group} {kind}");
            }
        }
    }

    #[test]
    fn authorities_come_before_what_they_sign() {
        let wave = |kind: &str, annotation: &str, value: &str| {
            let content = json!({ "metadata": { "annotations": { annotation: value } } });
            Wave::of_object(&Key::core(kind, "farm", "ca"), &into_object(content))
        };
        for (kind, annotation, value, expected) in [
            ("Secret", AUTHORITY, "true", Wave::Authorities),
            ("Secret", ROTATION, "next", Wave::Authorities),
            ("Secret", AUTHORITY, "", Wave::Configuration),
            ("Secret", "example.org/ca", "true", Wave::Configuration),
            ("ConfigMap", AUTHORITY, "true", Wave::Configuration),
            ("Service", "example.org/ca", "true", Wave::Services),
        ] {
            let found = wave(kind, annotation, value);
            assert_eq!(found, expected, "{kind} {annotation} {value}");
        }
    }
}
