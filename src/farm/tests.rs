//! What the model computes for the templates.

use serde_json::{Value, json};

use super::schema::is_section;
use super::{Farm, check};
use crate::values::{Defaults, Input, Severity, load};

/// The farm of these values.
fn farm(values: &Value) -> Farm {
    let layers = vec![
        (
            "kubernetes",
            include_str!("../../charts/kubernetes/values.yaml"),
        ),
        ("addons", include_str!("../../charts/addons/values.yaml")),
        ("ltsp", include_str!("../../charts/ltsp/values.yaml")),
        ("dnsmasq", include_str!("../../charts/dnsmasq/values.yaml")),
    ];
    let defaults = Defaults { layers, is_section };
    let input = Input::Builtin {
        name: "test".to_owned(),
        text: values.to_string(),
    };
    let tree = load(&defaults, &[input]).unwrap();
    let checked = check(&tree, None, "space", || None);
    let is_error = |severity| severity == Severity::Error;
    let errors: Vec<_> = checked
        .problems
        .iter()
        .filter(|problem| is_error(problem.severity))
        .collect();
    let values = checked.values.unwrap_or_else(|| panic!("{errors:?}"));
    values.build()
}

fn konnectivity(mode: &str) -> Value {
    json!({"kubernetes": {
        "etcd": {"image": {"pullSecrets": ["common", "etcd"]}},
        "apiServer": {"image": {"pullSecrets": ["api", "common"]}, "podLabels": {"a": "api", "b": "api"}, "service": {"loadBalancerIP": "10.64.0.10"}},
        "konnectivityServer": {
            "enabled": true, "mode": mode, "podLabels": {"a": "konnectivity", "c": "konnectivity"},
            "image": {"pullSecrets": ["konnectivity", "api"]}, "ports": {"health": 1023},
            "service": {"loadBalancerIP": "10.64.0.11"},
        },
        "konnectivityAgent": {"enabled": true},
    }})
}

#[test]
fn pods_with_two_servers_have_what_both_need() {
    let farm_with = |mode| farm(&konnectivity(mode)).api_server_pod;
    let names = |names: &[&str]| {
        let secrets = names.iter().map(|name| json!({"name": name}));
        secrets.collect::<Vec<Value>>()
    };
    let both = farm_with("GRPC");
    assert_eq!(
        both.image_pull_secrets,
        names(&["api", "common", "konnectivity", "etcd"])
    );
    let labels = json!({"a": "api", "c": "konnectivity", "b": "api"});
    assert_eq!(serde_json::to_value(&both.labels).unwrap(), labels);
    let one = farm_with("HTTPConnect");
    assert_eq!(one.image_pull_secrets, names(&["api", "common", "etcd"]));
    assert_eq!(
        serde_json::to_value(&one.labels).unwrap(),
        json!({"a": "api", "b": "api"})
    );
    let plain = farm(&json!({})).api_server_pod;
    assert!(
        plain.konnectivity.is_none()
            && plain.labels.is_empty()
            && plain.image_pull_secrets.is_empty()
    );
}

#[test]
fn low_ports_are_allowed_where_they_are_used() {
    let beside = farm(&konnectivity("GRPC")).low_ports;
    assert!(beside.api_server && beside.konnectivity_server && !beside.etcd);
    let apart = farm(&konnectivity("HTTPConnect")).low_ports;
    assert!(!apart.api_server && apart.konnectivity_server);
    for (part, port) in [
        ("apiServer", json!({"port": 443})),
        ("etcd", json!({"ports": {"metrics": 1023}})),
    ] {
        let ports = farm(&json!({"kubernetes": {part: port}})).low_ports;
        assert_eq!(
            (ports.api_server, ports.etcd),
            (part == "apiServer", part == "etcd")
        );
        assert!(!ports.scheduler && !ports.controller_manager && !ports.konnectivity_server);
    }
    let first_free = farm(&json!({"kubernetes": {"scheduler": {"port": 1024}}}));
    assert!(!first_free.low_ports.scheduler);
}

#[test]
fn an_address_is_published_where_it_is_not_known() {
    let with = |mode: &str| farm(&json!({"dhcp": {"mode": mode}}));
    let job = with("controller").publish_address.unwrap();
    assert_eq!(
        (job.api_group, job.resource, job.resource_name.as_str()),
        (
            "dnsmasq.kvaps.cf",
            "dhcpoptions",
            "kubefarm-kubernetes-ltsp-ip"
        )
    );
    let job = with("standalone").publish_address.unwrap();
    assert_eq!((job.api_group, job.resource), ("", "configmaps"));
    let wanted = [
        "--namespace=space",
        "--service=kubefarm-kubernetes-ltsp-http",
        "--service=kubefarm-kubernetes-ltsp-tftp",
        "--config-map=kubefarm-kubernetes-ltsp-dhcp-address",
    ];
    assert_eq!(job.args[..4], wanted);
    assert!(
        job.args[4..]
            .iter()
            .all(|arg| arg.starts_with("--option=tag:")),
        "{:?}",
        job.args
    );
    let known = json!({"ltsp": {"service": {"loadBalancerIP": "10.64.0.10"}}});
    assert!(farm(&known).publish_address.is_none());
}

#[test]
fn clients_are_known_by_the_names_in_their_certificates() {
    let pki = farm(&json!({"kubernetes": {"certnameOverride": "other"}})).pki;
    assert_eq!(pki.front_proxy_client, "other-front-proxy-client");
    for name in [&pki.front_proxy_client, &pki.kubelet_client] {
        assert!(
            pki.certificates
                .iter()
                .any(|certificate| certificate.common_name == *name),
            "{name}"
        );
    }
}

/// What the farm computes is beside the values of the user: a key that is in both would hide one of them.
#[test]
fn no_key_of_the_context_is_given_twice() {
    let farm = farm(&konnectivity("HTTPConnect"));
    let text = serde_json::to_string(&farm).unwrap();
    // This reader takes no key twice; serde_json's own would.
    let read = crate::values::yaml::parse("context", &text);
    assert!(read.is_ok(), "{:?}", read.err());
}
