//! `kubefarm etcd defrag`: gives back what is free in the databases of members.

use std::io::{self, Write as _};

use clap::Args;

use crate::cli::args::{AppliedArgs, ClusterArgs, ProgressArgs};
use crate::cli::failure::Failure;
use crate::cli::on_cluster::{no_farm, on_cluster};
use crate::cluster::Interrupt;
use crate::cluster::change::{DefragmentOptions, defragment};
use crate::report::Progress;

const EXAMPLES: &str = "\
A member is defragmented if more than half of its database and more than 100 MiB
are free, or if it uses more than 80% of its quota and a quarter of that is free;
all of them if one has the alarm NOSPACE, which is taken away afterwards. One at a
time, the leader last, and only while every member is well. apply and delete wait
meanwhile.

Examples:
  Which members it would be:
    kubefarm etcd defrag farm -n clusters --dry-run

  After etcd refused writes for want of space, and objects were deleted:
    kubefarm etcd defrag farm -n clusters

Exit codes: 0 done, also if there was nothing to do; 1 failed.";

/// Defragment etcd where that is worth it, and let it accept writes again.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Defrag {
    #[command(flatten)]
    release: AppliedArgs,
    #[command(flatten)]
    cluster: ClusterArgs,
    /// Also with fewer than three members, where etcd answers nobody meanwhile: a second for each 200 MB.
    #[arg(long, env = "KUBEFARM_ACCEPT_PAUSE", help_heading = "Defragment")]
    accept_pause: bool,
    /// Only print which members would be defragmented.
    #[arg(long, env = "KUBEFARM_DEFRAG_DRY_RUN", help_heading = "Defragment")]
    dry_run: bool,
    #[command(flatten)]
    progress: ProgressArgs,
}

impl Defrag {
    pub fn run(self) -> Result<(), Failure> {
        on_cluster(|interrupt| self.run_until(interrupt))
    }

    async fn run_until(self, interrupt: Interrupt) -> Result<(), Failure> {
        let api = self.cluster.open(interrupt).await?;
        let release = self.release.as_release();
        let progress = Progress::new(self.progress.format());
        let options = DefragmentOptions {
            dry_run: self.dry_run,
            accepts_pause: self.accept_pause,
            concurrency: self.cluster.concurrency(),
        };
        let done = defragment(&api, &release, options, &progress).await;
        progress.finish();
        let Some(done) = done? else {
            return Err(no_farm(&api, &release).await);
        };
        if self.progress.quiet {
            return Ok(());
        }
        if done.is_empty() {
            writeln!(io::stderr(), "nothing to defragment")?;
        }
        for one in done.iter().filter(|_| self.dry_run) {
            writeln!(io::stderr(), "would defragment {}", one.member)?;
        }
        Ok(())
    }
}
