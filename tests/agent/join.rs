//! A node joins: the pinned kubeadm runs the JOIN_COMMAND that the token Job wrote, in a root file system of its own. Of
//! `kubeadm join` only its last phase is left out, which waits for a kubelet. Then the kubelet's part is done by hand.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::agent::bootstrap::bootstrapped;
use crate::agent::child::{API_SERVER, Child};
use crate::agent::join_token::{self, file, sourced};
use crate::agent::machine::Machine;
use crate::agent::site::Site;
use crate::support::cluster::Cluster;
use crate::support::{Finished, program, run, run_with_stdin};

/// A child with a token, and a node that has booted with the file of the Secret.
fn booted(name: &str, arguments: &str) -> Option<(Child, Site, Machine)> {
    let arguments = format!("{} {arguments}", join_token::MODE);
    let (child, site) = bootstrapped(name, &arguments)?;
    let address = child.cluster.address();
    site.balance(API_SERVER, &format!("\"ip\":\"{address}\""));
    site.pod_for(join_token::JOB, &child)?.run().success();
    let node = Machine::new()?;
    let hosts = sourced(&file(&site), "HOSTS_KUBERNETES");
    node.write("/etc/hosts", format!("127.0.0.1 localhost\n{hosts}\n"));
    node.make_folder("/var/lib/kubelet");
    Some((child, site, node))
}

/// Runs a command line with the pinned kubeadm and kubectl on a node.
fn on(node: &Machine, cluster: &Cluster, command: &str) -> Finished {
    let programs = ["kubeadm", "kubectl"].map(|name| cluster.program(name));
    let words: Vec<String> = command.split_whitespace().map(str::to_owned).collect();
    run(&mut node.command(&programs, &words))
}

/// Joins by a command of the Secret, but for what needs a kubelet.
fn join(node: &Machine, child: &Child, command: &str) -> Finished {
    let further = "--node-name=n1 --cri-socket=unix:///run/containerd/containerd.sock \
                   --ignore-preflight-errors=all --skip-phases=kubelet-wait-bootstrap";
    on(node, child.cluster, &format!("{command} {further}"))
}

#[test]
fn kubeadm_joins_and_the_kubelets_certificate_is_signed() {
    let Some((child, site, node)) = booted("join", "") else {
        return;
    };
    let joined = join(&node, &child, &sourced(&file(&site), "JOIN_COMMAND"));
    assert!(
        joined.status.success(),
        "{}\n{}",
        joined.stdout,
        joined.stderr
    );
    let unasked = joined
        .stderr
        .lines()
        .filter(|line| line.contains("WARNING"));
    let unasked: Vec<&str> = unasked
        .filter(|line| !is_about_this_machine(line))
        .collect();
    assert_eq!(unasked, Vec::<&str>::new());
    assert_eq!(
        node.read("/etc/kubernetes/pki/ca.crt").trim(),
        child.admin_files()[0].1.trim()
    );
    let kubelet: Value =
        serde_yaml::from_str(&node.read("/var/lib/kubelet/config.yaml")).expect("YAML");
    assert_eq!(kubelet["clusterDNS"], json!(["10.96.0.10"]));
    assert_eq!(kubelet["rotateCertificates"], true);

    let certificate = signed(&node, &child);
    let users = node_kubeconfig(&node, &certificate);
    let get = |what: &str| {
        on(
            &node,
            child.cluster,
            &format!("kubectl --kubeconfig={users} {what}"),
        )
    };
    assert!(
        get("auth whoami -o json")
            .success()
            .contains("\"system:node:n1\"")
    );
    get("get -n kube-system configmap kubelet-config").success();
    assert!(!get("get -n kube-system secrets").status.success());
}

/// What kubeadm says of the machine, which has no containerd, kubelet or systemd, and other shortcomings as a node.
fn is_about_this_machine(line: &str) -> bool {
    const CHECKS: [&str; 8] = [
        "[WARNING CRI]",
        "[WARNING ContainerRuntimeVersion]",
        "[WARNING Service-",
        "[WARNING SystemVerification]",
        "[WARNING File",
        "[WARNING Hostname]",
        "[WARNING KubeletVersion]",
        "the kubelet service",
    ];
    CHECKS.iter().any(|check| line.contains(check))
}

/// Asks for a certificate as the kubelet does, with the credentials that kubeadm left for it; gives it in PEM.
#[track_caller]
fn signed(node: &Machine, child: &Child) -> String {
    let openssl = program("openssl", "openssl").expect("was there before");
    let mut request = std::process::Command::new(openssl);
    request
        .args(
            "req -new -nodes -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -keyout node.key"
                .split(' '),
        )
        .args(["-subj", "/O=system:nodes/CN=system:node:n1"])
        .current_dir(node.path("/var/lib/kubelet"));
    let request = run(&mut request).success();
    let base64 = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, request);
    let object = json!({
        "apiVersion": "certificates.k8s.io/v1",
        "kind": "CertificateSigningRequest",
        "metadata": { "name": "csr-n1" },
        "spec": {
            "request": base64,
            "signerName": "kubernetes.io/kube-apiserver-client-kubelet",
            "usages": ["digital signature", "client auth"],
        },
    });
    child
        .kubectl("delete csr csr-n1 --ignore-not-found")
        .success();
    let programs: [PathBuf; 1] = [child.cluster.program("kubectl")];
    let words = "kubectl --kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf create -f -";
    let words: Vec<String> = words.split(' ').map(str::to_owned).collect();
    run_with_stdin(&mut node.command(&programs, &words), object.to_string()).success();
    let mut certificate = String::new();
    child.cluster.wait_until("the certificate is signed", || {
        let found = child.get("csr/csr-n1");
        let found = found["status"]["certificate"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        certificate = found;
        !certificate.is_empty()
    });
    let pem = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, certificate);
    String::from_utf8(pem.expect("base64")).expect("PEM")
}

/// Writes the node's own kubeconfig; gives its path.
fn node_kubeconfig(node: &Machine, certificate: &str) -> &'static str {
    let mut kubeconfig: Value =
        serde_yaml::from_str(&node.read("/etc/kubernetes/bootstrap-kubelet.conf")).expect("YAML");
    node.write("/var/lib/kubelet/node.crt", certificate);
    kubeconfig["users"][0]["user"] = json!({
        "client-certificate": "/var/lib/kubelet/node.crt",
        "client-key": "/var/lib/kubelet/node.key",
    });
    node.write("/etc/kubernetes/kubelet.conf", kubeconfig.to_string());
    "/etc/kubernetes/kubelet.conf"
}

#[test]
fn a_node_believes_nobody_else() {
    let Some((child, site, node)) = booted("pinned", "") else {
        return;
    };
    let command = sourced(&file(&site), "JOIN_COMMAND");
    let refused = |command: &str| {
        // It asks again and again where the answer may change.
        let end = join(&node, &child, &format!("timeout 15 {command}"));
        assert!(!end.status.success(), "{}", end.stdout);
        let credentials = node.path("/etc/kubernetes/bootstrap-kubelet.conf");
        assert!(!credentials.exists(), "{}", end.stderr);
        end.stderr
    };
    let (before, pin) = command.rsplit_once("sha256:").expect("a pin");
    let wrong_pin = format!("{before}sha256:{}", other(pin));
    let said = refused(&wrong_pin);
    assert!(said.contains("none of the public keys"), "{said}");

    let token = command.split(' ').nth(4).expect("a token");
    let (id, secret) = token.split_once('.').expect("an id");
    refused(&command.replace(token, &format!("{id}.{}", other(secret))));
    refused(&command.replace(token, &format!("{}.{secret}", other(id))));
}

/// Another text of the same length and alphabet.
fn other(text: &str) -> String {
    let (rest, last) = text.split_at(text.len() - 1);
    let last = if last == "a" { "b" } else { "a" };
    format!("{rest}{last}")
}

#[test]
fn kubeadm_reads_what_it_would_have_written_itself() {
    let Some((child, site, node)) = booted(
        "kubeadm",
        "--set kubernetes.networking.podSubnet=10.112.0.0/12",
    ) else {
        return;
    };
    let admin = site
        .pod_for(join_token::JOB, &child)
        .expect("as before")
        .machine;
    let kubeadm = |words: &str| {
        let end = on(
            &admin,
            child.cluster,
            &format!("kubeadm {words} --kubeconfig=/etc/kubernetes/admin.conf"),
        );
        assert!(
            end.status.success(),
            "{words}\n{}\n{}",
            end.stdout,
            end.stderr
        );
        assert!(!end.stderr.contains("WARNING"), "{words}\n{}", end.stderr);
        end.stdout
    };
    let listed = kubeadm("token list -o json");
    let token: Value = serde_json::from_str(&listed).expect("one token");
    assert_eq!(
        token["groups"],
        json!(["system:bootstrappers:kubeadm:default-node-token"])
    );
    assert_eq!(token["usages"], json!(["authentication", "signing"]));
    let printed = kubeadm("token create --print-join-command");
    let ours = sourced(&file(&site), "JOIN_COMMAND");
    let without_token = |command: &str| {
        let words = command.split_whitespace().map(str::to_owned);
        let mut words: Vec<String> = words.collect();
        let token = words
            .iter()
            .position(|word| word == "--token")
            .expect("a token")
            + 1;
        words.remove(token).split_once('.').expect("a token");
        words.join(" ")
    };
    assert_eq!(without_token(&printed), without_token(&ours));

    let shown = child.get("-n kube-system configmap/kubeadm-config");
    let text = shown["data"]["ClusterConfiguration"]
        .as_str()
        .expect("a configuration");
    node.write("/root/cluster.yaml", text);
    let checked = on(
        &node,
        child.cluster,
        "kubeadm config validate --config=/root/cluster.yaml",
    );
    assert!(checked.status.success(), "{}", checked.stderr);
    assert!(!checked.stderr.contains("WARNING"), "{}", checked.stderr);
}
