//! What every Service can be told.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use super::{Address, LoadBalancerClass, Network};

/// How a Service is reached.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum ServiceType {
    #[default]
    ClusterIP,
    NodePort,
    LoadBalancer,
}

/// What Kubernetes takes where nothing is written, or an empty text.
pub(super) fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Option::<T>::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// Which pods get what arrives at a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum TrafficPolicy {
    Cluster,
    Local,
}

/// How many families of addresses a Service has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum FamilyPolicy {
    SingleStack,
    PreferDualStack,
    RequireDualStack,
}

/// A family of addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum Family {
    IPv4,
    IPv6,
}

/// Declares a Service that may be reached from outside: the keys that all of them have, and its own.
macro_rules! service {
    ($(#[$meta:meta])* $name:ident { $($(#[$field_meta:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, serde::Deserialize, schemars::JsonSchema)]
        #[serde(rename_all = "camelCase")]
        pub struct $name {
            #[serde(default)]
            pub enabled: bool,
            #[serde(rename = "type", default, deserialize_with = "crate::farm::spec::service::or_default")]
            pub kind: $crate::farm::spec::ServiceType,
            $($(#[$field_meta])* pub $field: $type,)*
            #[serde(default)]
            pub labels: $crate::farm::spec::Labels,
            #[serde(default)]
            pub annotations: $crate::farm::spec::Annotations,
            #[serde(rename = "loadBalancerIP")]
            pub load_balancer_ip: Option<$crate::farm::spec::Address>,
            pub load_balancer_class: Option<$crate::farm::spec::LoadBalancerClass>,
            #[serde(default)]
            pub load_balancer_source_ranges: Vec<$crate::farm::spec::Network>,
            pub allocate_load_balancer_node_ports: Option<bool>,
            pub external_traffic_policy: Option<$crate::farm::spec::TrafficPolicy>,
            pub ip_family_policy: Option<$crate::farm::spec::FamilyPolicy>,
            #[serde(default)]
            pub ip_families: Vec<$crate::farm::spec::Family>,
        }

        impl $name {
            /// The keys that all Services have.
            pub fn keys(&self) -> $crate::farm::spec::ServiceKeys<'_> {
                $crate::farm::spec::ServiceKeys {
                    kind: self.kind,
                    load_balancer_ip: self.load_balancer_ip.as_ref(),
                    load_balancer_class: self.load_balancer_class.as_ref(),
                    source_ranges: &self.load_balancer_source_ranges,
                    node_ports: self.allocate_load_balancer_node_ports,
                    traffic_policy: self.external_traffic_policy,
                    family_policy: self.ip_family_policy,
                    families: &self.ip_families,
                }
            }
        }
    };
}
pub(super) use service;

/// How a Service is reached, borrowed from whichever it is.
#[derive(Debug, Clone, Copy)]
pub struct ServiceKeys<'a> {
    pub kind: ServiceType,
    pub load_balancer_ip: Option<&'a Address>,
    pub load_balancer_class: Option<&'a LoadBalancerClass>,
    pub source_ranges: &'a [Network],
    pub node_ports: Option<bool>,
    pub traffic_policy: Option<TrafficPolicy>,
    pub family_policy: Option<FamilyPolicy>,
    pub families: &'a [Family],
}

service! {
    /// A Service with one port.
    PortService {
        /// The Service's port.
        port: u16,
        /// A fixed node port (30000-32767) for the types NodePort and LoadBalancer.
        node_port: Option<u16>,
    }
}
