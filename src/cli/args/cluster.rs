//! A cluster, and a farm in it.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::types::{duration, object_name};
use crate::cluster::{Api, ClusterError, Interrupt, Target};
use crate::farm::Release;

/// Which cluster, and how long to try.
#[derive(Debug, Args)]
#[command(next_help_heading = "Cluster")]
pub struct ClusterArgs {
    /// The kubeconfig file. Default: the files of KUBECONFIG, else ~/.kube/config, else the pod's service account.
    #[arg(long, value_name = "FILE", env = "KUBEFARM_KUBECONFIG")]
    kubeconfig: Option<PathBuf>,
    /// The kubeconfig's context. Default: its current one.
    #[arg(long, value_name = "CONTEXT", env = "KUBEFARM_CONTEXT")]
    context: Option<String>,
    /// When to give up, retries and waiting included: `90s`, `5m`, `1h30m`.
    #[arg(long, value_name = "TIME", env = "KUBEFARM_TIMEOUT", default_value = "10m", value_parser = duration)]
    timeout: Duration,
    /// How many requests to have in flight at a time.
    #[arg(long, value_name = "N", env = "KUBEFARM_CONCURRENCY", default_value = "8", value_parser = clap::value_parser!(u16).range(1..=256))]
    concurrency: u16,
}

impl ClusterArgs {
    /// Connects to the cluster.
    pub async fn open(&self, interrupt: Interrupt) -> Result<Api, ClusterError> {
        let target = Target {
            kubeconfig: self.kubeconfig.clone(),
            context: self.context.clone(),
            ..Target::default()
        };
        Api::open(target, self.timeout, interrupt).await
    }

    pub fn concurrency(&self) -> usize {
        self.concurrency.into()
    }
}

/// A farm that a cluster has already.
#[derive(Debug, Args)]
pub struct AppliedArgs {
    /// The release's name.
    #[arg(value_name = "NAME", env = "KUBEFARM_NAME", value_parser = object_name)]
    name: String,
    /// The release's namespace.
    #[arg(
        short,
        long,
        value_name = "NAMESPACE",
        env = "KUBEFARM_NAMESPACE",
        default_value = "default",
        value_parser = object_name
    )]
    namespace: String,
}

impl AppliedArgs {
    pub fn as_release(&self) -> Release {
        Release {
            name: self.name.clone(),
            namespace: self.namespace.clone(),
        }
    }
}
