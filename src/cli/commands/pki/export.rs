//! `kubefarm pki export`: the certificates and keys of a farm in the cluster, as files.

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::cli::args::{AppliedArgs, ClusterArgs};
use crate::cli::failure::Failure;
use crate::cli::on_cluster::{no_farm, on_cluster};
use crate::cluster::Interrupt;
use crate::cluster::state::{farm_secrets, short_name};
use crate::farm::Release;
use crate::pki::Material;
use crate::pki::directory::{Layout, export};

const EXAMPLES: &str = "\
The folder has to be new or empty; only its owner may read it (0700, files 0600).

Examples:
  As kubeadm has them in /etc/kubernetes/pki, checked with kubeadm:
    kubefarm pki export farm pki -n clusters
    kubeadm certs check-expiration --cert-dir \"$PWD/pki\"

  As render reads them, to continue in a pipeline with a farm that apply created:
    kubefarm pki export farm pki -n clusters --layout pki-dir
    kubefarm render --pki-dir pki -f values.yaml -n clusters";

/// Write the certificates and keys of a farm in the cluster to a folder.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Export {
    #[command(flatten)]
    release: AppliedArgs,
    /// The folder.
    #[arg(value_name = "DIR")]
    dir: PathBuf,
    /// The names of the files: as kubeadm has them, or as --pki-dir reads them.
    #[arg(long, value_enum, default_value_t = LayoutArg::Kubeadm, env = "KUBEFARM_LAYOUT")]
    layout: LayoutArg,
    #[command(flatten)]
    cluster: ClusterArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum LayoutArg {
    Kubeadm,
    PkiDir,
}

impl Export {
    pub fn run(self) -> Result<(), Failure> {
        let layout = match self.layout {
            LayoutArg::Kubeadm => Layout::Kubeadm,
            LayoutArg::PkiDir => Layout::Secrets,
        };
        let release = self.release.as_release();
        let mut found = BTreeMap::new();
        let cluster = &self.cluster;
        on_cluster(|interrupt| async {
            found = in_cluster(cluster, &release, interrupt).await?;
            Ok(())
        })?;
        let dir = &self.dir;
        let count = export(dir, &found, layout)?;
        writeln!(io::stderr(), "{count} files in {}", dir.display())?;
        Ok(())
    }
}

/// The certificates of a farm that the cluster knows, by their short names.
pub(super) async fn in_cluster(
    cluster: &ClusterArgs,
    release: &Release,
    interrupt: Interrupt,
) -> Result<BTreeMap<String, Material>, Failure> {
    let api = cluster.open(interrupt).await?;
    let Some(secrets) = farm_secrets(&api, release, cluster.concurrency()).await? else {
        return Err(no_farm(&api, release).await);
    };
    let materials = secrets.iter().map(|(name, secret)| {
        let material = Material::of_secret(secret);
        (short_name(name).to_owned(), material)
    });
    Ok(materials.collect())
}
