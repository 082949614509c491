//! The control plane: what Kubernetes' own servers would refuse, sooner said.

use std::net::IpAddr;

use super::text_of;
use crate::farm::findings::Findings;
use crate::farm::spec::{KeyKind, ServiceType, Values};
use crate::farm::syntax::{
    go_duration, is_cron, is_file_key, is_host_name, is_quantity, longest_wait, quantity,
};
use crate::values::{Path, Problem};

/// Checks the control plane's values.
pub fn check(values: &Values, findings: &mut Findings) {
    addresses(values, findings);
    etcd(values, findings);
    times(values, findings);
    volumes(values, findings);
    key_size(values, findings);
    for name in values.kubernetes.extra_manifests.keys() {
        if !is_file_key(name) {
            let path = Path::from("kubernetes.extraManifests").join(name.as_str());
            findings.key_error(
                &path,
                format!("`{name}` is not a file name here: letters, digits, `-`, `_` and `.`"),
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
                    format!("`{address}` is not an IP address"),
                );
            }
        }
        for (index, name) in sans.dns_names.iter().enumerate() {
            let plain = name.strip_prefix("*.").unwrap_or(name);
            // An IP address is moved to where it belongs.
            if !is_host_name(plain) && plain.parse::<IpAddr>().is_err() {
                findings.error(
                    &path.join("dnsNames").join(index),
                    format!("`{name}` is not a DNS name"),
                );
            }
        }
    }
    for (path, address) in load_balancers(values) {
        if let Some(address) = address
            .as_deref()
            .filter(|address| address.parse::<IpAddr>().is_err())
        {
            findings.error(
                &Path::from(path).join("loadBalancerIP"),
                format!("`{address}` is not an IP address"),
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
            format!("`{address}` is not an IP address"),
        );
    }
}

/// Every Service that may have an address of a load balancer, with that.
pub fn load_balancers(values: &Values) -> [(&'static str, &Option<String>); 6] {
    let kubernetes = &values.kubernetes;
    [
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
    ]
}

fn etcd(values: &Values, findings: &mut Findings) {
    let etcd = &values.kubernetes.etcd;
    let path = Path::from("kubernetes.etcd.replicaCount");
    if !etcd.enabled {
        return;
    }
    let server = &values.kubernetes.api_server;
    match etcd.replica_count {
        None => {
            let problem = Problem::error(
                "etcd's members are named in its flags, so their number has to be known",
            );
            findings.record(&path, problem.help("an odd number: 1, 3 or 5"));
        }
        Some(0) if server.enabled && server.replica_count != Some(0) => {
            let problem = Problem::error("etcd needs at least one member");
            let help = "a farm that sleeps has kubernetes.apiServer.replicaCount: 0 as well";
            findings.record(&path, problem.help(help));
        }
        Some(count) if count > 0 && count % 2 == 0 => {
            let problem = Problem::warning(format!(
                "{count} members survive the loss of no more members than {} do",
                count - 1
            ));
            findings.record(&path, problem.help("use an odd number"));
        }
        Some(_) => {}
    }
    quota(values, findings);
    let members = etcd.replica_count.unwrap_or_default();
    if members > 1 && !values.kubernetes.persistence.enabled {
        let problem = Problem::error(format!(
            "{members} members without volumes: one whose pod is deleted never comes back, and with the second the data are gone"
        ));
        let help = "without volumes, kubernetes.etcd.replicaCount is 1: whoever tries something out can lose it";
        findings.record(
            &Path::from("kubernetes.persistence.enabled"),
            problem.help(help),
        );
    }
    if !etcd.service.enabled && etcd.replica_count != Some(0) {
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

/// The write-ahead log, and a defragmentation, need as much of the volume as the database.
fn quota(values: &Values, findings: &mut Findings) {
    let kubernetes = &values.kubernetes;
    let given = kubernetes.etcd.extra_args.get("quota-backend-bytes");
    let bytes = given.and_then(text_of).and_then(|text| text.parse().ok());
    let size = quantity(&kubernetes.persistence.size).filter(|_| kubernetes.persistence.enabled);
    let half = |size: f64| size / 2.0;
    if bytes
        .zip(size.map(half))
        .is_some_and(|(bytes, half): (f64, f64)| bytes > half)
    {
        let problem = Problem::warning(format!(
            "the volume of {} can be full before this quota is reached, and etcd then does not start any more",
            kubernetes.persistence.size
        ));
        findings.record(
            &Path::from("kubernetes.etcd.extraArgs.quota-backend-bytes"),
            problem.help(
                "at most half of kubernetes.persistence.size; the default is 40 percent of it",
            ),
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
            let problem = Problem::error(format!("`{schedule}` is not a schedule of a CronJob"));
            findings.record(
                &Path::from(path),
                problem.help("five fields, minute to weekday: 0 */12 * * *; H as the minute is one of the farm's own"),
            );
        }
    }
    let ttl = &values.token_generator.token_ttl;
    if go_duration(ttl).is_none() {
        let problem = Problem::error(format!("`{ttl}` is not a duration"));
        findings.record(
            &Path::from("tokenGenerator.tokenTtl"),
            problem.help("hours, minutes and seconds: 24h0m0s"),
        );
    }
    tokens(values, findings);
}

/// A node that boots when no token is valid cannot join. A lifetime of 0 lasts for ever (kubeadm token create --ttl).
fn tokens(values: &Values, findings: &mut Findings) {
    let tokens = &values.token_generator;
    let lifetime = go_duration(&tokens.token_ttl).filter(|lifetime| !lifetime.is_zero());
    let Some((lifetime, wait)) = lifetime.zip(longest_wait(&tokens.schedule)) else {
        return;
    };
    if tokens.enabled && lifetime < wait {
        let problem = Problem::warning(format!(
            "a token is valid for {}, and the next one comes after up to {} h: no node can join in between",
            tokens.token_ttl,
            wait.as_secs() as f64 / 3600.0
        ));
        let path = Path::from("tokenGenerator");
        let [lifetime, schedule] = ["tokenTtl", "schedule"].map(|key| path.join(key));
        let path = if findings.position(&lifetime) < findings.position(&schedule) {
            schedule
        } else {
            lifetime
        };
        findings.record(
            &path,
            problem.help("tokenTtl has to be longer than schedule"),
        );
    }
}

/// What a volume claim may ask for (Kubernetes, "Persistent Volumes", access modes).
const ACCESS_MODES: [&str; 4] = [
    "ReadWriteOnce",
    "ReadWriteOncePod",
    "ReadWriteMany",
    "ReadOnlyMany",
];

fn volumes(values: &Values, findings: &mut Findings) {
    let etcd = &values.kubernetes.persistence;
    let backup = &etcd.backup;
    let leases = &values.dhcp.standalone.persistence;
    for (path, size, modes) in [
        ("kubernetes.persistence", &etcd.size, &etcd.access_modes),
        (
            "kubernetes.persistence.backup",
            &backup.size,
            &backup.access_modes,
        ),
        (
            "dhcp.standalone.persistence",
            &leases.size,
            &leases.access_modes,
        ),
    ] {
        let path = Path::from(path);
        volume_size(size, &path.join("size"), findings);
        if modes.is_empty() {
            let problem = Problem::error("Kubernetes takes no volume without an access mode");
            findings.record(&path.join("accessModes"), problem.help("[ReadWriteOnce]"));
        }
        for (index, mode) in modes.iter().enumerate() {
            if !ACCESS_MODES.contains(&mode.as_str()) {
                let problem = Problem::error(format!("`{mode}` is not an access mode of a volume"));
                let help = format!("one of {}", ACCESS_MODES.join(", "));
                findings.record(&path.join("accessModes").join(index), problem.help(help));
            }
        }
    }
}

fn volume_size(size: &str, path: &Path, findings: &mut Findings) {
    if !is_quantity(size) {
        let problem = Problem::error(format!("`{size}` is not a quantity"));
        findings.record(
            path,
            problem.help("a number with Ki, Mi, Gi, Ti or k, M, G, T: 10Gi"),
        );
    } else if !size.bytes().any(|byte| matches!(byte, b'1'..=b'9')) {
        findings.error(path, "a volume of no size is refused by Kubernetes");
    }
}

fn key_size(values: &Values, findings: &mut Findings) {
    if values.pki.key_kind().is_some() {
        return;
    }
    let kinds = KeyKind::ALL.into_iter();
    let kinds = kinds.filter(|kind| kind.algorithm() == values.pki.algorithm);
    let sizes: Vec<u32> = kinds.map(KeyKind::size).collect();
    let size = values.pki.size;
    let message = format!("{size} is not a size of such a key; expected one of {sizes:?}");
    let [algorithm, size] = ["pki.algorithm", "pki.size"].map(Path::from);
    // Whoever sets the algorithm alone has the size of another one.
    match sizes.first() {
        Some(smallest) if findings.position(&algorithm) > findings.position(&size) => {
            let help = format!("add size: {smallest} beside it");
            findings.record(&algorithm, Problem::error(message).help(help));
        }
        _ => findings.error(&size, message),
    }
}
