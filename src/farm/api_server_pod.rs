//! The API servers' pods, which contain Konnectivity's server too in mode GRPC, and wait for etcd with its image.

use serde::Serialize;
use serde_json::Value;

use super::spec::{Component, KonnectivityMode, Kubernetes, Pods, TextMap, null_if_empty};
use super::workload::pull_secrets;

/// What depends on several components.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ApiServerPod {
    /// How the API server reaches Konnectivity's server; `None` if there is none.
    pub konnectivity: Option<KonnectivityMode>,
    #[serde(serialize_with = "null_if_empty")]
    pub labels: TextMap,
    /// Each once: Kubernetes refuses duplicates.
    #[serde(serialize_with = "null_if_empty")]
    pub image_pull_secrets: Vec<Value>,
}

impl ApiServerPod {
    pub fn new(kubernetes: &Kubernetes) -> ApiServerPod {
        let (server, etcd) = (&kubernetes.api_server, &kubernetes.etcd);
        let konnectivity = &kubernetes.konnectivity_server;
        let mode = konnectivity.enabled.then_some(konnectivity.mode);
        let beside = (mode == Some(KonnectivityMode::Grpc)).then_some(konnectivity);
        let mut labels = TextMap::new();
        let components = [beside.map(Pods::keys), Some(server.keys())];
        for keys in components.into_iter().flatten() {
            let own = keys.pod_labels.iter();
            labels.extend(own.map(|(key, value)| (key.clone(), value.clone())));
        }
        let etcd = etcd.enabled.then_some(&etcd.image);
        let images = [Some(&server.image), beside.map(Component::image), etcd];
        let mut secrets: Vec<Value> = Vec::new();
        for secret in images.into_iter().flatten().flat_map(pull_secrets) {
            if !secrets.contains(&secret) {
                secrets.push(secret);
            }
        }
        ApiServerPod {
            konnectivity: mode,
            labels,
            image_pull_secrets: secrets,
        }
    }
}
