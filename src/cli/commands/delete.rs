//! `kubefarm delete`: remove a farm.

use std::io::{self, Write};

use clap::Args;

use crate::cli::args::{AppliedArgs, ClusterArgs, ProgressArgs};
use crate::cli::failure::Failure;
use crate::cli::on_cluster::{no_farm, on_cluster};
use crate::cluster::change::{DeleteOptions, delete};
use crate::cluster::record::Kept;
use crate::cluster::{Event, Interrupt, Observer};
use crate::report::Progress;

const EXAMPLES: &str = "\
The cluster knows which objects belong to the farm: no values are needed.
Volumes, backups, certificate authorities, namespaces and
CustomResourceDefinitions are kept unless they are purged, and a later apply
finds them again. Objects with the annotation kubefarm.io/keep: \"true\" are
always kept. The command waits until all others are gone. Those that still
exist at --timeout are named, and stay recorded.

Examples:
  Remove a farm, but keep its volumes, backups and certificate authorities:
    kubefarm delete farm -n clusters

  Remove those as well, after looking at what they are:
    kubefarm delete farm -n clusters --purge
    kubefarm delete farm -n clusters --purge --yes";

/// Remove a farm; its data is kept unless it is purged.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Delete {
    #[command(flatten)]
    release: AppliedArgs,
    #[command(flatten)]
    cluster: ClusterArgs,
    /// Delete volumes, backups, certificate authorities and CustomResourceDefinitions as well: lists them, and deletes
    /// them with --yes.
    #[arg(long, env = "KUBEFARM_PURGE", help_heading = "Delete")]
    purge: bool,
    /// Really purge.
    #[arg(
        long,
        env = "KUBEFARM_YES",
        requires = "purge",
        help_heading = "Delete"
    )]
    yes: bool,
    /// Only print what would be deleted.
    #[arg(
        long,
        env = "KUBEFARM_DELETE_DRY_RUN",
        conflicts_with = "yes",
        help_heading = "Delete"
    )]
    dry_run: bool,
    #[command(flatten)]
    progress: ProgressArgs,
}

impl Delete {
    pub fn run(self) -> Result<(), Failure> {
        on_cluster(|interrupt| self.run_until(interrupt))
    }

    async fn run_until(self, interrupt: Interrupt) -> Result<(), Failure> {
        let api = self.cluster.open(interrupt).await?;
        let release = self.release.as_release();
        let progress = Progress::new(self.progress.format());
        let asks = self.purge && !self.yes;
        let options = DeleteOptions {
            purge: self.purge,
            dry_run: self.dry_run || asks,
            concurrency: self.cluster.concurrency(),
        };
        let Some(deleted) = delete(&api, &release, options, &progress).await? else {
            progress.finish();
            return Err(no_farm(&api, &release).await);
        };
        if options.dry_run {
            for key in &deleted.deleted {
                progress.observe(&Event::Note(&format!("would delete {key}")));
            }
        }
        progress.finish();
        if asks && !self.dry_run {
            return Err(Failure::Usage(
                "nothing was deleted; add --yes to delete all of this permanently".to_owned(),
            ));
        }
        let purgeable = deleted.kept.iter().filter(|(_, why)| *why != Kept::Asked);
        if !self.progress.quiet && !options.dry_run && purgeable.count() > 0 {
            writeln!(
                io::stderr(),
                "Objects that were kept can be purged: kubefarm delete {} -n {} --purge",
                release.name,
                release.namespace
            )?;
        }
        Ok(())
    }
}
