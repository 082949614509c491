//! A rack of two hundred machines is switched on, and five of them stop at different stages.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::Value;

use crate::boot::boot_server::BootServer;
use crate::boot::guest::in_network;
use crate::boot::{Farm, Seen};
use crate::e2e::nodes::public;
use crate::e2e::release::Release;
use crate::support::{Finished, project, run};

const MACHINES: u32 = 200;

/// Machines that stop: their number, where, and the reason that is shown.
const STOPS: [(u32, &str, &str); 5] = [
    (20, "dhcp", "it has not asked for a boot loader"),
    (60, "loader", "it has not asked for a kernel"),
    (
        100,
        "kernel",
        "its initial RAM disk has not asked for the system image",
    ),
    (140, "image", "NO ROOM for the image"),
    (180, "join", "the machine has none of the MACs of b180"),
];

/// Each is let in or named with the reason why not; who watches sees all of them.
pub fn boots(farm: &mut Farm) -> Seen {
    let folder = farm.release.cluster.scratch().join("rack");
    std::fs::create_dir_all(&folder).expect("a folder");
    let values = folder.join("values.yaml");
    std::fs::write(&values, machines()).expect("written");
    farm.release
        .add_values(&["-f", values.to_str().expect("a UTF-8 path")]);
    farm.release.apply();

    let release = &farm.release;
    let watch = release.cluster.kubefarm();
    let watch = follow(release, watch, &["watch", "b*"], &folder.join("watched"));
    let said = switch_on(release, &folder);
    let let_in = said.lines().filter(|line| line.ends_with(" 200")).count();
    assert_eq!(let_in, 195, "{said}");
    let machines = stopped(release);
    for (number, stage, reason) in STOPS {
        let name = format!("b{number:03}");
        let machine = machines.iter().find(|machine| machine["name"] == *name);
        let live = &machine.expect("listed")["live"];
        assert_eq!(live["stage"], stage, "{live}");
        assert!(
            live["reason"]
                .as_str()
                .is_some_and(|found| found.contains(reason)),
            "{live}"
        );
    }
    let others = machines.iter().filter(|machine| {
        let is_stop =
            |(number, ..): &(u32, &str, &str)| machine["name"] == *format!("b{number:03}");
        !STOPS.iter().any(is_stop)
    });
    for machine in others {
        assert_eq!(machine["live"]["stage"], "join", "{machine}");
    }
    drop(watch);
    let watched = std::fs::read_to_string(folder.join("watched")).expect("written");
    for number in 1..=MACHINES {
        let name = format!(" b{number:03} ");
        assert!(watched.contains(&name), "{name} was not seen");
    }
    format!(
        "195 let in within {:.1} s; 5 that stop named with the reason",
        joined_in(&folder)
    )
}

fn machines() -> String {
    let mut text = "nodePools:\n  rack:\n    range: 10.64.0.0,static,255.255.0.0,10.64.255.255,infinite\n    nodes:\n".to_owned();
    for number in 1..=MACHINES {
        let _ = writeln!(
            text,
            "      - {{name: b{number:03}, mac: \"02:00:00:50:{number:02x}:0a\", ip: 10.64.5.{number}}}"
        );
    }
    text
}

/// A command that goes on until it is dropped, with its output in a file.
struct Followed(std::process::Child);

impl Drop for Followed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn follow(
    release: &Release,
    mut command: std::process::Command,
    words: &[&str],
    file: &Path,
) -> Followed {
    command.arg("nodes").args(words).args(release.flags());
    command.stdin(Stdio::null());
    command.stdout(std::fs::File::create(file).expect("a file"));
    Followed(command.spawn().expect("started"))
}

fn switch_on(release: &Release, folder: &Path) -> String {
    let public = public(release);
    let setting = |key: &str| {
        let lines = public["kubeadm-join.conf"].lines();
        let mut values = lines.filter_map(|line| line.strip_prefix(key)?.strip_prefix('='));
        values.next().expect("set").trim_matches('\'').to_owned()
    };
    let authority: PathBuf = folder.join("authority");
    std::fs::write(&authority, &public["kubefarm-ca.crt"]).expect("written");
    let boot_server = BootServer::of(release);
    let image = boot_server.image_url();
    let place = image.split_once("/ltsp/").expect("a place").1;
    let stops = STOPS.map(|(number, stage, _)| format!("{number}:{stage}"));
    let mut command = in_network(release.cluster, "sh");
    command.arg(project().join("tests/boot/rack.sh"));
    command.args(["1", &MACHINES.to_string()]);
    command.env("RACK_SERVER", boot_server.address());
    command.env("RACK_SERVICE", setting("JOIN_SERVICE"));
    command.env("RACK_ADDRESS", setting("JOIN_ADDRESS"));
    command.env("RACK_AUTHORITY", &authority);
    command.env("RACK_RELEASE", place.trim_end_matches("/root.squashfs"));
    command.env("RACK_STOPS", stops.join(" "));
    command.env("RACK_FOLDER", folder);
    let said: Finished = run(&mut command);
    said.success()
}

/// The machines of the rack, once each that stopped has a reason: those that went silent have it after a while.
fn stopped(release: &Release) -> Vec<Value> {
    let mut machines = Vec::new();
    release
        .cluster
        .wait_until("each that stopped has a reason", || {
            let mut command = release.cluster.kubefarm();
            command.args(["nodes", "list", "b*", "--live", "-o", "json"]);
            let list = run(command.args(release.flags())).success();
            let list: Value = serde_json::from_str(&list).expect("JSON");
            machines = list["nodes"].as_array().cloned().expect("a list");
            let reasons = machines
                .iter()
                .filter(|machine| machine["live"]["reason"].is_string());
            reasons.count() >= STOPS.len()
        });
    machines
}

/// From the first request to join until the last answer, in seconds.
fn joined_in(folder: &Path) -> f64 {
    let times = |file: &str| -> Vec<f64> {
        let all = (1..=MACHINES).filter_map(|number| {
            let path = folder.join(format!("b{number:03}")).join(file);
            std::fs::read_to_string(path).ok()?.trim().parse().ok()
        });
        all.collect()
    };
    let first = times("asked").into_iter().fold(f64::INFINITY, f64::min);
    let last = times("answered").into_iter().fold(0.0, f64::max);
    last - first
}
