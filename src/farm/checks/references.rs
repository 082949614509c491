//! Components that are disabled or moved while another one needs them.

use crate::farm::findings::Findings;
use crate::farm::known::{KUBE_PROXY, ProgramVersion, Support};
use crate::farm::spec::{JoinMode, KonnectivityMode, ServiceType, Values};
use crate::values::{Path, Problem};

/// Checks that the parts of a farm can reach each other.
pub fn check(values: &Values, findings: &mut Findings) {
    if values.kubernetes.enabled {
        external_etcd(values, findings);
        api_server(values, findings);
        konnectivity(values, findings);
        joining_nodes(values, findings);
        kube_proxy_flags(values, findings);
    }
    boot_address(values, findings);
}

/// Without etcd in the farm, there has to be another one.
fn external_etcd(values: &Values, findings: &mut Findings) {
    let kubernetes = &values.kubernetes;
    if kubernetes.etcd.enabled {
        return;
    }
    let servers = kubernetes.api_server.extra_args.get("etcd-servers");
    if kubernetes.api_server.enabled && servers.is_none_or(serde_json::Value::is_null) {
        let problem = Problem::error("the API server has no etcd: no address of one is set");
        findings.record(
            &Path::from("kubernetes.etcd.enabled"),
            problem.help("set kubernetes.apiServer.extraArgs.etcd-servers, and keep the client certificate in the Secret PREFIX-pki-apiserver-etcd-client"),
        );
    }
    if kubernetes.etcd.backup.enabled {
        let problem = Problem::error("this farm has no etcd to take snapshots of");
        findings.record(
            &Path::from("kubernetes.etcd.backup.enabled"),
            problem.help("kubernetes.etcd.enabled is false; take snapshots where that etcd runs"),
        );
    }
}

/// Every kubeconfig in the admin cluster has the name of the API server's Service. Only a warning: the user may create
/// another one with that name.
fn api_server(values: &Values, findings: &mut Findings) {
    let kubernetes = &values.kubernetes;
    let server = &kubernetes.api_server;
    let konnectivity = &kubernetes.konnectivity_server;
    let by_socket = konnectivity.mode == KonnectivityMode::Grpc;
    let clients: Vec<&str> = [
        ("controllerManager", kubernetes.controller_manager.enabled),
        ("scheduler", kubernetes.scheduler.enabled),
        ("admin", kubernetes.admin.enabled),
        ("admin.job", kubernetes.admin.job.enabled),
        (
            "konnectivityServer",
            konnectivity.enabled && (server.enabled || !by_socket),
        ),
        ("tokenGenerator", values.join_mode() == JoinMode::Token),
        ("agent", kubernetes.agent.enabled),
    ]
    .into_iter()
    .filter_map(|(client, enabled)| enabled.then_some(client))
    .collect();
    let path = Path::from("kubernetes.apiServer");
    let path = match (server.enabled, server.service.enabled) {
        (false, _) => path.join("enabled"),
        (true, false) => path.join("service").join("enabled"),
        (true, true) => return,
    };
    if !clients.is_empty() {
        let problem = Problem::warning(format!(
            "the API server's Service is disabled, but needed by {}",
            clients.join(", ")
        ));
        let help = "create a Service PREFIX-apiserver yourself, or disable these as well";
        findings.record(&path, problem.help(help));
    }
    if !server.enabled && konnectivity.enabled && by_socket {
        let problem = Problem::error("with mode GRPC the server runs in the API server's pods");
        findings.record(
            &Path::from("kubernetes.konnectivityServer.enabled"),
            problem.help("kubernetes.apiServer.enabled is false; use mode HTTPConnect"),
        );
    }
}

/// API servers (HTTPConnect) and agents connect to the Service of Konnectivity's server.
fn konnectivity(values: &Values, findings: &mut Findings) {
    let kubernetes = &values.kubernetes;
    let server = &kubernetes.konnectivity_server;
    if !server.enabled || server.service.enabled {
        return;
    }
    let message = match server.mode {
        KonnectivityMode::HttpConnect if kubernetes.api_server.enabled => {
            "the API server connects to this Service, and has no other route to nodes and pods"
        }
        KonnectivityMode::Grpc if kubernetes.konnectivity_agent.enabled => {
            "no Service has the port that the agents connect to"
        }
        _ => return,
    };
    let help = "leave it enabled, or create a Service for the server yourself";
    findings.record(
        &Path::from("kubernetes.konnectivityServer.service.enabled"),
        Problem::warning(message).help(help),
    );
}

/// If nodes get the Service's name as the endpoint, they also get its address, and cannot join without one.
fn joining_nodes(values: &Values, findings: &mut Findings) {
    let kubernetes = &values.kubernetes;
    let service = &kubernetes.api_server.service;
    let join = values.join_mode();
    if join == JoinMode::Nothing
        || !kubernetes.api_server.enabled
        || !service.enabled
        || service.kind == ServiceType::LoadBalancer
        || kubernetes.control_plane_endpoint.is_some()
    {
        return;
    }
    let consequence = if join == JoinMode::Token {
        "the Job that creates join tokens fails"
    } else {
        "nodes cannot join"
    };
    let problem = Problem::warning(format!(
        "a Service of type {:?} gets no address for nodes to connect to: {consequence}",
        service.kind
    ));
    findings.record(
        &Path::from("kubernetes.apiServer.service.type"),
        problem.help("set kubernetes.controlPlaneEndpoint to the address at which nodes reach the API server"),
    );
}

/// The Job that publishes the boot server's address waits for the one that a load balancer gives.
fn boot_address(values: &Values, findings: &mut Findings) {
    let ltsp = &values.ltsp;
    let service = &ltsp.service;
    let waits = ltsp.enabled && ltsp.publish_dhcp && service.load_balancer_ip.is_none();
    if !waits || !service.enabled || service.kind == ServiceType::LoadBalancer {
        return;
    }
    let problem = Problem::warning(format!(
        "a Service of type {:?} gets no address for DHCP clients: the Job that publishes it fails",
        service.kind
    ));
    findings.record(
        &Path::from("ltsp.service.type"),
        problem.help("set ltsp.service.loadBalancerIP to the address at which nodes reach the boot server, or \
                      set ltsp.publishDHCP: false"),
    );
}

/// Beside --config kube-proxy reads few flags (cmd/kube-proxy/app/options.go): these, and those of logging.
const PROXY_FLAGS: [&str; 8] = [
    "cleanup",
    "hostname-override",
    "init-only",
    "master",
    "v",
    "version",
    "vmodule",
    "write-config-to",
];

fn kube_proxy_flags(values: &Values, findings: &mut Findings) {
    let proxy = &values.kubernetes.kube_proxy;
    if !proxy.enabled || proxy.extra_args.contains_key("config") {
        return;
    }
    let version = ProgramVersion::of(&KUBE_PROXY, &proxy.image, &values.kubernetes.version);
    for (flag, value) in &proxy.extra_args {
        let read = PROXY_FLAGS.contains(&flag.as_str()) || flag.starts_with("log");
        let known = version.flag(flag) == Support::Supported;
        if read || !known || value.is_null() {
            continue;
        }
        let path = Path::from("kubernetes.kubeProxy.extraArgs").join(flag.as_str());
        let problem =
            Problem::warning("kube-proxy ignores this flag because it has a configuration file");
        findings.record_key(&path, problem.help("set it in kubernetes.kubeProxy.config"));
    }
}
