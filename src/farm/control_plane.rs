//! What is computed for the control plane.

use serde::Serialize;

use super::announced;
use super::etcd_release::EtcdRelease;
use super::spec::{self, Pods, Port, ServiceType, Values};
use super::workload::{ImageReference, Workload, spread_constraints, with_pod_rule};
use crate::version::Version;

/// What is computed for etcd.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Etcd {
    #[serde(flatten)]
    pub workload: Workload,
    pub release: EtcdRelease,
    /// Every member's client URL, joined by commas.
    pub endpoints: String,
    /// Every member's name and peer URL, as `--initial-cluster` takes them.
    pub initial_cluster: String,
    /// One URL that reaches any member.
    pub client_endpoint: String,
    /// The limit of the database in bytes, if its volume has a size.
    pub quota_backend_bytes: Option<u64>,
    /// The number of members of a quorum, if one member can be lost.
    pub pdb_min_available: Option<u32>,
    /// Otherwise, how many members may be down: a node with one of one or two members could never be drained.
    pub pdb_max_unavailable: Option<u32>,
}

impl Etcd {
    /// The etcd called `name`.
    pub fn new(kubernetes: &spec::Kubernetes, name: String) -> Etcd {
        let etcd = &kubernetes.etcd;
        // The checks make sure that it is set.
        let count = etcd.replica_count.unwrap_or_default();
        let members = |port: Port| {
            (0..count)
                .map(|member| (format!("{name}-{member}"), port))
                .map(|(pod, port)| (format!("https://{pod}.{name}:{port}"), pod))
                .collect::<Vec<_>>()
        };
        let endpoints: Vec<String> = members(etcd.ports.client)
            .into_iter()
            .map(|(url, _)| url)
            .collect();
        let quorum = count / 2 + 1;
        let spares = quorum < count;
        let peers: Vec<String> = members(etcd.ports.peer)
            .into_iter()
            .map(|(url, pod)| format!("{pod}={url}"))
            .collect();
        Etcd {
            // The chart pins the tag; kubeadm chooses it by the Kubernetes version.
            workload: Workload::new(etcd, name.clone(), "latest"),
            release: EtcdRelease::of(&etcd.image),
            endpoints: endpoints.join(","),
            initial_cluster: peers.join(","),
            client_endpoint: format!("https://{name}:{}", etcd.ports.client),
            quota_backend_bytes: quota(&kubernetes.persistence),
            pdb_min_available: spares.then_some(quorum),
            pdb_max_unavailable: (!spares).then_some(1),
        }
    }
}

/// The part of its volume that a database may fill. The write-ahead log can take as much again if objects are large,
/// and a defragmentation writes the database again beside the old one.
const QUOTA: f64 = 0.4;
/// etcd warns of a larger quota (`MaxQuotaBytes` in go.etcd.io/etcd/server/v3/storage).
const GREATEST_QUOTA: f64 = 8.0 * 1024.0 * 1024.0 * 1024.0;

/// Without a quota, etcd's limit is 2 GiB: a smaller volume is full before the alarm, and etcd does not start again.
fn quota(persistence: &spec::Persistence) -> Option<u64> {
    let size = Some(*persistence.size.read()).filter(|_| persistence.enabled)?;
    let bytes = (size * QUOTA).min(GREATEST_QUOTA) as u64;
    (bytes > 0).then_some(bytes)
}

/// What is computed for etcd's periodic snapshots.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EtcdBackup {
    #[serde(flatten)]
    pub workload: Workload,
    /// The name of the volume claim, created or existing.
    pub claim_name: String,
    /// Whether kubefarm makes the backups, or `etcdctl`.
    pub by_kubefarm: bool,
}

impl EtcdBackup {
    /// The CronJob `name` with the backups of the etcd that is called `etcd`.
    pub fn new(kubernetes: &spec::Kubernetes, etcd: &str, name: String) -> EtcdBackup {
        let backup = &kubernetes.etcd.backup;
        let keys = backup.keys();
        let topology_key = backup.pod_affinity_topology_key.as_deref();
        let rule = "podAffinity";
        let existing = kubernetes.persistence.backup.existing_claim.clone();
        EtcdBackup {
            workload: Workload {
                image: ImageReference::new(&kubernetes.etcd.image, "latest"),
                affinity: with_pod_rule(
                    keys.affinity,
                    rule,
                    backup.pod_affinity,
                    topology_key,
                    etcd,
                ),
                topology_spread_constraints: spread_constraints(keys, ("app", &name)),
                name,
            },
            by_kubefarm: backup.is_by_kubefarm(),
            claim_name: existing.unwrap_or_else(|| format!("etcd-backup-{etcd}")),
        }
    }
}

/// What is computed for kube-apiserver.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ApiServer {
    #[serde(flatten)]
    pub workload: Workload,
    /// The address that it announces, unless the user's flags set one.
    pub advertise_address: Option<String>,
    /// The port that is announced with that address, if it differs from the Service's.
    pub announced_port: Option<Port>,
    /// Whether anonymous requests are limited by an AuthenticationConfiguration, which excludes the flags for OIDC.
    pub structured_authentication: bool,
}

/// The minor version since which AuthenticationConfiguration is served as v1 (KEP-3331).
const AUTHENTICATION_CONFIGURATION_V1: (u32, u32) = (1, 34);

/// The image tag of a version: a tag has no `+` (kubeadm: KubernetesVersionToImageTag).
pub fn image_tag(version: &str) -> String {
    version.replace('+', "_")
}

impl ApiServer {
    /// The kube-apiserver called `name`.
    pub fn new(values: &Values, name: String) -> ApiServer {
        let server = &values.kubernetes.api_server;
        let version = &values.kubernetes.version;
        let excludes = |flag: &String| {
            flag.starts_with("oidc-")
                || matches!(flag.as_str(), "anonymous-auth" | "authentication-config")
        };
        let announces_itself = !announced::is_ours(values);
        ApiServer {
            workload: Workload::new(server, name, &image_tag(version)),
            // Otherwise only API servers use it among themselves, and the pod's own address is right for that.
            advertise_address: server
                .service
                .load_balancer_ip
                .as_ref()
                .filter(|_| announces_itself)
                .map(ToString::to_string),
            announced_port: announced_port(server).filter(|_| announces_itself),
            structured_authentication: reader(values)
                .is_none_or(|reader| reader.minor_version() >= AUTHENTICATION_CONFIGURATION_V1)
                && !server.extra_args.keys().any(excludes),
        }
    }
}

/// The version of the API server, which its image's own tag decides.
pub fn reader(values: &Values) -> Option<Version> {
    let tag = values.kubernetes.api_server.image.tag.as_deref();
    let tagged = tag.and_then(Version::read);
    tagged.or(Version::read(&values.kubernetes.version))
}

/// An API server announces an address with the port of the process, so the Service at that address needs this port as
/// well. Node ports differ in any case.
fn announced_port(server: &spec::ApiServer) -> Option<Port> {
    let service = &server.service;
    let announced = service.load_balancer_ip.is_some()
        || matches!(server.extra_args.get("advertise-address"), Some(address) if !address.is_null());
    let served = service.port == server.port || service.kind == ServiceType::NodePort;
    (announced && !served).then_some(server.port)
}

/// The Service's port for agents of Konnectivity: the server's own, as in the charts of 0.13, unless another one is
/// set.
pub fn agents_port(server: &spec::KonnectivityServer) -> Port {
    server.service.ports.agent.unwrap_or(server.ports.agent)
}

/// The Service's port for debugging, which needs no credentials: none, unless it is set.
pub fn admin_port(server: &spec::KonnectivityServer) -> Option<Port> {
    let asked = server.service.node_ports.admin.map(|_| server.ports.admin);
    server.service.ports.admin.or(asked)
}
