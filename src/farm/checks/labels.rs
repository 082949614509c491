//! Labels and annotations of whatever is rendered: what Kubernetes would refuse, and what would hide pods from their
//! own Services.

use crate::farm::findings::Findings;
use crate::farm::spec::{ServiceType, TextMap, Values};
use crate::farm::syntax::{is_label_key, is_label_value};
use crate::values::{Path, Problem};

/// Checks all labels, node selectors and annotations.
pub fn check(values: &Values, findings: &mut Findings) {
    components(values, findings);
    services(values, findings);
    jobs(values, findings);
    volumes(values, findings);
    let selector = &values.kubernetes.kube_proxy.node_selector;
    let path = Path::from("kubernetes.kubeProxy.nodeSelector");
    node_selector(selector, &path, findings);
}

fn components(values: &Values, findings: &mut Findings) {
    for (path, component) in values.components() {
        let keys = component.keys();
        let path = Path::from(path);
        labels(keys.labels, &path.join("labels"), findings);
        labels(keys.pod_labels, &path.join("podLabels"), findings);
        annotations(keys.annotations, &path.join("annotations"), findings);
        annotations(keys.pod_annotations, &path.join("podAnnotations"), findings);
        node_selector(keys.node_selector, &path.join("nodeSelector"), findings);
    }
}

fn services(values: &Values, findings: &mut Findings) {
    let kubernetes = &values.kubernetes;
    let (etcd, server) = (&kubernetes.etcd.service, &kubernetes.api_server.service);
    let manager = &kubernetes.controller_manager.service;
    let scheduler = &kubernetes.scheduler.service;
    let konnectivity = &kubernetes.konnectivity_server.service;
    let boot = &values.ltsp.service;
    for (path, own_labels, own_annotations) in [
        ("kubernetes.etcd", &etcd.labels, &etcd.annotations),
        ("kubernetes.apiServer", &server.labels, &server.annotations),
        (
            "kubernetes.controllerManager",
            &manager.labels,
            &manager.annotations,
        ),
        (
            "kubernetes.scheduler",
            &scheduler.labels,
            &scheduler.annotations,
        ),
        (
            "kubernetes.konnectivityServer",
            &konnectivity.labels,
            &konnectivity.annotations,
        ),
        ("ltsp", &boot.labels, &boot.annotations),
    ] {
        let path = Path::from(path).join("service");
        labels(own_labels, &path.join("labels"), findings);
        annotations(own_annotations, &path.join("annotations"), findings);
    }
    if server.kind == ServiceType::ClusterIP && server.node_port.is_some() {
        findings.warning(
            &Path::from("kubernetes.apiServer.service.nodePort"),
            "a Service of type ClusterIP has no node port",
        );
    }
}

fn jobs(values: &Values, findings: &mut Findings) {
    let backup = &values.kubernetes.etcd.backup;
    let path = Path::from("kubernetes.etcd.backup");
    labels(&backup.labels, &path.join("labels"), findings);
    labels(&backup.pod_labels, &path.join("podLabels"), findings);
    annotations(&backup.annotations, &path.join("annotations"), findings);
    let own = &backup.pod_annotations;
    annotations(own, &path.join("podAnnotations"), findings);
    node_selector(&backup.node_selector, &path.join("nodeSelector"), findings);

    let job = &values.kubernetes.admin.job;
    let path = Path::from("kubernetes.admin.job");
    labels(&job.labels, &path.join("labels"), findings);
    annotations(&job.annotations, &path.join("annotations"), findings);
}

fn volumes(values: &Values, findings: &mut Findings) {
    let data = &values.kubernetes.persistence;
    let path = Path::from("kubernetes.persistence");
    labels(&data.labels, &path.join("labels"), findings);
    annotations(&data.annotations, &path.join("annotations"), findings);
    let path = path.join("backup");
    labels(&data.backup.labels, &path.join("labels"), findings);
    let own = &data.backup.annotations;
    annotations(own, &path.join("annotations"), findings);
}

fn labels(labels: &TextMap, path: &Path, findings: &mut Findings) {
    node_selector(labels, path, findings);
    if labels.contains_key("app") {
        let problem = Problem::error("the label `app` is how a component finds its own pods");
        let help =
            "it is the object's name; set app.kubernetes.io/name, or a label of another name";
        findings.record_key(&path.join("app"), problem.help(help));
    }
}

fn node_selector(labels: &TextMap, path: &Path, findings: &mut Findings) {
    for (key, value) in labels {
        let path = path.join(key.as_str());
        if !is_label_key(key) {
            let problem = Problem::error(format!("`{key}` is not a label key"));
            findings.record_key(&path, problem.help(KEYS));
        }
        if !is_label_value(value) {
            let problem = Problem::error(format!("`{value}` is not a label value"));
            let help =
                "letters, digits, `-`, `_` and `.`, at most 63, a letter or digit at both ends";
            findings.record(&path, problem.help(help));
        }
    }
}

/// Keys are as those of labels, with capitals in the prefix as well (apimachinery, ValidateAnnotations).
fn annotations(annotations: &TextMap, path: &Path, findings: &mut Findings) {
    for key in annotations.keys() {
        if !is_label_key(&key.to_ascii_lowercase()) {
            let problem = Problem::error(format!("`{key}` is not an annotation key"));
            findings.record_key(&path.join(key.as_str()), problem.help(KEYS));
        }
    }
}

const KEYS: &str = "letters, digits, `-`, `_` and `.`, at most 63, behind a DNS name and a slash if need be: example.org/team";
