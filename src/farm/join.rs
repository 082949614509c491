//! How machines that boot join: what the farm's agent has to know to let them, and where it gets and puts it.

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::boot::{ProjectedSecret, projected_secrets};
use super::names::Names;
use super::spec::{JoinMode, ServiceType, TrafficPolicy, Values};

/// What is computed of how machines join.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Join {
    pub mode: JoinMode,
    /// The ConfigMap with what a machine needs to ask, which the boot server serves: addresses, and the authority.
    pub public_name: String,
    /// The Secret with the hash of the root password; null if there is none to hand out.
    pub password_secret: Option<String>,
    pub root_passwd: Option<String>,
    /// The names of all Secrets that nodes get files from, this one included.
    pub secrets: Vec<String>,
    /// JSON of [`JoinSettings`].
    pub settings: String,
}

/// What is computed for the Job and CronJob that make join tokens.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct JoinToken {
    /// Whether machines join with one.
    pub is_used: bool,
    pub name: String,
    pub secret_name: String,
}

/// What the agent reads, to let machines join.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct JoinSettings {
    /// Whether requests come with the address of the machine, and not of one that forwards them.
    pub verify_addresses: bool,
    /// Where nodes have addresses, beside those of the pools.
    pub networks: Vec<IpNet>,
    /// `host:port` at which nodes reach the API server.
    pub endpoint: String,
    /// The API server's Service. Where the endpoint is its name, nodes get its address as well.
    pub api_server: String,
    /// The agent's Service.
    pub service: String,
    /// The address at which machines reach it; `None`: the one that its load balancer gives it.
    pub address: Option<String>,
    pub port: u16,
    /// The namespace of the boot server: that of the ConfigMap and of the Secrets.
    pub boot_namespace: String,
    /// The ConfigMap that the boot server serves.
    pub public: String,
    /// The Secret with the hash of the root password.
    pub password: Option<String>,
    /// Further Secrets, and what becomes of their files.
    pub secrets: Vec<ProjectedSecret>,
}

impl Join {
    /// How the machines of a farm join whose boot server is in `boot_namespace`.
    pub fn new(values: &Values, names: &Names, boot_namespace: &str, endpoint: &str) -> Join {
        let mode = values.join_mode();
        let public_name = format!("{}-join", names.ltsp);
        let is_service = mode == JoinMode::Service;
        let config = &values.ltsp.config;
        let root_passwd = config.root_passwd.clone().filter(|_| is_service);
        let password_secret = root_passwd
            .as_ref()
            .map(|_| format!("{}-root-password", names.ltsp));
        let secrets = if is_service {
            projected_secrets(&config.extra_projected_items)
        } else {
            Vec::new()
        };
        let mut names_of_secrets: Vec<String> = password_secret.iter().cloned().collect();
        for secret in &secrets {
            if !names_of_secrets.contains(&secret.name) {
                names_of_secrets.push(secret.name.clone());
            }
        }
        let kubernetes = &values.kubernetes;
        let service = &kubernetes.agent.service;
        let networks = kubernetes.networking.node_networks.iter().flatten();
        let settings = JoinSettings {
            verify_addresses: verifies_addresses(values),
            networks: networks.map(|network| *network.read()).collect(),
            endpoint: endpoint.to_owned(),
            api_server: format!("{}-apiserver", names.kubernetes),
            service: format!("{}-agent", names.kubernetes),
            address: service.load_balancer_ip.as_ref().map(ToString::to_string),
            port: port(values),
            boot_namespace: boot_namespace.to_owned(),
            public: public_name.clone(),
            password: password_secret.clone(),
            secrets,
        };
        Join {
            mode,
            public_name,
            password_secret,
            root_passwd,
            secrets: names_of_secrets,
            settings: serde_json::to_string(&settings).unwrap_or_default(),
        }
    }
}

/// Whether the join service sees the addresses of machines: unless the policy is `Local`, a Service may forward packets
/// with the address of the machine of the admin cluster that received them. Pods that the user makes reachable in
/// another way are expected to see them.
pub fn verifies_addresses(values: &Values) -> bool {
    let service = &values.kubernetes.agent.service;
    !service.enabled || service.external_traffic_policy != Some(TrafficPolicy::Cluster)
}

/// The port at which machines reach the join service.
fn port(values: &Values) -> u16 {
    let service = &values.kubernetes.agent.service;
    match (service.kind, service.node_port) {
        (ServiceType::NodePort, Some(port)) => port,
        _ => service.port.into(),
    }
}
