//! How machines join: what the chosen way needs.

use crate::farm::boot::ProjectedSecret;
use crate::farm::findings::Findings;
use crate::farm::join::verifies_addresses;
use crate::farm::spec::{JoinMode, ServiceType, Values};
use crate::values::{Path, Problem};

/// Checks that machines can join in the way that was chosen.
pub fn check(values: &Values, findings: &mut Findings) {
    chosen(values, findings);
    if values.join_mode() == JoinMode::Service {
        service(values, findings);
        secrets(values, findings);
    }
}

/// A mode that needs what is turned off.
fn chosen(values: &Values, findings: &mut Findings) {
    let kubernetes = &values.kubernetes;
    let (reason, help) = match values.join.mode {
        Some(JoinMode::Service) if !kubernetes.enabled => (
            "the join service belongs to a control plane, and kubernetes.enabled is false",
            "leave it out: machines then join with the token of the Secret that the boot server serves",
        ),
        Some(JoinMode::Service) if !kubernetes.agent.enabled => (
            "the join service is the farm's agent, and kubernetes.agent.enabled is false",
            "enable the agent, or write `token`",
        ),
        Some(JoinMode::Token) if !values.token_generator.enabled => (
            "there is no token: tokenGenerator.enabled is false",
            "enable it, or write `service` or `none`",
        ),
        _ => return,
    };
    findings.record(&Path::from("join.mode"), Problem::error(reason).help(help));
}

/// Machines need an address, and the agent has to see theirs.
fn service(values: &Values, findings: &mut Findings) {
    let service = &values.kubernetes.agent.service;
    let path = Path::from("kubernetes.agent.service");
    if service.load_balancer_ip.is_none()
        && (!service.enabled || service.kind != ServiceType::LoadBalancer)
    {
        let problem = Problem::warning(
            "the join service gets no address for machines to connect to: they cannot join",
        );
        let key = if service.enabled { "type" } else { "enabled" };
        findings.record(
            &path.join(key),
            problem.help("set kubernetes.agent.service.loadBalancerIP to the address at which machines reach it"),
        );
    }
    if service.enabled && service.kind == ServiceType::NodePort && service.node_port.is_none() {
        let problem = Problem::warning("machines do not know the node port: they cannot join");
        findings.record(
            &path.join("type"),
            problem.help("set kubernetes.agent.service.nodePort"),
        );
    }
    if !verifies_addresses(values) {
        let problem = Problem::warning(
            "the join service does not see where requests come from: whoever reaches it may ask in the name of any \
             machine that is not alive",
        );
        findings.record(
            &path.join("externalTrafficPolicy"),
            problem.help("write `Local`"),
        );
    }
}

/// What nodes get when they join has to be a Secret as a volume takes it.
fn secrets(values: &Values, findings: &mut Findings) {
    let path = Path::from("ltsp.config.extraProjectedItems");
    for (index, source) in values.ltsp.config.extra_projected_items.iter().enumerate() {
        let Some(secret) = source.get("secret") else {
            continue;
        };
        let path = path.join(index).join("secret");
        match serde_json::from_value::<ProjectedSecret>(secret.clone()) {
            Ok(secret) if !secret.name.is_empty() => {}
            Ok(_) => findings.error(&path, "the Secret has no name"),
            Err(error) => findings.error(&path, format!("this is not a source of files: {error}")),
        }
    }
}
