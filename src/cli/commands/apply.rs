//! `kubefarm apply`: render, then bring the cluster to it.

mod running;

use std::collections::BTreeMap;
use std::io::{self, IsTerminal, Write};
use std::str::FromStr;

use clap::builder::{BoolishValueParser, PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};

use self::running::render_with_running_versions;
use crate::cli::args::{ClusterArgs, FarmArgs, NameArgs, ProgressArgs};
use crate::cli::failure::{Failure, report};
use crate::cli::on_cluster::on_cluster;
use crate::cluster::change::{
    Allowed, Applied, ApplyOptions, Certificates, Planned, Step, apply, check,
};
use crate::cluster::guard::{DNS_DOMAIN, Risk};
use crate::cluster::state::ENDPOINT;
use crate::cluster::{Action, Api, Event, Interrupt, Observer, Stage, wait};
use crate::farm::{Farm, Release};
use crate::manifest::{Manifest, Object};
use crate::pki::Intent;
use crate::render::Outcome;
use crate::report::{Progress, ProgressFormat};
use crate::values::Problem;

const EXAMPLES: &str = "\
Every object is checked by a server-side dry run before the first one changes.
If it is killed at any point, the next apply continues from there.

Examples:
  Two layers, into a namespace that may not exist yet:
    kubefarm apply -f values.yaml -f extra.yaml -n farm --create-namespace

  What it would do, checked by the cluster but not done:
    kubefarm apply -f values.yaml -n farm --dry-run=server

  Take over a farm that Helm installed:
    kubefarm apply -f values.yaml -n farm --adopt

Exit codes: 0 done, 1 failed (prints what was done), 2 wrong input.";

/// Render, then apply to a cluster: create, update, prune, wait.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Apply {
    #[command(flatten)]
    name: NameArgs,
    #[command(flatten)]
    args: ApplyArgs,
    /// Whether to wait until everything is ready. Default: wait at a terminal.
    #[arg(
        long,
        value_name = "BOOL",
        env = "KUBEFARM_WAIT",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        value_parser = BoolishValueParser::new(),
        help_heading = "Apply"
    )]
    wait: Option<bool>,
    /// Do not wait; wins over --wait and its variable.
    #[arg(long, help_heading = "Apply")]
    no_wait: bool,
    /// Change nothing and print what would happen: checked by the cluster (`server`, the default), or without it (`client`).
    #[arg(
        long,
        value_enum,
        value_name = "WHERE",
        env = "KUBEFARM_DRY_RUN",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "server",
        help_heading = "Apply"
    )]
    dry_run: Option<DryRun>,
}

/// The flags of every command that applies a farm.
#[derive(Debug, Args)]
pub(super) struct ApplyArgs {
    #[command(flatten)]
    pub farm: FarmArgs,
    #[command(flatten)]
    cluster: ClusterArgs,
    #[command(flatten)]
    change: ChangeArgs,
    #[command(flatten)]
    progress: ProgressArgs,
}

impl ApplyArgs {
    /// Applies a farm and, where it is wanted, waits until everything is ready.
    pub async fn apply(
        &self,
        outcome: Outcome,
        intent: Intent,
        waits: bool,
        interrupt: Interrupt,
    ) -> Result<Applied, Failure> {
        check_placeholders(&outcome.warnings)?;
        let progress = Progress::new(self.progress.format());
        let api = self.cluster.open(interrupt).await?;
        let wanted = self
            .change
            .wanted(&self.cluster, &self.farm, &api, outcome, intent)
            .await?;
        let Wanted {
            release,
            objects,
            options,
        } = wanted;
        let applied = apply(&api, &release, objects, &options, &progress).await?;
        if waits {
            let keys = &applied.objects;
            progress.observe(&Event::Stage {
                stage: Stage::Wait,
                count: keys.len(),
            });
            let unready = wait(&api, keys, self.cluster.concurrency(), &progress).await?;
            if !unready.is_empty() {
                return Err(Failure::Unready(unready));
            }
        }
        progress.finish();
        Ok(applied)
    }

    /// Whether to print what to do next.
    pub fn prints_advice(&self) -> bool {
        !matches!(
            self.progress.format(),
            ProgressFormat::Quiet | ProgressFormat::Json
        )
    }
}

/// What an apply may change.
#[derive(Debug, Args)]
#[command(next_help_heading = "Apply")]
pub(super) struct ChangeArgs {
    /// Create the namespaces of the release where they do not exist: its own, and `ltsp.namespace`.
    #[arg(long, env = "KUBEFARM_CREATE_NAMESPACE")]
    create_namespace: bool,
    /// Take fields that other field managers own.
    #[arg(long, env = "KUBEFARM_FORCE_CONFLICTS")]
    force_conflicts: bool,
    /// Delete and recreate objects that cannot be changed; never a volume or a certificate authority.
    #[arg(long, env = "KUBEFARM_REPLACE")]
    replace: bool,
    /// Take over objects that Helm owns.
    #[arg(long, env = "KUBEFARM_ADOPT")]
    adopt: bool,
    /// Make a change that is refused because it would harm the running farm; the refusal names its RISK.
    #[arg(
        long,
        value_name = "RISK",
        env = "KUBEFARM_ACCEPT",
        value_delimiter = ',',
        hide_possible_values = true,
        value_parser = PossibleValuesParser::new(Risk::ALL.map(Risk::name)).try_map(|name| Risk::from_str(&name))
    )]
    accept: Vec<Risk>,
    /// Keep objects of this farm that are no longer rendered.
    #[arg(long, env = "KUBEFARM_NO_PRUNE")]
    no_prune: bool,
}

/// What a cluster is asked to become, and how.
pub(super) struct Wanted {
    pub release: Release,
    pub objects: Vec<Object>,
    pub options: ApplyOptions,
}

impl ChangeArgs {
    /// What a rendered farm asks of a cluster. A farm that is taken over keeps the versions that run in it.
    pub async fn wanted(
        &self,
        cluster: &ClusterArgs,
        farm: &FarmArgs,
        api: &Api,
        outcome: Outcome,
        intent: Intent,
    ) -> Result<Wanted, Failure> {
        let outcome = if self.adopt {
            render_with_running_versions(farm, api, outcome).await?
        } else {
            outcome
        };
        let Outcome { farm, manifest, .. } = outcome;
        Ok(Wanted {
            options: self.options(cluster, &farm, intent),
            objects: manifest.into_objects(),
            release: farm.release,
        })
    }

    fn options(&self, cluster: &ClusterArgs, farm: &Farm, intent: Intent) -> ApplyOptions {
        ApplyOptions {
            allowed: Allowed {
                force: self.force_conflicts,
                adopt: self.adopt,
                replace: self.replace,
                create_namespace: self.create_namespace,
            },
            prune: !self.no_prune,
            only_same: false,
            concurrency: cluster.concurrency(),
            certificates: farm.issues_certificates().then(|| Certificates {
                pki: farm.pki.clone(),
                intent,
            }),
            facts: facts(farm),
            accepted: self.accept.iter().copied().collect(),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum DryRun {
    Client,
    Server,
}

impl Apply {
    pub fn run(self) -> Result<(), Failure> {
        on_cluster(|interrupt| self.run_until(interrupt))
    }

    async fn run_until(mut self, interrupt: Interrupt) -> Result<(), Failure> {
        self.args.farm.take_name(&self.name, "apply")?;
        let outcome = self.args.farm.render()?;
        report(&outcome.warnings)?;
        match self.dry_run {
            Some(DryRun::Client) => {
                dry_run_on_client(
                    &outcome.manifest,
                    &Progress::new(self.args.progress.format()),
                );
                Ok(())
            }
            Some(DryRun::Server) => self.dry_run_on_server(outcome, interrupt).await,
            None => {
                let farm = outcome.farm.clone();
                let at_terminal = io::stderr().is_terminal();
                let waits = !self.no_wait && self.wait.unwrap_or(at_terminal);
                let intent = Intent::default();
                let applied = self.args.apply(outcome, intent, waits, interrupt).await?;
                if self.args.prints_advice() {
                    print_next_steps(&farm, &applied)?;
                }
                Ok(())
            }
        }
    }

    async fn dry_run_on_server(
        &self,
        outcome: Outcome,
        interrupt: Interrupt,
    ) -> Result<(), Failure> {
        check_placeholders(&outcome.warnings)?;
        let ApplyArgs {
            cluster,
            change,
            farm,
            ..
        } = &self.args;
        let progress = Progress::new(self.args.progress.format());
        let api = cluster.open(interrupt).await?;
        let intent = Intent::default();
        let wanted = change.wanted(cluster, farm, &api, outcome, intent).await?;
        let Wanted {
            release,
            objects,
            options,
        } = wanted;
        let checked = check(&api, &release, objects, &options, &progress).await?;
        for planned in &checked.planned {
            progress.observe(&Event::Object {
                key: &planned.key,
                action: planned_action(planned),
            });
        }
        for member in checked.stale.iter().filter(|_| options.prune) {
            let action = match member.kept {
                Some(reason) => Action::Kept(reason.reason()),
                None => Action::Deleted,
            };
            progress.observe(&Event::Object {
                key: &member.key,
                action,
            });
        }
        progress.observe(&Event::Note("dry run: nothing was changed"));
        Ok(())
    }
}

/// Keeps placeholders from a cluster: keys and passwords that are for looking at only, and known to everybody.
///
/// # Errors
/// Which values these are, and where. What is wrong with them was printed before.
fn check_placeholders(warnings: &[Problem]) -> Result<(), Failure> {
    let values: Vec<String> = warnings
        .iter()
        .filter(|problem| problem.render_only)
        .map(|problem| {
            let path = problem.path.clone().unwrap_or_default();
            match &problem.origin {
                Some(origin) => format!("{path} ({origin})"),
                None => path.to_string(),
            }
        })
        .collect();
    if values.is_empty() {
        Ok(())
    } else {
        Err(Failure::Other(anyhow::anyhow!(
            "these values are placeholders and not sent to a cluster; set your own first: {}",
            values.join(", ")
        )))
    }
}

/// What `list` and `status` show of a farm.
fn facts(farm: &Farm) -> BTreeMap<String, String> {
    let mut facts = BTreeMap::new();
    facts.insert("kubefarm".to_owned(), farm.tool.version.to_owned());
    if farm.kubernetes.enabled {
        facts.insert("kubernetes".to_owned(), farm.kubernetes.version.clone());
        let endpoint = &farm.kubernetes.endpoint;
        if farm.kubernetes.server != format!("https://{endpoint}") {
            facts.insert(ENDPOINT.to_owned(), endpoint.clone());
        }
        facts.insert(DNS_DOMAIN.to_owned(), farm.kubernetes.dns_domain.clone());
    }
    facts
}

fn dry_run_on_client(manifest: &Manifest, progress: &Progress) {
    for object in manifest.objects() {
        progress.observe(&Event::Object {
            key: &object.key(),
            action: Action::Checked,
        });
    }
    progress.observe(&Event::Note("dry run: the cluster was not contacted"));
}

fn planned_action(planned: &Planned) -> Action {
    match (&planned.step, &planned.live) {
        (Step::Nothing, _) => Action::Unchanged,
        (Step::Replace, _) => Action::Replaced,
        (_, None) => Action::Created,
        (_, Some(_)) => Action::Changed,
    }
}

fn print_next_steps(farm: &Farm, applied: &Applied) -> io::Result<()> {
    let mut err = io::stderr().lock();
    let (name, namespace) = (&farm.release.name, &farm.release.namespace);
    for release in &applied.helm_releases {
        writeln!(
            err,
            "Helm still has a record of release {release}, and `helm uninstall` would delete objects that kubefarm owns now. \
             Remove the record: kubectl -n {namespace} delete secret -l owner=helm,name={release}"
        )?;
    }
    if !farm.kubernetes.enabled || !farm.admin.spec.enabled {
        return Ok(());
    }
    let admin = &farm.admin.computed.name;
    writeln!(
        err,
        "\nNext:\n  a shell in the admin pod:  kubectl -n {namespace} exec -it deploy/{admin} -- sh\n  \
         a kubeconfig:              kubefarm kubeconfig {name} -n {namespace} --merge ~/.kube/config\n\
         Still missing: a network (CNI) in the child cluster, and nodes, which join when they boot."
    )
}
