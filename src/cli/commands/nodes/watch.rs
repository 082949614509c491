//! `kubefarm nodes watch`: machines that boot, as they go on.

use std::collections::HashMap;
use std::time::Duration;

use clap::Args;
use jiff::Timestamp;

use super::live::{self, Row};
use super::selection::Selection;
use crate::cli::args::{ClusterArgs, FarmArgs};
use crate::cli::failure::{Failure, report};
use crate::cli::on_cluster::on_cluster;
use crate::cli::stdout::write_stdout;
use crate::cluster::state::Machines;
use crate::cluster::{ClusterError, Interrupt};
use crate::farm::Farm;
use crate::nodes::boot::Machine;
use crate::nodes::listed::{Listed, listed};
use crate::report::{Screen, readable, size};

const EXAMPLES: &str = "\
Examples:
  A rack that boots:
    kubefarm nodes watch 'r1*' -f values.yaml

  Until all of them are Ready, for a pipeline; a line for each change:
    kubefarm nodes watch -f values.yaml --until-ready --timeout 20m | cat";

/// How often to ask.
const INTERVAL: Duration = Duration::from_secs(1);

/// Watch machines that boot: a table that changes in place, or a line for each change where stdout is not a terminal.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Watch {
    #[command(flatten)]
    selection: Selection,
    #[command(flatten)]
    farm: FarmArgs,
    #[command(flatten)]
    cluster: ClusterArgs,
    /// End when all of these nodes are Ready; fail where they are not before --timeout.
    #[arg(long, env = "KUBEFARM_UNTIL_READY", help_heading = "Nodes")]
    until_ready: bool,
}

impl Watch {
    pub fn run(self) -> Result<(), Failure> {
        let (farm, warnings, _) = self.farm.check_with_places()?;
        report(&warnings)?;
        self.selection.check(&farm.node_pools)?;
        let mut nodes = listed(&farm.node_pools);
        nodes.retain(|node| self.selection.has(node));
        nodes.sort_by_key(|node| (node.name().is_empty(), node.name()));
        on_cluster(|interrupt| self.run_until(&farm, &nodes, interrupt))
    }

    async fn run_until(
        &self,
        farm: &Farm,
        nodes: &[Listed<'_>],
        interrupt: Interrupt,
    ) -> Result<(), Failure> {
        let agent = live::agent(farm)?;
        let api = self.cluster.open(interrupt.clone()).await?;
        let deadline = api.deadline();
        // Who watches does so for as long as it takes, and requests have deadlines of their own.
        let api = if self.until_ready {
            api
        } else {
            api.for_ever()
        };
        let mut machines = Machines::new(&api, &farm.release.namespace, agent);
        let mut output = Output::new();
        let mut last = None;
        loop {
            let changed = match machines.refresh().await {
                Ok(changed) => changed,
                // The agent may be starting anew.
                Err(error) if error.may_pass() => {
                    output.fault(&error, &mut last);
                    Vec::new()
                }
                Err(error) => return Err(error.into()),
            };
            let is_ready = {
                let rows = live::rows(nodes, machines.seen(), &self.selection);
                output.show(&rows, &changed, &machines)?;
                rows.iter()
                    .all(|row| row.listed.is_none() || row.is_ready())
            };
            if self.until_ready && is_ready && !nodes.is_empty() {
                return Ok(());
            }
            if self.until_ready && tokio::time::Instant::now() + INTERVAL > deadline {
                return Err(not_ready(nodes, &machines, &self.selection));
            }
            interrupt.pause(INTERVAL).await?;
        }
    }
}

fn not_ready(nodes: &[Listed<'_>], machines: &Machines<'_>, selection: &Selection) -> Failure {
    let now = Timestamp::now();
    let rows = live::rows(nodes, machines.seen(), selection);
    let late = rows
        .iter()
        .filter(|row| row.listed.is_some() && !row.is_ready());
    let late: Vec<String> = late
        .map(|row| {
            let trouble = row.trouble(now).map(|trouble| format!(": {trouble}"));
            format!(
                "{} ({}{})",
                row.name(),
                row.stage(),
                trouble.unwrap_or_default()
            )
        })
        .collect();
    Failure::Other(anyhow::anyhow!("not Ready in time: {}", late.join(", ")))
}

/// Where it is shown.
enum Output {
    Table(Screen),
    /// With the last line of each machine: what is seen again is not news.
    Lines(HashMap<String, String>),
}

impl Output {
    fn new() -> Output {
        match size() {
            Some(_) => Output::Table(Screen::default()),
            None => Output::Lines(HashMap::new()),
        }
    }

    fn show(
        &mut self,
        rows: &[Row<'_>],
        changed: &[String],
        machines: &Machines<'_>,
    ) -> Result<(), Failure> {
        match self {
            Output::Table(screen) => {
                let now = Timestamp::now();
                // Who is not there yet is what one watches for.
                let (ready, others): (Vec<_>, Vec<_>) = rows.iter().partition(|row| row.is_ready());
                let text = live::table_of(others.into_iter().chain(ready), now, false);
                let text = screen.replace(&text, size().unwrap_or((80, 24)));
                write_stdout(text.as_bytes())
            }
            Output::Lines(last) => {
                let wanted = |name: &&String| {
                    let mut rows = rows.iter();
                    rows.any(|row| row.machine.is_some_and(|machine| machine.name == **name))
                };
                let names = changed.iter().filter(wanted);
                let mut text = String::new();
                for machine in names.filter_map(|name| machines.seen().get(name)) {
                    let line = line(machine);
                    if last.get(&machine.name) != Some(&line) {
                        text.push_str(&format!("{} {line}\n", machine.seen));
                        last.insert(machine.name.clone(), line);
                    }
                }
                write_stdout(text.as_bytes())
            }
        }
    }

    /// Reports once that the agent does not answer.
    fn fault(&self, error: &ClusterError, last: &mut Option<String>) {
        let text = error.to_string();
        if last.as_ref() != Some(&text) {
            eprintln!("{}", readable(&format!("{text}; asking again")));
            *last = Some(text);
        }
    }
}

/// The last step of a machine, without its time.
fn line(machine: &Machine) -> String {
    let last = machine.steps.last();
    let text = last.map(|step| step.text.as_ref()).unwrap_or_default();
    let stop = if machine.fault.is_some() {
        "stopped: "
    } else {
        ""
    };
    let percent = machine.percent.map(|percent| format!(" {percent}%"));
    let percent = percent.unwrap_or_default();
    let line = format!("{} {}{percent}: {stop}{text}", machine.name, machine.stage);
    readable(&line)
}
