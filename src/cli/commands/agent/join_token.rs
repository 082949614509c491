//! `kubefarm agent join-token`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::TimeoutArgs;
use crate::agent::{self, join_token};
use crate::cli::args::Endpoint;
use crate::cli::failure::Failure;
use crate::cli::on_cluster::on_cluster;
use crate::cluster::{Event, Interrupt, Observer, Target};
use crate::farm::syntax::go_duration;
use crate::report::{Progress, ProgressFormat};

const EXAMPLES: &str = "\
Creates a bootstrap token in the child cluster and writes the command that joins
with it into a Secret of the cluster that this runs in. The Secret keeps its
content until the new token can be used. Old tokens expire by themselves.

Examples:
  As the join-token Job runs it:
    kubefarm agent join-token --child-kubeconfig=/etc/kubernetes/admin.conf \\
      --certificate-authority=/pki/admin-client/ca.crt \\
      --endpoint=farm-apiserver:6443 --namespace=farm \\
      --service=farm-apiserver --secret=farm-join-config --ttl=24h0m0s";

/// Create a token that nodes join with, and publish it to booting nodes.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct JoinToken {
    /// The child cluster's kubeconfig.
    #[arg(long, value_name = "FILE", env = "KUBEFARM_CHILD_KUBECONFIG")]
    child_kubeconfig: PathBuf,
    /// The kubeconfig of the cluster with the Secret. Default: the pod's service account.
    #[arg(long, value_name = "FILE", env = "KUBEFARM_KUBECONFIG")]
    kubeconfig: Option<PathBuf>,
    /// The certificate authorities that nodes have to trust, in PEM.
    #[arg(long, value_name = "FILE", env = "KUBEFARM_CERTIFICATE_AUTHORITY")]
    certificate_authority: PathBuf,
    /// Where nodes reach the API server: HOST:PORT.
    #[arg(long, value_name = "ENDPOINT", env = "KUBEFARM_ENDPOINT")]
    endpoint: Endpoint,
    /// The namespace of the Service.
    #[arg(long, value_name = "NAMESPACE", env = "KUBEFARM_NAMESPACE")]
    namespace: String,
    /// The API server's Service; where ENDPOINT is its name, nodes get its address.
    #[arg(long, value_name = "SERVICE", env = "KUBEFARM_SERVICE")]
    service: String,
    /// The namespace of the Secret. Default: that of the Service.
    #[arg(long, value_name = "NAMESPACE", env = "KUBEFARM_SECRET_NAMESPACE")]
    secret_namespace: Option<String>,
    /// The Secret, which has to exist.
    #[arg(long, value_name = "SECRET", env = "KUBEFARM_SECRET")]
    secret: String,
    /// How long the token is valid: `24h0m0s`, `1.5h`; `0`: for ever.
    #[arg(long, value_name = "TIME", env = "KUBEFARM_TTL", default_value = "24h", value_parser = ttl)]
    ttl: Duration,
    #[command(flatten)]
    timeout: TimeoutArgs,
}

impl JoinToken {
    pub fn run(self) -> Result<(), Failure> {
        on_cluster(|interrupt| self.run_until(interrupt))
    }

    async fn run_until(self, interrupt: Interrupt) -> Result<(), Failure> {
        let child = Target::from(self.child_kubeconfig);
        let admin = Target::from(self.kubeconfig);
        let wanted = agent::JoinToken {
            authorities: self.certificate_authority,
            endpoint: self.endpoint.0,
            secret_namespace: self.secret_namespace.unwrap_or(self.namespace.clone()),
            namespace: self.namespace,
            service: self.service,
            secret: self.secret,
            ttl: self.ttl,
        };
        let progress = Progress::new(ProgressFormat::Lines);
        let running = self.timeout.running(interrupt, &progress);
        join_token(admin, child, &wanted, &running).await?;
        let done = format!("a new join token is in Secret {}", wanted.secret);
        progress.observe(&Event::Note(&done));
        Ok(())
    }
}

/// A time as Go reads it, which is how the values give it.
fn ttl(text: &str) -> Result<Duration, String> {
    go_duration(text).ok_or_else(|| "expected a time such as 24h0m0s or 90m".to_owned())
}
