//! The keys that every Service has.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use super::Port;

/// How a Service is reached.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum ServiceType {
    #[default]
    ClusterIP,
    NodePort,
    LoadBalancer,
}

/// Kubernetes' default, if the key is empty.
pub(super) fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Option::<T>::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// Which pods get the traffic that arrives at a node.
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

/// Passes the keys that all Services have to the macro `$then`, after its other arguments. For templates, each is null
/// if it is empty.
macro_rules! with_service_keys {
    ($then:ident! $($given:tt)*) => {
        $crate::farm::spec::service::$then! { $($given)* {
            labels: $crate::farm::spec::Labels,
            annotations: $crate::farm::spec::Annotations,
            #[serde(rename = "loadBalancerIP")]
            load_balancer_ip: Option<$crate::farm::spec::Address>,
            load_balancer_class: Option<$crate::farm::spec::LoadBalancerClass>,
            load_balancer_source_ranges: Vec<$crate::farm::spec::Network>,
            allocate_load_balancer_node_ports: Option<bool>,
            external_traffic_policy: Option<$crate::farm::spec::TrafficPolicy>,
            ip_family_policy: Option<$crate::farm::spec::FamilyPolicy>,
            ip_families: Vec<$crate::farm::spec::Family>,
        } }
    };
}
pub(super) use with_service_keys;

/// Declares [`ServiceKeys`].
macro_rules! service_keys {
    ({ $($(#[$meta:meta])* $key:ident: $type:ty,)* }) => {
        /// The keys that all Services have, borrowed from any of them.
        #[derive(Debug, Clone, Copy)]
        pub struct ServiceKeys<'a> {
            pub kind: ServiceType,
            $(pub $key: &'a $type,)*
        }
    };
}
use service_keys;
with_service_keys!(service_keys!);

/// A Service of a component.
pub trait Service {
    /// The keys that all Services have.
    fn keys(&self) -> ServiceKeys<'_>;

    /// A cluster gives a Service its first family by default, and a load balancer then refuses an address of the other
    /// one.
    fn follow_address(&mut self) {}
}

/// Declares a Service that can be reached from outside: its own keys, and those that all Services have.
macro_rules! service {
    ($(#[$meta:meta])* $name:ident { $($fields:tt)* }) => {
        $crate::farm::spec::service::with_service_keys! {
            service_with! $(#[$meta])* $name { $($fields)* }
        }
    };
}
pub(super) use service;

macro_rules! service_with {
    (
        $(#[$meta:meta])* $name:ident { $($(#[$field_meta:meta])* $field:ident: $type:ty,)* }
        { $($(#[$key_meta:meta])* $key:ident: $key_type:ty,)* }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, serde::Deserialize, serde::Serialize, schemars::JsonSchema)]
        #[serde(rename_all = "camelCase")]
        pub struct $name {
            #[serde(default)]
            pub enabled: bool,
            #[serde(rename = "type", default, deserialize_with = "crate::farm::spec::service::or_default")]
            pub kind: $crate::farm::spec::ServiceType,
            $($(#[$field_meta])* pub $field: $type,)*
            $(
                $(#[$key_meta])*
                #[serde(default, serialize_with = "crate::farm::spec::null_if_empty")]
                pub $key: $key_type,
            )*
        }

        impl $crate::farm::spec::Service for $name {
            fn keys(&self) -> $crate::farm::spec::ServiceKeys<'_> {
                $crate::farm::spec::ServiceKeys { kind: self.kind, $($key: &self.$key,)* }
            }

            fn follow_address(&mut self) {
                let address = self.load_balancer_ip.as_ref();
                let is_v6 = address.is_some_and(|address| address.read().is_ipv6());
                if is_v6 && self.ip_families.is_empty() {
                    self.ip_families.push($crate::farm::spec::Family::IPv6);
                }
            }
        }
    };
}
pub(super) use service_with;

service! {
    /// A Service with one port.
    PortService {
        /// The Service's port.
        port: Port,
        /// A fixed node port (30000-32767) for the types NodePort and LoadBalancer.
        node_port: Option<u16>,
    }
}
