//! The control plane as the templates see it.

use std::num::NonZeroU32;

use serde::Serialize;

use super::announced;
use super::etcd_release::EtcdRelease;
use super::schedule::with_own_minute;
use super::service::{OnePortService, Service};
use super::spec::{
    self, Component, EtcdPorts, Flags, Fragment, KonnectivityMode, KonnectivityNodePorts,
    KonnectivityPorts, KonnectivityServicePorts, ServiceType, TextMap, Values,
};
use super::syntax::minor_version;
use super::workload::{
    ImageReference, Workload, some_fragment, some_list, some_text, spread_constraints,
    with_pod_rule,
};

/// etcd.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Etcd {
    #[serde(flatten)]
    pub workload: Workload,
    pub extra_args: Flags,
    pub release: EtcdRelease,
    pub ports: EtcdPorts,
    pub service: Service<EtcdPorts>,
    /// Every member's client URL, joined by commas.
    pub endpoints: String,
    /// Every member's name and peer URL, as `--initial-cluster` takes them.
    pub initial_cluster: String,
    /// One URL that reaches any member.
    pub client_endpoint: String,
    /// How large the database may become, where its volume says so.
    pub quota_backend_bytes: Option<u64>,
    /// How many members make a quorum, where it can spare one.
    pub pdb_min_available: Option<u32>,
    /// Otherwise, how many may be away: a node with one of one or two members could never be drained.
    pub pdb_max_unavailable: Option<u32>,
}

impl Etcd {
    /// etcd of the control plane whose objects begin with `prefix`.
    pub fn new(kubernetes: &spec::Kubernetes, prefix: &str) -> Etcd {
        let etcd = &kubernetes.etcd;
        let name = format!("{prefix}-etcd");
        // The checks see to it that there is one.
        let count = etcd.replica_count.unwrap_or_default();
        let members = |port: u16| {
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
            // The tag is pinned in the chart; kubeadm names it with the Kubernetes version.
            workload: Workload::new(etcd, name.clone(), "latest"),
            extra_args: etcd.extra_args.clone(),
            release: EtcdRelease::of(&etcd.image),
            ports: etcd.ports.clone(),
            service: Service {
                enabled: etcd.service.enabled,
                reach: etcd.service.keys().into(),
                ports: etcd.service.ports.clone(),
                labels: some_text(&etcd.service.labels),
                annotations: some_text(&etcd.service.annotations),
            },
            endpoints: endpoints.join(","),
            initial_cluster: peers.join(","),
            client_endpoint: format!("https://{name}:{}", etcd.ports.client),
            quota_backend_bytes: quota(&kubernetes.persistence),
            pdb_min_available: spares.then_some(quorum),
            pdb_max_unavailable: (!spares).then_some(1),
        }
    }
}

/// How much of its volume a database may fill. The write-ahead log took as much again where objects were large, and a
/// defragmentation writes the database anew beside the old one.
const QUOTA: f64 = 0.4;
/// etcd warns of a larger quota (`MaxQuotaBytes` in go.etcd.io/etcd/server/v3/storage).
const GREATEST_QUOTA: f64 = 8.0 * 1024.0 * 1024.0 * 1024.0;

/// Without it etcd takes 2 GiB for granted: a smaller volume is full before the alarm, and etcd does not start again.
fn quota(persistence: &spec::Persistence) -> Option<u64> {
    let size = Some(*persistence.size.read()).filter(|_| persistence.enabled)?;
    let bytes = (size * QUOTA).min(GREATEST_QUOTA) as u64;
    (bytes > 0).then_some(bytes)
}

/// etcd's periodic snapshots.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EtcdBackup {
    #[serde(flatten)]
    pub workload: Workload,
    pub schedule: String,
    pub active_deadline_seconds: Option<NonZeroU32>,
    pub successful_jobs_history_limit: Option<u32>,
    pub failed_jobs_history_limit: Option<u32>,
    pub extra_args: Flags,
}

impl EtcdBackup {
    /// The backups of `etcd`, whose workload is `server`, in `namespace`.
    pub fn new(etcd: &spec::Etcd, server: &Workload, namespace: &str) -> EtcdBackup {
        let backup = &etcd.backup;
        let name = format!("{}-backup", server.name);
        let affinity = with_pod_rule(
            &backup.affinity,
            "podAffinity",
            backup.pod_affinity,
            backup.pod_affinity_topology_key.as_deref(),
            &server.name,
        );
        EtcdBackup {
            schedule: with_own_minute(&backup.schedule, namespace, &name),
            active_deadline_seconds: backup.active_deadline_seconds,
            workload: Workload {
                enabled: backup.enabled,
                image: ImageReference::new(etcd.keys().image, "latest"),
                replicas: Some(1),
                resources: some_fragment(&backup.resources),
                labels: some_text(&backup.labels),
                annotations: some_text(&backup.annotations),
                pod_labels: some_text(&backup.pod_labels),
                pod_annotations: some_text(&backup.pod_annotations),
                node_selector: some_text(&backup.node_selector),
                tolerations: some_list(&backup.tolerations),
                affinity: some_fragment(&affinity),
                priority_class_name: backup.priority_class_name.clone(),
                topology_spread_constraints: spread_constraints(
                    &backup.topology_spread_constraints,
                    &name,
                ),
                extra_env: backup.extra_env.clone(),
                sidecars: backup.sidecars.clone(),
                extra_volumes: backup.extra_volumes.clone(),
                extra_volume_mounts: backup.extra_volume_mounts.clone(),
                name,
            },
            successful_jobs_history_limit: backup.successful_jobs_history_limit,
            failed_jobs_history_limit: backup.failed_jobs_history_limit,
            extra_args: backup.extra_args.clone(),
        }
    }
}

/// kube-apiserver.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ApiServer {
    #[serde(flatten)]
    pub workload: Workload,
    pub extra_args: Flags,
    pub port: u16,
    pub service: OnePortService,
    /// What it announces, where it does and the user's flags do not say it.
    pub advertise_address: Option<String>,
    /// The port that is announced with that address, where the Service has another one.
    pub announced_port: Option<u16>,
    /// Whether anonymous requests are limited by an AuthenticationConfiguration, which excludes the flags for OIDC.
    pub structured_authentication: bool,
}

/// The minor version since which AuthenticationConfiguration is served as v1 (KEP-3331).
const AUTHENTICATION_CONFIGURATION_V1: u32 = 34;

/// The image tag of a version: a tag has no `+` (kubeadm: KubernetesVersionToImageTag).
pub fn image_tag(version: &str) -> String {
    version.replace('+', "_")
}

impl ApiServer {
    /// kube-apiserver of the control plane whose objects begin with `prefix`.
    pub fn new(values: &Values, prefix: &str) -> ApiServer {
        let server = &values.kubernetes.api_server;
        let version = &values.kubernetes.version;
        let excludes = |flag: &String| {
            flag.starts_with("oidc-")
                || matches!(flag.as_str(), "anonymous-auth" | "authentication-config")
        };
        let announces_itself = !announced::is_ours(values);
        // The image's own tag says what will read the configuration.
        let tag = server.image.tag.as_deref();
        let minor = tag.and_then(minor_version).or(minor_version(version));
        ApiServer {
            workload: Workload::new(server, format!("{prefix}-apiserver"), &image_tag(version)),
            extra_args: server.extra_args.clone(),
            port: server.port,
            service: (&server.service).into(),
            // Otherwise it is of no use but to each other, and the pod's own address is right for that.
            advertise_address: server
                .service
                .load_balancer_ip
                .as_ref()
                .filter(|_| announces_itself)
                .map(ToString::to_string),
            announced_port: announced_port(server).filter(|_| announces_itself),
            structured_authentication: minor
                .is_none_or(|minor| minor >= AUTHENTICATION_CONFIGURATION_V1)
                && !server.extra_args.keys().any(excludes),
        }
    }
}

/// What an API server announces is an address with the port of the process, so that the Service at that address has to
/// have this port as well. Node ports are others anyway.
fn announced_port(server: &spec::ApiServer) -> Option<u16> {
    let service = &server.service;
    let announced = service.load_balancer_ip.is_some()
        || matches!(server.extra_args.get("advertise-address"), Some(address) if !address.is_null());
    let served = service.port == server.port || service.kind == ServiceType::NodePort;
    (announced && !served).then_some(server.port)
}

/// kube-controller-manager or kube-scheduler.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Controller {
    #[serde(flatten)]
    pub workload: Workload,
    pub extra_args: Flags,
    pub port: u16,
    pub service: OnePortService,
}

impl Controller {
    /// kube-controller-manager of the control plane whose objects begin with `prefix`.
    pub fn manager(values: &Values, prefix: &str) -> Controller {
        let manager = &values.kubernetes.controller_manager;
        let name = format!("{prefix}-controller-manager");
        Controller {
            workload: Workload::new(manager, name, &image_tag(&values.kubernetes.version)),
            extra_args: manager.extra_args.clone(),
            port: manager.port,
            service: (&manager.service).into(),
        }
    }

    /// kube-scheduler of the control plane whose objects begin with `prefix`.
    pub fn scheduler(values: &Values, prefix: &str) -> Controller {
        let scheduler = &values.kubernetes.scheduler;
        let name = format!("{prefix}-scheduler");
        Controller {
            workload: Workload::new(scheduler, name, &image_tag(&values.kubernetes.version)),
            extra_args: scheduler.extra_args.clone(),
            port: scheduler.port,
            service: (&scheduler.service).into(),
        }
    }
}

/// The admin pod, and the Job that sets the child cluster up.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Admin {
    #[serde(flatten)]
    pub workload: Workload,
    pub job: BootstrapJob,
}

/// The Job that sets the child cluster up.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BootstrapJob {
    pub enabled: bool,
    pub schedule: String,
    pub active_deadline_seconds: Option<NonZeroU32>,
    pub successful_jobs_history_limit: Option<u32>,
    pub failed_jobs_history_limit: Option<u32>,
    pub labels: Option<TextMap>,
    pub annotations: Option<TextMap>,
    /// The user's affinity alone: Jobs need not keep apart from the admin pods.
    pub affinity: Option<Fragment>,
}

impl Admin {
    /// The admin pod in `namespace` of the control plane whose objects begin with `prefix`.
    pub fn new(admin: &spec::Admin, prefix: &str, namespace: &str, own_tag: &str) -> Admin {
        let bootstrap = format!("{prefix}-bootstrap");
        Admin {
            workload: Workload::new(admin, format!("{prefix}-admin"), own_tag),
            job: BootstrapJob {
                enabled: admin.job.enabled,
                schedule: with_own_minute(&admin.job.schedule, namespace, &bootstrap),
                active_deadline_seconds: admin.job.active_deadline_seconds,
                successful_jobs_history_limit: admin.job.successful_jobs_history_limit,
                failed_jobs_history_limit: admin.job.failed_jobs_history_limit,
                labels: some_text(&admin.job.labels),
                annotations: some_text(&admin.job.annotations),
                affinity: some_fragment(&admin.affinity),
            },
        }
    }
}

/// Konnectivity's server.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct KonnectivityServer {
    #[serde(flatten)]
    pub workload: Workload,
    pub extra_args: Flags,
    pub mode: KonnectivityMode,
    pub ports: KonnectivityPorts,
    pub service: KonnectivityService,
}

/// Konnectivity's Service.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct KonnectivityService {
    #[serde(flatten)]
    pub service: Service<KonnectivityServicePorts>,
    pub node_ports: KonnectivityNodePorts,
    /// Whether it has the port `admin`.
    pub admin: bool,
}

/// The ports of its Service in the charts' defaults. One that is still there follows the server's own, as in the charts
/// of 0.13, or is not opened at all.
const DEFAULT_AGENTS_PORT: u16 = 8132;
const DEFAULT_ADMIN_PORT: u16 = 8133;

/// The port at which a Service sends agents to the server.
pub fn agents_port(server: &spec::KonnectivityServer) -> u16 {
    match server.service.ports.agent {
        DEFAULT_AGENTS_PORT => server.ports.agent,
        port => port,
    }
}

/// Whether the Service was asked to have the port for debugging, which takes no credentials.
pub fn opens_admin_port(service: &spec::KonnectivityService) -> bool {
    service.ports.admin != DEFAULT_ADMIN_PORT || service.node_ports.admin.is_some()
}

impl KonnectivityServer {
    /// Konnectivity's server of the control plane whose objects begin with `prefix`.
    pub fn new(server: &spec::KonnectivityServer, prefix: &str) -> KonnectivityServer {
        let name = format!("{prefix}-konnectivity-server");
        let service = &server.service;
        KonnectivityServer {
            workload: Workload::new(server, name, "latest"),
            extra_args: server.extra_args.clone(),
            mode: server.mode,
            ports: server.ports.clone(),
            service: KonnectivityService {
                service: Service {
                    enabled: service.enabled,
                    reach: service.keys().into(),
                    ports: KonnectivityServicePorts {
                        agent: agents_port(server),
                        ..service.ports.clone()
                    },
                    labels: some_text(&service.labels),
                    annotations: some_text(&service.annotations),
                },
                node_ports: service.node_ports.clone(),
                admin: opens_admin_port(service),
            },
        }
    }
}
