//! The control plane: what Kubernetes' own servers would refuse, sooner said.

use std::net::IpAddr;

use crate::farm::findings::Findings;
use crate::farm::spec::{Component, KeyAlgorithm, KonnectivityMode, ServiceType, Values};
use crate::farm::subnets::Subnets;
use crate::farm::syntax::{
    go_duration, is_cron, is_dns_name, is_file_key, is_kubernetes_version, is_quantity,
    split_endpoint,
};
use crate::values::{Path, Problem};

/// Checks the control plane's values.
pub fn check(values: &Values, services: &Subnets, pods: &Subnets, findings: &mut Findings) {
    networking(values, services, pods, findings);
    addresses(values, findings);
    etcd(values, findings);
    times(values, findings);
    sizes(values, findings);
    node_ports(values, findings);
    konnectivity(values, findings);
    for name in values.kubernetes.extra_manifests.keys() {
        if !is_file_key(name) {
            let path = Path::from("kubernetes.extraManifests").join(name.as_str());
            findings.key_error(
                &path,
                format!("`{name}` is no file name here: letters, digits, `-`, `_` and `.`"),
            );
        }
    }
}

fn networking(values: &Values, services: &Subnets, pods: &Subnets, findings: &mut Findings) {
    let kubernetes = &values.kubernetes;
    let path = Path::from("kubernetes.networking");
    services.check_routed(&path.join("serviceSubnet"), findings);
    services.check_services(&path.join("serviceSubnet"), findings);
    pods.check_routed(&path.join("podSubnet"), findings);
    if services.overlaps(pods) {
        findings.error(
            &path.join("podSubnet"),
            "the pods' addresses overlap with the Services'",
        );
    }
    let domain = &kubernetes.networking.dns_domain;
    if !is_dns_name(domain) || domain.bytes().any(|byte| byte.is_ascii_uppercase()) {
        findings.error(
            &path.join("dnsDomain"),
            format!("`{domain}` is no lower-case DNS name"),
        );
    }
    if !is_kubernetes_version(&kubernetes.version) {
        let problem = Problem::error(format!("`{}` is no Kubernetes version", kubernetes.version));
        findings.record(
            &Path::from("kubernetes.version"),
            problem.help("write it in full and with its v: v1.37.2"),
        );
    }
    let endpoint = kubernetes.control_plane_endpoint.as_deref();
    if let Some(endpoint) = endpoint {
        let host = split_endpoint(endpoint).map(|(host, _)| host);
        if !host.is_some_and(|host| is_dns_name(host) || host.parse::<IpAddr>().is_ok()) {
            let problem =
                Problem::error(format!("`{endpoint}` is no endpoint: expected HOST:PORT"));
            findings.record(
                &Path::from("kubernetes.controlPlaneEndpoint"),
                problem.help("an IPv6 address goes in brackets: [fd00::1]:6443"),
            );
        }
    }
}

fn addresses(values: &Values, findings: &mut Findings) {
    let kubernetes = &values.kubernetes;
    for (component, sans) in [
        ("apiServer", &kubernetes.api_server.cert_sans),
        ("etcd", &kubernetes.etcd.cert_sans),
    ] {
        let path = Path::from("kubernetes").join(component).join("certSANs");
        for (index, address) in sans.ip_addresses.iter().enumerate() {
            if address.parse::<IpAddr>().is_err() {
                findings.error(
                    &path.join("ipAddresses").join(index),
                    format!("`{address}` is no IP address"),
                );
            }
        }
        for (index, name) in sans.dns_names.iter().enumerate() {
            if !is_dns_name(name.strip_prefix("*.").unwrap_or(name)) {
                findings.error(
                    &path.join("dnsNames").join(index),
                    format!("`{name}` is no DNS name"),
                );
            }
        }
    }
    for (path, address) in [
        (
            "kubernetes.etcd.service",
            &kubernetes.etcd.service.load_balancer_ip,
        ),
        (
            "kubernetes.apiServer.service",
            &kubernetes.api_server.service.load_balancer_ip,
        ),
        (
            "kubernetes.controllerManager.service",
            &kubernetes.controller_manager.service.load_balancer_ip,
        ),
        (
            "kubernetes.scheduler.service",
            &kubernetes.scheduler.service.load_balancer_ip,
        ),
        (
            "kubernetes.konnectivityServer.service",
            &kubernetes.konnectivity_server.service.load_balancer_ip,
        ),
        ("ltsp.service", &values.ltsp.service.load_balancer_ip),
    ] {
        if let Some(address) = address
            .as_deref()
            .filter(|address| address.parse::<IpAddr>().is_err())
        {
            findings.error(
                &Path::from(path).join("loadBalancerIP"),
                format!("`{address}` is no IP address"),
            );
        }
    }
    // It goes into the API server's certificate, too.
    let advertised = kubernetes.api_server.extra_args.get("advertise-address");
    if let Some(serde_json::Value::String(address)) = advertised
        && address.parse::<IpAddr>().is_err()
    {
        findings.error(
            &Path::from("kubernetes.apiServer.extraArgs.advertise-address"),
            format!("`{address}` is no IP address"),
        );
    }
}

fn etcd(values: &Values, findings: &mut Findings) {
    let etcd = &values.kubernetes.etcd;
    let path = Path::from("kubernetes.etcd.replicaCount");
    if !etcd.enabled {
        return;
    }
    let server = &values.kubernetes.api_server;
    match etcd.replica_count {
        0 if server.enabled && server.replica_count > 0 => {
            let problem = Problem::error("etcd needs at least one member");
            let help = "a farm that sleeps has kubernetes.apiServer.replicaCount: 0 as well";
            findings.record(&path, problem.help(help));
        }
        0 => {}
        count if count % 2 == 0 => {
            let problem = Problem::warning(format!(
                "{count} members survive the loss of no more members than {} do",
                count - 1
            ));
            findings.record(&path, problem.help("use an odd number"));
        }
        _ => {}
    }
    if !etcd.service.enabled && etcd.replica_count > 0 {
        findings.error(
            &Path::from("kubernetes.etcd.service.enabled"),
            "etcd's members and the API server find each other through this Service",
        );
    }
    if etcd.service.kind != ServiceType::ClusterIP || etcd.service.load_balancer_ip.is_some() {
        let problem = Problem::warning(
            "etcd's Service is headless, whatever its type: members are found by their own names",
        );
        let key = match etcd.service.load_balancer_ip {
            Some(_) => "loadBalancerIP",
            None => "type",
        };
        findings.record(
            &Path::from("kubernetes.etcd.service").join(key),
            problem.help("expose etcd by a Service of your own"),
        );
    }
}

fn times(values: &Values, findings: &mut Findings) {
    let kubernetes = &values.kubernetes;
    for (path, schedule) in [
        (
            "kubernetes.etcd.backup.schedule",
            &kubernetes.etcd.backup.schedule,
        ),
        (
            "kubernetes.admin.job.schedule",
            &kubernetes.admin.job.schedule,
        ),
        ("tokenGenerator.schedule", &values.token_generator.schedule),
    ] {
        if !is_cron(schedule) {
            let problem = Problem::error(format!("`{schedule}` is no schedule of a CronJob"));
            findings.record(
                &Path::from(path),
                problem.help("five fields, minute to weekday: 0 */12 * * *"),
            );
        }
    }
    let ttl = &values.token_generator.token_ttl;
    if go_duration(ttl).is_none() {
        let problem = Problem::error(format!("`{ttl}` is no duration"));
        findings.record(
            &Path::from("tokenGenerator.tokenTtl"),
            problem.help("hours, minutes and seconds: 24h0m0s"),
        );
    }
}

fn sizes(values: &Values, findings: &mut Findings) {
    let persistence = &values.kubernetes.persistence;
    for (path, size) in [
        ("kubernetes.persistence.size", &persistence.size),
        (
            "kubernetes.persistence.backup.size",
            &persistence.backup.size,
        ),
        (
            "dhcp.standalone.persistence.size",
            &values.dhcp.standalone.persistence.size,
        ),
    ] {
        if !is_quantity(size) {
            let problem = Problem::error(format!("`{size}` is no quantity"));
            findings.record(
                &Path::from(path),
                problem.help("a number with Ki, Mi, Gi, Ti or k, M, G, T: 10Gi"),
            );
        }
    }
    let sizes: &[u32] = match values.pki.algorithm {
        KeyAlgorithm::Ecdsa => &[256, 384, 521],
        KeyAlgorithm::Rsa => &[2048, 3072, 4096],
    };
    if !sizes.contains(&values.pki.size) {
        findings.error(
            &Path::from("pki.size"),
            format!(
                "{} is no size of such a key; expected one of {sizes:?}",
                values.pki.size
            ),
        );
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

fn konnectivity(values: &Values, findings: &mut Findings) {
    let kubernetes = &values.kubernetes;
    let (agent, server) = (
        &kubernetes.konnectivity_agent,
        &kubernetes.konnectivity_server,
    );
    if server.enabled && server.mode == KonnectivityMode::Grpc {
        let keys = server.keys();
        let path = Path::from("kubernetes.konnectivityServer");
        for (key, unset) in [
            ("labels", keys.labels.is_empty()),
            ("annotations", keys.annotations.is_empty()),
            ("nodeSelector", keys.node_selector.is_empty()),
            ("tolerations", keys.tolerations.is_empty()),
            ("affinity", keys.affinity.is_empty()),
        ] {
            if !unset {
                let problem = Problem::warning(
                    "with mode GRPC the server is a container of the API server's pods, which have their own",
                );
                findings.record(
                    &path.join(key),
                    problem.help(format!("set kubernetes.apiServer.{key}")),
                );
            }
        }
    }
    if !agent.enabled {
        return;
    }
    if !server.enabled {
        findings.warning(
            &Path::from("kubernetes.konnectivityAgent.enabled"),
            "an agent without a server: kubernetes.konnectivityServer.enabled is false",
        );
    }
    let model = crate::farm::cluster::KonnectivityAgent::new(values);
    if model.proxy_server_host.is_none() && !agent.extra_args.contains_key("proxy-server-host") {
        let service = match server.mode {
            KonnectivityMode::Grpc => "kubernetes.apiServer.service.loadBalancerIP",
            KonnectivityMode::HttpConnect => "kubernetes.konnectivityServer.service.loadBalancerIP",
        };
        let problem = Problem::error("the agents cannot know where their server is");
        findings.record(
            &Path::from("kubernetes.konnectivityAgent.enabled"),
            problem.help(format!(
                "set {service}, or proxy-server-host in konnectivityAgent.extraArgs"
            )),
        );
    }
}
