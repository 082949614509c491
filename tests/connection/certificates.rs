//! Servers that nobody answers at, or that cannot be trusted.

use std::net::TcpListener;

use serde_json::json;

use super::setup::{Home, authority, config, master};
use super::{assert_connects, assert_fails};
use crate::support::cluster::Cluster;

#[test]
fn a_port_where_nobody_listens_is_named() {
    let home = Home::new();
    let free = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let address = free.local_addr().expect("bound").to_string();
    drop(free);
    let server = format!("https://{address}");
    let file = home.write("config", config(&json!({ "server": server }), &json!({})));
    let parts = ["cannot reach", &server, "refused"];
    assert_fails(&home.list_with(&file), &parts);
}

#[test]
fn a_host_that_nobody_knows_is_named() {
    let home = Home::new();
    let server = "https://no-such-host.invalid:6443";
    let file = home.write("config", config(&json!({ "server": server }), &json!({})));
    assert_fails(&home.list_with(&file), &["cannot reach", server]);
}

#[test]
fn a_server_that_speaks_no_tls_is_named() {
    let home = Home::new();
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let server = format!("https://{}", listener.local_addr().expect("bound"));
    let talks = std::thread::spawn(move || {
        use std::io::{Read, Write};
        let (mut stream, _) = listener.accept().expect("a connection");
        let _ = stream.read(&mut [0; 512]);
        let _ = stream.write_all(b"SSH-2.0-OpenSSH_9.2\r\n");
    });
    let file = home.write("config", config(&json!({ "server": server }), &json!({})));
    assert_fails(&home.list_with(&file), &[&server]);
    talks.join().expect("it talked");
}

#[test]
fn a_certificate_of_an_unknown_authority_is_not_trusted() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    let home = Home::new();
    let server = cluster.server();
    let file = home.write("config", config(&json!({ "server": server }), &master()));
    let parts = [server, "cannot be trusted", "certificate"];
    assert_fails(&home.list_with(&file), &parts);
}

#[test]
fn a_certificate_for_another_name_is_not_trusted() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    let home = Home::new();
    let mut it = json!({
        "server": cluster.server(), "certificate-authority": authority(cluster),
        "tls-server-name": "kubernetes.example.org",
    });
    let file = home.write("config", config(&it, &master()));
    let parts = [cluster.server(), "cannot be trusted", "certificate"];
    assert_fails(&home.list_with(&file), &parts);
    // The certificate names this one, too.
    it["tls-server-name"] = "localhost".into();
    let file = home.write("config", config(&it, &master()));
    assert_connects(&home.list_with(&file));
}

#[test]
fn certificates_are_always_verified() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    let home = Home::new();
    let it = json!({ "server": cluster.server(), "insecure-skip-tls-verify": true });
    let file = home.write("config", config(&it, &master()));
    let parts = [cluster.server(), "insecure-skip-tls-verify"];
    assert_fails(&home.list_with(&file), &parts);
}
