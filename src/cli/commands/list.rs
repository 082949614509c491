//! `kubefarm list`: the farms of a cluster.

use clap::Args;
use serde_json::json;

use crate::cli::args::{ClusterArgs, Json, object_name};
use crate::cli::failure::Failure;
use crate::cli::on_cluster::on_cluster;
use crate::cli::stdout::write_stdout;
use crate::cluster::Interrupt;
use crate::cluster::state::{Farm, list};
use crate::report::table;

const EXAMPLES: &str = "\
Examples:
  The farms of every namespace:
    kubefarm list

  The names of those in one, for a script:
    kubefarm list -n clusters -o json | jq --raw-output .[].name";

/// List the farms of a cluster.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct List {
    /// Only the farms of this namespace.
    #[arg(short, long, value_name = "NAMESPACE", env = "KUBEFARM_NAMESPACE", value_parser = object_name)]
    namespace: Option<String>,
    #[command(flatten)]
    cluster: ClusterArgs,
    /// Print a JSON list.
    #[arg(
        short,
        long,
        value_enum,
        env = "KUBEFARM_LIST_OUTPUT",
        help_heading = "Output"
    )]
    output: Option<Json>,
}

impl List {
    pub fn run(self) -> Result<(), Failure> {
        on_cluster(|interrupt| self.run_until(interrupt))
    }

    async fn run_until(self, interrupt: Interrupt) -> Result<(), Failure> {
        let api = self.cluster.open(interrupt).await?;
        let farms = list(&api, self.namespace.as_deref()).await?;
        let text = match self.output {
            Some(Json::Json) => as_json(&farms)?,
            None => as_table(&farms),
        };
        write_stdout(text.as_bytes())
    }
}

fn as_table(farms: &[Farm]) -> String {
    let rows: Vec<Vec<String>> = farms
        .iter()
        .map(|farm| {
            vec![
                farm.release.namespace.clone(),
                farm.release.name.clone(),
                fact(farm, "kubernetes"),
                fact(farm, "kubefarm"),
                match farm.objects {
                    0 => "deleted, data kept".to_owned(),
                    count => count.to_string(),
                },
            ]
        })
        .collect();
    let headers = ["NAMESPACE", "NAME", "KUBERNETES", "KUBEFARM", "OBJECTS"];
    table(&headers, &rows)
}

fn fact(farm: &Farm, name: &str) -> String {
    farm.facts.get(name).cloned().unwrap_or_else(|| "-".into())
}

fn as_json(farms: &[Farm]) -> Result<String, Failure> {
    let farms = farms.iter().map(|farm| {
        json!({
            "namespace": farm.release.namespace,
            "name": farm.release.name,
            "facts": farm.facts,
            "objects": farm.objects,
        })
    });
    let list: Vec<_> = farms.collect();
    Ok(serde_json::to_string_pretty(&list).map_err(anyhow::Error::from)? + "\n")
}
