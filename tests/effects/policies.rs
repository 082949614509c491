//! Who reaches whom by the rendered NetworkPolicies, read as a network plugin reads them.

use std::net::IpAddr;

use ipnet::IpNet;
use serde_json::{Map, Value, json};

use super::consequences::{object, rendered};

/// A client: a pod of the farm's namespace with a label `app`, or an address from elsewhere.
enum Caller {
    Pod(&'static str),
    Address(&'static str),
}

use Caller::{Address, Pod};

const ELSEWHERE: Caller = Address("10.244.7.7");
const NODE: Caller = Address("10.64.1.11");

fn is_let_in(peer: &Value, caller: &Caller) -> bool {
    let block = peer["ipBlock"]["cidr"].as_str();
    let block = block.map(|cidr| cidr.parse::<IpNet>().expect("a network"));
    let labels = &peer["podSelector"]["matchLabels"];
    match caller {
        Address(text) => {
            let address: IpAddr = text.parse().expect("an address");
            block.is_some_and(|block| block.contains(&address))
        }
        Pod(app) => {
            let own = json!({ "app": app });
            labels.is_object() && *labels == own && peer["namespaceSelector"].is_null()
        }
    }
}

/// Whether API servers may connect to a port there, by TCP.
fn is_called(objects: &[Value], target: &Caller, port: u16) -> bool {
    let spec = &object(objects, "NetworkPolicy", "apiserver")["spec"];
    if spec["policyTypes"] == json!(["Ingress"]) {
        assert!(spec["egress"].is_null());
        return true;
    }
    assert_eq!(spec["policyTypes"], json!(["Ingress", "Egress"]));
    let mut rules = spec["egress"].as_array().expect("rules").iter();
    rules.any(|rule| {
        let is_one = |one: &Value| one["port"] == port && one["protocol"] == "TCP";
        let ports = rule["ports"].as_array();
        let peers = rule["to"].as_array();
        assert!(
            peers.is_none_or(|peers| !peers.is_empty()),
            "this is everyone"
        );
        ports.is_none_or(|ports| ports.iter().any(is_one))
            && peers.is_none_or(|peers| peers.iter().any(|peer| is_let_in(peer, target)))
    })
}

/// Whether `caller` reaches a port of the pods that the policy `name` is about.
fn reaches(objects: &[Value], caller: &Caller, name: &str, port: u16, protocol: &str) -> bool {
    let policy = object(objects, "NetworkPolicy", name);
    let spec = &policy["spec"];
    if spec.is_null() {
        return true;
    }
    let types = spec["policyTypes"].as_array().expect("a list");
    assert!(types.contains(&json!("Ingress")));
    let app = &spec["podSelector"]["matchLabels"]["app"];
    assert_eq!(*app, format!("kubefarm-kubernetes-{name}"));
    let rules = spec["ingress"].as_array().expect("rules").iter();
    let mut rules = rules.filter(|rule| {
        let mut ports = rule["ports"].as_array().expect("ports").iter();
        ports.any(|one| one["port"] == port && one["protocol"] == protocol)
    });
    rules.any(|rule| match rule["from"].as_array() {
        None => true,
        Some(peers) => peers.iter().any(|peer| is_let_in(peer, caller)),
    })
}

#[test]
fn etcd_is_reached_by_its_own_clients_only() {
    let objects = rendered(json!({}));
    let tcp = |caller: Caller, port| reaches(&objects, &caller, "etcd", port, "TCP");
    for client in ["etcd", "apiserver", "etcd-backup"] {
        let pod = match client {
            "etcd" => Pod("kubefarm-kubernetes-etcd"),
            "apiserver" => Pod("kubefarm-kubernetes-apiserver"),
            _ => Pod("kubefarm-kubernetes-etcd-backup"),
        };
        assert!(tcp(pod, 2379), "{client}");
    }
    assert!(tcp(Pod("kubefarm-kubernetes-etcd"), 2380));
    assert!(!tcp(Pod("kubefarm-kubernetes-apiserver"), 2380));
    for other in [
        "kubefarm-kubernetes-scheduler",
        "kubefarm-kubernetes-ltsp",
        "other",
    ] {
        assert!(!tcp(Pod(other), 2379), "{other}");
    }
    assert!(!tcp(ELSEWHERE, 2379) && !tcp(ELSEWHERE, 2381) && !tcp(NODE, 2379));
    // Who watches it.
    let watched = rendered(json!({
        "networkPolicies.monitoring": [{"ipBlock": {"cidr": "10.244.0.0/16"}}],
    }));
    assert!(reaches(&watched, &ELSEWHERE, "etcd", 2381, "TCP"));
    assert!(!reaches(&watched, &ELSEWHERE, "etcd", 2379, "TCP"));
    let further = rendered(json!({
        "networkPolicies.etcdClients": [{"ipBlock": {"cidr": "10.244.0.0/16"}}],
    }));
    assert!(reaches(&further, &ELSEWHERE, "etcd", 2379, "TCP"));
}

#[test]
fn nobody_connects_to_ports_without_credentials() {
    let grpc = rendered(json!({
        "kubernetes.konnectivityServer.enabled": true,
        "kubernetes.apiServer.sidecars": [{"name": "audit", "image": "x", "ports": [{"containerPort": 8443}]}],
    }));
    let open = |port| reaches(&grpc, &ELSEWHERE, "apiserver", port, "TCP");
    assert!(open(6443) && open(8132) && open(8443));
    assert!(!open(8133) && !open(8134));

    let http = json!({
        "kubernetes.konnectivityServer.enabled": true,
        "kubernetes.konnectivityServer.mode": "HTTPConnect",
    });
    let alone = rendered(http.clone());
    let open = |caller, port| reaches(&alone, &caller, "konnectivity-server", port, "TCP");
    assert!(open(ELSEWHERE, 8132) && !open(ELSEWHERE, 8131));
    assert!(open(Pod("kubefarm-kubernetes-apiserver"), 8131));
    assert!(!open(ELSEWHERE, 8133) && !open(Pod("kubefarm-kubernetes-apiserver"), 8133));
    let beside = |port| reaches(&alone, &ELSEWHERE, "apiserver", port, "TCP");
    assert!(beside(6443) && !beside(8132));
    // It was asked for.
    let mut asked = http;
    asked["kubernetes.konnectivityServer.service.nodePorts.admin"] = json!(30033);
    assert!(reaches(
        &rendered(asked),
        &ELSEWHERE,
        "konnectivity-server",
        8133,
        "TCP"
    ));
}

#[test]
fn the_boot_server_is_reached_from_where_nodes_are() {
    let range = "10.64.0.9,static,255.255.0.0,10.64.255.255,infinite";
    let farm = |more: Value| {
        let mut values = json!({"nodePools": [{"range": range}]});
        let map = values.as_object_mut().expect("a map");
        map.extend(more.as_object().cloned().unwrap_or_else(Map::new));
        rendered(values)
    };
    let reach = |objects: &[Value], caller: Caller| {
        let http = reaches(objects, &caller, "ltsp", 80, "TCP");
        assert_eq!(http, reaches(objects, &caller, "ltsp", 69, "UDP"));
        http
    };
    // The pod may see the address of any machine in place of the node's.
    let usual = farm(json!({}));
    assert!(reach(&usual, NODE) && reach(&usual, ELSEWHERE));
    assert!(!reaches(&usual, &NODE, "ltsp", 22, "TCP"));
    let local = json!({"ltsp.service.externalTrafficPolicy": "Local"});
    let seen = farm(local.clone());
    assert!(reach(&seen, NODE) && !reach(&seen, ELSEWHERE));
    // A pool without a known network.
    let mut without_network = local;
    without_network["nodePools"] = json!([{"range": range}, {"nodes": [{"name": "n1"}]}]);
    assert!(reach(&rendered(without_network), ELSEWHERE));
    let named = farm(json!({
        "networkPolicies.bootClients": [{"ipBlock": {"cidr": "10.244.0.0/16"}}],
    }));
    assert!(!reach(&named, NODE) && reach(&named, ELSEWHERE));
}

#[test]
fn api_servers_call_their_own_child_where_it_is_known() {
    const OF_CHILD: Caller = Address("10.201.3.3");
    const ISSUER: Caller = Address("192.0.2.10");
    let farm = |more: Value| {
        let mut values = json!({
            "nodePools": [{"range": "10.64.0.9,static,255.255.0.0,10.64.255.255,infinite"}],
            "kubernetes.networking.nodeNetworks": ["10.71.0.0/16"],
            "kubernetes.networking.podSubnet": "10.201.0.0/16",
        });
        let map = values.as_object_mut().expect("a map");
        map.extend(more.as_object().cloned().unwrap_or_else(Map::new));
        rendered(values)
    };
    let is_open = |objects: &[Value]| is_called(objects, &ELSEWHERE, 443);
    let limited = farm(json!({}));
    for (target, port) in [
        (NODE, 10250),
        (Address("10.71.0.1"), 10250),
        (OF_CHILD, 8443),
        (Pod("kubefarm-kubernetes-etcd"), 2379),
        (Pod("kubefarm-kubernetes-apiserver"), 6443),
        (ELSEWHERE, 53),
    ] {
        assert!(is_called(&limited, &target, port), "{port}");
    }
    for (target, port) in [
        (ELSEWHERE, 80),
        (Address("169.254.169.254"), 80),
        (ISSUER, 443),
        (Pod("kubefarm-kubernetes-etcd"), 2380),
        (Pod("kubefarm-kubernetes-ltsp"), 80),
        (Pod("kubefarm-kubernetes-konnectivity-server"), 8131),
    ] {
        assert!(!is_called(&limited, &target, port), "{port}");
    }
    let http = json!({
        "kubernetes.konnectivityServer.enabled": true,
        "kubernetes.konnectivityServer.mode": "HTTPConnect",
    });
    let konnectivity = Pod("kubefarm-kubernetes-konnectivity-server");
    assert!(is_called(&farm(http), &konnectivity, 8131));
    // Where the values do not say what is needed, or name other servers.
    let issuer = json!("https://issuer.example.org");
    for open in [
        json!({"kubernetes.networking.nodeNetworks": null}),
        json!({"kubernetes.networking.podSubnet": null}),
        json!({"kubernetes.apiServer.extraArgs.oidc-issuer-url": issuer}),
        json!({"kubernetes.apiServer.sidecars": [{"name": "audit", "image": "x"}]}),
        json!({"networkPolicies.apiServerEgress": false}),
    ] {
        assert!(is_open(&farm(open.clone())), "{open}");
    }
    let named = farm(json!({
        "kubernetes.apiServer.extraArgs.oidc-issuer-url": issuer,
        "networkPolicies.apiServerPeers": [{"ipBlock": {"cidr": "192.0.2.10/32"}}],
    }));
    assert!(!is_open(&named) && is_called(&named, &ISSUER, 443));
    for limited in [
        json!({"kubernetes.networking.podSubnet": null, "kubernetes.networking.podsAreRouted": false}),
        json!({"kubernetes.networking.podSubnet": null, "networkPolicies.apiServerEgress": true}),
    ] {
        assert!(!is_open(&farm(limited.clone())), "{limited}");
    }
    // No network at all is not every network.
    let nowhere = farm(json!({
        "nodePools": [], "kubernetes.networking.nodeNetworks": [],
        "kubernetes.networking.podSubnet": null, "networkPolicies.apiServerEgress": true,
    }));
    assert!(!is_open(&nowhere));
}

#[test]
fn one_value_switches_all_of_them_off() {
    let policies = |values: Value| {
        let objects = rendered(values);
        let policies = objects.iter().filter(|one| one["kind"] == "NetworkPolicy");
        policies.count()
    };
    assert_eq!(policies(json!({})), 4);
    assert_eq!(policies(json!({"networkPolicies.enabled": false})), 0);
}
