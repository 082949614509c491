//! `kubefarm agent bootstrap`.

use std::path::PathBuf;

use clap::Args;

use super::TimeoutArgs;
use super::prepared::PreparedArgs;
use crate::agent::bootstrap;
use crate::cli::failure::Failure;
use crate::cli::on_cluster::on_cluster;
use crate::cluster::Interrupt;
use crate::report::{Progress, ProgressFormat};

const EXAMPLES: &str = "\
Waits for the child cluster's API server, applies the manifests in the folders,
cluster-info and the endpoints of the Service kubernetes, and removes objects
that an earlier run applied and this one does not. It stops at the first
failure; the next run continues from there.

Examples:
  As the bootstrap Job runs it:
    kubefarm agent bootstrap --kubeconfig=/etc/kubernetes/admin.conf \\
      --certificate-authority=/pki/admin-client/ca.crt \\
      --endpoint=farm.example:6443 --addons=/addons \\
      --announce=10.0.0.1:6443
  With the address that a load balancer gives to a Service:
    kubefarm agent bootstrap --kubeconfig=/etc/kubernetes/admin.conf \\
      --certificate-authority=/pki/admin-client/ca.crt \\
      --endpoint=farm-apiserver:6443 --addons=/addons \\
      --announce-service=farm-apiserver --announce-port=6443 --namespace=farm";

/// Prepare a child cluster, so that nodes can join it and have DNS and Services.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Bootstrap {
    #[command(flatten)]
    prepared: PreparedArgs,
    /// A folder with more manifests.
    #[arg(long, value_name = "DIR", env = "KUBEFARM_EXTRA_MANIFESTS")]
    extra_manifests: Option<PathBuf>,
    #[command(flatten)]
    timeout: TimeoutArgs,
}

impl Bootstrap {
    pub fn run(self) -> Result<(), Failure> {
        on_cluster(|interrupt| self.run_until(interrupt))
    }

    async fn run_until(self, interrupt: Interrupt) -> Result<(), Failure> {
        let (admin, child) = self.prepared.clusters();
        let wanted = self.prepared.wanted(self.extra_manifests);
        let progress = Progress::new(ProgressFormat::Lines);
        let running = self.timeout.running(interrupt, &progress);
        Ok(bootstrap(admin, child, &wanted, &running).await?)
    }
}
