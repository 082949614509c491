//! What a farm bears: its boot server goes and comes back, is replaced while a machine boots, and tokens expire.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::boot::firmware::Firmware;
use crate::boot::guest::{Guest, LOGIN, Machine};
use crate::boot::nodes::{PLAIN, READY, STORAGE, look, switch_on};
use crate::boot::{Farm, Seen};
use crate::e2e::release::{Release, is_ready, name};

/// A node is called gone when it was not heard of for 50 seconds (kube-controller-manager, --node-monitor-grace-period):
/// that long both have to be looked at.
const GRACE: Duration = Duration::from_secs(60);

/// Without a boot server the nodes stay Ready. It comes back with another configuration, and a machine that starts anew
/// has that. Nobody answers machines that join meanwhile: it joins once somebody does, without a hand.
pub fn boot_server(farm: &mut Farm) -> Seen {
    let Farm { release, guests } = farm;
    delete_boot_server(release);
    let looks = stay_ready(release);
    release.add_values(&["--set", "ltsp.config.timezone=Europe/Rome"]);
    release.apply();
    scale_agent(release, 0);
    let [name, address, _] = PLAIN;
    let boot = boot_of(&look(release, &["node", name]));
    let guest = &mut guests[0];
    guest.count_anew();
    // The connection may end before its answer.
    let _ = guest.shell(address, "systemctl reboot");
    guest.wait_for("Linux version", READY);
    guest.wait_for("cannot be asked", READY);
    guest.wait_for(" login:", READY);
    scale_agent(release, 1);
    let ready = guest.wait_until(&format!("{name} is Ready again"), READY, || {
        let node = look(release, &["node", name]);
        is_ready(&node) && boot_of(&node) != boot
    });
    // It had said goodbye.
    assert_eq!(taken_for_alive(release, name), Vec::<String>::new());
    let zone = guest.shell(address, "readlink /etc/localtime").success();
    assert_eq!(zone.trim(), "/usr/share/zoneinfo/Europe/Rome");
    format!(
        "Ready in all {looks} looks without it; then {name} started anew with the new configuration, and joined after \
         {:.0} s, once somebody answered",
        ready.as_secs_f64()
    )
}

/// A machine loses its power, without a word. It boots again, and joins once it is certain that it was away.
pub fn power_cut(farm: &mut Farm) -> Seen {
    let [name, _, mac] = STORAGE;
    let boot = boot_of(&look(&farm.release, &["node", name]));
    drop(farm.guests.pop());
    let machine = Machine {
        name,
        macs: &[mac],
        memory: 2048,
        firmware: Firmware::UEFI,
        disk: None,
    };
    let mut guest = Guest::power_on(farm.release.cluster, &machine);
    let ready = guest.wait_until(&format!("{name} is Ready again"), READY, || {
        let node = look(&farm.release, &["node", name]);
        is_ready(&node) && boot_of(&node) != boot
    });
    farm.guests.push(guest);
    let refusals = taken_for_alive(&farm.release, name).len();
    format!(
        "Ready again {:.0} s after power-on, asked {refusals} times too early",
        ready.as_secs_f64()
    )
}

/// The power of everything is gone, and comes back: the boot server and the machines first, the control plane a while
/// after these are up and ask. Everybody joins, without a hand.
pub fn power_loss(farm: &mut Farm) -> Seen {
    let boots = [PLAIN, STORAGE].map(|[name, ..]| boot_of(&look(&farm.release, &["node", name])));
    farm.guests.clear();
    let workloads = control_plane(&farm.release);
    for (workload, _) in &workloads {
        scale(&farm.release, workload, 0);
    }
    farm.release
        .cluster
        .wait_until("the control plane is gone", || {
            farm.release
                .pods()
                .iter()
                .all(|pod| pod["metadata"]["ownerReferences"][0]["kind"] == "Job")
        });
    switch_on(farm);
    for guest in &mut farm.guests {
        guest.wait_for("cannot be asked", READY);
        guest.wait_for(" login:", READY);
    }
    for (workload, replicas) in &workloads {
        scale(&farm.release, workload, *replicas);
    }
    let mut said = Vec::new();
    let began = Instant::now();
    for ((guest, [name, ..]), boot) in farm.guests.iter_mut().zip([PLAIN, STORAGE]).zip(&boots) {
        guest.wait_until(&format!("{name} is Ready again"), READY * 2, || {
            let node = look(&farm.release, &["node", name]);
            is_ready(&node) && boot_of(&node) != *boot
        });
        said.push(format!("{name} {:.0} s", began.elapsed().as_secs_f64()));
    }
    format!(
        "{} after the control plane was switched on",
        said.join(", ")
    )
}

/// Its Deployments and StatefulSets, with the numbers of their pods.
fn control_plane(release: &Release) -> Vec<(String, u64)> {
    let found = release.get(&["deployments,statefulsets"]);
    let items = found["items"].as_array().into_iter().flatten();
    let of_farm = items.map(|item| {
        let kind = item["kind"].as_str().expect("a kind").to_lowercase();
        let replicas = item["spec"]["replicas"].as_u64().expect("a number");
        (format!("{kind}/{}", name(item)), replicas)
    });
    of_farm.collect()
}

fn scale(release: &Release, workload: &str, replicas: u64) {
    let scale = ["scale", workload, &format!("--replicas={replicas}")];
    release.kubectl(&scale).success();
}

/// The refusals of a name because its machine may be alive.
fn taken_for_alive(release: &Release, name: &str) -> Vec<String> {
    let events = release.get(&[
        "events.events.k8s.io",
        "--field-selector",
        "reason=JoinRefused",
    ]);
    let events = events["items"].as_array().into_iter().flatten();
    let notes = events.filter_map(|event| event["note"].as_str());
    notes
        .filter(|note| note.starts_with(name) && note.contains("is taken for alive"))
        .map(str::to_owned)
        .collect()
}

/// Deletes its Deployment, as by mistake; returns when its pods are gone.
fn delete_boot_server(release: &Release) {
    let deployment = format!("deployment/{}", release.object("ltsp"));
    let namespace = release.boot_namespace();
    let delete = [
        "delete",
        "--namespace",
        &namespace,
        "--cascade=foreground",
        &deployment,
    ];
    release.cluster.kubectl(&delete).success();
}

/// How often both were seen, Ready each time.
#[track_caller]
fn stay_ready(release: &Release) -> usize {
    let began = Instant::now();
    let mut looks = 0;
    while began.elapsed() < GRACE {
        for [name, ..] in [PLAIN, STORAGE] {
            let node = look(release, &["node", name]);
            if node.is_null() {
                continue;
            }
            assert!(
                is_ready(&node),
                "{name} is not Ready: {}",
                node["status"]["conditions"]
            );
            looks += 1;
        }
        std::thread::sleep(Duration::from_secs(3));
    }
    assert!(looks > 0, "the child's API server did not answer once");
    looks
}

/// Takes the agent away, or brings it back.
fn scale_agent(release: &Release, replicas: u32) {
    let deployment = format!("deployment/{}", release.object("agent"));
    scale(release, &deployment, replicas.into());
    let app = release.object("agent");
    release.cluster.wait_until("the agent is as many", || {
        let pods = release.pods();
        let agents = pods
            .iter()
            .filter(|pod| pod["metadata"]["labels"]["app"] == *app);
        agents.count() == replicas as usize
    });
}

fn boot_of(node: &Value) -> Value {
    node["status"]["nodeInfo"]["bootID"].clone()
}

/// A menu that names a configuration which is gone waits for what there is. Then both boot servers end while the machine
/// loads its image from one of them.
pub fn replaced(farm: &mut Farm) -> Seen {
    farm.guests.clear();
    let release = &mut farm.release;
    release.add_values(&["--set", "ltsp.replicaCount=2"]);
    release.apply();
    on_boot_servers(release, "mv ltsp.img away; mv there.cfg there.away");
    let [name, address, mac] = STORAGE;
    let mut guest = Guest::power_on(release.cluster, &Machine::new(name, &[mac], Firmware::UEFI));
    guest.wait_for("trying again in 15 seconds", LOGIN);
    on_boot_servers(release, "mv away ltsp.img; mv there.away there.cfg");
    guest.wait_for("the signature of the image is right", LOGIN);
    let selector = "app.kubernetes.io/name=boot-server";
    let namespace = release.boot_namespace();
    let delete = [
        "delete",
        "pods",
        "-n",
        &namespace,
        "-l",
        selector,
        "--now",
        "--wait=false",
    ];
    let deleted = release.cluster.kubectl(&delete).success();
    assert_eq!(deleted.lines().count(), 2, "{deleted}");
    let login = guest.wait_for(" login:", READY);
    let hostname = guest.shell(address, "hostname").success();
    assert_eq!(hostname.trim(), name);
    let retried = if guest.console().contains("going on in") {
        "with another try"
    } else {
        "without another try"
    };
    format!("login after {:.0} s, {retried}", login.as_secs_f64())
}

/// Runs a script in the folder of each configuration of each boot server.
fn on_boot_servers(release: &Release, script: &str) {
    let namespace = release.boot_namespace();
    let script =
        format!("for folder in /shared/ltsp/configuration/*; do cd $folder; {script}; done");
    let pods = release.get_boot(&["pods", "-l", "app.kubernetes.io/name=boot-server"]);
    for pod in pods["items"].as_array().into_iter().flatten() {
        let exec = [
            "exec",
            "-n",
            &namespace,
            name(pod),
            "-c",
            "config",
            "--",
            "sh",
            "-ec",
            &script,
        ];
        release.cluster.kubectl(&exec).success();
    }
}
