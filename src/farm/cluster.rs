//! The child cluster as a whole: addresses, endpoint, volumes, and what its nodes are configured with.

use std::net::IpAddr;

use indexmap::IndexMap;
use serde::Serialize;
use serde_json::{Value, json};

use super::control_plane::{agents_port, image_tag};
use super::spec::{
    self, AccessMode, ExtraManifest, FileName, Flags, Fragment, HostPort, KonnectivityMode,
    TextMap, Values, VolumeSize,
};
use super::subnets::Subnets;
use super::workload::{ImageReference, Workload, some_fragment, some_list, some_text};

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
    /// The complete KubeletConfiguration.
    pub kubelet_configuration: Value,
}

impl Cluster {
    /// The cluster whose objects begin with `name`.
    pub fn new(
        values: &Values,
        name: &str,
        cert_name: &str,
        services: &Subnets,
        pods: &Subnets,
    ) -> Cluster {
        let kubernetes = &values.kubernetes;
        let own = format!("{name}-apiserver:{}", kubernetes.api_server.service.port);
        let endpoint = match &kubernetes.control_plane_endpoint {
            // kubeadm fills a missing port with the default one, wherever the Service listens.
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
            name: name.to_owned(),
            cert_name: cert_name.to_owned(),
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
            kubelet_configuration: kubelet_configuration(values, services),
        }
    }
}

/// What kubeadm writes for kubelets that join, with the user's additions.
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
        "staticPodPath": "/etc/kubernetes/manifests",
    });
    lay_over(&mut configuration, &values.kubernetes.kubelet.config);
    configuration
}

/// Lays a map over another as values are merged: maps merge, all else replaces, null removes.
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

/// Volumes for etcd and its backups.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Persistence {
    pub enabled: bool,
    #[serde(flatten)]
    pub claim: Claim,
    pub backup: BackupVolume,
}

/// What a volume claim asks for.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Claim {
    pub access_modes: Vec<AccessMode>,
    pub size: VolumeSize,
    pub storage_class_name: Option<String>,
    pub annotations: Option<TextMap>,
    pub labels: Option<TextMap>,
    pub finalizers: Option<Vec<String>>,
}

/// The volume for etcd's backups.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BackupVolume {
    #[serde(flatten)]
    pub claim: Claim,
    pub existing_claim: Option<String>,
    pub sub_path: Option<String>,
    /// The claim's name, whoever made it.
    pub claim_name: String,
}

impl Persistence {
    /// The volumes of the etcd named `etcd`.
    pub fn new(persistence: &spec::Persistence, etcd: &str) -> Persistence {
        let backup = &persistence.backup;
        Persistence {
            enabled: persistence.enabled,
            claim: Claim {
                access_modes: persistence.access_modes.clone(),
                size: persistence.size.clone(),
                storage_class_name: persistence.storage_class_name.clone(),
                annotations: some_text(&persistence.annotations),
                labels: some_text(&persistence.labels),
                finalizers: some_list(&persistence.finalizers),
            },
            backup: BackupVolume {
                claim: Claim {
                    access_modes: backup.access_modes.clone(),
                    size: backup.size.clone(),
                    storage_class_name: backup.storage_class_name.clone(),
                    annotations: some_text(&backup.annotations),
                    labels: some_text(&backup.labels),
                    finalizers: some_list(&backup.finalizers),
                },
                existing_claim: backup.existing_claim.clone(),
                sub_path: backup.sub_path.clone(),
                claim_name: backup
                    .existing_claim
                    .clone()
                    .unwrap_or_else(|| format!("etcd-backup-{etcd}")),
            },
        }
    }
}

/// kube-proxy inside the child.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct KubeProxy {
    pub enabled: bool,
    #[serde(flatten)]
    pub image: ImageReference,
    pub resources: Option<Fragment>,
    pub node_selector: Option<TextMap>,
    pub tolerations: Option<Vec<Fragment>>,
    pub priority_class_name: Option<String>,
    pub extra_args: Flags,
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
            enabled: proxy.enabled,
            image: ImageReference::new(&proxy.image, &image_tag(&values.kubernetes.version)),
            resources: some_fragment(&proxy.resources),
            node_selector: some_text(&proxy.node_selector),
            tolerations: some_list(&proxy.tolerations),
            priority_class_name: proxy.priority_class_name.clone(),
            extra_args: proxy.extra_args.clone(),
            config,
        }
    }
}

/// CoreDNS inside the child.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Coredns {
    #[serde(flatten)]
    pub workload: Workload,
    pub extra_args: Flags,
}

impl Coredns {
    /// CoreDNS as kubeadm names it.
    pub fn new(coredns: &spec::Coredns) -> Coredns {
        Coredns {
            workload: Workload::new(coredns, "coredns".to_owned(), "latest"),
            extra_args: coredns.extra_args.clone(),
        }
    }
}

/// Konnectivity's agent inside the child.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct KonnectivityAgent {
    #[serde(flatten)]
    pub workload: Workload,
    pub extra_args: Flags,
    pub daemon_set: bool,
    pub host_network: bool,
    pub ports: spec::KonnectivityAgentPorts,
    /// Where the server is reached from the nodes; null where the user's flags say it.
    pub proxy_server_host: Option<String>,
    pub proxy_server_port: Option<u16>,
}

impl KonnectivityAgent {
    /// The agent, sent to the address that the values give its server.
    pub fn new(values: &Values) -> KonnectivityAgent {
        let agent = &values.kubernetes.konnectivity_agent;
        let (host, port) = konnectivity_address(values);
        let unless_told = |flag: &str| !agent.extra_args.contains_key(flag);
        KonnectivityAgent {
            workload: Workload::new(agent, "konnectivity-agent".to_owned(), "latest"),
            extra_args: agent.extra_args.clone(),
            daemon_set: agent.daemon_set,
            host_network: agent.host_network,
            ports: agent.ports.clone(),
            proxy_server_host: host.filter(|_| unless_told("proxy-server-host")),
            proxy_server_port: unless_told("proxy-server-port").then_some(port),
        }
    }
}

/// Whether agents are sent to a node port that is not known beforehand.
pub fn agents_port_is_unknown(values: &Values) -> bool {
    let kubernetes = &values.kubernetes;
    let own = &kubernetes.konnectivity_server.service;
    let kind = match kubernetes.konnectivity_server.mode {
        KonnectivityMode::Grpc => kubernetes.api_server.service.kind,
        KonnectivityMode::HttpConnect => own.kind,
    };
    let flags = &kubernetes.konnectivity_agent.extra_args;
    kind == spec::ServiceType::NodePort
        && own.node_ports.agent.is_none()
        && !flags.contains_key("proxy-server-port")
}

/// Where agents reach the server: at the API server's address with GRPC, else at the server's own.
fn konnectivity_address(values: &Values) -> (Option<String>, u16) {
    let kubernetes = &values.kubernetes;
    let (api, own) = (
        &kubernetes.api_server.service,
        &kubernetes.konnectivity_server.service,
    );
    let (kind, address) = match kubernetes.konnectivity_server.mode {
        KonnectivityMode::Grpc => (api.kind, &api.load_balancer_ip),
        KonnectivityMode::HttpConnect => (own.kind, &own.load_balancer_ip),
    };
    let address = address.as_ref().map(ToString::to_string);
    let endpoint = kubernetes.control_plane_endpoint.as_ref();
    let endpoint_host = endpoint.map(|endpoint| endpoint.read().host.clone());
    let host = match kubernetes.konnectivity_server.mode {
        KonnectivityMode::Grpc => address.or(endpoint_host),
        KonnectivityMode::HttpConnect => address,
    };
    let port = match (kind, own.node_ports.agent) {
        (spec::ServiceType::NodePort, Some(port)) => port,
        _ => agents_port(&kubernetes.konnectivity_server),
    };
    (host, port)
}

/// The user's manifests as texts, for the Secret that carries them.
pub fn extra_manifests(values: &Values) -> Option<IndexMap<String, String>> {
    let manifests = &values.kubernetes.extra_manifests;
    (!manifests.is_empty()).then(|| manifest_texts(manifests))
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
