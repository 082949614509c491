//! The control plane: errors that Kubernetes itself would report only at run time.

use std::net::IpAddr;

use crate::farm::findings::Findings;
use crate::farm::spec::{JoinMode, KeyKind, ServiceType, Values};
use crate::values::{Path, Problem};

/// Checks the control plane's values.
pub fn check(values: &Values, findings: &mut Findings) {
    advertised_address(values, findings);
    etcd(values, findings);
    tokens(values, findings);
    volumes(values, findings);
    key_size(values, findings);
}

/// It goes into the API server's certificate, too.
fn advertised_address(values: &Values, findings: &mut Findings) {
    let flags = &values.kubernetes.api_server.extra_args;
    if let Some(serde_json::Value::String(address)) = flags.get("advertise-address")
        && address.parse::<IpAddr>().is_err()
    {
        findings.error(
            &Path::from("kubernetes.apiServer.extraArgs.advertise-address"),
            format!("`{address}` is not an IP address"),
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
        None => {
            let problem = Problem::error(
                "etcd's members are listed in its flags, so their number must be known",
            );
            findings.record(&path, problem.help("an odd number: 1, 3 or 5"));
        }
        Some(0) if server.enabled && server.replica_count != Some(0) => {
            let problem = Problem::error("etcd needs at least one member");
            let help = "to stop a farm, set kubernetes.apiServer.replicaCount: 0 as well";
            findings.record(&path, problem.help(help));
        }
        Some(count) if count > 0 && count % 2 == 0 => {
            let problem = Problem::warning(format!(
                "{count} members survive the loss of no more members than {} would",
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
            "{members} members without volumes: a member whose pod is deleted never comes back, and with a \
             second one all data is lost"
        ));
        let help = "set this to true; or, for a farm whose data may be lost, kubernetes.etcd.replicaCount: 1";
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
            "etcd's Service is always headless: members are found by their own names",
        );
        let key = match etcd.service.load_balancer_ip {
            Some(_) => "loadBalancerIP",
            None => "type",
        };
        findings.record(
            &Path::from("kubernetes.etcd.service").join(key),
            problem.help("expose etcd with a Service of your own"),
        );
    }
}

/// The write-ahead log, and a defragmentation, need as much of the volume as the database.
fn quota(values: &Values, findings: &mut Findings) {
    let kubernetes = &values.kubernetes;
    let given = kubernetes.etcd.extra_args.text("quota-backend-bytes");
    let bytes = given.and_then(|text| text.parse().ok());
    let size = Some(*kubernetes.persistence.size.read()).filter(|_| kubernetes.persistence.enabled);
    let half = |size: f64| size / 2.0;
    if bytes
        .zip(size.map(half))
        .is_some_and(|(bytes, half): (f64, f64)| bytes > half)
    {
        let problem = Problem::warning(format!(
            "the volume of {} can be full before this quota is reached, and etcd then no longer starts",
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

/// A node that boots when no token is valid cannot join. A lifetime of 0 lasts for ever (kubeadm token create --ttl).
fn tokens(values: &Values, findings: &mut Findings) {
    let tokens = &values.token_generator;
    let lifetime = Some(*tokens.token_ttl.read()).filter(|lifetime| !lifetime.is_zero());
    let Some((lifetime, wait)) = lifetime.zip(tokens.schedule.read().longest_wait()) else {
        return;
    };
    if values.join_mode() == JoinMode::Token && lifetime < wait {
        let problem = Problem::warning(format!(
            "a token is valid for {}, but the next one comes after up to {} h: no node can join in between",
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
            problem.help("set tokenTtl to more than the time between two runs of schedule"),
        );
    }
}

fn volumes(values: &Values, findings: &mut Findings) {
    let etcd = &values.kubernetes.persistence;
    for (path, modes) in [
        ("kubernetes.persistence", &etcd.access_modes),
        ("kubernetes.persistence.backup", &etcd.backup.access_modes),
        (
            "dhcp.standalone.persistence",
            &values.dhcp.standalone.persistence.access_modes,
        ),
    ] {
        let path = Path::from(path).join("accessModes");
        if modes.is_empty() && !findings.is_wrong_inside(&path) {
            let problem = Problem::error("Kubernetes refuses a volume without an access mode");
            findings.record(&path, problem.help("[ReadWriteOnce]"));
        }
    }
}

fn key_size(values: &Values, findings: &mut Findings) {
    if values.pki.key_kind().is_some() {
        return;
    }
    let choices = KeyKind::CHOICES.into_iter().filter_map(KeyKind::choice);
    let choices = choices.filter(|(algorithm, _)| *algorithm == values.pki.algorithm);
    let sizes: Vec<u32> = choices.map(|(_, size)| size).collect();
    let size = values.pki.size;
    let message = format!("{size} is not a size of this kind of key; expected one of {sizes:?}");
    let [algorithm, size] = ["pki.algorithm", "pki.size"].map(Path::from);
    // If only the algorithm is set, the size is the default one of another algorithm.
    match sizes.first() {
        Some(smallest) if findings.position(&algorithm) > findings.position(&size) => {
            let help = format!("add size: {smallest} beside it");
            findings.record(&algorithm, Problem::error(message).help(help));
        }
        _ => findings.error(&size, message),
    }
}
