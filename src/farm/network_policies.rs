//! Who may connect to which pods: the rules of NetworkPolicies.
//!
//! A pod that a policy selects accepts only what its rules allow. Probes of its own node's kubelet are always allowed:
//! network plugins exempt the node from the policies of its pods.

mod egress;

use indexmap::IndexSet;
use ipnet::IpNet;
use serde::Serialize;
use serde_json::{Value, json};

use super::control_plane::admin_port;
use super::names::Names;
use super::spec::{Fragment, JoinMode, KonnectivityMode, Port, TrafficPolicy, Values};
use super::subnets::Subnets;

pub use egress::{flags_with_servers, is_limited, reaches_pods};

/// A label of pods that may be clients of the etcd whose name is its value.
pub const ETCD_CLIENT: &str = "kubefarm.io/etcd-client";

/// The ingress rules of each policy (`NetworkPolicyIngressRule`), and what API servers may connect to.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NetworkPolicies {
    pub enabled: bool,
    pub etcd: Vec<Value>,
    pub api_server: Vec<Value>,
    /// `None`: everything.
    pub api_server_egress: Option<Vec<Value>>,
    pub konnectivity_server: Vec<Value>,
    pub agent: Vec<Value>,
    pub boot_server: Vec<Value>,
}

impl NetworkPolicies {
    /// The policies of a farm. `subnets`: those of the child's pods.
    pub fn new(values: &Values, names: &Names, subnets: &Subnets) -> NetworkPolicies {
        NetworkPolicies {
            enabled: values.network_policies.enabled,
            etcd: etcd(values, &names.kubernetes),
            api_server: api_server(values),
            api_server_egress: egress::rules(values, &names.kubernetes, subnets),
            konnectivity_server: konnectivity_server(values, &names.kubernetes),
            agent: agent(values),
            boot_server: boot_server(values),
        }
    }
}

/// A rule: the peers (empty: everyone) and the ports that they may use.
fn rule(from: &[Value], ports: &[Value]) -> Value {
    if from.is_empty() {
        json!({"ports": ports})
    } else {
        json!({"from": from, "ports": ports})
    }
}

fn tcp(port: impl Into<u16>) -> Value {
    json!({"port": port.into(), "protocol": "TCP"})
}

/// The pods of this namespace with a label.
fn pods(label: &str, value: &str) -> Value {
    json!({"podSelector": {"matchLabels": {label: value}}})
}

fn peers(fragments: &[Fragment]) -> impl Iterator<Item = Value> {
    fragments.iter().cloned().map(Value::Object)
}

/// The ports of the user's own containers, for everyone: their clients are not known.
fn offered(sidecars: &[Fragment]) -> Option<Value> {
    let ports = sidecars.iter().filter_map(|sidecar| sidecar.get("ports"));
    let ports = ports.filter_map(Value::as_array).flatten();
    let ports = ports.filter_map(|port| {
        let protocol = port.get("protocol").and_then(Value::as_str);
        let number = port.get("containerPort")?;
        Some(json!({"port": number, "protocol": protocol.unwrap_or("TCP")}))
    });
    let ports: Vec<Value> = ports.collect();
    (!ports.is_empty()).then(|| rule(&[], &ports))
}

/// For etcd: its members, the API server, backups, and pods with the label for clients.
fn etcd(values: &Values, prefix: &str) -> Vec<Value> {
    let (etcd, policies) = (&values.kubernetes.etcd, &values.network_policies);
    let name = format!("{prefix}-etcd");
    let members = [pods("app", &name)];
    let mut clients = vec![
        pods("app", &format!("{prefix}-apiserver")),
        pods("app", &format!("{name}-backup")),
        pods(ETCD_CLIENT, &name),
    ];
    clients.extend(peers(&policies.etcd_clients));
    let mut rules = vec![
        rule(&members, &[tcp(etcd.ports.client), tcp(etcd.ports.peer)]),
        rule(&clients, &[tcp(etcd.ports.client)]),
    ];
    rules.extend(monitoring(values, etcd.ports.metrics));
    rules.extend(offered(&etcd.sidecars));
    rules
}

/// For metrics that require no credentials: who is named for it.
fn monitoring(values: &Values, port: Port) -> Option<Value> {
    let readers: Vec<Value> = peers(&values.network_policies.monitoring).collect();
    (!readers.is_empty()).then(|| rule(&readers, &[tcp(port)]))
}

/// For the API server: everyone, on the ports that require credentials; of Konnectivity's server beside it only that
/// for agents.
fn api_server(values: &Values) -> Vec<Value> {
    let kubernetes = &values.kubernetes;
    let konnectivity = &kubernetes.konnectivity_server;
    let mut ports = vec![tcp(kubernetes.api_server.port)];
    let mut rules = Vec::new();
    if konnectivity.enabled && konnectivity.mode == KonnectivityMode::Grpc {
        ports.push(tcp(konnectivity.ports.agent));
        rules.extend(offered(&konnectivity.sidecars));
    }
    rules.insert(0, rule(&[], &ports));
    rules.extend(offered(&kubernetes.api_server.sidecars));
    rules
}

/// For Konnectivity's server: API servers and agents. Nobody on the port for debugging, which requires no credentials,
/// unless the Service has it.
fn konnectivity_server(values: &Values, prefix: &str) -> Vec<Value> {
    let server = &values.kubernetes.konnectivity_server;
    let api_servers = [pods("app", &format!("{prefix}-apiserver"))];
    let mut rules = vec![
        rule(&api_servers, &[tcp(server.ports.server)]),
        rule(&[], &[tcp(server.ports.agent)]),
    ];
    if admin_port(server).is_some() {
        rules.push(rule(&[], &[tcp(server.ports.admin)]));
    }
    rules.extend(offered(&server.sidecars));
    rules
}

/// For the agent: machines that join, on the port of the join service. What is known of machines is asked for through
/// the API server, which forwards a port.
fn agent(values: &Values) -> Vec<Value> {
    let agent = &values.kubernetes.agent;
    let joins = values.join_mode() == JoinMode::Service;
    let join = joins.then(|| rule(&[], &[tcp(agent.port)]));
    let rules = join.into_iter();
    let rules = rules.chain(monitoring(values, agent.metrics_port));
    rules.chain(offered(&agent.sidecars)).collect()
}

/// For the boot server: the nodes, on HTTP, HTTPS and TFTP.
fn boot_server(values: &Values) -> Vec<Value> {
    let clients: Vec<Value> = match &values.network_policies.boot_clients {
        Some(clients) => peers(clients).collect(),
        None => boot_networks(values),
    };
    let mut ports = vec![tcp(80_u16), json!({"port": 69, "protocol": "UDP"})];
    if values.ltsp.tls_secret.is_some() {
        ports.push(tcp(443_u16));
    }
    let mut rules = vec![rule(&clients, &ports)];
    rules.extend(offered(&values.ltsp.sidecars));
    rules
}

/// The networks of all node pools. Empty if the pod may see another address than the node's: without `Local` a Service
/// may forward packets with the address of the machine that received them. Empty too if the network of a pool is not
/// known.
fn boot_networks(values: &Values) -> Vec<Value> {
    let is_local = values.ltsp.service.external_traffic_policy == Some(TrafficPolicy::Local);
    let networks: Option<IndexSet<IpNet>> = values.node_pools.networks().collect();
    let networks = networks.filter(|_| is_local).into_iter().flatten();
    networks
        .map(|network| json!({"ipBlock": {"cidr": network.to_string()}}))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sidecars_keep_the_ports_that_they_name() {
        let sidecar = |value: Value| match value {
            Value::Object(sidecar) => sidecar,
            _ => unreachable!(),
        };
        let sidecars = [
            sidecar(json!({"name": "a", "ports": [{"containerPort": 9100}]})),
            sidecar(json!({"name": "b"})),
            sidecar(json!({"name": "c", "ports": [{"containerPort": 53, "protocol": "UDP"}]})),
        ];
        let dns = json!({"port": 53, "protocol": "UDP"});
        let both = json!({"ports": [tcp(9100_u16), dns]});
        assert_eq!(offered(&sidecars), Some(both));
        assert_eq!(offered(&sidecars[1..2]), None);
    }
}
