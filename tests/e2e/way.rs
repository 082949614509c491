//! How far machines are: what their servers' logs and the farm's agent say, as `kubefarm nodes` shows it.

use std::process::Command;

use serde_json::Value;

use crate::e2e::Seen;
use crate::e2e::nodes::ALL;
use crate::e2e::release::Release;
use crate::support::{Finished, run};

/// A node of the example `generic` that is switched off.
const ABSENT: [&str; 2] = ["r1n03", "02:00:00:40:03:0a"];

/// The nodes that have joined are Ready. A machine that loads as one that boots does, and stops, is shown with each step
/// and with its last words.
pub fn known(release: &mut Release) -> Seen {
    for [name, address, _] in ALL {
        let machine = seen(release, name);
        assert_eq!(machine["stage"], "ready", "{machine}");
        assert_eq!(machine["address"], address, "{machine}");
        assert!(
            machine["version"]
                .as_str()
                .is_some_and(|version| version.starts_with("v1."))
        );
    }
    // Who watches until both are there need not wait.
    let watch = nodes(
        release,
        &["watch", "r1n01", "--until-ready", "--timeout", "60s"],
    );
    assert!(watch.success().contains(" r1n01 ready: is Ready"));

    let [name, mac] = ABSENT;
    let server = release.boot_address("http");
    let load = |path: &str| {
        let mut curl = release
            .cluster
            .in_network(std::path::Path::new("/dev/null"));
        curl.args(["curl", "-sSf", "-o", "/dev/null", "-A", "GRUB 2.12"]);
        run(curl.arg(format!("http://{server}/ltsp/{path}"))).success();
    };
    load(&format!("grub/settings.cfg?mac={mac}"));
    reaches(release, name, "loader", "read the boot menu");
    load(&format!("report?mac={mac}&stage=image&percent=40"));
    reaches(release, name, "image", "loads the system image");
    assert_eq!(seen(release, name)["percent"], 40);
    load(&format!("last-words?mac={mac}&said=NO%20ROOM%20for%20it"));
    reaches(release, name, "image", "NO ROOM for it");
    let table = nodes(release, &["list", "r1n0?", "--live"]).success();
    let row = table
        .lines()
        .find(|line| line.starts_with(name))
        .expect("its row");
    assert!(
        row.contains("image 40%") && row.ends_with("NO ROOM for it"),
        "{table}"
    );

    let log = nodes(release, &["logs", name]).success();
    for part in [
        "/http ",
        "percent=40",
        "r1n03: stopped at image: NO ROOM for it",
    ] {
        assert!(log.contains(part), "{part}:\n{log}");
    }
    let others = log.lines().filter(|line| line.contains("r1n01"));
    assert_eq!(others.count(), 0, "{log}");
    let log = nodes(release, &["logs", "r1n01"]).success();
    assert!(log.contains("r1n01 may join; it asked from"), "{log}");
    let metrics = metrics(release);
    assert!(
        metrics.contains("kubefarm_machines{stage=\"ready\"} 2"),
        "{metrics}"
    );
    "both Ready; one that stops at 40 percent of its image, with its last words and its log"
        .to_owned()
}

fn nodes(release: &Release, words: &[&str]) -> Finished {
    let mut command: Command = release.cluster.kubefarm();
    command.arg("nodes").args(words).args(release.flags());
    run(&mut command)
}

fn seen(release: &Release, name: &str) -> Value {
    let list = nodes(release, &["list", name, "--live", "-o", "json"]).success();
    let list: Value = serde_json::from_str(&list).expect("JSON");
    list["nodes"][0]["live"].clone()
}

#[track_caller]
fn reaches(release: &Release, name: &str, stage: &str, text: &str) {
    let what = format!("{name} is seen at {stage}: {text}");
    release.cluster.wait_until(&what, || {
        let machine = seen(release, name);
        let last = machine["steps"]
            .as_array()
            .and_then(|steps| steps.last().cloned());
        machine["stage"] == stage && last.is_some_and(|last| last["text"] == text)
    });
}

/// What Prometheus would read, in the network of the admin cluster.
fn metrics(release: &Release) -> String {
    let selector = format!("app={}", release.object("agent"));
    let pods = release.get(&["pods", "--selector", &selector]);
    let address = pods["items"][0]["status"]["podIP"]
        .as_str()
        .expect("an address");
    let curl = format!("curl -sSf http://{address}:8080/metrics");
    release
        .cluster
        .enter("admin", &["sh", "-c", &curl])
        .success()
}
