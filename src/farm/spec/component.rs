//! The keys that every component has: image, replicas, and those of its pods.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use super::{
    Address, CertificateName, Count, Fragment, ImageDigest, ImageName, ImageTag, ServiceKeys,
    TopologyKey,
};

/// A container image.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Image {
    /// The image's name without tag: `registry.k8s.io/etcd`.
    pub repository: ImageName,
    pub tag: Option<ImageTag>,
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
    /// No rule.
    // In the old charts any other word meant that; these two were in use.
    #[serde(rename = "", alias = "false", alias = "none")]
    None,
}

/// How evenly pods are spread over the values of a node label (Kubernetes `TopologySpreadConstraint`).
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SpreadConstraint {
    /// The node label whose values are compared: `topology.kubernetes.io/zone`.
    pub topology_key: TopologyKey,
    /// How many more pods than in the emptiest domain one may have, at least 1.
    pub max_skew: Count,
    /// What happens to a pod that would break this.
    pub when_unsatisfiable: Unsatisfiable,
    /// Which pods are counted (a Kubernetes `LabelSelector`). Unset: the component's own.
    pub label_selector: Option<Fragment>,
    /// How many domains there have to be, with `DoNotSchedule`.
    pub min_domains: Option<Count>,
    /// Pod labels whose values have to be the same for pods to be counted: `pod-template-hash`.
    pub match_label_keys: Option<Vec<String>>,
    /// Whether only nodes that the pod's affinity and selector allow are counted: `Honor` or `Ignore`.
    pub node_affinity_policy: Option<NodeInclusion>,
    /// Whether only nodes whose taints the pod tolerates are counted: `Honor` or `Ignore`.
    pub node_taints_policy: Option<NodeInclusion>,
}

/// What happens to a pod that cannot be spread evenly.
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
                {"enum": ["", "none", "false", false], "description": "No rule."},
            ]
        })
    }
}

/// Extra names and addresses in a server certificate.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CertSans {
    #[serde(default)]
    pub dns_names: Vec<CertificateName>,
    #[serde(default)]
    pub ip_addresses: Vec<Address>,
}

/// Passes the keys that all pods have to the macro `$then`, after its other arguments. For templates, each is null if
/// it is empty.
macro_rules! with_pod_keys {
    ($then:ident! $($given:tt)*) => {
        $crate::farm::spec::component::$then! { $($given)* {
            resources: $crate::farm::spec::Fragment,
            labels: $crate::farm::spec::Labels,
            annotations: $crate::farm::spec::Annotations,
            pod_labels: $crate::farm::spec::Labels,
            pod_annotations: $crate::farm::spec::Annotations,
            node_selector: $crate::farm::spec::NodeSelector,
            tolerations: Vec<$crate::farm::spec::Toleration>,
            #[serde(skip_serializing)]
            affinity: $crate::farm::spec::Fragment,
            priority_class_name: Option<$crate::farm::spec::PriorityClass>,
            #[serde(skip_serializing)]
            topology_spread_constraints: Vec<$crate::farm::spec::SpreadConstraint>,
            extra_env: Vec<$crate::farm::spec::EnvVar>,
            sidecars: Vec<$crate::farm::spec::Fragment>,
            extra_volumes: Vec<$crate::farm::spec::Fragment>,
            extra_volume_mounts: Vec<$crate::farm::spec::Fragment>,
        } }
    };
}
pub(super) use with_pod_keys;

/// Declares [`PodKeys`].
macro_rules! pod_keys {
    ({ $($(#[$meta:meta])* $key:ident: $type:ty,)* }) => {
        /// The keys that all pods have, borrowed from any component.
        #[derive(Debug, Clone, Copy)]
        pub struct PodKeys<'a> {
            $(pub $key: &'a $type,)*
        }
    };
}
use pod_keys;
with_pod_keys!(pod_keys!);

/// Declares a workload: its own keys, and those that all pods have.
macro_rules! pods {
    ($(#[$meta:meta])* $name:ident { $($fields:tt)* }) => {
        $crate::farm::spec::component::with_pod_keys! {
            pods_with! $(#[$meta])* $name { $($fields)* }
        }
    };
}
pub(super) use pods;

macro_rules! pods_with {
    (
        $(#[$meta:meta])* $name:ident { $($(#[$field_meta:meta])* $field:ident: $type:ty,)* }
        { $($(#[$key_meta:meta])* $key:ident: $key_type:ty,)* }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, serde::Deserialize, serde::Serialize, schemars::JsonSchema)]
        #[serde(rename_all = "camelCase")]
        pub struct $name {
            $(
                $(#[$key_meta])*
                #[serde(default, serialize_with = "crate::farm::spec::null_if_empty")]
                pub $key: $key_type,
            )*
            $($(#[$field_meta])* pub $field: $type,)*
        }

        impl $crate::farm::spec::Pods for $name {
            fn keys(&self) -> $crate::farm::spec::PodKeys<'_> {
                $crate::farm::spec::PodKeys { $($key: &self.$key,)* }
            }
        }
    };
}
pub(super) use pods_with;

/// Declares a component: pods that can be disabled, scaled and kept apart, perhaps behind a Service.
macro_rules! component {
    ($(#[$meta:meta])* $name:ident $(behind $service:ident)? { $($fields:tt)* }) => {
        $crate::farm::spec::component::pods! {
            $(#[$meta])* $name {
                #[serde(default)]
                enabled: bool,
                /// Its container image.
                #[serde(skip_serializing)]
                image: $crate::farm::spec::Image,
                #[serde(rename(serialize = "replicas"))]
                replica_count: Option<u32>,
                #[serde(skip_serializing)]
                pod_anti_affinity: Option<$crate::farm::spec::Spread>,
                #[serde(skip_serializing)]
                pod_anti_affinity_topology_key: Option<$crate::farm::spec::TopologyKey>,
                $($fields)*
                $(
                    /// The Service in front of it.
                    service: $service,
                )?
            }
        }

        impl $crate::farm::spec::Component for $name {
            fn image(&self) -> &$crate::farm::spec::Image {
                &self.image
            }

            fn is_enabled(&self) -> bool {
                self.enabled
            }

            fn replicas(&self) -> Option<u32> {
                self.replica_count
            }

            fn spread(&self) -> (Option<$crate::farm::spec::Spread>, Option<&str>) {
                let key = self.pod_anti_affinity_topology_key.as_deref();
                (self.pod_anti_affinity, key)
            }

            $(
                fn service(&self) -> Option<$crate::farm::spec::ServiceKeys<'_>> {
                    let service: &$service = &self.service;
                    Some($crate::farm::spec::Service::keys(service))
                }

                fn follow_address(&mut self) {
                    let service: &mut $service = &mut self.service;
                    $crate::farm::spec::Service::follow_address(service);
                }
            )?
        }
    };
}
pub(super) use component;

/// Anything that runs as pods.
pub trait Pods {
    /// The keys that all pods have.
    fn keys(&self) -> PodKeys<'_>;
}

/// Pods with an image of their own.
pub trait Component: Pods {
    fn image(&self) -> &Image;

    fn is_enabled(&self) -> bool {
        true
    }

    /// `None` if an autoscaler or the like decides.
    fn replicas(&self) -> Option<u32> {
        Some(1)
    }

    /// The keys of its Service.
    fn service(&self) -> Option<ServiceKeys<'_>> {
        None
    }

    /// Fills in the keys of its Service that follow from its address.
    fn follow_address(&mut self) {}

    /// Whether its pods are kept apart, and the node label of the topology.
    fn spread(&self) -> (Option<Spread>, Option<&str>) {
        (None, None)
    }
}
