//! Ports: node ports that most clusters refuse, and processes that would listen on another port than is expected.

use crate::farm::control_plane::{admin_port, agents_port};
use crate::farm::findings::Findings;
use crate::farm::spec::{EtcdPorts, ServiceType, Values};
use crate::values::{Path, Problem};

/// The lowest port that a process without capabilities may listen on (man 7 ip, ip_unprivileged_port_start).
const UNPRIVILEGED: u16 = 1024;

/// Checks the ports of the control plane.
pub fn check(values: &Values, findings: &mut Findings) {
    node_ports(values, findings);
    one_process_each(values, findings);
    moved_processes(values, findings);
    ports_of_the_node(values, findings);
}

/// The ports of a pod, and those of a Service, must differ.
fn one_process_each(values: &Values, findings: &mut Findings) {
    let kubernetes = &values.kubernetes;
    let (etcd, server, agent) = (
        &kubernetes.etcd,
        &kubernetes.konnectivity_server,
        &kubernetes.konnectivity_agent,
    );
    let etcd_ports = |ports: &EtcdPorts| {
        vec![
            ("client", ports.client),
            ("peer", ports.peer),
            ("metrics", ports.metrics),
        ]
    };
    let (own, of_service) = (&server.ports, &server.service.ports);
    let groups = [
        ("kubernetes.etcd.ports", etcd_ports(&etcd.ports)),
        (
            "kubernetes.etcd.service.ports",
            etcd_ports(&etcd.service.ports),
        ),
        (
            "kubernetes.konnectivityServer.ports",
            vec![
                ("server", own.server),
                ("agent", own.agent),
                ("admin", own.admin),
                ("health", own.health),
            ],
        ),
        (
            "kubernetes.konnectivityServer.service.ports",
            [
                Some(("server", of_service.server)),
                Some(("agent", agents_port(server))),
                admin_port(server).map(|port| ("admin", port)),
            ]
            .into_iter()
            .flatten()
            .collect(),
        ),
        (
            "kubernetes.konnectivityAgent.ports",
            vec![("admin", agent.ports.admin), ("health", agent.ports.health)],
        ),
        (
            "kubernetes.agent",
            vec![
                ("port", kubernetes.agent.port),
                ("metricsPort", kubernetes.agent.metrics_port),
            ],
        ),
        (
            "kubernetes.apiServer",
            vec![("port", kubernetes.api_server.port)],
        ),
        (
            "kubernetes.controllerManager",
            vec![("port", kubernetes.controller_manager.port)],
        ),
        (
            "kubernetes.scheduler",
            vec![("port", kubernetes.scheduler.port)],
        ),
        (
            "kubernetes.apiServer.service",
            vec![("port", kubernetes.api_server.service.port)],
        ),
        (
            "kubernetes.controllerManager.service",
            vec![("port", kubernetes.controller_manager.service.port)],
        ),
        (
            "kubernetes.scheduler.service",
            vec![("port", kubernetes.scheduler.service.port)],
        ),
    ];
    for (path, ports) in groups {
        let path = Path::from(path);
        for (index, (key, port)) in ports.iter().enumerate() {
            let mut others = ports.iter().take(index).chain(ports.iter().skip(index + 1));
            let other = others.find(|(_, other)| other == port);
            let other = other.filter(|(other, _)| blames(findings, &path, key, other));
            if let Some((other, _)) = other {
                let message = format!("{port} is already the port of `{other}`");
                findings.error(&path.join(*key), message);
            }
        }
    }
}

/// Whether a clash of `key` and `other` is reported at `key`: it is the one that the user wrote, or the later of two.
fn blames(findings: &Findings, path: &Path, key: &str, other: &str) -> bool {
    let position = |key: &str| findings.position(&path.join(key));
    position(key) > position(other)
}

/// `secure-port` changes the port of a process, but not of its probes and its Service.
fn moved_processes(values: &Values, findings: &mut Findings) {
    let kubernetes = &values.kubernetes;
    let (server, manager, scheduler) = (
        &kubernetes.api_server,
        &kubernetes.controller_manager,
        &kubernetes.scheduler,
    );
    for (component, port, flags) in [
        ("apiServer", server.port, &server.extra_args),
        ("controllerManager", manager.port, &manager.extra_args),
        ("scheduler", scheduler.port, &scheduler.extra_args),
    ] {
        let flag = flags.text("secure-port");
        if flag.is_some_and(|flag| flag != port.to_string()) {
            let path = Path::from("kubernetes").join(component);
            let problem = Problem::error("the probes and the Service do not follow this flag");
            let help = format!("set kubernetes.{component}.port, which all of them follow");
            findings.record(
                &path.join("extraArgs").join("secure-port"),
                problem.help(help),
            );
        }
    }
}

/// Pods with the network of their node cannot lower the bound (kubernetes.io, "Using sysctls in a Kubernetes Cluster").
fn ports_of_the_node(values: &Values, findings: &mut Findings) {
    let agent = &values.kubernetes.konnectivity_agent;
    if !agent.enabled || !agent.host_network {
        return;
    }
    for (key, port) in [("admin", agent.ports.admin), ("health", agent.ports.health)] {
        if port.get() < UNPRIVILEGED {
            let problem = Problem::error(format!(
                "the agents cannot listen on port {port} of their node: they do not run as root"
            ));
            let path = Path::from("kubernetes.konnectivityAgent.ports").join(key);
            findings.record(&path, problem.help("use a port from 1024 on"));
        }
    }
}

fn node_ports(values: &Values, findings: &mut Findings) {
    let kubernetes = &values.kubernetes;
    let service = &kubernetes.api_server.service;
    if service.kind == ServiceType::ClusterIP && service.node_port.is_some() {
        findings.warning(
            &Path::from("kubernetes.apiServer.service.nodePort"),
            "a Service of type ClusterIP has no node port",
        );
    }
    let konnectivity = &kubernetes.konnectivity_server.service.node_ports;
    for (path, port) in [
        (
            "kubernetes.apiServer.service.nodePort",
            kubernetes.api_server.service.node_port,
        ),
        (
            "kubernetes.controllerManager.service.nodePort",
            kubernetes.controller_manager.service.node_port,
        ),
        (
            "kubernetes.scheduler.service.nodePort",
            kubernetes.scheduler.service.node_port,
        ),
        (
            "kubernetes.konnectivityServer.service.nodePorts.server",
            konnectivity.server,
        ),
        (
            "kubernetes.konnectivityServer.service.nodePorts.agent",
            konnectivity.agent,
        ),
        (
            "kubernetes.konnectivityServer.service.nodePorts.admin",
            konnectivity.admin,
        ),
    ] {
        if let Some(port) = port.filter(|port| !(30000..=32767).contains(port)) {
            findings.warning(
                &Path::from(path),
                format!("{port} is outside 30000-32767, the node ports of most clusters"),
            );
        }
    }
}
