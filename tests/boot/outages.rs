//! What a farm bears: its boot server goes and comes back, is replaced while a machine boots, and tokens expire.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::boot::firmware::Firmware;
use crate::boot::guest::{Guest, LOGIN, Machine};
use crate::boot::nodes::{PLAIN, READY, STORAGE, look};
use crate::boot::{Farm, Seen};
use crate::e2e::release::{Release, is_ready, name};
use crate::e2e::token::{join_file, token};

/// A node is called gone when it was not heard of for 50 seconds (kube-controller-manager, --node-monitor-grace-period):
/// that long both have to be looked at.
const GRACE: Duration = Duration::from_secs(60);

/// Without a boot server the nodes stay Ready. It comes back with another configuration, and a machine that starts anew
/// has that. The token that it finds has expired meanwhile: it joins with the next one, without a hand.
pub fn boot_server(farm: &mut Farm) -> Seen {
    let Farm { release, guests } = farm;
    delete_boot_server(release);
    let looks = stay_ready(release);
    release.add_values(&["--set", "ltsp.config.timezone=Europe/Rome"]);
    release.apply();
    expire_token(release);
    let [name, address, _] = PLAIN;
    let boot = boot_of(&look(release, &["node", name]));
    let guest = &mut guests[0];
    guest.count_anew();
    // The connection may end before its answer.
    let _ = guest.shell(address, "systemctl reboot");
    guest.wait_for("Linux version", READY);
    guest.wait_for("does not know the token", READY);
    guest.wait_for(" login:", READY);
    release.run_now("ltsp-join-token");
    let ready = guest.wait_until(&format!("{name} is Ready again"), READY, || {
        let node = look(release, &["node", name]);
        is_ready(&node) && boot_of(&node) != boot
    });
    let zone = guest.shell(address, "readlink /etc/localtime").success();
    assert_eq!(zone.trim(), "/usr/share/zoneinfo/Europe/Rome");
    format!(
        "Ready in all {looks} looks without it; then {name} started anew with the new configuration, and joined after \
         {:.0} s with the second token",
        ready.as_secs_f64()
    )
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

/// The child cluster forgets the token that the boot server has, as it does once that has expired. The next one comes when
/// the test asks for it, and not because it is noon.
fn expire_token(release: &Release) {
    let cron_job = format!("cronjob/{}", release.object("ltsp-join-token"));
    release
        .kubectl(&["patch", &cron_job, "-p", r#"{"spec":{"suspend":true}}"#])
        .success();
    let token = token(&join_file(release));
    let (id, _) = token.split_once('.').expect("ID and secret");
    let secret = format!("secret/bootstrap-token-{id}");
    release
        .child(&["delete", "--namespace", "kube-system", &secret])
        .success();
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
