//! Settings that change more than the place they are written at: what has to follow follows.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::support::kubefarm;

/// The objects that these values render.
pub fn rendered(values: Value) -> Vec<Value> {
    let settings: Vec<String> = values
        .as_object()
        .expect("a map")
        .iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    let mut args = vec!["render", "-o", "json"];
    for setting in &settings {
        args.extend(["--set-json", setting]);
    }
    let text = kubefarm(args).success();
    let list: Value = serde_json::from_str(&text).expect("JSON");
    list["items"].as_array().expect("a list").clone()
}

/// The object `KIND/NAME`, of a farm's prefix.
pub fn object(objects: &[Value], kind: &str, name: &str) -> Value {
    let name = format!("kubefarm-kubernetes-{name}");
    let mut objects = objects.iter();
    let found = objects.find(|one| one["kind"] == kind && one["metadata"]["name"] == name);
    found.cloned().unwrap_or_default()
}

fn ports(objects: &[Value], service: &str) -> Vec<(String, u64)> {
    let service = object(objects, "Service", service);
    let ports = service["spec"]["ports"].as_array().expect("ports").iter();
    let port = |port: &Value| {
        let name = port["name"].as_str().expect("a name").to_owned();
        (name, port["port"].as_u64().expect("a number"))
    };
    ports.map(port).collect()
}

fn named(ports: &[(&str, u64)]) -> Vec<(String, u64)> {
    let owned = ports.iter().map(|(name, port)| (name.to_string(), *port));
    owned.collect()
}

#[test]
fn the_announced_port_is_served() {
    let api = |more: Value| {
        let mut values = json!({
            "kubernetes.apiServer.service.port": 443,
            // Where the API servers announce themselves, it is with their own port.
            "kubernetes.admin.job.enabled": false,
        });
        let map = values.as_object_mut().expect("a map");
        map.extend(more.as_object().expect("a map").clone());
        ports(&rendered(values), "apiserver")
    };
    let alone = named(&[("client", 443)]);
    let both = named(&[("client", 443), ("announced", 6443)]);
    let address = json!({"kubernetes.apiServer.service.loadBalancerIP": "10.64.0.10"});
    assert_eq!(api(address.clone()), both);
    let flag = json!({"kubernetes.apiServer.extraArgs.advertise-address": "10.64.0.10"});
    assert_eq!(api(flag), both);
    assert_eq!(api(json!({})), alone);
    let mut same = address;
    same["kubernetes.apiServer.port"] = json!(443);
    assert_eq!(api(same), alone);
}

/// What the containers of a workload's pods ask for, by the container's name.
fn requests(objects: &[Value]) -> BTreeMap<String, Value> {
    let mut requests = BTreeMap::new();
    for object in objects {
        let containers = object["spec"]["template"]["spec"]["containers"].as_array();
        for container in containers.into_iter().flatten() {
            let place = format!("{} {}", object["metadata"]["name"], container["name"]);
            requests.insert(place, container["resources"]["requests"].clone());
        }
    }
    requests
}

#[test]
fn the_layer_minimal_asks_for_no_more_than_the_defaults() {
    let amount = |requests: &Value, of: &str| {
        let text = requests[of].as_str().unwrap_or("0");
        kubefarm::farm::syntax::quantity(text).expect("a quantity")
    };
    let render = |args: &[&str]| {
        let text = kubefarm([&["render", "-o", "json"][..], args].concat()).success();
        let list: Value = serde_json::from_str(&text).expect("JSON");
        requests(list["items"].as_array().expect("a list"))
    };
    let default = render(&[]);
    let minimal = render(&["-f", "builtin:minimal"]);
    let mut compared = 0;
    for (place, minimal) in &minimal {
        // The Jobs' names are hashes of what they are.
        let Some(default) = default.get(place) else {
            continue;
        };
        compared += 1;
        for of in ["cpu", "memory"] {
            assert!(
                amount(minimal, of) <= amount(default, of),
                "{of} of {place}"
            );
        }
    }
    assert!(compared >= 8, "{compared}");
}

/// The value of etcd's flag that limits its database.
fn quota(values: Value) -> Option<u64> {
    let etcd = object(&rendered(values), "StatefulSet", "etcd");
    let flags = etcd["spec"]["template"]["spec"]["containers"][0]["args"].clone();
    let mut flags = flags.as_array().expect("flags").iter();
    let value = flags.find_map(|flag| flag.as_str()?.strip_prefix("--quota-backend-bytes="))?;
    Some(value.parse().expect("a number"))
}

#[test]
fn a_database_leaves_most_of_its_volume_free() {
    const GIB: u64 = 1024 * 1024 * 1024;
    let size = "kubernetes.persistence.size";
    assert_eq!(quota(json!({})), Some(8 * GIB * 2 / 5));
    assert_eq!(quota(json!({size: "500M"})), Some(200_000_000));
    // etcd warns of more.
    assert_eq!(quota(json!({size: "100Gi"})), Some(8 * GIB));
    // The volume is the node's disk.
    assert_eq!(
        quota(json!({"kubernetes.persistence.enabled": false, "kubernetes.etcd.replicaCount": 1})),
        None
    );
    let flag = "kubernetes.etcd.extraArgs.quota-backend-bytes";
    assert_eq!(quota(json!({ flag: 1_000_000_000 })), Some(1_000_000_000));
    assert_eq!(quota(json!({ flag: null })), None);
}

#[test]
fn every_run_of_a_cron_job_comes_to_an_end() {
    let objects = rendered(json!({"kubernetes.etcd.backup.enabled": true, "join.mode": "token"}));
    let mut jobs = 0;
    for job in objects.iter().filter(|object| object["kind"] == "CronJob") {
        jobs += 1;
        let deadline = &job["spec"]["jobTemplate"]["spec"]["activeDeadlineSeconds"];
        assert_eq!(*deadline, 3600, "{}", job["metadata"]["name"]);
        // Not all farms, and not all of a farm, at minute 0.
        let schedule = job["spec"]["schedule"].as_str().expect("a schedule");
        let minute = schedule.split(' ').next().expect("a minute");
        assert!(
            minute.parse::<u32>().is_ok_and(|minute| minute < 60),
            "{schedule}"
        );
    }
    assert_eq!(jobs, 3);
}

#[test]
fn nodes_of_few_members_can_be_drained() {
    for (members, budget) in [
        (1, json!({"maxUnavailable": 1})),
        (2, json!({"maxUnavailable": 1})),
        (3, json!({"minAvailable": 2})),
        (5, json!({"minAvailable": 3})),
    ] {
        let objects = rendered(json!({"kubernetes.etcd.replicaCount": members}));
        let mut spec = object(&objects, "PodDisruptionBudget", "etcd")["spec"].take();
        spec.as_object_mut().expect("a map").remove("selector");
        assert_eq!(spec, budget, "{members} members");
    }
    // A member that does not work is not to be evicted: it may be one that the others wait for. Others may.
    let objects = rendered(json!({"ltsp.replicaCount": 2}));
    for stateless in ["apiserver", "controller-manager", "scheduler", "ltsp"] {
        let budget = object(&objects, "PodDisruptionBudget", stateless);
        assert_eq!(budget["spec"]["maxUnavailable"], 1, "{stateless}");
        assert_eq!(budget["spec"]["unhealthyPodEvictionPolicy"], "AlwaysAllow");
    }
    let alone = rendered(json!({}));
    assert_eq!(object(&alone, "PodDisruptionBudget", "ltsp"), Value::Null);
}

#[test]
fn another_etcd_brings_its_own_certificates() {
    let objects = rendered(json!({
        "kubernetes.etcd.enabled": false,
        "kubernetes.apiServer.extraArgs.etcd-servers": "https://etcd.example.org:2379",
    }));
    let certificates = objects.iter().filter(|one| one["kind"] == "Certificate");
    let names: Vec<&str> = certificates
        .filter_map(|one| one["metadata"]["name"].as_str())
        .collect();
    assert!(names.len() > 8, "{names:?}");
    assert!(!names.iter().any(|name| name.contains("etcd")), "{names:?}");
    let server = object(&objects, "Deployment", "apiserver");
    let mounted = "kubefarm-kubernetes-pki-apiserver-etcd-client";
    assert!(server.to_string().contains(mounted));
}

#[test]
fn the_service_of_agents_follows_their_port() {
    let konnectivity = |own: u64, service: Option<u64>| {
        let objects = rendered(json!({
            "kubernetes.konnectivityServer.enabled": true,
            "kubernetes.konnectivityServer.ports.agent": own,
            "kubernetes.konnectivityServer.service.ports.agent": service,
            "kubernetes.konnectivityAgent.enabled": true,
            "kubernetes.apiServer.service.loadBalancerIP": "10.64.0.10",
        }));
        let addons = object(&objects, "ConfigMap", "addons").to_string();
        let port = ports(&objects, "apiserver").remove(1).1;
        assert!(addons.contains(&format!("--proxy-server-port={port}")));
        port
    };
    assert_eq!(konnectivity(8132, None), 8132);
    assert_eq!(konnectivity(18132, None), 18132);
    assert_eq!(konnectivity(18132, Some(8132)), 8132);
}

#[test]
fn the_admin_port_is_opened_on_demand() {
    let konnectivity = |more: &str, value: u64| {
        let service = "kubernetes.konnectivityServer.service";
        let mut values = json!({
            "kubernetes.konnectivityServer.enabled": true,
            "kubernetes.konnectivityServer.mode": "HTTPConnect",
        });
        values[format!("{service}.{more}")] = json!(value);
        ports(&rendered(values), "konnectivity-server")
    };
    let usual = [("server", 8131), ("agent", 8132)];
    assert_eq!(konnectivity("ports.agent", 8132), named(&usual));
    let opened = [usual[0], usual[1], ("admin", 8133)];
    assert_eq!(konnectivity("ports.admin", 8133), named(&opened));
    assert_eq!(konnectivity("nodePorts.admin", 30033), named(&opened));
}

#[test]
fn low_ports_may_be_taken_where_they_are_asked_for() {
    let low = json!([{"name": "net.ipv4.ip_unprivileged_port_start", "value": "0"}]);
    let konnectivity = "kubernetes.konnectivityServer";
    for (settings, kind, name) in [
        (
            json!({"kubernetes.apiServer.port": 443}),
            "Deployment",
            "apiserver",
        ),
        (
            json!({format!("{konnectivity}.enabled"): true, format!("{konnectivity}.ports.agent"): 443}),
            "Deployment",
            "apiserver",
        ),
        (
            json!({format!("{konnectivity}.enabled"): true, format!("{konnectivity}.mode"): "HTTPConnect", format!("{konnectivity}.ports.server"): 443}),
            "Deployment",
            "konnectivity-server",
        ),
        (
            json!({"kubernetes.controllerManager.port": 443}),
            "Deployment",
            "controller-manager",
        ),
        (
            json!({"kubernetes.scheduler.port": 443}),
            "Deployment",
            "scheduler",
        ),
        (
            json!({"kubernetes.etcd.ports.metrics": 81}),
            "StatefulSet",
            "etcd",
        ),
    ] {
        let sysctls = |values: Value| {
            let workload = object(&rendered(values), kind, name);
            workload["spec"]["template"]["spec"]["securityContext"]["sysctls"].clone()
        };
        assert_eq!(sysctls(json!({})), Value::Null, "{name}");
        assert_eq!(sysctls(settings), low, "{name}");
    }
}

#[test]
fn agents_on_the_nodes_network_do_not_wait_for_the_pods_network() {
    let agent = |host_network: bool| {
        let objects = rendered(json!({
            "kubernetes.konnectivityServer.enabled": true,
            "kubernetes.konnectivityAgent.enabled": true,
            "kubernetes.konnectivityAgent.hostNetwork": host_network,
            "kubernetes.apiServer.service.loadBalancerIP": "10.64.0.10",
        }));
        let addons = object(&objects, "ConfigMap", "addons");
        let agent = &addons["data"]["konnectivity-agent.yaml"];
        agent.as_str().expect("a manifest").to_owned()
    };
    for taint in ["not-ready", "network-unavailable"] {
        let key = format!("key: node.kubernetes.io/{taint}");
        assert!(agent(true).contains(&key), "{}", agent(true));
        assert!(!agent(false).contains(&key));
    }
}

#[test]
fn boot_servers_that_keep_apart_make_room_for_the_next() {
    let strategy = |replicas: u32| {
        let objects =
            rendered(json!({"ltsp.replicaCount": replicas, "ltsp.podAntiAffinity": "hard"}));
        object(&objects, "Deployment", "ltsp")["spec"]["strategy"]["rollingUpdate"].take()
    };
    assert_eq!(strategy(1), json!({"maxSurge": 1, "maxUnavailable": 0}));
    assert_eq!(strategy(2), json!({"maxSurge": 1, "maxUnavailable": 1}));
}

#[test]
fn a_version_with_a_plus_is_a_tag_without() {
    let objects = rendered(json!({"kubernetes.version": "v1.37.2+build.1"}));
    let text = Value::from(objects).to_string();
    for image in [
        "kube-apiserver",
        "kube-controller-manager",
        "kube-scheduler",
        "kube-proxy",
    ] {
        assert!(
            text.contains(&format!("{image}:v1.37.2_build.1")),
            "{image}"
        );
    }
}

#[test]
fn the_api_server_has_few_rights_in_its_cluster() {
    let objects = rendered(json!({}));
    let certificate = object(&objects, "Certificate", "pki-apiserver-kubelet-client");
    assert_eq!(certificate["spec"]["subject"], Value::Null);
    let user = certificate["spec"]["commonName"].as_str().expect("a name");
    let addons = object(&objects, "ConfigMap", "addons");
    let bindings = addons["data"]["join-rbac.yaml"].as_str().expect("text");
    let binding = bindings
        .split("---\n")
        .find(|document| document.contains("system:kubelet-api-admin"))
        .expect("the binding");
    assert!(binding.contains(&format!("name: {user}\n")), "{binding}");
}
