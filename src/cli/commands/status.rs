//! `kubefarm status`: the state of a farm.

use clap::Args;
use serde_json::json;

use crate::cli::args::{AppliedArgs, ClusterArgs, Json};
use crate::cli::failure::Failure;
use crate::cli::on_cluster::{no_farm, on_cluster};
use crate::cli::stdout::write_stdout;
use crate::cluster::Interrupt;
use crate::cluster::state::{FarmStatus, ObjectStatus, Readiness, status};
use crate::farm::Release;
use crate::report::table;

const EXAMPLES: &str = "\
Examples:
  The objects of a farm that have a problem:
    kubefarm status farm -n clusters

  Every object, for a program:
    kubefarm status farm -n clusters --all -o json

Exit codes: 0 all is well, 1 something is not, or the command failed.";

/// Show which objects of a farm are gone, not ready, or changed by others.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Status {
    #[command(flatten)]
    release: AppliedArgs,
    #[command(flatten)]
    cluster: ClusterArgs,
    /// Show every object, not only those with a problem.
    #[arg(short, long, env = "KUBEFARM_ALL", help_heading = "Output")]
    all: bool,
    /// Print JSON.
    #[arg(
        short,
        long,
        value_enum,
        env = "KUBEFARM_STATUS_OUTPUT",
        help_heading = "Output"
    )]
    output: Option<Json>,
}

impl Status {
    pub fn run(self) -> Result<(), Failure> {
        on_cluster(|interrupt| self.run_until(interrupt))
    }

    async fn run_until(self, interrupt: Interrupt) -> Result<(), Failure> {
        let api = self.cluster.open(interrupt).await?;
        let release = self.release.as_release();
        let Some(found) = status(&api, &release, self.cluster.concurrency()).await? else {
            return Err(no_farm(&api, &release).await);
        };
        let shown: Vec<&ObjectStatus> = found
            .objects
            .iter()
            .filter(|object| self.all || !object.is_well())
            .collect();
        let text = match self.output {
            Some(Json::Json) => as_json(&release, &found, &shown)?,
            None => as_text(&release, &found, &shown),
        };
        write_stdout(text.as_bytes())?;
        let is_well = found.objects.iter().all(ObjectStatus::is_well);
        if is_well && found.unrecorded.is_empty() {
            Ok(())
        } else {
            Err(Failure::Reported)
        }
    }
}

fn as_text(release: &Release, status: &FarmStatus, shown: &[&ObjectStatus]) -> String {
    let well = status
        .objects
        .iter()
        .filter(|object| object.is_well())
        .count();
    let mut text = format!("{} in {}", release.name, release.namespace);
    for (name, value) in &status.facts {
        text.push_str(&format!(", {name} {value}"));
    }
    text.push_str(&format!(
        ": {well} of {} objects are well\n",
        status.objects.len()
    ));
    if !shown.is_empty() {
        let rows: Vec<Vec<String>> = shown
            .iter()
            .map(|object| {
                vec![
                    object.key.to_string(),
                    readiness_word(object).to_owned(),
                    drift(object),
                    reason(object).to_owned(),
                ]
            })
            .collect();
        text.push('\n');
        text.push_str(&table(&["OBJECT", "STATE", "DRIFT", "REASON"], &rows));
    }
    if !status.unrecorded.is_empty() {
        text.push_str("\nNot recorded by a finished apply:\n");
        for key in &status.unrecorded {
            text.push_str(&format!("  {key}\n"));
        }
    }
    text
}

fn readiness_word(object: &ObjectStatus) -> &'static str {
    match &object.readiness {
        None => "gone",
        Some(Readiness::Ready) => "ready",
        Some(Readiness::Waiting(_)) => "waiting",
        Some(Readiness::Failed(_)) => "failed",
    }
}

fn reason(object: &ObjectStatus) -> &str {
    match &object.readiness {
        Some(Readiness::Waiting(reason) | Readiness::Failed(reason)) => reason,
        _ => "",
    }
}

fn drift(object: &ObjectStatus) -> String {
    match (object.drifted, object.other_managers.is_empty()) {
        (false, _) => "no".to_owned(),
        (true, true) => "yes".to_owned(),
        (true, false) => format!("yes ({})", object.other_managers.join(", ")),
    }
}

fn as_json(
    release: &Release,
    status: &FarmStatus,
    shown: &[&ObjectStatus],
) -> Result<String, Failure> {
    let objects: Vec<_> = shown
        .iter()
        .map(|object| {
            json!({
                "group": object.key.group,
                "kind": object.key.kind,
                "namespace": object.key.namespace,
                "name": object.key.name,
                "state": readiness_word(object),
                "reason": reason(object),
                "drifted": object.drifted,
                "otherManagers": object.other_managers,
            })
        })
        .collect();
    let unrecorded: Vec<String> = status.unrecorded.iter().map(ToString::to_string).collect();
    let status = json!({
        "name": release.name,
        "namespace": release.namespace,
        "facts": status.facts,
        "objects": objects,
        "unrecorded": unrecorded,
    });
    Ok(serde_json::to_string_pretty(&status).map_err(anyhow::Error::from)? + "\n")
}
