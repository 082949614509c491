//! `kubefarm agent backup`.

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use http::Uri;

use crate::agent::{self, EtcdAccess, backup};
use crate::backup::Retention;
use crate::cli::failure::Failure;
use crate::cli::on_cluster::on_cluster;
use crate::cluster::Interrupt;
use crate::farm::syntax::go_duration;
use crate::report::{Progress, ProgressFormat};

const EXAMPLES: &str = "\
The file gets its name once it is complete, on the disk and read back. Older ones
go as --keep-last and --keep-for say; the newest one stays in any case, and so does
what this command did not write.

Examples:
  As the CronJob for backups runs it:
    kubefarm agent backup --endpoint=https://farm-etcd:2379 \\
      --etcd-authority=/pki/etcd/client/ca.crt \\
      --etcd-certificate=/pki/etcd/client/tls.crt --etcd-key=/pki/etcd/client/tls.key \\
      --secrets=/secrets --folder=/data --farm=farm --namespace=clusters \\
      --kubernetes-version=v1.37.2 --recipient=age1... --keep-last=28";

/// Back up the farm: etcd, the authorities and further Secrets.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Backup {
    /// Where etcd's members are.
    #[arg(long, value_name = "URL", env = "KUBEFARM_ENDPOINT")]
    endpoint: Uri,
    /// The certificate authorities of etcd, in PEM.
    #[arg(long, value_name = "FILE", env = "KUBEFARM_ETCD_AUTHORITY")]
    etcd_authority: PathBuf,
    /// A client certificate for etcd, in PEM.
    #[arg(long, value_name = "FILE", env = "KUBEFARM_ETCD_CERTIFICATE")]
    etcd_certificate: PathBuf,
    /// Its private key.
    #[arg(long, value_name = "FILE", env = "KUBEFARM_ETCD_KEY")]
    etcd_key: PathBuf,
    /// A folder with a folder for each Secret that goes into the backup.
    #[arg(long, value_name = "DIR", env = "KUBEFARM_SECRETS")]
    secrets: Option<PathBuf>,
    /// Where the backups are.
    #[arg(long, value_name = "DIR", env = "KUBEFARM_FOLDER")]
    folder: PathBuf,
    /// The name with which the farm's objects begin.
    #[arg(long, value_name = "NAME", env = "KUBEFARM_FARM")]
    farm: String,
    /// The farm's namespace.
    #[arg(long, value_name = "NAMESPACE", env = "KUBEFARM_NAMESPACE")]
    namespace: String,
    /// The version of the child cluster.
    #[arg(long, value_name = "VERSION", env = "KUBEFARM_KUBERNETES_VERSION")]
    kubernetes_version: String,
    /// Who can read it: an age recipient, age1...; may be given several times. Without one it is not encrypted.
    #[arg(
        long = "recipient",
        value_name = "RECIPIENT",
        env = "KUBEFARM_RECIPIENT",
        value_delimiter = ','
    )]
    recipients: Vec<String>,
    /// How many backups to keep. Default: all.
    #[arg(long, value_name = "NUMBER", env = "KUBEFARM_KEEP_LAST")]
    keep_last: Option<NonZeroU32>,
    /// How long to keep them: `720h`. Default: for ever.
    #[arg(long, value_name = "TIME", env = "KUBEFARM_KEEP_FOR", value_parser = time)]
    keep_for: Option<Duration>,
}

impl Backup {
    pub fn run(self) -> Result<(), Failure> {
        on_cluster(|interrupt| self.run_until(interrupt))
    }

    async fn run_until(self, interrupt: Interrupt) -> Result<(), Failure> {
        let wanted = agent::Backup {
            etcd: EtcdAccess {
                endpoint: self.endpoint,
                authorities: self.etcd_authority,
                certificate: self.etcd_certificate,
                key: self.etcd_key,
            },
            secrets: self.secrets,
            farm: self.farm,
            namespace: self.namespace,
            kubernetes: self.kubernetes_version,
            folder: self.folder,
            recipients: self.recipients,
            retention: Retention {
                count: self.keep_last,
                age: self.keep_for,
            },
        };
        let progress = Progress::new(ProgressFormat::Lines);
        backup(&wanted, &interrupt, &progress).await?;
        Ok(())
    }
}

/// A time as the values give it.
fn time(text: &str) -> Result<Duration, String> {
    go_duration(text).ok_or_else(|| "expected a time such as 720h".to_owned())
}
