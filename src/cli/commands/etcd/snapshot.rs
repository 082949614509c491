//! `kubefarm etcd snapshot`: the database of a healthy member as a file, with its checksum verified on the way.

use std::io::{self, Write as _};
use std::path::PathBuf;

use clap::Args;
use jiff::Timestamp;

use crate::backup::{Flaw, NAME_TIME, SnapshotSum, Unfinished};
use crate::cli::args::{AppliedArgs, ClusterArgs};
use crate::cli::failure::Failure;
use crate::cli::on_cluster::{no_farm, on_cluster};
use crate::cluster::state::{Connected, Members};
use crate::cluster::{ClusterError, Interrupt};
use crate::etcd::{Parts, Status};

const EXAMPLES: &str = "\
The file is what `etcdctl snapshot save` writes: the database alone, without the
farm's authorities and keys, and with all Secrets of the child cluster as they are
stored. Only its owner may read it, and it has its name once it is whole. A farm's
CronJob makes backups that a farm can be restored from (kubernetes.etcd.backup).

Examples:
  Before something risky:
    kubefarm etcd snapshot farm -n clusters -o before-the-upgrade.db

  Whether it still is what it was:
    kubefarm backup verify before-the-upgrade.db";

/// Save a snapshot of etcd to a file, and verify it.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Snapshot {
    #[command(flatten)]
    release: AppliedArgs,
    #[command(flatten)]
    cluster: ClusterArgs,
    /// The file, which must not exist. Default: NAME-TIME.db here.
    #[arg(
        short,
        long,
        value_name = "FILE",
        env = "KUBEFARM_SNAPSHOT",
        help_heading = "Output"
    )]
    output: Option<PathBuf>,
}

impl Snapshot {
    pub fn run(self) -> Result<(), Failure> {
        on_cluster(|interrupt| self.run_until(interrupt))
    }

    async fn run_until(self, interrupt: Interrupt) -> Result<(), Failure> {
        let api = self.cluster.open(interrupt.clone()).await?;
        let release = self.release.as_release();
        let found = Members::of(&api, &release, self.cluster.concurrency()).await?;
        let Some(members) = found else {
            return Err(no_farm(&api, &release).await);
        };
        let time = Timestamp::now().strftime(NAME_TIME);
        let path = self
            .output
            .unwrap_or_else(|| format!("{}-{time}.db", release.name).into());
        let file = Unfinished::create(path.clone()).map_err(anyhow::Error::from)?;
        let (name, status, connected) = healthy(&members).await?;
        let parts = connected
            .member
            .snapshot()
            .await
            .map_err(anyhow::Error::from)?;
        let size = tokio::select! {
            saved = save(parts, file) => saved?,
            () = interrupt.wait() => return Err(ClusterError::Interrupted.into()),
        };
        let revision = status.header.revision;
        writeln!(
            io::stderr(),
            "{}: {size} bytes of {name}, etcd {}, revision {revision} or later",
            path.display(),
            status.version
        )?;
        Ok(())
    }
}

/// A member that a snapshot may be taken of.
async fn healthy(members: &Members<'_>) -> Result<(String, Status, Connected), Failure> {
    let mut faults = Vec::new();
    for seen in members.look().await?.members {
        let answer = seen
            .answer
            .map(|answer| (answer.status.unfit(), answer.status));
        let fault = match answer {
            Err(reason) | Ok((Some(reason), _)) => reason,
            Ok((None, status)) => match members.connect(&seen.name).await {
                Ok(connected) => return Ok((seen.name, status, connected)),
                Err(error) => error.to_string(),
            },
        };
        faults.push(format!("{} {fault}", seen.name));
    }
    let faults = faults.join("; ");
    Err(anyhow::anyhow!("no member is healthy: {faults}").into())
}

async fn save(mut parts: Parts, mut file: Unfinished) -> Result<u64, anyhow::Error> {
    let mut sum = SnapshotSum::default();
    while let Some(part) = parts.next().await? {
        sum.update(&part.bytes);
        file.write_all(&part.bytes).map_err(Flaw::Unwritable)?;
    }
    sum.check()?;
    let (size, _) = file.finish()?;
    Ok(size)
}
