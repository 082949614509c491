//! What a child cluster is to have, as the bootstrap Job and the admin pod are told.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;

use crate::agent::{self, Announce};
use crate::cli::args::Endpoint;
use crate::cluster::Target;

/// How many requests to have in flight at a time.
const CONCURRENCY: usize = 4;

#[derive(Debug, Args)]
pub struct PreparedArgs {
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
}

impl PreparedArgs {
    /// The admin cluster and the child.
    pub fn clusters(&self) -> (Target, Target) {
        let admin = self.admin_kubeconfig.clone();
        // In the admin pod KUBECONFIG is the child's, for people.
        let admin = admin.map_or_else(Target::of_pod, Target::from);
        (admin, self.kubeconfig.clone().into())
    }

    /// What to bring into the child, with the user's manifests.
    pub fn wanted(self, extra_manifests: Option<PathBuf>) -> agent::Bootstrap {
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
        agent::Bootstrap {
            announce,
            addons: self.addons,
            extra_manifests,
            authorities: self.certificate_authority,
            endpoint: self.endpoint.0,
            concurrency: CONCURRENCY,
        }
    }
}
