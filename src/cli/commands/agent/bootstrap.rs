//! `kubefarm agent bootstrap`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;

use super::TimeoutArgs;
use crate::agent::{self, Announce, bootstrap};
use crate::cli::args::Endpoint;
use crate::cli::failure::Failure;
use crate::cli::on_cluster::on_cluster;
use crate::cluster::{Interrupt, Target};
use crate::report::{Progress, ProgressFormat};

/// How many requests to have in flight at a time.
const CONCURRENCY: usize = 4;

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
    /// The child cluster's kubeconfig.
    #[arg(long, value_name = "FILE", env = "KUBEFARM_KUBECONFIG")]
    kubeconfig: PathBuf,
    /// The kubeconfig of the cluster with the Service. Default: the pod's service account.
    #[arg(long, value_name = "FILE", env = "KUBEFARM_ADMIN_KUBECONFIG")]
    admin_kubeconfig: Option<PathBuf>,
    /// The certificate authorities that nodes have to trust, in PEM.
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
    /// The endpoints of the child's Service kubernetes: ADDRESS:PORT, one of each family. Default: the API servers set them.
    #[arg(
        long,
        value_name = "ENDPOINT",
        env = "KUBEFARM_ANNOUNCE",
        value_delimiter = ','
    )]
    announce: Vec<SocketAddr>,
    /// Announce the addresses that a load balancer gives to this Service.
    #[arg(
        long,
        value_name = "SERVICE",
        env = "KUBEFARM_ANNOUNCE_SERVICE",
        requires = "announce_port",
        requires = "namespace",
        conflicts_with = "announce"
    )]
    announce_service: Option<String>,
    /// The port at those addresses.
    #[arg(long, value_name = "PORT", env = "KUBEFARM_ANNOUNCE_PORT")]
    announce_port: Option<u16>,
    /// The namespace of the Service.
    #[arg(long, value_name = "NAMESPACE", env = "KUBEFARM_NAMESPACE")]
    namespace: Option<String>,
    #[command(flatten)]
    timeout: TimeoutArgs,
}

impl Bootstrap {
    pub fn run(self) -> Result<(), Failure> {
        on_cluster(|interrupt| self.run_until(interrupt))
    }

    async fn run_until(self, interrupt: Interrupt) -> Result<(), Failure> {
        let child = Target::from(self.kubeconfig);
        let admin = Target::from(self.admin_kubeconfig);
        let balanced = (self.announce_service, self.announce_port, self.namespace);
        let announce = match balanced {
            (Some(service), Some(port), Some(namespace)) => Announce::Balanced {
                namespace,
                service,
                port,
            },
            _ if self.announce.is_empty() => Announce::Nothing,
            _ => Announce::At(self.announce),
        };
        let wanted = agent::Bootstrap {
            announce,
            addons: self.addons,
            extra_manifests: self.extra_manifests,
            authorities: self.certificate_authority,
            endpoint: self.endpoint.0,
            concurrency: CONCURRENCY,
        };
        let progress = Progress::new(ProgressFormat::Lines);
        let running = self.timeout.running(interrupt, &progress);
        Ok(bootstrap(admin, child, &wanted, &running).await?)
    }
}
