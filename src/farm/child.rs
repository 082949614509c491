//! The child cluster as a whole: addresses, endpoint, and the configuration of its nodes.

use std::net::IpAddr;

use indexmap::IndexMap;
use serde::Serialize;
use serde_json::{Value, json};

use super::control_plane::image_tag;
use super::names::Names;
use super::spec::{
    ExtraManifest, FileName, Fragment, HostPort, JoinMode, Pods, SpreadConstraint, Values,
    null_if_empty,
};
use super::subnets::Subnets;
use super::workload::{ImageReference, spread_constraints};

/// The child cluster as a whole.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Cluster {
    pub enabled: bool,
    /// The prefix of its objects' names.
    pub name: String,
    /// The prefix of its certificates' common names.
    pub cert_name: String,
    pub version: String,
    /// `host:port` at which nodes reach the API server.
    pub endpoint: String,
    /// The URL at which pods of the admin cluster reach it.
    pub server: String,
    pub dns_domain: String,
    pub service_subnet: Option<String>,
    pub pod_subnet: Option<String>,
    pub service_subnets: Vec<String>,
    pub pod_subnets: Vec<String>,
    pub dns_addresses: Vec<IpAddr>,
    pub ip_families: Vec<&'static str>,
    pub ip_family_policy: &'static str,
    /// Whether the API server verifies the certificates of kubelets.
    pub verifies_kubelets: bool,
    /// The complete KubeletConfiguration.
    pub kubelet_configuration: Value,
}

impl Cluster {
    /// The cluster with these names.
    pub fn new(values: &Values, names: &Names, services: &Subnets, pods: &Subnets) -> Cluster {
        let name = &names.kubernetes;
        let kubernetes = &values.kubernetes;
        let own = format!("{name}-apiserver:{}", kubernetes.api_server.service.port);
        let endpoint = match &kubernetes.control_plane_endpoint {
            // kubeadm uses the default port if there is none, whatever the Service's port is.
            Some(endpoint) => match endpoint.read() {
                HostPort { host, port: None } if host.contains(':') => {
                    format!("[{host}]:{}", kubernetes.api_server.service.port)
                }
                HostPort { host, port: None } => {
                    format!("{host}:{}", kubernetes.api_server.service.port)
                }
                HostPort { port: Some(_), .. } => endpoint.to_string(),
            },
            None => own.clone(),
        };
        let families = services.families();
        Cluster {
            enabled: kubernetes.enabled,
            name: name.clone(),
            cert_name: names.certificates.clone(),
            version: kubernetes.version.to_string(),
            endpoint,
            server: format!("https://{own}"),
            dns_domain: kubernetes.networking.dns_domain.to_string(),
            service_subnet: services.joined(),
            pod_subnet: pods.joined(),
            service_subnets: services.texts(),
            pod_subnets: pods.texts(),
            dns_addresses: services.dns_addresses(),
            ip_family_policy: match families.len() {
                2 => "RequireDualStack",
                _ => "SingleStack",
            },
            ip_families: families,
            verifies_kubelets: kubernetes.kubelet.verify_certificates
                && values.join_mode() == JoinMode::Service,
            kubelet_configuration: kubelet_configuration(values, services),
        }
    }
}

/// The configuration that kubeadm writes for kubelets that join, with the user's additions.
fn kubelet_configuration(values: &Values, services: &Subnets) -> Value {
    let mut configuration = json!({
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "authentication": {
            "anonymous": {"enabled": false},
            "webhook": {"enabled": true},
            "x509": {"clientCAFile": "/etc/kubernetes/pki/ca.crt"},
        },
        "authorization": {"mode": "Webhook"},
        "cgroupDriver": "systemd",
        "clusterDNS": services.dns_addresses(),
        "clusterDomain": values.kubernetes.networking.dns_domain,
        "rotateCertificates": true,
        // Somebody has to approve what kubelets ask for then.
        "serverTLSBootstrap": values.join_mode() == JoinMode::Service,
        // Otherwise a machine that shuts down kills its pods.
        "shutdownGracePeriod": "30s",
        "shutdownGracePeriodCriticalPods": "10s",
        "staticPodPath": "/etc/kubernetes/manifests",
    });
    lay_over(&mut configuration, &values.kubernetes.kubelet.config);
    configuration
}

/// Merges a map over another as values are merged: maps merge, everything else replaces, null removes.
fn lay_over(base: &mut Value, over: &Fragment) {
    let Value::Object(base) = base else { return };
    for (key, value) in over {
        match (base.get_mut(key), value) {
            (_, Value::Null) => {
                base.shift_remove(key);
            }
            (Some(below @ Value::Object(_)), Value::Object(above)) => lay_over(below, above),
            _ => {
                base.insert(key.clone(), value.clone());
            }
        }
    }
}

/// What is computed for kube-proxy inside the child.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct KubeProxy {
    #[serde(flatten)]
    pub image: ImageReference,
    #[serde(serialize_with = "null_if_empty")]
    pub affinity: Fragment,
    #[serde(serialize_with = "null_if_empty")]
    pub topology_spread_constraints: Vec<SpreadConstraint>,
    /// The complete KubeProxyConfiguration.
    pub config: Value,
}

impl KubeProxy {
    /// kube-proxy of a cluster with the pod ranges `pods`.
    pub fn new(values: &Values, pods: &Subnets) -> KubeProxy {
        let proxy = &values.kubernetes.kube_proxy;
        let mut config = json!({
            "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
            "kind": "KubeProxyConfiguration",
            "clientConnection": {"kubeconfig": "/var/lib/kube-proxy/kubeconfig.conf"},
        });
        if let (Some(pods), Value::Object(config)) = (pods.joined(), &mut config) {
            config.insert("clusterCIDR".to_owned(), pods.into());
        }
        lay_over(&mut config, &proxy.config);
        KubeProxy {
            image: ImageReference::new(&proxy.image, &image_tag(&values.kubernetes.version)),
            affinity: proxy.affinity.clone(),
            topology_spread_constraints: spread_constraints(
                proxy.keys(),
                ("k8s-app", "kube-proxy"),
            ),
            config,
        }
    }
}

/// Objects of the user's own as YAML texts.
pub fn manifest_texts(manifests: &IndexMap<FileName, ExtraManifest>) -> IndexMap<String, String> {
    let texts = manifests.iter();
    texts
        .map(|(name, manifest)| (name.to_string(), manifest_text(manifest)))
        .collect()
}

fn manifest_text(manifest: &ExtraManifest) -> String {
    match manifest {
        ExtraManifest::Text(text) => text.clone(),
        ExtraManifest::Object(object) => {
            crate::values::write::to_yaml(&Value::Object(object.clone()))
        }
    }
}
