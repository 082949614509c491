//! `kubefarm diff`: what apply would change.

use clap::Args;

use super::apply::{ChangeArgs, Wanted};
use crate::cli::args::{ClusterArgs, FarmArgs, NameArgs};
use crate::cli::failure::{Failure, report};
use crate::cli::on_cluster::on_cluster;
use crate::cli::stdout::write_stdout;
use crate::cluster::Interrupt;
use crate::cluster::change::{Checked, Step, check};
use crate::cluster::fields::diff::{ObjectDiff, difference};
use crate::pki::Intent;
use crate::report::{Progress, ProgressFormat, Style, print_differences};

const EXAMPLES: &str = "\
Values of Secrets are masked: the diff shows that they change, never what they are.

Examples:
  What these values would change:
    kubefarm diff -f values.yaml -f extra.yaml -n farm

  In a pipeline: apply only where there is something to apply
    kubefarm diff -f values.yaml -q; test $? -ne 1 || kubefarm apply -f values.yaml

Exit codes: 0 same, 1 differs, above 1 an error.";

/// Show what apply would change, by a server-side dry run.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Diff {
    #[command(flatten)]
    name: NameArgs,
    #[command(flatten)]
    farm: FarmArgs,
    #[command(flatten)]
    cluster: ClusterArgs,
    #[command(flatten)]
    change: ChangeArgs,
    /// Print nothing; see the exit code.
    #[arg(short, long, env = "KUBEFARM_QUIET", help_heading = "Output")]
    quiet: bool,
}

impl Diff {
    pub fn run(self) -> Result<(), Failure> {
        on_cluster(|interrupt| self.run_until(interrupt))
    }

    async fn run_until(mut self, interrupt: Interrupt) -> Result<(), Failure> {
        self.farm
            .take_name(&self.name, "diff")
            .map_err(|failure| Failure::Diff(Box::new(failure)))?;
        let differences = self
            .differences(interrupt)
            .await
            .map_err(|failure| Failure::Diff(Box::new(failure)))?;
        if differences.is_empty() {
            return Ok(());
        }
        if !self.quiet {
            let mut text = Vec::new();
            print_differences(&differences, Style::of_stdout(), &mut text)?;
            write_stdout(&text).map_err(|failure| Failure::Diff(Box::new(failure)))?;
        }
        Err(Failure::Reported)
    }

    async fn differences(&self, interrupt: Interrupt) -> Result<Vec<ObjectDiff>, Failure> {
        let outcome = self.farm.render()?;
        report(&outcome.warnings)?;
        let api = self.cluster.open(interrupt).await?;
        let intent = Intent::default();
        let wanted = self
            .change
            .wanted(&self.cluster, &self.farm, &api, outcome, intent)
            .await?;
        let Wanted {
            release,
            objects,
            options,
        } = wanted;
        let progress = Progress::new(ProgressFormat::Quiet);
        let checked = check(&api, &release, objects, &options, &progress).await?;
        let Checked { planned, stale, .. } = checked;
        let mut differences = Vec::new();
        for planned in &planned {
            let live = planned.live.as_ref();
            let after = match &planned.step {
                Step::Nothing => continue,
                Step::Apply(after) | Step::Take(after, _) | Step::Adopt(after) => after,
                _ => &planned.content,
            };
            differences.extend(difference(live, Some(after)));
        }
        for member in stale
            .iter()
            .filter(|member| options.prune && member.kept.is_none())
        {
            let live = api.get(&member.resource, &member.key).await?;
            differences.extend(difference(live.as_ref(), None));
        }
        Ok(differences)
    }
}
