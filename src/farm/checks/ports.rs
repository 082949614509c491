//! Ports: node ports that most clusters refuse, and processes that would listen elsewhere than they are asked.

use crate::farm::findings::Findings;
use crate::farm::spec::Values;
use crate::values::{Path, Problem};

use super::text_of;

/// The lowest port that a process without capabilities may take (man 7 ip, ip_unprivileged_port_start).
const UNPRIVILEGED: u16 = 1024;

/// Checks the ports of the control plane.
pub fn check(values: &Values, findings: &mut Findings) {
    node_ports(values, findings);
    moved_processes(values, findings);
    ports_of_the_node(values, findings);
}

/// `secure-port` moves a process, and neither its probes nor its Service.
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
        let flag = flags.get("secure-port").and_then(text_of);
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
        if port < UNPRIVILEGED {
            let problem = Problem::error(format!(
                "the agents may not take the port {port} of their node: they are not root"
            ));
            let path = Path::from("kubernetes.konnectivityAgent.ports").join(key);
            findings.record(&path, problem.help("use a port from 1024 on"));
        }
    }
}

fn node_ports(values: &Values, findings: &mut Findings) {
    let kubernetes = &values.kubernetes;
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
