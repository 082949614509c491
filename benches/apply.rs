//! How long apply takes as a whole process, and how much memory: kubefarm, kubectl and Helm in turn, on the same real
//! API server, with the objects of the two-layer example. `cargo bench --bench apply`; needs GNU time.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unreachable,
    clippy::unwrap_used,
    reason = "a measurement that panics has failed"
)]

#[allow(dead_code, reason = "the tests use the rest")]
#[path = "../tests/support/mod.rs"]
mod support;

use std::fs;
use std::path::Path;
use std::process::Command;

use support::cluster::{Cluster, Options};
use support::{kubefarm_command, run};

/// How often each is measured; medians are printed.
const ROUNDS: usize = 5;
const EXAMPLE: [&str; 2] = [
    "--values=examples/generic/values.yaml",
    "--values=examples/advanced_network/values.yaml",
];

/// One run of a process.
#[derive(Clone, Copy)]
struct Measured {
    seconds: f64,
    kibibytes: u64,
}

fn main() {
    let Some(cluster) = Cluster::start(Options::default()) else {
        eprintln!("SKIPPED: the test cluster cannot be built here");
        return;
    };
    cluster.install_crds();
    let folder = tempfile::tempdir().expect("a folder");
    let mut table: Vec<(&str, [Vec<Measured>; 2])> = Vec::new();
    for tool in [
        "kubefarm apply",
        "kubectl apply --server-side",
        "helm upgrade --install",
    ] {
        table.push((tool, [Vec::new(), Vec::new()]));
    }
    for round in 0..ROUNDS {
        for (tool, runs) in &mut table {
            let word = tool.split(' ').next().expect("a word");
            let namespace = cluster.namespace(&format!("{word}-{round}"));
            let manifests = rendered(folder.path(), &namespace);
            for measured in runs {
                let mut command = match word {
                    "kubefarm" => kubefarm(&cluster, &namespace),
                    "kubectl" => kubectl(&cluster, &manifests),
                    _ => helm(&cluster, folder.path(), &namespace),
                };
                measured.push(timed(&mut command));
            }
            // What the controllers do with the last farm is not to slow the next one down.
            cluster
                .kubectl(&["delete", "namespace", &namespace, "--wait=true"])
                .success();
        }
    }
    println!("medians of {ROUNDS} runs\n");
    println!(
        "{:<28} {:>12} {:>12} {:>12}",
        "", "first", "again", "peak memory"
    );
    for (tool, [first, again]) in &table {
        let peak = first.iter().chain(again).map(|run| run.kibibytes).max();
        println!(
            "{tool:<28} {:>10.2} s {:>10.2} s {:>8} MiB",
            median(first),
            median(again),
            peak.unwrap_or_default() / 1024
        );
    }
}

fn rendered(folder: &Path, namespace: &str) -> String {
    let mut render = kubefarm_command();
    render.arg("render").args(EXAMPLE).args(["-n", namespace]);
    let text = run(&mut render).success();
    let manifests = folder.join("manifests.yaml");
    fs::write(&manifests, &text).expect("written");
    let chart = folder.join("chart");
    for folder in ["templates", "files"] {
        fs::create_dir_all(chart.join(folder)).expect("a folder");
    }
    let about = "apiVersion: v2\nname: farm\nversion: 0.1.0\n";
    fs::write(chart.join("Chart.yaml"), about).expect("written");
    fs::write(chart.join("files/manifests.yaml"), &text).expect("written");
    // Helm must not take what is in the manifests for its own syntax.
    let template = "{{ .Files.Get \"files/manifests.yaml\" }}\n";
    fs::write(chart.join("templates/all.yaml"), template).expect("written");
    manifests.display().to_string()
}

fn kubefarm(cluster: &Cluster, namespace: &str) -> Command {
    let mut command = kubefarm_command();
    command
        .env("KUBECONFIG", cluster.kubeconfig())
        .arg("apply")
        .args(EXAMPLE)
        .args(["-n", namespace, "--quiet"]);
    command
}

fn kubectl(cluster: &Cluster, manifests: &str) -> Command {
    let mut command = cluster.command("kubectl", cluster.kubeconfig());
    command.args(["apply", "--server-side", "--filename", manifests]);
    command
}

fn helm(cluster: &Cluster, folder: &Path, namespace: &str) -> Command {
    let mut command = cluster.helm_command();
    let chart = folder.join("chart");
    command
        .args(["upgrade", "--install", "farm", "-n", namespace])
        .arg(chart);
    command
}

/// Runs a command under GNU time.
fn timed(command: &mut Command) -> Measured {
    let mut time = Command::new("/usr/bin/time");
    time.args(["--format", "%e %M"]).arg(command.get_program());
    time.args(command.get_args())
        .current_dir(support::project());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => time.env(name, value),
            None => time.env_remove(name),
        };
    }
    let finished = run(&mut time);
    let said = finished.stderr.clone();
    finished.success();
    let figures: Vec<&str> = said.lines().last().unwrap_or_default().split(' ').collect();
    match figures.as_slice() {
        [seconds, kibibytes] => Measured {
            seconds: seconds.parse().expect("seconds"),
            kibibytes: kibibytes.parse().expect("kibibytes"),
        },
        _ => panic!("no figures in {said}"),
    }
}

fn median(runs: &[Measured]) -> f64 {
    let mut seconds: Vec<f64> = runs.iter().map(|run| run.seconds).collect();
    seconds.sort_by(f64::total_cmp);
    seconds.get(seconds.len() / 2).copied().unwrap_or_default()
}
