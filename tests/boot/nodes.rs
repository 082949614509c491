//! Two machines from power-on to Ready nodes that run pods.

use std::collections::BTreeSet;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};

use crate::boot::firmware::Firmware;
use crate::boot::guest::{self, Guest, LOGIN, Machine};
use crate::boot::{Farm, Seen};
use crate::e2e::admin_cluster::AdminCluster;
use crate::e2e::release::{Release, have_those_of_their_tags, is_ready};
use crate::support::run;

/// A node of the example `generic`: name, address, MAC of its first port. It boots by BIOS.
pub const PLAIN: [&str; 3] = ["r1n01", "10.64.1.11", "02:00:00:40:01:0a"];
/// The one with tags, which boots by UEFI.
pub const STORAGE: [&str; 3] = ["r1n06", "10.64.1.16", "02:00:00:40:06:0a"];

/// How long both may take from power-on to Ready.
pub const READY: Duration = Duration::from_secs(480);

/// How long pods may take until they answer, from power-on too: their images are pulled and unpacked under emulation.
const PODS: Duration = Duration::from_secs(1200);

/// The image of the pods here, as `up.sh` names it.
pub const TEST_IMAGE: &str = "registry.k8s.io/e2e-test-images/agnhost:2.66.1";

/// The flags that the farm is rendered with.
pub fn values() -> Vec<String> {
    [
        "examples/generic/values.yaml",
        "builtin:builtin-pki",
        "builtin:konnectivity",
        "tests/golden/no_pools.values.yaml",
        "tests/boot/values.yaml",
    ]
    .into_iter()
    .flat_map(|file| ["-f".to_owned(), file.to_owned()])
    .collect()
}

/// The farm, with its boot server and DHCP server on the network of the machines.
pub fn apply(farm: &mut Farm) -> Seen {
    let release = &mut farm.release;
    let public = guest::key(release.cluster).with_extension("pub");
    let public = std::fs::read_to_string(public).expect("a key");
    let keys = json!([public.trim()]);
    release.add_values(&[
        "--set-json",
        &format!("ltsp.config.sshAuthorizedKeys={keys}"),
    ]);
    release.make_namespace(&release.namespace, "restricted");
    release.make_namespace(&release.boot_namespace(), "privileged");
    publish_images(release);
    let took = release.apply();
    // The boot server's address reaches DHCP with the file of a ConfigMap, a little later.
    format!("ready after {:.1} s", took.as_secs_f64())
}

/// Puts what nodes run into the registry beside the farm: kube-proxy, CoreDNS, Konnectivity's agent, and a test's pod.
fn publish_images(release: &Release) {
    for archive in ["pause", "kube-proxy", "coredns", "proxy-agent", "agnhost"] {
        let archive = format!("{archive}.tar");
        let mut tar = Command::new("tar");
        tar.arg("-xOf").arg(release.cluster.images().join(&archive));
        let manifest = run(tar.arg("manifest.json")).success();
        let manifest: Value = serde_json::from_str(&manifest).expect("JSON");
        let name = manifest[0]["RepoTags"][0].as_str().expect("a name");
        let (_, path) = name.split_once('/').expect("a registry");
        let source = format!("/run/images/{archive}");
        let target = format!("127.0.0.1:5000/{path}");
        let pushed = release
            .cluster
            .enter("admin", &["crane", "push", &source, &target]);
        pushed.success();
    }
}

/// Both are switched on at once, and load everything over the network.
pub fn power_on(farm: &mut Farm) -> Seen {
    for [_, address, _] in [PLAIN, STORAGE] {
        route_to_pods(farm.release.cluster, address);
    }
    switch_on(farm);
    let mut said = Vec::new();
    for guest in &mut farm.guests {
        guest.wait_for("as the boot loader got it", LOGIN);
        guest.wait_for("the signature of the configuration is right", LOGIN);
        guest.wait_for("chunks are right", LOGIN);
        let login = guest.wait_for(" login:", LOGIN);
        // Of the firmware, only UEFI writes on the serial port.
        if guest.name == STORAGE[0] {
            let menu = guest.console();
            assert!(menu.contains("executed automatically in 3s"), "no menu");
        }
        said.push(format!("{} after {:.0} s", guest.name, login.as_secs_f64()));
    }
    said.join(", ")
}

/// Switches both on, with the memory that pods need.
pub fn switch_on(farm: &mut Farm) {
    for ([name, _, mac], firmware) in [(PLAIN, Firmware::Bios), (STORAGE, Firmware::UEFI)] {
        let macs = [mac];
        let machine = Machine {
            memory: 2048,
            ..Machine::new(name, &macs, firmware)
        };
        let guest = Guest::power_on(farm.release.cluster, &machine);
        farm.guests.push(guest);
    }
}

/// Tells the router of the network which node has which pods, as the values of this test give them out.
pub fn route_to_pods(cluster: &AdminCluster, address: &str) {
    let (_, number) = address.rsplit_once('.').expect("an address");
    let pods = format!("10.201.{number}.0/24");
    let mut ip = guest::in_network(cluster, "ip");
    run(ip.args(["route", "replace", &pods, "via", address])).success();
}

/// They join by themselves; the labels and the taint are those of their tags.
pub fn join(farm: &mut Farm) -> Seen {
    let release = &farm.release;
    let mut said = Vec::new();
    for (guest, [name, ..]) in farm.guests.iter_mut().zip([PLAIN, STORAGE]) {
        let ready = guest.wait_until(&format!("{name} is Ready"), READY, || {
            is_ready(&look(release, &["node", name]))
        });
        said.push(format!("{name} after {:.0} s", ready.as_secs_f64()));
    }
    have_those_of_their_tags(release, |name| look(release, &["node", name]));
    said.join(", ") + " from power-on; labels and taint of the tags"
}

/// What the agent saw of them: the stages of a boot, in their order, with nothing missing.
pub fn way(farm: &mut Farm) -> Seen {
    let release = &farm.release;
    let mut said = Vec::new();
    for [name, ..] in [PLAIN, STORAGE] {
        let mut command = release.cluster.kubefarm();
        command.args(["nodes", "list", name, "--live", "-o", "json"]);
        let list: Value =
            serde_json::from_str(&run(command.args(release.flags())).success()).expect("JSON");
        let live = &list["nodes"][0]["live"];
        assert_eq!(live["stage"], "ready", "{live}");
        let steps = live["steps"].as_array().expect("a list").iter();
        let mut stages: Vec<&str> = steps.filter_map(|step| step["stage"].as_str()).collect();
        // Kubelets report once or twice that they are not, before they are.
        stages.retain(|stage| *stage != "not-ready");
        stages.dedup();
        assert_eq!(
            stages,
            [
                "dhcp",
                "loader",
                "kernel",
                "image",
                "configuration",
                "join",
                "ready"
            ],
            "{live:#}"
        );
        assert!(
            live["release"].is_string() && live["version"].is_string(),
            "{live}"
        );
        said.push(format!(
            "{name} from {} to {}",
            live["began"], live["since"]
        ));
    }
    said.join(", ")
}

/// An object of the child cluster, or a List of all of a kind; null while there is no answer, which is not a fault of
/// what is waited for.
pub fn look(release: &Release, what: &[&str]) -> Value {
    let get = release.child(&[&["get", "-o", "json"], what].concat());
    serde_json::from_str(&get.stdout).unwrap_or_default()
}

/// Pods run on both, answer through a Service, and can be looked into.
pub fn pods(farm: &mut Farm) -> Seen {
    let Farm { release, guests } = farm;
    release.apply_in_child(&[server(), service()]);
    // The two, and CoreDNS, kube-proxy and Konnectivity's agent.
    guests[0].wait_until("all pods of the child are ready", PODS, || {
        let pods = look(release, &["pods", "--all-namespaces"]);
        let pods = pods["items"].as_array();
        pods.is_some_and(|pods| pods.len() == 7 && pods.iter().all(is_ready))
    });
    let seen = answers(release);
    looked_into(release);
    format!("{seen} pods behind one Service; logs and exec by Konnectivity",)
}

/// How many pods answer where one of them asks the Service, until both have.
fn answers(release: &Release) -> usize {
    let service = release.child_get(&["service", "server"])["spec"]["clusterIP"].clone();
    let pods = release.child_get(&["pods", "--selector", "app=server"]);
    let asker = &pods["items"][0]["status"]["podIP"];
    let [service, asker] = [&service, asker].map(|address| address.as_str().expect("an address"));
    let ask = format!(
        "http://{asker}:8080/dial?request=hostname&protocol=http&host={service}&port=80&tries=1"
    );
    let mut seen = BTreeSet::new();
    release
        .cluster
        .wait_until("the Service leads to both pods", || {
            let mut curl = guest::in_network(release.cluster, "curl");
            let answer = run(curl.args(["-sSf", "-m", "20", &ask]));
            let answer: Value = serde_json::from_str(&answer.stdout).unwrap_or_default();
            let names = answer["responses"].as_array().into_iter().flatten();
            seen.extend(names.filter_map(Value::as_str).map(str::to_owned));
            seen.len() == 2
        });
    seen.len()
}

fn looked_into(release: &Release) {
    let pods = release.child_get(&["pods", "--selector", "app=server"]);
    for pod in pods["items"].as_array().expect("a List") {
        let name = pod["metadata"]["name"].as_str().expect("a name");
        release.cluster.wait_until("the logs are readable", || {
            release
                .child(&["logs", name])
                .stdout
                .contains("Started HTTP server")
        });
        let answer = release.child(&["exec", name, "--", "/agnhost", "--help"]);
        assert!(answer.success().contains("netexec"));
    }
}

/// One pod a node, on the tainted one too.
fn server() -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "DaemonSet",
        "metadata": { "name": "server", "namespace": "default" },
        "spec": {
            "selector": { "matchLabels": { "app": "server" } },
            "template": {
                "metadata": { "labels": { "app": "server" } },
                "spec": {
                    "tolerations": [{ "operator": "Exists" }],
                    "terminationGracePeriodSeconds": 1,
                    "containers": [{ "name": "server", "image": TEST_IMAGE, "args": ["netexec"] }],
                },
            },
        },
    })
}

fn service() -> Value {
    json!({
        "apiVersion": "v1", "kind": "Service",
        "metadata": { "name": "server", "namespace": "default" },
        "spec": { "selector": { "app": "server" }, "ports": [{ "port": 80, "targetPort": 8080 }] },
    })
}
