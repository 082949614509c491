//! Konnectivity: whether servers and agents can reach each other.

use crate::farm::control_plane::admin_port;
use crate::farm::findings::Findings;
use crate::farm::konnectivity_agent::{KonnectivityAgent, agents_port_is_unknown};
use crate::farm::spec::{KonnectivityMode, Pods, Service, Values};
use crate::values::{Path, Problem};

/// Checks Konnectivity's values.
pub fn check(values: &Values, findings: &mut Findings) {
    let kubernetes = &values.kubernetes;
    route_to_pods(values, findings);
    if kubernetes.konnectivity_server.enabled {
        unused_pod_keys(values, findings);
        server_count(values, findings);
        server_ports(values, findings);
    }
    if kubernetes.konnectivity_agent.enabled {
        agents(values, findings);
    }
}

/// The API server runs in the admin cluster, and calls webhooks and aggregated APIs at the addresses of pods of the child.
fn route_to_pods(values: &Values, findings: &mut Findings) {
    let kubernetes = &values.kubernetes;
    let server = &kubernetes.api_server;
    let is_set = kubernetes.networking.pods_are_routed.is_some();
    let other_way = server.extra_args.get("egress-selector-config-file");
    if !kubernetes.enabled
        || !server.enabled
        || kubernetes.konnectivity_server.enabled
        || is_set
        || other_way.is_some_and(|file| !file.is_null())
    {
        return;
    }
    let problem = Problem::warning(
        "webhooks and aggregated APIs (metrics-server) need a route from the API server to pods of the child \
         cluster, and none is configured",
    );
    // The value is not set, so there is no place to report.
    let path = Path::from("kubernetes.networking.podsAreRouted");
    let problem = problem.help("enable kubernetes.konnectivityServer and konnectivityAgent (-f \
                                builtin:konnectivity); or set this to true if pods of the admin cluster have \
                                routes to the child's pods, to false if nothing needs one");
    findings.add(problem.about(path));
}

/// In mode GRPC the server has no pods of its own.
fn unused_pod_keys(values: &Values, findings: &mut Findings) {
    let server = &values.kubernetes.konnectivity_server;
    if server.mode != KonnectivityMode::Grpc {
        return;
    }
    unused_service_keys(values, findings);
    let keys = server.keys();
    let path = Path::from("kubernetes.konnectivityServer");
    for (key, unset) in [
        ("labels", keys.labels.is_empty()),
        ("annotations", keys.annotations.is_empty()),
        ("nodeSelector", keys.node_selector.is_empty()),
        ("tolerations", keys.tolerations.is_empty()),
        ("affinity", keys.affinity.is_empty()),
        (
            "topologySpreadConstraints",
            keys.topology_spread_constraints.is_empty(),
        ),
    ] {
        if !unset {
            let problem = Problem::warning(
                "with mode GRPC this has no effect: the server is a container in the API server's pods",
            );
            findings.record(
                &path.join(key),
                problem.help(format!("set kubernetes.apiServer.{key}")),
            );
        }
    }
}

/// Servers send their number to agents, which connect to as many.
fn server_count(values: &Values, findings: &mut Findings) {
    let server = &values.kubernetes.konnectivity_server;
    let (path, counted) = match server.mode {
        KonnectivityMode::Grpc => (
            "kubernetes.apiServer",
            values.kubernetes.api_server.replica_count,
        ),
        KonnectivityMode::HttpConnect => ("kubernetes.konnectivityServer", server.replica_count),
    };
    let is_set = matches!(server.extra_args.get("server-count"), Some(count) if !count.is_null());
    if counted.is_none() && !is_set {
        let problem = Problem::error("Konnectivity's agents must know how many servers there are");
        findings.record(
            &Path::from(path).join("replicaCount"),
            problem.help(
                "set it, or set server-count in kubernetes.konnectivityServer.extraArgs to the \
                          largest number that there will be",
            ),
        );
    }
}

/// The keys of its Service that have no effect in mode GRPC.
fn unused_service_keys(values: &Values, findings: &mut Findings) {
    let server = &values.kubernetes.konnectivity_server;
    let keys = server.service.keys();
    for (key, is_set) in [
        ("loadBalancerClass", keys.load_balancer_class.is_some()),
        (
            "loadBalancerSourceRanges",
            !keys.load_balancer_source_ranges.is_empty(),
        ),
        (
            "allocateLoadBalancerNodePorts",
            keys.allocate_load_balancer_node_ports.is_some(),
        ),
        (
            "externalTrafficPolicy",
            keys.external_traffic_policy.is_some(),
        ),
        ("ipFamilyPolicy", keys.ip_family_policy.is_some()),
        ("ipFamilies", !keys.ip_families.is_empty()),
    ] {
        if is_set {
            let problem = Problem::warning(
                "with mode GRPC this has no effect: agents connect through the API server's Service",
            );
            let path = Path::from("kubernetes.konnectivityServer.service").join(key);
            findings.record(
                &path,
                problem.help(format!("set kubernetes.apiServer.service.{key}")),
            );
        }
    }
}

fn server_ports(values: &Values, findings: &mut Findings) {
    let server = &values.kubernetes.konnectivity_server;
    let service = Path::from("kubernetes.konnectivityServer.service");
    if server.mode == KonnectivityMode::HttpConnect && admin_port(server).is_some() {
        let problem = Problem::warning("this port requires no credentials");
        let key = match server.service.node_ports.admin {
            Some(_) => "nodePorts",
            None => "ports",
        };
        findings.record(
            &service.join(key).join("admin"),
            problem.help("leave it out: metrics and debugging are on the port of the pods"),
        );
    }
}

fn agents(values: &Values, findings: &mut Findings) {
    let kubernetes = &values.kubernetes;
    let (agent, server) = (
        &kubernetes.konnectivity_agent,
        &kubernetes.konnectivity_server,
    );
    if !server.enabled {
        findings.warning(
            &Path::from("kubernetes.konnectivityAgent.enabled"),
            "an agent without a server: kubernetes.konnectivityServer.enabled is false",
        );
    }
    let model = KonnectivityAgent::new(values);
    if model.proxy_server_host.is_none() && !agent.extra_args.contains_key("proxy-server-host") {
        let service = match server.mode {
            KonnectivityMode::Grpc => "kubernetes.apiServer.service.loadBalancerIP",
            KonnectivityMode::HttpConnect => "kubernetes.konnectivityServer.service.loadBalancerIP",
        };
        let arguments = Path::from("kubernetes.konnectivityAgent.extraArgs");
        if [Path::from(service), arguments]
            .iter()
            .any(|path| findings.is_wrong_inside(path))
        {
            return;
        }
        let problem = Problem::error("the agents do not know the address of their server");
        findings.record(
            &Path::from("kubernetes.konnectivityAgent.enabled"),
            problem.help(format!(
                "set {service}, or proxy-server-host in konnectivityAgent.extraArgs"
            )),
        );
    }
    unknown_port(values, findings);
}

/// The node port that a Service is given is not known before it exists.
fn unknown_port(values: &Values, findings: &mut Findings) {
    let kubernetes = &values.kubernetes;
    let server = &kubernetes.konnectivity_server;
    if !server.enabled || !server.service.enabled || !agents_port_is_unknown(values) {
        return;
    }
    let address = match server.mode {
        KonnectivityMode::Grpc => &kubernetes.api_server.service.load_balancer_ip,
        KonnectivityMode::HttpConnect => &server.service.load_balancer_ip,
    };
    // At such an address another system may forward the usual port to the node port.
    let forwarded = address.is_some() || kubernetes.control_plane_endpoint.is_some();
    let message = "the agents connect to a node port, which is not known before the Service exists";
    let problem = if forwarded {
        Problem::warning(message)
    } else {
        Problem::error(message)
    };
    findings.record(
        &Path::from("kubernetes.konnectivityAgent.enabled"),
        problem.help("set kubernetes.konnectivityServer.service.nodePorts.agent, or proxy-server-port in konnectivityAgent.extraArgs"),
    );
}
