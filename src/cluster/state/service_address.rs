//! Where a Service is reached from outside of its cluster.

use std::net::IpAddr;

use serde_json::{Map, Value as Json};

use crate::manifest::json::{text_at, value_at};

/// Where a Service is reached from outside: at the addresses that its load balancer gave it, else at its `externalIPs`,
/// else at the names that its load balancer gave it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServiceAddress {
    /// IP addresses: one, or one a family; and the names beside them.
    Addresses {
        ips: Vec<IpAddr>,
        names: Vec<String>,
    },
    /// A load balancer that has names only.
    Names(Vec<String>),
    /// The load balancer has not given any yet.
    Pending,
    /// It will never have one: the Service is of this type.
    Never(String),
}

impl ServiceAddress {
    /// Reads a Service of the cluster, with its status.
    pub fn of(service: &Map<String, Json>) -> ServiceAddress {
        let list = |path: &[&str]| {
            let entries = value_at(service, path).and_then(Json::as_array);
            entries.map(Vec::as_slice).unwrap_or_default()
        };
        let ingress = list(&["status", "loadBalancer", "ingress"]);
        let texts = |key: &'static str| {
            let texts = ingress.iter().filter_map(move |entry| entry.get(key));
            texts
                .filter_map(Json::as_str)
                .filter(|text| !text.is_empty())
        };
        let mut addresses: Vec<IpAddr> = texts("ip").filter_map(|ip| ip.parse().ok()).collect();
        if addresses.is_empty() {
            let external = list(&["spec", "externalIPs"]).iter();
            let external = external.filter_map(Json::as_str);
            addresses.extend(external.filter_map(|ip| ip.parse::<IpAddr>().ok()));
        }
        let names: Vec<String> = texts("hostname").map(str::to_owned).collect();
        if !addresses.is_empty() {
            return ServiceAddress::Addresses {
                ips: addresses,
                names,
            };
        }
        if !names.is_empty() {
            return ServiceAddress::Names(names);
        }
        match text_at(service, &["spec", "type"]) {
            "LoadBalancer" => ServiceAddress::Pending,
            other => ServiceAddress::Never(other.to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::manifest::json::into_object;

    fn address(kind: &str, external: Json, ingress: Json) -> ServiceAddress {
        ServiceAddress::of(&into_object(json!({
            "spec": { "type": kind, "externalIPs": external },
            "status": { "loadBalancer": { "ingress": ingress } },
        })))
    }

    #[test]
    fn addresses_come_before_names_and_those_of_the_load_balancer_first() {
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        let both = json!([{ "ip": "10.0.0.1", "hostname": "a" }, { "ip": "fd00::1" }]);
        let addresses = ServiceAddress::Addresses {
            ips: vec![ip("10.0.0.1"), ip("fd00::1")],
            names: vec!["a".to_owned()],
        };
        assert_eq!(
            address("LoadBalancer", json!(["10.0.0.9"]), both),
            addresses
        );
        let named = json!([{ "hostname": "a" }, { "hostname": "b" }]);
        let external = address("LoadBalancer", json!(["10.0.0.9"]), named.clone());
        let names = vec!["a".to_owned(), "b".to_owned()];
        let beside = ServiceAddress::Addresses {
            ips: vec![ip("10.0.0.9")],
            names: names.clone(),
        };
        assert_eq!(external, beside);
        assert_eq!(
            address("LoadBalancer", json!(null), named),
            ServiceAddress::Names(names)
        );
    }

    #[test]
    fn only_a_load_balancer_may_still_give_one() {
        for ingress in [json!(null), json!([]), json!([{}]), json!([{ "ip": "" }])] {
            let pending = address("LoadBalancer", json!(null), ingress);
            assert_eq!(pending, ServiceAddress::Pending);
        }
        let never = address("ClusterIP", json!([]), json!(null));
        assert_eq!(never, ServiceAddress::Never("ClusterIP".to_owned()));
    }
}
