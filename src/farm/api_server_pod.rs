//! The API servers' pods, which hold Konnectivity's server too where it speaks gRPC, and wait for etcd with its image.

use serde::Serialize;
use serde_json::Value;

use super::control_plane::{ApiServer, Etcd, KonnectivityServer};
use super::spec::{KonnectivityMode, TextMap};
use super::workload::{some_list, some_text};

/// What several components have a say in.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ApiServerPod {
    /// How the API server reaches Konnectivity's server; `None` where there is none.
    pub konnectivity: Option<KonnectivityMode>,
    pub labels: Option<TextMap>,
    /// Each once: Kubernetes refuses one that is named twice.
    pub image_pull_secrets: Option<Vec<Value>>,
}

impl ApiServerPod {
    pub fn new(server: &ApiServer, etcd: &Etcd, konnectivity: &KonnectivityServer) -> ApiServerPod {
        let mode = konnectivity.workload.enabled.then_some(konnectivity.mode);
        let beside = (mode == Some(KonnectivityMode::Grpc)).then_some(&konnectivity.workload);
        let mut labels = beside
            .and_then(|workload| workload.pod_labels.clone())
            .unwrap_or_default();
        labels.extend(server.workload.pod_labels.clone().unwrap_or_default());
        let etcd = etcd.workload.enabled.then_some(&etcd.workload);
        let workloads = [Some(&server.workload), beside, etcd];
        let mut secrets: Vec<Value> = Vec::new();
        for workload in workloads.into_iter().flatten() {
            for secret in workload.image.image_pull_secrets.iter().flatten() {
                if !secrets.contains(secret) {
                    secrets.push(secret.clone());
                }
            }
        }
        ApiServerPod {
            konnectivity: mode,
            labels: some_text(&labels),
            image_pull_secrets: some_list(&secrets),
        }
    }
}
