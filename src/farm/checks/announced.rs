//! The endpoints of the Service `kubernetes` inside the child cluster, by which pods reach the API server.

use std::net::IpAddr;

use crate::farm::announced::{Given, given, is_ours, may_be_balanced, port};
use crate::farm::findings::Findings;
use crate::farm::spec::{Values, scalar_text};
use crate::farm::subnets::Subnets;
use crate::values::{Path, Problem};

/// Checks the addresses at which the API server is announced inside the child cluster.
pub fn check(values: &Values, services: &Subnets, findings: &mut Findings) {
    let kubernetes = &values.kubernetes;
    if !kubernetes.enabled || !kubernetes.api_server.enabled {
        return;
    }
    if is_ours(values) {
        kept(values, services, findings)
    } else {
        by_the_servers(values, services, findings)
    }
}

fn kept(values: &Values, services: &Subnets, findings: &mut Findings) {
    let given = given(values);
    let Some(first) = given.first() else {
        if !may_be_balanced(values) {
            nowhere(values, findings);
        }
        return;
    };
    for given in &given {
        if let Some(what) = unusable(given.address) {
            let message = format!("pods would be sent to {}, {what}", given.address);
            findings.error(&given.path, message);
        } else if port(values, given.address).is_none() {
            let problem = Problem::error("the node port that pods are sent to is not known");
            let help = "set nodePort, or the port in kubernetes.controlPlaneEndpoint";
            let path = Path::from("kubernetes.apiServer.service.type");
            findings.record(&path, problem.help(help));
        }
    }
    if let Some(family) = missing(&given, services) {
        let (other, help) = other_family(first.address, family, services);
        let problem = Problem::error(format!(
            "pods would not reach the API server: their Service `kubernetes` has an {family} address, but \
             this one is {other}"
        ));
        findings.record(&first.path, problem.help(help));
    }
}

fn nowhere(values: &Values, findings: &mut Findings) {
    let problem = Problem::error(format!(
        "a Service of type {:?} gets no address, and no other is set: pods of the child cluster could not \
         reach the API server",
        values.kubernetes.api_server.service.kind
    ));
    findings.record(
        &Path::from("kubernetes.apiServer.service.type"),
        problem.help(
            "use type LoadBalancer, or set the address at which nodes reach the API server in \
             kubernetes.apiServer.extraArgs.advertise-address or kubernetes.controlPlaneEndpoint; if nodes \
             reach pods of the admin cluster, set extraArgs.endpoint-reconciler-type: lease",
        ),
    );
}

/// The API server accepts none of these as an endpoint (pkg/apis/core/validation: ValidateEndpointIP).
fn unusable(address: IpAddr) -> Option<&'static str> {
    let is_link_local = match address {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => address.is_unicast_link_local(),
    };
    match address {
        _ if address.is_unspecified() => Some("which stands for no address"),
        _ if address.is_loopback() => Some("which is the pod itself"),
        _ if address.is_multicast() => Some("a multicast address"),
        _ if is_link_local => Some("which is a different machine on each link"),
        _ => None,
    }
}

/// The family of the Service `kubernetes`, which is that of the first range, if no address is of it.
fn missing(given: &[Given], services: &Subnets) -> Option<&'static str> {
    let family = *services.families().first()?;
    let is_of_it = |given: &Given| family_of(given.address) == family;
    (!given.iter().any(is_of_it)).then_some(family)
}

/// API servers that announce themselves: each announces one address, and all of them the same.
fn by_the_servers(values: &Values, services: &Subnets, findings: &mut Findings) {
    let server = &values.kubernetes.api_server;
    let flag = server.extra_args.get("endpoint-reconciler-type");
    let kind = server.extra_args.text("endpoint-reconciler-type");
    if kind.as_deref() == Some("none") {
        return;
    }
    let path = Path::from("kubernetes.apiServer");
    let (path, address) = match server.extra_args.get("advertise-address") {
        Some(flag) => (
            path.join("extraArgs").join("advertise-address"),
            scalar_text(flag).and_then(|text| text.parse().ok()),
        ),
        None => (
            path.join("service").join("loadBalancerIP"),
            server
                .service
                .load_balancer_ip
                .as_ref()
                .map(|address| *address.read()),
        ),
    };
    let Some(address) = address else {
        return;
    };
    let given = Given { path, address };
    // cmd/kube-apiserver/app/options/validation.go
    if let Some(family) = missing(std::slice::from_ref(&given), services) {
        let (other, help) = other_family(address, family, services);
        let problem = Problem::error(format!(
            "kube-apiserver does not start: it would announce an {other} address for a Service of {family}"
        ));
        findings.record(&given.path, problem.help(help));
    } else if flag.is_some() && server.replica_count != Some(1) {
        let problem = Problem::warning(
            "each API server that stops removes the address of all of them from the Service `kubernetes` for some seconds",
        );
        findings.record(
            &Path::from("kubernetes.apiServer.extraArgs.endpoint-reconciler-type"),
            problem.help("leave the flag out: kubefarm then maintains the address there"),
        );
    }
}

/// The family of the address, and what to do if another is needed.
fn other_family(
    address: IpAddr,
    wanted: &'static str,
    services: &Subnets,
) -> (&'static str, String) {
    let family = family_of(address);
    let help = match services.families().len() {
        2 => format!("put the {family} range of kubernetes.networking.serviceSubnet first"),
        _ => {
            format!("give an {wanted} address in kubernetes.apiServer.extraArgs.advertise-address")
        }
    };
    (family, help)
}

fn family_of(address: IpAddr) -> &'static str {
    match address {
        IpAddr::V4(_) => "IPv4",
        IpAddr::V6(_) => "IPv6",
    }
}
