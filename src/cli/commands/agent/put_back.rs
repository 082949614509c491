//! `kubefarm agent put-back`.

use clap::Args;

use super::TimeoutArgs;
use super::prepared::PreparedArgs;
use crate::agent::put_back;
use crate::cli::failure::Failure;
use crate::cli::on_cluster::on_cluster;
use crate::cluster::Interrupt;
use crate::report::{Progress, ProgressFormat};

const EXAMPLES: &str = "\
Watches what `kubefarm agent bootstrap` applied, and applies it again when
somebody deleted or changed some of it: the configuration and rights with which
nodes join, DNS, kube-proxy, the endpoints of the Service kubernetes. What was
applied with other manifests is left alone. Runs until it is stopped.

Examples:
  As the admin pod runs it:
    kubefarm agent put-back --kubeconfig=/etc/kubernetes/admin.conf \\
      --certificate-authority=/pki/admin-client/ca.crt \\
      --endpoint=farm.example:6443 --addons=/addons \\
      --announce=10.0.0.1:6443";

/// Put back what somebody deleted or changed of what nodes need in a child cluster.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct PutBack {
    #[command(flatten)]
    prepared: PreparedArgs,
    #[command(flatten)]
    timeout: TimeoutArgs,
}

impl PutBack {
    pub fn run(self) -> Result<(), Failure> {
        on_cluster(|interrupt| self.run_until(interrupt))
    }

    async fn run_until(self, interrupt: Interrupt) -> Result<(), Failure> {
        let (admin, child) = self.prepared.clusters();
        let wanted = self.prepared.wanted(None);
        let progress = Progress::new(ProgressFormat::Lines);
        let running = self.timeout.running(interrupt, &progress);
        put_back(admin, child, &wanted, &running).await;
        Ok(())
    }
}
