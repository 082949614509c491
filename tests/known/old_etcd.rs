//! An etcd of the old charts with what a farm gives it: it starts, and answers the probes.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::cluster::programs::build;
use crate::support::{Finished, kubefarm_command, run};

/// The release that `etcd-3.5` is built from, which the charts of 0.13 had by default.
const TAG: &str = "3.5.1-0";

/// etcd's container in a farm with this tag.
fn container(tag: &str) -> Value {
    let finished: Finished = run(kubefarm_command()
        .args(["render", "--output", "json"])
        .arg("--set-string")
        .arg(format!("kubernetes.etcd.image.tag={tag}"))
        .args(["--set", "kubernetes.etcd.replicaCount=1"]));
    assert!(finished.status.success(), "{}", finished.stderr);
    let list: Value = serde_json::from_str(&finished.stdout).expect("JSON");
    let objects = list["items"].as_array().expect("a list");
    let is_etcd = |object: &&Value| object["kind"] == "StatefulSet";
    let etcd = objects.iter().find(is_etcd).expect("etcd");
    etcd["spec"]["template"]["spec"]["containers"][0].clone()
}

/// The rendered flags, with addresses and a folder of this machine and without certificates.
fn args(container: &Value, ports: &[u16; 3], data: &Path) -> Vec<String> {
    let args = container["args"].as_array().expect("args").iter();
    let args = args.filter_map(|arg| arg.as_str()?.strip_prefix("--")?.split_once('='));
    let url = |port: u16| format!("http://127.0.0.1:{port}");
    let [client, peer, metrics] = ports.map(url);
    let args = args.filter_map(|(flag, value)| {
        let value = match flag {
            "name" => "etcd".to_owned(),
            "data-dir" => data.display().to_string(),
            "listen-client-urls" | "advertise-client-urls" => client.clone(),
            "listen-peer-urls" | "initial-advertise-peer-urls" => peer.clone(),
            "listen-metrics-urls" => metrics.clone(),
            "initial-cluster" => format!("etcd={peer}"),
            _ if flag.ends_with("-file") || flag.ends_with("client-cert-auth") => return None,
            _ => value.to_owned(),
        };
        Some(format!("--{flag}={value}"))
    });
    args.collect()
}

/// Free ports. They are let go for etcd to take.
fn free_ports() -> [u16; 3] {
    let listeners = [0; 3].map(|_| TcpListener::bind("127.0.0.1:0").expect("a port"));
    listeners.map(|listener| listener.local_addr().expect("an address").port())
}

/// The status line of what answers a request.
fn status(port: u16, path: &str) -> Option<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    let request = format!("GET {path} HTTP/1.0\r\n\r\n");
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    answer.lines().next().map(str::to_owned)
}

struct Stopped(Child);

impl Drop for Stopped {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn an_etcd_of_the_old_charts_starts_and_answers_the_probes() {
    let Some(folder) = build(&["etcd-3.5"]) else {
        return;
    };
    let program = folder.join("bin/etcd-3.5");
    let data = tempfile::tempdir().expect("a folder");
    let ports = free_ports();
    let container = container(TAG);
    let mut etcd = Stopped(
        Command::new(&program)
            .args(args(&container, &ports, data.path()))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("etcd"),
    );
    for probe in ["startupProbe", "livenessProbe", "readinessProbe"] {
        let path = container[probe]["httpGet"]["path"]
            .as_str()
            .expect("a path");
        // It elects itself first.
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let answer = status(ports[2], path).unwrap_or_default();
            if answer.contains(" 200 ") {
                break;
            }
            let ended = etcd.0.try_wait().expect("a state");
            assert!(ended.is_none(), "etcd ended: {ended:?}");
            assert!(Instant::now() < deadline, "{probe} {path}: {answer:?}");
            std::thread::sleep(Duration::from_millis(100));
        }
    }
    // What the newest etcd is probed with would never be right here.
    let missing = status(ports[2], "/readyz").unwrap_or_default();
    assert!(missing.contains(" 404 "), "{missing}");
}

/// The flags of the newest etcd do not start this one, so that the test above shows something.
#[test]
fn an_etcd_of_the_old_charts_does_not_start_with_new_flags() {
    let Some(folder) = build(&["etcd-3.5"]) else {
        return;
    };
    let data = tempfile::tempdir().expect("a folder");
    let args = args(&container("3.7.0-0"), &free_ports(), data.path());
    let finished = run(Command::new(folder.join("bin/etcd-3.5")).args(args));
    assert!(!finished.status.success());
    assert!(finished.stderr.contains("flag provided but not defined"));
}
