//! What every component can be told: image, replicas, and the keys of its pods.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use super::{Address, CertificateName, Fragment, ImageDigest, ImageName, TextMap};

/// A container image.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Image {
    /// The image's name without tag: `registry.k8s.io/etcd`.
    pub repository: ImageName,
    pub tag: Option<String>,
    pub digest: Option<ImageDigest>,
    pub pull_policy: Option<PullPolicy>,
    #[serde(default)]
    pub pull_secrets: Vec<PullSecret>,
}

/// When the kubelet pulls an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum PullPolicy {
    Always,
    IfNotPresent,
    Never,
}

/// A Secret with registry credentials.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum PullSecret {
    /// The Secret's name.
    Name(String),
    /// The Secret's name, as a pod's `imagePullSecrets` has it.
    Reference {
        /// The Secret's name.
        name: String,
    },
}

/// Whether pods of one component keep away from each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Spread {
    /// Preferred: they share a topology domain only where they must.
    Soft,
    /// Required: a pod that finds no domain of its own stays pending.
    Hard,
    /// No rule of ours.
    // In the old charts any other word meant that; these two were written to say it.
    #[serde(rename = "", alias = "false", alias = "none")]
    None,
}

/// How evenly pods are spread over the values of a node label (Kubernetes `TopologySpreadConstraint`).
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SpreadConstraint {
    /// The node label whose values are compared: `topology.kubernetes.io/zone`.
    pub topology_key: String,
    /// How many more pods than in the emptiest domain one may have, at least 1.
    pub max_skew: u32,
    /// What becomes of a pod that would break this.
    pub when_unsatisfiable: Unsatisfiable,
    /// Which pods are counted (a Kubernetes `LabelSelector`). Unset: the component's own.
    pub label_selector: Option<Fragment>,
    /// How many domains there have to be, with `DoNotSchedule`.
    pub min_domains: Option<u32>,
    /// Pod labels whose values have to be the same for pods to be counted: `pod-template-hash`.
    pub match_label_keys: Option<Vec<String>>,
    /// Whether only nodes that the pod's affinity and selector allow are counted: `Honor` or `Ignore`.
    pub node_affinity_policy: Option<NodeInclusion>,
    /// Whether only nodes whose taints the pod tolerates are counted: `Honor` or `Ignore`.
    pub node_taints_policy: Option<NodeInclusion>,
}

/// What becomes of a pod that cannot be spread evenly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum Unsatisfiable {
    DoNotSchedule,
    ScheduleAnyway,
}

/// Which nodes are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum NodeInclusion {
    Honor,
    Ignore,
}

impl JsonSchema for Spread {
    fn schema_name() -> Cow<'static, str> {
        "Spread".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "anyOf": [
                {"const": "soft", "description": "Preferred: they share a topology domain only where they must."},
                {"const": "hard", "description": "Required: a pod that finds no domain of its own stays pending."},
                {"enum": ["", "none", "false", false], "description": "No rule of ours."},
            ]
        })
    }
}

/// Extra names and addresses in a server certificate.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CertSans {
    #[serde(default)]
    pub dns_names: Vec<CertificateName>,
    #[serde(default)]
    pub ip_addresses: Vec<Address>,
}

/// Declares something that runs as pods: the keys of its pods, and its own.
macro_rules! pods {
    ($(#[$meta:meta])* $name:ident { $($fields:tt)* }) => {
        $crate::farm::spec::component::pods!(@struct $(#[$meta])* $name { $($fields)* });

        impl $crate::farm::spec::Component for $name {
            fn keys(&self) -> $crate::farm::spec::PodKeys<'_> {
                $crate::farm::spec::component::pods!(@keys self)
            }
        }
    };
    (@struct $(#[$meta:meta])* $name:ident { $($(#[$field_meta:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, serde::Deserialize, schemars::JsonSchema)]
        #[serde(rename_all = "camelCase")]
        pub struct $name {
            /// Its container image.
            pub image: $crate::farm::spec::Image,
            #[serde(default)]
            pub resources: $crate::farm::spec::Fragment,
            #[serde(default)]
            pub labels: $crate::farm::spec::Labels,
            #[serde(default)]
            pub annotations: $crate::farm::spec::Annotations,
            #[serde(default)]
            pub pod_labels: $crate::farm::spec::Labels,
            #[serde(default)]
            pub pod_annotations: $crate::farm::spec::Annotations,
            #[serde(default)]
            pub node_selector: $crate::farm::spec::NodeSelector,
            #[serde(default)]
            pub tolerations: Vec<$crate::farm::spec::Fragment>,
            #[serde(default)]
            pub affinity: $crate::farm::spec::Fragment,
            pub priority_class_name: Option<String>,
            #[serde(default)]
            pub topology_spread_constraints: Vec<$crate::farm::spec::SpreadConstraint>,
            #[serde(default)]
            pub extra_env: Vec<$crate::farm::spec::Fragment>,
            #[serde(default)]
            pub sidecars: Vec<$crate::farm::spec::Fragment>,
            #[serde(default)]
            pub extra_volumes: Vec<$crate::farm::spec::Fragment>,
            #[serde(default)]
            pub extra_volume_mounts: Vec<$crate::farm::spec::Fragment>,
            $($(#[$field_meta])* pub $field: $type,)*
        }
    };
    (@keys $self:ident) => {
        $crate::farm::spec::PodKeys {
            enabled: true,
            replicas: Some(1),
            anti_affinity: None,
            topology_key: None,
            image: &$self.image,
            resources: &$self.resources,
            labels: &$self.labels,
            annotations: &$self.annotations,
            pod_labels: &$self.pod_labels,
            pod_annotations: &$self.pod_annotations,
            node_selector: &$self.node_selector,
            tolerations: &$self.tolerations,
            affinity: &$self.affinity,
            priority_class: $self.priority_class_name.as_deref(),
            spread_constraints: &$self.topology_spread_constraints,
            extra_env: &$self.extra_env,
            sidecars: &$self.sidecars,
            extra_volumes: &$self.extra_volumes,
            extra_volume_mounts: &$self.extra_volume_mounts,
        }
    };
}
pub(super) use pods;

/// Declares a component: pods that can be switched off, multiplied and kept apart.
macro_rules! component {
    ($(#[$meta:meta])* $name:ident { $($fields:tt)* }) => {
        $crate::farm::spec::component::pods!(@struct $(#[$meta])* $name {
            /// Render this component.
            #[serde(default)]
            enabled: bool,
            /// How many pods. `null`: whoever scales the workload decides, such as an autoscaler.
            replica_count: Option<u32>,
            /// Keep its pods apart: `soft`, `hard`, or empty for no rule.
            pod_anti_affinity: Option<$crate::farm::spec::Spread>,
            /// The node label whose values are kept apart.
            pod_anti_affinity_topology_key: Option<String>,
            $($fields)*
        });

        impl $crate::farm::spec::Component for $name {
            fn keys(&self) -> $crate::farm::spec::PodKeys<'_> {
                $crate::farm::spec::PodKeys {
                    enabled: self.enabled,
                    replicas: self.replica_count,
                    anti_affinity: self.pod_anti_affinity,
                    topology_key: self.pod_anti_affinity_topology_key.as_deref(),
                    ..$crate::farm::spec::component::pods!(@keys self)
                }
            }
        }
    };
}
pub(super) use component;

/// The keys that every component has, borrowed from whichever it is.
#[derive(Debug, Clone, Copy)]
pub struct PodKeys<'a> {
    pub enabled: bool,
    pub image: &'a Image,
    /// `None` where somebody else decides.
    pub replicas: Option<u32>,
    pub resources: &'a Fragment,
    pub labels: &'a TextMap,
    pub annotations: &'a TextMap,
    pub pod_labels: &'a TextMap,
    pub pod_annotations: &'a TextMap,
    pub node_selector: &'a TextMap,
    pub tolerations: &'a [Fragment],
    pub affinity: &'a Fragment,
    pub anti_affinity: Option<Spread>,
    pub topology_key: Option<&'a str>,
    pub priority_class: Option<&'a str>,
    pub spread_constraints: &'a [SpreadConstraint],
    pub extra_env: &'a [Fragment],
    pub sidecars: &'a [Fragment],
    pub extra_volumes: &'a [Fragment],
    pub extra_volume_mounts: &'a [Fragment],
}

/// Anything that runs as pods of its own.
pub trait Component {
    /// The keys it shares with every other component.
    fn keys(&self) -> PodKeys<'_>;
}
