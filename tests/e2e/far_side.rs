//! Pods of the child that its API server has to reach: one to log and to enter, a webhook, an API server.

use std::path::Path;
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::e2e::Seen;
use crate::e2e::nodes::STORAGE;
use crate::e2e::release::{Release, is_ready};
use crate::support::run;

/// The image of pods of the child, as `up.sh` names it.
pub const IMAGE: &str = "registry.k8s.io/e2e-test-images/agnhost:2.66.1";

/// The namespace of the pods here, in the child.
pub const NAMESPACE: &str = "far-side";

/// Reads the logs of the pod on the tainted node, and runs a command in it.
pub fn logs(release: &Release) -> Seen {
    let read = || release.child(&["logs", "-n", NAMESPACE, "server"]);
    // What was open before may end in the first.
    release
        .cluster
        .wait_until("the logs are readable ten times in a row", || {
            (0..10).all(|_| read().status.success())
        });
    let said = read().success();
    assert!(said.contains("Started HTTP server on port 8080"), "{said}");
    let command = [
        "exec", "-n", NAMESPACE, "server", "--", "/agnhost", "--help",
    ];
    let answer = release.child(&command).success();
    assert!(answer.contains("netexec"), "{answer}");
    format!("from {}, 10 times in a row; exec in it", STORAGE[0])
}

/// The API server calls a webhook in a pod, and hands a request on to an API server in a pod.
pub fn calls(release: &mut Release) -> Seen {
    // On trial, so that a first one that slips through does not stay.
    let create = [
        "create",
        "configmap",
        "refused",
        "--dry-run=server",
        "-n",
        NAMESPACE,
    ];
    let denial = "this webhook denies all requests";
    release.cluster.wait_until("the webhook is called", || {
        release.child(&create).stderr.contains(denial)
    });
    // No second try: from now on every request has to find its way.
    for _ in 0..10 {
        let refused = release.child(&create);
        assert!(
            refused.stderr.contains(denial),
            "{}{}",
            refused.stdout,
            refused.stderr
        );
    }
    let group = "/apis/external.metrics.k8s.io/v1beta1";
    let mut answer = String::new();
    release
        .cluster
        .wait_until("the aggregated API answers", || {
            let finished = release.child(&["get", "--raw", group]);
            answer = finished.stdout;
            finished.status.success()
        });
    assert!(answer.contains("APIResourceList"), "{answer}");
    "the webhook refused 10 objects in a row; external.metrics.k8s.io answered".to_owned()
}

/// A pod on the tainted node that answers HTTP, a webhook that denies everything, and an API server.
pub fn start(release: &Release) {
    let certificate = certificate(&release.cluster.scratch());
    let bundle = &certificate["tls.crt"];
    let namespace = json!({
        "apiVersion": "v1", "kind": "Namespace",
        "metadata": { "name": NAMESPACE, "labels": { "webhook": "yes" } },
    });
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls",
        "metadata": { "name": "tls", "namespace": NAMESPACE },
        "data": certificate,
    });
    let tls = [
        "--tls-cert-file=/tls/tls.crt",
        "--tls-private-key-file=/tls/tls.key",
    ];
    let pods = [
        pod(
            "server",
            &["netexec"],
            json!({ "kubernetes.io/hostname": STORAGE[0] }),
        ),
        pod(
            "webhook",
            &[&["webhook", "--port=8443"], &tls[..]].concat(),
            json!({}),
        ),
        pod("metrics", &["external-metrics", "--port=8443"], json!({})),
    ];
    release.apply_in_child(
        &[
            &[namespace, secret],
            &pods[..],
            &[service("webhook"), service("metrics")],
        ]
        .concat(),
    );
    for name in ["server", "webhook", "metrics"] {
        release
            .cluster
            .wait_until(&format!("the pod {name} is ready"), || {
                is_ready(&release.child_get(&["pod", name, "-n", NAMESPACE]))
            });
    }
    release.apply_in_child(&[webhook(bundle), aggregated_api()]);
}

fn pod(name: &str, arguments: &[&str], node_selector: Value) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": { "name": name, "namespace": NAMESPACE, "labels": { "app": name } },
        "spec": {
            "nodeSelector": node_selector,
            "tolerations": [{ "key": "example.org/dedicated", "operator": "Exists" }],
            "containers": [{
                "name": name, "image": IMAGE, "args": arguments,
                "volumeMounts": [{ "name": "tls", "mountPath": "/tls" }],
            }],
            "volumes": [{ "name": "tls", "secret": { "secretName": "tls" } }],
        },
    })
}

fn service(name: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Service",
        "metadata": { "name": name, "namespace": NAMESPACE },
        "spec": { "selector": { "app": name }, "ports": [{ "port": 443, "targetPort": 8443 }] },
    })
}

/// Refuses ConfigMaps in the namespace.
fn webhook(bundle: &Value) -> Value {
    json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration",
        "metadata": { "name": "far-side" },
        "webhooks": [{
            "name": "deny.far-side.example.org",
            "admissionReviewVersions": ["v1"],
            "sideEffects": "None",
            "timeoutSeconds": 5,
            "namespaceSelector": { "matchLabels": { "webhook": "yes" } },
            "rules": [{
                "apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["configmaps"],
            }],
            "clientConfig": {
                "caBundle": bundle,
                "service": { "namespace": NAMESPACE, "name": "webhook", "path": "/always-deny" },
            },
        }],
    })
}

fn aggregated_api() -> Value {
    json!({
        "apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService",
        "metadata": { "name": "v1beta1.external.metrics.k8s.io" },
        "spec": {
            "group": "external.metrics.k8s.io", "version": "v1beta1",
            "groupPriorityMinimum": 100, "versionPriority": 100,
            "insecureSkipTLSVerify": true,
            "service": { "namespace": NAMESPACE, "name": "metrics" },
        },
    })
}

/// A certificate for the webhook's Service that signs itself, as data of a Secret.
fn certificate(folder: &Path) -> Value {
    let names = format!("subjectAltName=DNS:webhook.{NAMESPACE}.svc");
    let mut command = Command::new("openssl");
    command.current_dir(folder).args([
        "req",
        "-x509",
        "-nodes",
        "-days",
        "1",
        "-subj",
        "/CN=webhook",
    ]);
    command.args([
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-addext",
        &names,
    ]);
    run(command.args(["-keyout", "webhook.key", "-out", "webhook.crt"])).success();
    let encoded = |file: &str| STANDARD.encode(std::fs::read(folder.join(file)).expect("written"));
    json!({ "tls.crt": encoded("webhook.crt"), "tls.key": encoded("webhook.key") })
}
