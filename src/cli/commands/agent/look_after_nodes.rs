//! `kubefarm agent look-after-nodes`.

use std::path::PathBuf;

use clap::Args;

use super::TimeoutArgs;
use crate::agent::{JoinService, NodeAgent, look_after_nodes};
use crate::cli::failure::Failure;
use crate::cli::on_cluster::on_cluster;
use crate::cluster::{Interrupt, Target};
use crate::report::{Progress, ProgressFormat};

const EXAMPLES: &str = "\
Gives the Nodes of the child cluster the labels, taints and annotations that the
values say, when they join and whenever the values change. What others set is
left alone. Runs until it is stopped; of several, one works at a time.

What machines do that boot is on --metrics-port: GET /metrics for Prometheus,
GET /v1/machines for kubefarm nodes list --live.

With --join-port it also lets machines join: a machine of the farm that boots
asks for a certificate of its own over TLS. All agents answer.

Examples:
  As the agent's Deployment runs it:
    kubefarm agent look-after-nodes --child-kubeconfig=/etc/kubernetes/agent.conf \\
      --namespace=farm --name=farm-agent --join-port=8443 \\
      --join-certificate=/pki/agent-server \\
      --certificate-authority=/pki/agent-client/ca.crt";

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
    /// Serve metrics, and how far each machine is, on this port.
    #[arg(
        long,
        value_name = "PORT",
        env = "KUBEFARM_METRICS_PORT",
        default_value_t = 8080
    )]
    metrics_port: u16,
    /// Let machines join that ask on this port.
    #[arg(long, value_name = "PORT", env = "KUBEFARM_JOIN_PORT", requires_all = ["join_certificate", "certificate_authority"])]
    join_port: Option<u16>,
    /// The folder with the certificate of the join service: tls.crt and tls.key.
    #[arg(long, value_name = "FOLDER", env = "KUBEFARM_JOIN_CERTIFICATE")]
    join_certificate: Option<PathBuf>,
    /// The authorities that machines have to trust, in PEM.
    #[arg(long, value_name = "FILE", env = "KUBEFARM_CERTIFICATE_AUTHORITY")]
    certificate_authority: Option<PathBuf>,
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
        let join = self.join_port.zip(self.join_certificate);
        let join = join.zip(self.certificate_authority);
        let join = join.map(|((port, certificate), authorities)| JoinService {
            port,
            certificate,
            authorities,
        });
        let agent = NodeAgent {
            namespace: self.namespace,
            name: self.name,
        };
        let progress = Progress::new(ProgressFormat::Lines);
        let running = self.timeout.running(interrupt, &progress);
        Ok(look_after_nodes(
            admin,
            child,
            &agent,
            self.metrics_port,
            join.as_ref(),
            &running,
        )
        .await?)
    }
}
