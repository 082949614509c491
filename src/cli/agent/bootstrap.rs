//! `kubefarm agent bootstrap`.

use std::path::PathBuf;

use clap::Args;

use super::super::Failure;
use super::super::args::Endpoint;
use super::Patience;
use crate::agent::{self, bootstrap};
use crate::cluster::{Interrupt, Target};
use crate::report::{Form, Progress};

/// How many requests to have under way at a time.
const CONCURRENCY: usize = 4;

const EXAMPLES: &str = "\
Waits for the child cluster's API server, applies the manifests of the folders
and cluster-info, and removes what an earlier run applied and this one does not.
What comes after a failure is not done; the next run goes on from there.

Examples:
  As the bootstrap Job runs it:
    kubefarm agent bootstrap --kubeconfig=/etc/kubernetes/admin.conf \\
      --certificate-authority=/pki/admin-client/ca.crt \\
      --endpoint=farm.example:6443 --addons=/addons";

/// Prepare a child cluster, so that nodes can join it and have DNS and Services.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Bootstrap {
    /// The child cluster's kubeconfig.
    #[arg(long, value_name = "FILE", env = "KUBEFARM_KUBECONFIG")]
    kubeconfig: PathBuf,
    /// What nodes have to trust, in PEM.
    #[arg(long, value_name = "FILE", env = "KUBEFARM_CERTIFICATE_AUTHORITY")]
    certificate_authority: PathBuf,
    /// Where nodes reach the API server: HOST:PORT.
    #[arg(long, value_name = "ENDPOINT", env = "KUBEFARM_ENDPOINT")]
    endpoint: Endpoint,
    /// A folder with the manifests of the addons.
    #[arg(long, value_name = "DIR", env = "KUBEFARM_ADDONS")]
    addons: PathBuf,
    /// A folder with more manifests.
    #[arg(long, value_name = "DIR", env = "KUBEFARM_EXTRA_MANIFESTS")]
    extra_manifests: Option<PathBuf>,
    #[command(flatten)]
    patience: Patience,
}

impl Bootstrap {
    pub async fn run(self, interrupt: Interrupt) -> Result<(), Failure> {
        let child = Target {
            kubeconfig: Some(self.kubeconfig),
            context: None,
        };
        let wanted = agent::Bootstrap {
            addons: self.addons,
            extra_manifests: self.extra_manifests,
            authorities: self.certificate_authority,
            endpoint: self.endpoint.0,
            concurrency: CONCURRENCY,
        };
        let progress = Progress::new(Form::Lines);
        let running = self.patience.running(interrupt, &progress);
        Ok(bootstrap(child, &wanted, &running).await?)
    }
}
