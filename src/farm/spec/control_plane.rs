//! The control plane's servers, and the admin pod.

use std::num::NonZeroU32;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::component::component;
use super::{Annotations, CertSans, Flags, Labels, Port, PortService, Schedule, null_if_empty};

component! {
    /// kube-apiserver, a Deployment.
    ApiServer behind PortService {
        /// More flags of kube-apiserver; a list repeats one, `null` removes a default.
        /// `enable-admission-plugins` and `authorization-mode` are added to the defaults.
        #[serde(default)]
        extra_args: Flags,
        /// More names and addresses in its certificate.
        #[serde(rename = "certSANs", default, skip_serializing)]
        cert_sans: CertSans,
        /// The port that it listens on.
        port: Port,
    }
}

component! {
    /// kube-controller-manager, a Deployment.
    ControllerManager behind PortService {
        /// More flags of kube-controller-manager; a list repeats one, `null` removes a default.
        /// `controllers` are added to the default.
        #[serde(default)]
        extra_args: Flags,
        /// The port that it listens on.
        port: Port,
    }
}

component! {
    /// kube-scheduler, a Deployment.
    Scheduler behind PortService {
        /// More flags of kube-scheduler; a list repeats one, `null` removes a default.
        #[serde(default)]
        extra_args: Flags,
        /// The port that it listens on.
        port: Port,
    }
}

component! {
    /// A pod with kubectl, kubeadm and kubefarm that holds the admin kubeconfig.
    Admin {
        /// The Job that sets the child cluster up.
        job: BootstrapJob,
    }
}

component! {
    /// The farm's agent: a Deployment that looks after the child cluster's Nodes, and lets machines join.
    Agent behind PortService {
        /// Drain and remove Nodes that the values do not have.
        #[serde(default)]
        remove_nodes: bool,
        /// The port of the join service in the pods.
        port: Port,
        /// The port of metrics, and of what is known of the machines.
        metrics_port: Port,
    }
}

/// The Job that sets the child cluster up.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BootstrapJob {
    #[serde(default)]
    pub enabled: bool,
    pub schedule: Schedule,
    pub active_deadline_seconds: Option<NonZeroU32>,
    pub successful_jobs_history_limit: Option<u32>,
    pub failed_jobs_history_limit: Option<u32>,
    #[serde(default, serialize_with = "null_if_empty")]
    pub labels: Labels,
    #[serde(default, serialize_with = "null_if_empty")]
    pub annotations: Annotations,
}
