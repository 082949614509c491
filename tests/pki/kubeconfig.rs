//! `kubefarm kubeconfig`, and what the child's API server says of who comes with the result.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tempfile::TempDir;
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::pki::FARM;
use crate::pki::authentication::identity;
use crate::pki::certificate::blocks;
use crate::pki::child::Child;
use crate::pki::in_cluster::Farm;
use crate::support::{Finished, kubefarm_command, program, run};

/// The API server's Service.
const SERVICE: &str = "service/kubefarm-kubernetes-apiserver";

/// A farm whose control plane runs, and whose API server a load balancer leads to.
pub struct Place {
    pub farm: Farm,
    pub child: Child,
    pub folder: TempDir,
}

impl Place {
    pub fn new(name: &str) -> Option<Place> {
        let child = Child::new("", 1, 1)?;
        let farm = Farm::new(name)?;
        let port = child.server(0);
        let port = port.rsplit(':').next().expect("a port");
        let service = format!("type=LoadBalancer,kubernetes.apiServer.service.port={port}");
        let applied = farm.site.run(&format!(
            "apply {FARM} --set pki.mode=builtin,kubernetes.apiServer.service.{service}"
        ));
        assert_eq!(applied.code(), 0, "{}", applied.stderr);
        let folder = tempfile::tempdir().expect("a folder");
        let dir = folder.path().join("pki");
        let export = format!("pki export kubefarm {} --layout pki-dir", dir.display());
        farm.site.run(&export).success();
        child.install(&dir);
        child.start();
        Some(Place {
            farm,
            child,
            folder,
        })
    }

    /// What the load balancer gave the Service.
    pub fn give(&self, ingress: &Value) {
        let status = json!({ "status": { "loadBalancer": { "ingress": ingress } } }).to_string();
        let namespace = &self.farm.site.namespace;
        let words = [
            "patch",
            SERVICE,
            "-n",
            namespace,
            "--subresource=status",
            "--type=merge",
            "-p",
            &status,
        ];
        self.farm.site.cluster.kubectl(&words).success();
    }

    pub fn kubeconfig(&self, words: &str) -> Finished {
        self.farm.site.run(&format!("kubeconfig kubefarm {words}"))
    }

    /// Writes what was printed into a file.
    pub fn written(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, text).expect("written");
        path
    }

    pub fn whoami(&self, kubeconfig: &Path, more: &[&str]) -> (String, Vec<String>) {
        let words = [&["auth", "whoami", "-o", "json"], more].concat();
        identity(self.child.kubectl_with(kubeconfig, &words))
    }
}

pub fn read(path: &Path) -> Value {
    let text = fs::read_to_string(path).expect("a file");
    serde_yaml::from_str(&text).expect("YAML")
}

/// How long the certificate of the first user is good for, in seconds; its start is five minutes back.
fn life(kubeconfig: &Path) -> i64 {
    let data = &read(kubeconfig)["users"][0]["user"]["client-certificate-data"];
    let pem = STANDARD
        .decode(data.as_str().expect("text"))
        .expect("base64");
    let der = blocks(&String::from_utf8(pem).expect("PEM")).remove(0);
    let (_, certificate) = X509Certificate::from_der(&der).expect("a certificate");
    let validity = certificate.validity();
    validity.not_after.timestamp() - validity.not_before.timestamp() - 300
}

#[test]
fn the_api_server_knows_who_comes() {
    let Some(place) = Place::new("kubeconfig") else {
        return;
    };
    let none = place.kubeconfig("");
    assert_eq!(none.code(), 2);
    assert!(
        none.stderr.contains("no address yet: pass --server"),
        "{}",
        none.stderr
    );
    assert_eq!(none.stdout, "");

    place.give(&json!([{ "ip": "127.0.0.1" }]));
    let admin = place.written("admin", &place.kubeconfig("").success());
    let (user, groups) = place.whoami(&admin, &[]);
    assert_eq!(user, "kubefarm-kubernetes-admin-client");
    assert_eq!(groups, ["system:masters", "system:authenticated"]);

    let jane = place.kubeconfig("--user jane --group ops --group dev:all --ttl 90m");
    assert_eq!(jane.stderr, "");
    let jane = place.written("jane", &jane.success());
    let (user, mut groups) = place.whoami(&jane, &[]);
    groups.sort();
    assert_eq!(user, "jane");
    assert_eq!(groups, ["dev:all", "ops", "system:authenticated"]);
    assert_eq!(life(&jane), 90 * 60);
    let forbidden = place.child.kubectl_with(&jane, &["get", "nodes"]);
    assert!(
        forbidden.stderr.contains("\"jane\" cannot list"),
        "{}",
        forbidden.stderr
    );
    let secret = |path: &Path| read(path)["users"][0]["user"]["client-key-data"].clone();
    assert_ne!(secret(&jane), secret(&admin));

    let later = place.written("later", &place.kubeconfig("--user jane").success());
    assert_eq!(life(&later), 24 * 3600);
    let longest = place.written(
        "longest",
        &place.kubeconfig("--user jane --ttl 99999d").success(),
    );
    let ten_years = 3650 * 24 * 3600;
    assert!(
        (ten_years - 3600..ten_years).contains(&life(&longest)),
        "no longer than its authority"
    );

    // By a name, and by one of several addresses that the certificate has.
    place.give(&json!([{ "ip": "10.255.0.1" }, { "hostname": "localhost" }]));
    let named = place.written("named", &place.kubeconfig("").success());
    assert_eq!(
        place.whoami(&named, &[]).0,
        "kubefarm-kubernetes-admin-client"
    );
    place.give(&json!([{ "hostname": "lb.example.org" }]));
    let strange = place.kubeconfig("");
    assert!(
        strange
            .stderr
            .contains("certificate is not valid for lb.example.org"),
        "{}",
        strange.stderr
    );
    let server = place.child.server(0).replace("127.0.0.1", "localhost");
    let given = place.kubeconfig(&format!("--server {server}"));
    assert_eq!(given.stderr, "");
    let given = place.written("given", &given.success());
    assert_eq!(
        place.whoami(&given, &[]).0,
        "kubefarm-kubernetes-admin-client"
    );
}

#[test]
fn a_farm_without_an_address_wants_one() {
    let Some(farm) = Farm::applied("no-address") else {
        return;
    };
    let said = farm.site.run("kubeconfig kubefarm");
    assert_eq!(said.code(), 2);
    for part in ["is of type ClusterIP", "--server https://HOST:PORT"] {
        assert!(said.stderr.contains(part), "{}", said.stderr);
    }
    let printed = |server: &str| {
        let printed = farm.site.run("kubeconfig kubefarm").success();
        assert!(
            printed.contains(&format!("server: {server}\n")),
            "{printed}"
        );
    };
    let endpoint = "kubernetes.controlPlaneEndpoint=k8s.example.org:7443";
    farm.run(&format!("apply --set {endpoint}")).success();
    printed("https://k8s.example.org:7443");
    let patch = r#"{"spec":{"externalIPs":["192.0.2.7"]}}"#;
    let service = format!("patch {SERVICE} --type=merge -p {patch}");
    farm.site.kubectl(&service).success();
    printed("https://192.0.2.7:6443");

    let said = farm
        .site
        .run("kubeconfig kubefram --server https://localhost:6443");
    assert!(
        said.stderr.contains("did you mean kubefarm?"),
        "{}",
        said.stderr
    );

    let fine = "--server localhost:6443";
    let printed = farm
        .site
        .run(&format!("kubeconfig kubefarm {fine}"))
        .success();
    assert!(
        printed.contains("server: https://localhost:6443\n"),
        "{printed}"
    );
    for (words, part) in [
        ("--server http://localhost:6443", "need https"),
        ("--server https://", "expected a URL"),
        ("--group ops", "--user"),
        ("--user jane --ttl soon", "expected a time"),
    ] {
        let said = farm.site.run(&format!("kubeconfig kubefarm {words}"));
        assert_eq!(said.code(), 2, "{words}");
        assert!(said.stderr.contains(part), "{words}: {}", said.stderr);
    }

    // What is not valid is not handed out.
    farm.site
        .kubectl("patch secret kubefarm-kubernetes-pki-admin-client --type=merge -p {\"data\":{\"tls.key\":\"\"}}")
        .success();
    let said = farm.site.run(&format!("kubeconfig kubefarm {fine}"));
    assert_eq!((said.code(), said.stdout.as_str()), (1, ""));
    let part = "the certificate admin-client cannot be used: tls.key is missing";
    assert!(said.stderr.contains(part), "{}", said.stderr);
    farm.site
        .kubectl(
            "patch secret kubefarm-kubernetes-pki-ca --type=merge -p {\"data\":{\"tls.key\":\"\"}}",
        )
        .success();
    let said = farm
        .site
        .run(&format!("kubeconfig kubefarm {fine} --user jane"));
    assert!(
        said.stderr
            .contains("ca cannot be used: tls.key is missing"),
        "{}",
        said.stderr
    );
}

#[test]
fn no_key_is_shown_on_a_terminal() {
    let (Some(farm), Some(script)) = (Farm::applied("terminal"), program("script", "bsdutils"))
    else {
        return;
    };
    let kubefarm = kubefarm_command()
        .get_program()
        .to_string_lossy()
        .into_owned();
    let words = format!(
        "{kubefarm} kubeconfig kubefarm --server https://localhost -n {} --kubeconfig {}",
        farm.site.namespace,
        farm.site.cluster.kubeconfig().display()
    );
    let mut command = Command::new(script);
    command.args(["-qec", &words, "/dev/null"]);
    let finished = run(&mut command);
    assert_eq!(finished.code(), 2, "{}", finished.stdout);
    assert!(
        finished.stdout.contains("not printed to a terminal"),
        "{}",
        finished.stdout
    );
    assert!(!finished.stdout.contains("client-key-data"));
}
