//! `kubefarm agent look-after-nodes`.

use std::path::PathBuf;

use clap::Args;

use super::TimeoutArgs;
use crate::agent::{NodeAgent, look_after_nodes};
use crate::cli::failure::Failure;
use crate::cli::on_cluster::on_cluster;
use crate::cluster::{Interrupt, Target};
use crate::report::{Progress, ProgressFormat};

const EXAMPLES: &str = "\
Gives the Nodes of the child cluster the labels, taints and annotations that the
values say, when they join and whenever the values change. What others set is
left alone. Runs until it is stopped; of several, one works at a time.

Examples:
  As the agent's Deployment runs it:
    kubefarm agent look-after-nodes --child-kubeconfig=/etc/kubernetes/agent.conf \\
      --namespace=farm --name=farm-agent";

/// Keep labels, taints and annotations of Nodes as the values say.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct LookAfterNodes {
    /// The child cluster's kubeconfig.
    #[arg(long, value_name = "FILE", env = "KUBEFARM_CHILD_KUBECONFIG")]
    child_kubeconfig: PathBuf,
    /// The kubeconfig of the cluster with the settings. Default: the pod's service account.
    #[arg(long, value_name = "FILE", env = "KUBEFARM_KUBECONFIG")]
    kubeconfig: Option<PathBuf>,
    /// The namespace of the settings and of the Lease.
    #[arg(long, value_name = "NAMESPACE", env = "KUBEFARM_NAMESPACE")]
    namespace: String,
    /// The name of the Lease, and the label `app` of the ConfigMaps with the settings.
    #[arg(long, value_name = "NAME", env = "KUBEFARM_NAME")]
    name: String,
    #[command(flatten)]
    timeout: TimeoutArgs,
}

impl LookAfterNodes {
    pub fn run(self) -> Result<(), Failure> {
        on_cluster(|interrupt| self.run_until(interrupt))
    }

    async fn run_until(self, interrupt: Interrupt) -> Result<(), Failure> {
        let child = Target::from(self.child_kubeconfig);
        let admin = Target::from(self.kubeconfig);
        let agent = NodeAgent {
            namespace: self.namespace,
            name: self.name,
        };
        let progress = Progress::new(ProgressFormat::Lines);
        let running = self.timeout.running(interrupt, &progress);
        Ok(look_after_nodes(admin, child, &agent, &running).await?)
    }
}
