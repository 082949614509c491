//! What holds for every farm: same input, same bytes; a change in the values changes what it should and nothing else;
//! names and addresses are always ones that Kubernetes takes.

mod hostile;
mod names;
mod nulls;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use ipnet::IpNet;
use kubefarm::chart::{Charts, embedded};
use kubefarm::manifest::{Key, Manifest, write_yaml};
use kubefarm::render::{RenderError, render};
use kubefarm::values::{Input, load_with_removed};
use proptest::prelude::*;
use serde_json::{Value, json};

type Objects = BTreeMap<Key, Value>;

fn manifest(layers: &[String], name: &str, namespace: &str) -> Result<Manifest, RenderError> {
    let charts = Charts::embedded();
    let inputs = layers
        .iter()
        .enumerate()
        .map(|(number, text)| Input::Builtin {
            name: format!("layer{number}"),
            text: text.clone(),
        });
    let inputs: Vec<Input> = inputs.collect();
    let loaded =
        load_with_removed(&charts.default_values(), &inputs).map_err(RenderError::Values)?;
    Ok(render(charts, &loaded, Some(name), namespace)?.manifest)
}

fn rendered(layers: &[String]) -> Manifest {
    manifest(layers, "farm", "space").unwrap_or_else(|failure| panic!("{failure:?}"))
}

/// The objects by their keys; a Job by its name without the hash of its content.
fn objects(manifest: Manifest) -> Objects {
    let objects = manifest.into_objects().into_iter().map(|object| {
        let mut key = object.key();
        if key.kind == "Job" {
            key.name.truncate(key.name.len() - 10);
        }
        (key, Value::Object(object.content))
    });
    objects.collect()
}

fn bytes(manifest: &Manifest) -> Vec<u8> {
    let mut text = Vec::new();
    write_yaml(manifest, &mut text).unwrap();
    text
}

/// The objects that are not the same in both, as `Kind/name`.
fn changed(before: &Objects, after: &Objects) -> BTreeSet<String> {
    let keys: BTreeSet<&Key> = before.keys().chain(after.keys()).collect();
    let changed = keys
        .into_iter()
        .filter(|key| before.get(key) != after.get(key));
    changed
        .map(|key| format!("{}/{}", key.kind, key.name))
        .collect()
}

fn set<const N: usize>(names: [&str; N]) -> BTreeSet<String> {
    names.map(str::to_owned).into()
}

/// A layer of values that switches parts on that are off by default.
fn everything() -> String {
    json!({
        "kubernetes": {
            "etcd": {"backup": {"enabled": true}},
            "apiServer": {"service": {"loadBalancerIP": "10.64.0.10"}},
            "konnectivityServer": {"enabled": true, "mode": "HTTPConnect", "service": {"loadBalancerIP": "10.64.0.11"}},
            "konnectivityAgent": {"enabled": true},
            "extraManifests": {"a.yaml": {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "a"}}},
        },
        "dhcp": {"installController": true},
        "tags": {"ltspOptions": {"rack": {"RACK": "1"}}},
    })
    .to_string()
}

fn nodes(numbers: std::ops::Range<usize>) -> String {
    let nodes: Vec<Value> = numbers
        .map(|number| {
            let octets = |number: usize| (number / 256, number % 256);
            let (high, low) = octets(number);
            // The first address of a network is not a machine's.
            let (third, fourth) = octets(number + 1);
            json!({
                "name": format!("n{number}"),
                "mac": format!("02:00:00:00:{high:02x}:{low:02x}"),
                "ip": format!("10.65.{third}.{fourth}"),
            })
        })
        .collect();
    let range = "10.65.0.0,static,255.255.0.0,10.65.255.255,1h";
    json!({"nodePools": [{"range": range, "nodes": nodes, "tags": ["rack"]}]}).to_string()
}

#[test]
fn same_input_same_bytes() {
    for example in embedded::examples() {
        let layers = [example.values.to_owned()];
        assert_eq!(
            bytes(&rendered(&layers)),
            bytes(&rendered(&layers)),
            "{}",
            example.name
        );
        let argument = format!("builtin:{}", example.name);
        let run = || {
            crate::support::kubefarm(["render", "--name", "farm", "-n", "space", "-f", &argument])
                .success()
        };
        assert_eq!(
            run().into_bytes(),
            bytes(&rendered(&layers)),
            "{}",
            example.name
        );
    }
}

#[test]
fn the_order_of_layers_that_do_not_meet_changes_no_byte() {
    let layers = [
        everything(),
        json!({"ltsp": {"replicaCount": 2}}).to_string(),
        json!({"kubernetes": {"scheduler": {"annotations": {"a": "b"}}}}).to_string(),
        nodes(0..3),
    ];
    let expected = bytes(&rendered(&layers));
    for order in [[3, 2, 1, 0], [1, 0, 3, 2], [2, 3, 0, 1]] {
        let layers = order.map(|number| layers[number].clone());
        assert!(bytes(&rendered(&layers)) == expected, "{order:?}");
    }
}

#[test]
fn a_patch_changes_only_its_target_and_an_extra_object_nothing_else() {
    let before = || objects(rendered(&[everything()]));
    let with = |layer: Value| objects(rendered(&[everything(), layer.to_string()]));
    let labels = json!({"metadata": {"labels": {"example.org/mine": "x"}}});
    let patch = |target: Value| json!({"patches": {"mine": {"target": target, "patch": labels}}});
    let target = json!({"kind": "Deployment", "name": "*-scheduler"});
    let expected = set(["Deployment/farm-kubernetes-scheduler"]);
    assert_eq!(changed(&before(), &with(patch(target))), expected);
    // Inside the child: the text that the bootstrap Jobs carry there.
    let target = json!({"cluster": "child", "kind": "Deployment", "name": "coredns"});
    let expected = set([
        "ConfigMap/farm-kubernetes-addons",
        "CronJob/farm-kubernetes-bootstrap",
        "Job/farm-kubernetes-bootstrap-",
    ]);
    assert_eq!(changed(&before(), &with(patch(target))), expected);
    let own = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "mine"}});
    let extra = json!({"extraObjects": {"mine": own}});
    assert_eq!(changed(&before(), &with(extra)), set(["ConfigMap/mine"]));
}

#[test]
fn nodes_change_only_leases_configuration_and_what_the_agent_reads() {
    let with = |nodes: String| objects(rendered(&[everything(), nodes]));
    let expected = set([
        "ConfigMap/farm-kubernetes-agent",
        "ConfigMap/farm-kubernetes-ltsp",
        "DhcpHosts/farm-kubernetes-ltsp-clients",
    ]);
    assert_eq!(changed(&with(nodes(0..3)), &with(nodes(0..4))), expected);
    // A new part of a big farm is one more object, and one more of the boot server's volumes.
    let changed = changed(&with(nodes(0..8000)), &with(nodes(0..8001)));
    let is_expected = |name: &String| {
        name.starts_with("DhcpHosts/farm-kubernetes-ltsp-clients")
            || name.starts_with("ConfigMap/farm-kubernetes-ltsp-nodes")
            || [
                "ConfigMap/farm-kubernetes-agent",
                "ConfigMap/farm-kubernetes-ltsp",
                "Deployment/farm-kubernetes-ltsp",
            ]
            .contains(&name.as_str())
    };
    assert!(
        changed.iter().all(is_expected) && changed.len() <= 5,
        "{changed:?}"
    );
}

#[test]
fn replicas_change_only_their_workload_and_what_counts_them() {
    let component = |name: &str, count: u32| {
        let scale = match name {
            "ltsp" => json!({"ltsp": {"replicaCount": count}}),
            name => json!({"kubernetes": {name: {"replicaCount": count}}}),
        };
        objects(rendered(&[everything(), scale.to_string()]))
    };
    for (name, expected) in [
        // The API server, the backup and the members themselves get the names of all members, and so do certificates.
        (
            "etcd",
            set([
                "StatefulSet/farm-kubernetes-etcd",
                "PodDisruptionBudget/farm-kubernetes-etcd",
                "Deployment/farm-kubernetes-apiserver",
                "Certificate/farm-kubernetes-pki-etcd-peer",
                "Certificate/farm-kubernetes-pki-etcd-server",
            ]),
        ),
        ("apiServer", set(["Deployment/farm-kubernetes-apiserver"])),
        (
            "controllerManager",
            set(["Deployment/farm-kubernetes-controller-manager"]),
        ),
        ("scheduler", set(["Deployment/farm-kubernetes-scheduler"])),
        ("admin", set(["Deployment/farm-kubernetes-admin"])),
        (
            "konnectivityServer",
            set(["Deployment/farm-kubernetes-konnectivity-server"]),
        ),
        ("ltsp", set(["Deployment/farm-kubernetes-ltsp"])),
    ] {
        assert_eq!(
            changed(&component(name, 3), &component(name, 5)),
            expected,
            "{name}"
        );
    }
    // Inside the child: the text that the bootstrap Jobs carry there.
    let expected = set([
        "ConfigMap/farm-kubernetes-addons",
        "CronJob/farm-kubernetes-bootstrap",
        "Job/farm-kubernetes-bootstrap-",
    ]);
    assert_eq!(
        changed(&component("coredns", 3), &component("coredns", 5)),
        expected
    );
}

#[test]
fn two_releases_in_a_namespace_share_no_object() {
    for mode in ["controller", "standalone"] {
        let layers = [
            everything(),
            json!({"dhcp": {"mode": mode, "installController": false}}).to_string(),
            nodes(0..3),
        ];
        let of = |name: &str| objects(manifest(&layers, name, "space").unwrap());
        let (one, two) = (of("one"), of("two"));
        let shared: Vec<&Key> = one.keys().filter(|key| two.contains_key(key)).collect();
        assert_eq!(shared, Vec::<&Key>::new());
        let apps = |objects: &Objects| -> BTreeSet<String> {
            let apps = objects
                .values()
                .filter_map(|object| object["metadata"]["labels"]["app"].as_str());
            apps.map(str::to_owned).collect()
        };
        assert_eq!(apps(&one).intersection(&apps(&two)).count(), 0);
    }
}

fn config(cases: u32) -> ProptestConfig {
    let mut config = ProptestConfig {
        failure_persistence: None,
        max_shrink_iters: 40,
        ..ProptestConfig::default()
    };
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = cases;
    }
    config
}

proptest! {
    #![proptest_config(config(40))]

    #[test]
    fn addresses_are_inside_the_services_range(v6: bool, bits: u128, length in 0u8..=128) {
        let subnet: IpNet = if v6 { IpNet::new(std::net::Ipv6Addr::from(bits).into(), length).unwrap() } else { IpNet::new(std::net::Ipv4Addr::from(bits as u32).into(), length % 33).unwrap() };
        let layer = json!({"kubernetes": {"networking": {"serviceSubnet": subnet.to_string()}}});
        let manifest = match manifest(&[layer.to_string()], "farm", "space") {
            Ok(manifest) => manifest,
            Err(RenderError::Values(problems)) => {
                let mut problems = problems.iter().filter_map(|problem| problem.path.as_ref());
                prop_assert!(problems.any(|path| path.to_string() == "kubernetes.networking.serviceSubnet"), "{subnet}");
                return Ok(());
            }
            Err(other) => return Err(TestCaseError::fail(other.to_string())),
        };
        let objects = objects(manifest);
        let named = |name: &str| objects.iter().find(|(key, _)| key.name == name).unwrap();
        let addons = named("farm-kubernetes-addons").1["data"]["coredns.yaml"].as_str().unwrap();
        let dns = addons.lines().find_map(|line| line.trim().strip_prefix("clusterIP: ")).unwrap().trim_matches('"');
        prop_assert!(is_usable(&subnet, dns), "{subnet}: DNS at {dns}");
        let certificate = &named("farm-kubernetes-pki-apiserver-server").1["spec"]["ipAddresses"];
        let addresses: Vec<&str> = certificate.as_array().unwrap().iter().filter_map(Value::as_str).collect();
        let service = addresses.iter().find(|address| !["127.0.0.1", "::1"].contains(*address));
        let service = service.copied().unwrap_or_default();
        prop_assert!(is_usable(&subnet, service) && service != dns, "{subnet}: {addresses:?}, DNS at {dns}");
    }
}

/// Inside, and not the network's own address; an IPv4 broadcast address is not an address either.
fn is_usable(subnet: &IpNet, address: &str) -> bool {
    let address: IpAddr = address.parse().unwrap();
    let broadcast = matches!(subnet, IpNet::V4(_)) && address == subnet.broadcast();
    subnet.contains(&address) && address != subnet.network() && !broadcast
}

proptest! {
    #![proptest_config(config(6))]

    #[test]
    fn every_host_is_there_exactly_once(count in prop_oneof![Just(0), Just(1), 0usize..5000]) {
        let objects = objects(rendered(&[everything(), nodes(0..count)]));
        let of_kind = |kind: &'static str| objects.iter().filter(move |(key, _)| key.kind == kind).map(|(_, object)| object);
        let hosts = of_kind("DhcpHosts").flat_map(|part| part["spec"]["hosts"].as_array().unwrap());
        let mut leases: Vec<&str> = hosts.map(|host| host["macs"][0].as_str().unwrap()).collect();
        leases.sort_unstable();
        let files = of_kind("ConfigMap").flat_map(|map| map["data"].as_object().into_iter().flatten());
        let files = files.filter(|(name, _)| *name == "ltsp.conf" || name.starts_with("nodes-"));
        let lines = files.flat_map(|(_, text)| text.as_str().unwrap().lines());
        let mut sections: Vec<&str> = lines.filter_map(|line| line.strip_prefix("[02:")?.strip_suffix(']')).collect();
        sections.sort_unstable();
        let expected: Vec<String> = (0..count).map(|number| format!("00:00:00:{:02x}:{:02x}", number / 256, number % 256)).collect();
        let of_leases: Vec<&str> = leases.iter().map(|mac| &mac[3..]).collect();
        prop_assert_eq!(of_leases, expected.iter().map(String::as_str).collect::<Vec<_>>());
        prop_assert_eq!(sections, expected.iter().map(String::as_str).collect::<Vec<_>>());
    }
}
