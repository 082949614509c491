//! Clusters behind a proxy: Debian's tinyproxy.

use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;

use super::setup::{Home, authority, authority_of_url, config, master, reached};
use super::{assert_connects, assert_fails};
use crate::support::cluster::Cluster;
use crate::support::{program, run};

/// A running proxy. Dropped, it ends.
struct Proxy {
    process: Child,
    log: PathBuf,
    url: String,
}

impl Proxy {
    /// Starts it with its files in the folder; `None` where it is not installed.
    fn start(home: &Home) -> Option<Proxy> {
        let tinyproxy = program("tinyproxy", "tinyproxy")?;
        let free = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        let address = free.local_addr().expect("bound");
        drop(free);
        let log = home.path().join("proxy.log");
        let settings = format!(
            "Port {}\nListen 127.0.0.1\nLogFile \"{}\"\nLogLevel Connect\n",
            address.port(),
            log.display()
        );
        let settings = home.write("tinyproxy.conf", settings);
        let process = Command::new(tinyproxy)
            .arg("-d")
            .arg("-c")
            .arg(settings)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("started");
        let deadline = Instant::now() + Duration::from_secs(10);
        while TcpStream::connect(address).is_err() {
            assert!(Instant::now() < deadline, "the proxy does not listen");
            std::thread::sleep(Duration::from_millis(50));
        }
        Some(Proxy {
            process,
            log,
            url: format!("http://{address}"),
        })
    }

    /// Whether it was asked for a way to the cluster.
    fn was_asked_for(&self, cluster: &Cluster) -> bool {
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        log.contains(&format!("CONNECT {}", authority_of_url(cluster)))
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn the_proxy_of_the_environment_is_used() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    let home = Home::new();
    let Some(proxy) = Proxy::start(&home) else {
        return;
    };
    let file = home.write("config", config(&reached(cluster), &master()));
    let mut command = home.list();
    command
        .env("KUBECONFIG", file)
        .env("HTTPS_PROXY", &proxy.url);
    let host = authority_of_url(cluster).split(':').next().expect("a host");
    command.env("NO_PROXY", host);
    assert_connects(&run(&mut command));
    assert!(!proxy.was_asked_for(cluster));
    command.env("NO_PROXY", "10.0.0.0/8,example.org");
    assert_connects(&run(&mut command));
    assert!(proxy.was_asked_for(cluster));
}

#[test]
fn the_proxy_of_the_kubeconfig_is_used() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    let home = Home::new();
    let Some(proxy) = Proxy::start(&home) else {
        return;
    };
    let it = json!({
        "server": cluster.server(), "certificate-authority": authority(cluster),
        "proxy-url": proxy.url,
    });
    let file = home.write("config", config(&it, &master()));
    assert_connects(&home.list_with(&file));
    assert!(proxy.was_asked_for(cluster));
}

#[test]
fn a_proxy_that_is_not_there_is_no_way_to_the_server() {
    let home = Home::new();
    let it = json!({ "server": "https://10.255.255.1:6443", "proxy-url": "http://127.0.0.1:1" });
    let file = home.write("config", config(&it, &master()));
    assert_fails(
        &home.list_with(&file),
        &["cannot reach https://10.255.255.1:6443"],
    );
}
