//! Another value of the same kind, for each key.

use serde_json::{Value, json};

/// Whether the keys of this map are the user's: it changes as a whole.
pub fn is_free_map(path: &[String]) -> bool {
    let last = path.last().map(String::as_str).unwrap_or_default();
    ["resources", "nodeSelector", "containerdConfig"].contains(&last)
}

/// A value that differs from the default, and that the farm takes.
pub fn changed(path: &[String], default: &Value) -> Value {
    let key = path.last().map(String::as_str).unwrap_or_default();
    if let Some(value) = by_key(path, key) {
        return value;
    }
    match default {
        Value::Bool(value) => json!(!value),
        Value::Number(number) => json!(number.as_u64().map_or(7, |number| number + 2)),
        Value::String(text) => json!(format!("{text}x")),
        Value::Null => json!("other"),
        Value::Array(items) => {
            Value::Array(items.iter().cloned().chain([json!("other")]).collect())
        }
        Value::Object(_) => json!({"example.org/other": "other"}),
    }
}

/// Keys whose values have a form of their own.
fn by_key(path: &[String], key: &str) -> Option<Value> {
    Some(match key {
        "pullPolicy" => json!("Always"),
        "digest" => json!(format!("sha256:{}", "01234567".repeat(8))),
        "accessModes" => json!(["ReadWriteOncePod"]),
        "podAntiAffinity" | "podAffinity" => json!("hard"),
        "type" => json!("NodePort"),
        "schedule" => json!("1 2 3 4 5"),
        "size" if path[0] == "pki" => json!(384),
        "size" => json!("7Gi"),
        "algorithm" => json!("RSA"),
        "mode" if path[0] == "pki" => json!("builtin"),
        "mode" if path[0] == "dhcp" => json!("standalone"),
        "mode" if path[0] == "join" => json!("none"),
        "mode" => json!("GRPC"),
        "tokenTtl" | "keepFor" => json!("7h"),
        "recipients" => {
            json!(["age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"])
        }
        "version" if path[0] == "kubernetes" => json!("v1.36.0"),
        "serviceSubnet" => json!("10.224.0.0/16"),
        "podSubnet" => json!("10.240.0.0/16"),
        "nodeNetworks" => json!(["10.71.0.0/16"]),
        "controlPlaneEndpoint" => json!("other.example.org:443"),
        "dnsDomain" => json!("other.local"),
        "nodePort" => json!(30007),
        "server" | "agent" | "admin" if path.contains(&"nodePorts".to_owned()) => json!(30007),
        "client" | "server" | "agent" | "admin" if path.contains(&"ports".to_owned()) => {
            json!(7777)
        }
        "loadBalancerIP" => json!("10.64.7.7"),
        "resources" => json!({"limits": {"memory": "7Gi"}}),
        "affinity" => json!({"nodeAffinity": {}}),
        "extraArgs" if path[1] == "etcd" && path.len() == 3 => json!({"max-wals": 7}),
        "extraArgs" if path[0] == "kubernetes" => json!({"vmodule": "other=7"}),
        "extraArgs" => json!({"log-facility": "other"}),
        "extraEnv" => json!([{"name": "OTHER", "value": "x"}]),
        "tolerations" => json!([{"key": "other"}]),
        "sidecars" => json!([{"name": "other", "image": "x"}]),
        "extraVolumes" => json!([{"name": "other", "emptyDir": {}}]),
        "extraVolumeMounts" => json!([{"name": "other", "mountPath": "/x"}]),
        "topologySpreadConstraints" => {
            json!([{"topologyKey": "zone", "maxSkew": 1, "whenUnsatisfiable": "ScheduleAnyway"}])
        }
        "loadBalancerClass" => json!("example.org/other"),
        "loadBalancerSourceRanges" => json!(["10.64.0.0/16"]),
        "allocateLoadBalancerNodePorts" => json!(false),
        "externalTrafficPolicy" if path[1] == "agent" => json!("Cluster"),
        "externalTrafficPolicy" => json!("Local"),
        "ipFamilyPolicy" => json!("PreferDualStack"),
        "ipFamilies" => json!(["IPv4"]),
        "monitoring" | "etcdClients" | "bootClients" | "apiServerPeers" => {
            json!([{"ipBlock": {"cidr": "10.64.0.0/16"}}])
        }
        "activeDeadlineSeconds" => json!(7),
        "podsAreRouted" => json!(true),
        "apiServerEgress" => json!(false),
        "ipAddresses" => json!(["10.64.7.7"]),
        "extraObjects" => {
            json!({"other": {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "other"}}})
        }
        "patches" => json!({"other": {
            "target": {"kind": "*", "name": "*"},
            "patch": {"metadata": {"annotations": {"example.org/other": "x"}}},
        }}),
        "extraManifests" => {
            json!({"other.yaml": "apiVersion: v1\nkind: Namespace\nmetadata: {name: x}\n"})
        }
        "device" => json!("by-id/other"),
        "minSize" | "maxSize" | "swap" => json!("7Gi"),
        "use" => json!(["images"]),
        "maxUse" => json!("7M"),
        "sshAuthorizedKeys" => json!(["ssh-ed25519 AAAA"]),
        "timezone" => json!("Europe/Berlin"),
        "rootPasswd" => json!("$6$x"),
        "dockerConfig" => json!({"bridge": "none"}),
        "containerdConfig" => json!({"version": 7}),
        "sections" | "extraFiles" => json!({"other": "x"}),
        "extraProjectedItems" => json!([{"secret": {"name": "other"}}]),
        "nodePools" => json!([{"nodes": [{"name": "other"}]}]),
        "all" => tag_settings(&path[1]),
        _ => return None,
    })
}

fn tag_settings(kind: &str) -> Value {
    match kind {
        "dhcpOptions" => json!({"mtu": 9000}),
        "kubernetesTaints" => json!([{"key": "other", "effect": "NoExecute"}]),
        _ => json!({"OTHER": "x"}),
    }
}

/// Keys of Services that only a LoadBalancer has.
const OF_LOAD_BALANCERS: [&str; 4] = [
    "loadBalancerClass",
    "loadBalancerSourceRanges",
    "allocateLoadBalancerNodePorts",
    "externalTrafficPolicy",
];

/// What else has to be set for the change to make sense.
pub fn needed_with(path: &[String]) -> Vec<String> {
    if let [above @ .., key] = path
        && OF_LOAD_BALANCERS.contains(&key.as_str())
    {
        return vec![format!(r#"{}.type="LoadBalancer""#, above.join("."))];
    }
    match path.join(".").as_str() {
        "kubernetes.etcd.enabled" => vec![
            r#"kubernetes.apiServer.extraArgs.etcd-servers="https://etcd.example.org:2379""#
                .to_owned(),
            "kubernetes.etcd.backup.enabled=false".to_owned(),
        ],
        "kubernetes.etcd.backup.secrets"
        | "kubernetes.etcd.backup.keepLast"
        | "kubernetes.etcd.backup.keepFor" => {
            vec!["kubernetes.etcd.backup.unencrypted=true".to_owned()]
        }
        // Several members need their volumes.
        "kubernetes.persistence.enabled" => vec!["kubernetes.etcd.replicaCount=1".to_owned()],
        "ltsp.config.localDisk.wipe" | "ltsp.config.localDisk.swap" => {
            vec![r#"ltsp.config.localDisk.device="by-id/other""#.to_owned()]
        }
        "pki.algorithm" => vec!["pki.size=2048".to_owned()],
        _ => Vec::new(),
    }
}
