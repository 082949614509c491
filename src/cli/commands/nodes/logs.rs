//! `kubefarm nodes logs`: what the servers saw of a machine.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;

use clap::Args;

use super::show::no_node;
use crate::cli::args::{ClusterArgs, FarmArgs, span};
use crate::cli::failure::{Failure, report};
use crate::cli::on_cluster::on_cluster;
use crate::cli::stdout::write_stdout;
use crate::cluster::state::{LogLine, log_lines};
use crate::cluster::{Api, Interrupt};
use crate::farm::Farm;
use crate::farm::server_logs::ServerKind;
use crate::nodes::boot::{Who, lines};
use crate::nodes::canonical_mac;
use crate::nodes::listed::{Listed, listed};
use crate::report::readable;

const EXAMPLES: &str = "\
Examples:
  A machine that does not boot: its requests to DHCP, TFTP and HTTP, its last
  words, and how the farm's agent answered it:
    kubefarm nodes logs r1n01 -f values.yaml

  One that the values do not list, by its MAC:
    kubefarm nodes logs 02:00:00:40:07:0a -f values.yaml --since 30m";

/// Show what the boot servers, the farm's agent and the machine itself reported.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Logs {
    /// The node's name, or a MAC in any spelling.
    #[arg(value_name = "NODE")]
    node: String,
    #[command(flatten)]
    farm: FarmArgs,
    /// How far back: `30m`, `12h`, `2d`. Pods that are gone took their logs along.
    #[arg(long, value_name = "TIME", env = "KUBEFARM_SINCE", default_value = "1d", value_parser = span, help_heading = "Output")]
    since: Duration,
    #[command(flatten)]
    cluster: ClusterArgs,
}

impl Logs {
    pub fn run(self) -> Result<(), Failure> {
        let (farm, warnings, _) = self.farm.check_with_places()?;
        report(&warnings)?;
        let nodes = listed(&farm.node_pools);
        let node = nodes.iter().find(|node| node.is_called(&self.node));
        let marks = match (node, canonical_mac(&self.node)) {
            (Some(node), _) => Marks::of(node),
            (None, Some(mac)) => Marks::of_mac(mac),
            (None, None) => return Err(no_node(&self.node, &nodes)),
        };
        on_cluster(|interrupt| self.run_until(&farm, marks, interrupt))
    }

    async fn run_until(
        &self,
        farm: &Farm,
        mut marks: Marks,
        interrupt: Interrupt,
    ) -> Result<(), Failure> {
        let api = self.cluster.open(interrupt).await?;
        let all = self.read(&api, farm).await?;
        for (kind, line) in &all {
            if *kind != Some(ServerKind::Http) {
                marks.learn(&line.text);
            }
        }
        let mut found: Vec<&LogLine> = all
            .iter()
            .filter(|(_, line)| marks.are_in(&line.text))
            .map(|(_, line)| line)
            .collect();
        found.sort_by_key(|line| line.at);
        let text: String = found
            .iter()
            .map(|line| {
                let text = readable(&line.text);
                format!("{} {}/{} {text}\n", line.at, line.pod, line.container)
            })
            .collect();
        write_stdout(text.as_bytes())
    }

    async fn read(
        &self,
        api: &Api,
        farm: &Farm,
    ) -> Result<Vec<(Option<ServerKind>, LogLine)>, Failure> {
        let mut all = Vec::new();
        for server in &farm.agent.computed.logs {
            let (namespace, app) = (&server.namespace, &server.app);
            let lines = log_lines(api, namespace, app, &server.container, self.since).await?;
            all.extend(lines.into_iter().map(|line| (Some(server.kind), line)));
        }
        if farm.kubernetes.enabled && farm.agent.spec.enabled {
            let app = &farm.agent.computed.workload.name;
            let lines = log_lines(api, &farm.release.namespace, app, "agent", self.since).await?;
            all.extend(lines.into_iter().map(|line| (None, line)));
        }
        Ok(all)
    }
}

/// What a machine is known by: names, MACs and addresses, in lower case.
#[derive(Debug)]
struct Marks {
    macs: BTreeSet<String>,
    all: BTreeSet<String>,
}

impl Marks {
    fn of(node: &Listed<'_>) -> Marks {
        let macs = node
            .macs()
            .iter()
            .filter_map(|mac| canonical_mac(mac))
            .collect();
        let name = Some(node.name().to_lowercase()).filter(|name| !name.is_empty());
        let mut marks = Marks {
            macs,
            all: name.into_iter().chain(node.addresses()).collect(),
        };
        marks.add_macs();
        marks
    }

    fn of_mac(mac: String) -> Marks {
        let mut marks = Marks {
            macs: BTreeSet::from([mac]),
            all: BTreeSet::new(),
        };
        marks.add_macs();
        marks
    }

    /// With hyphens, as in the names of nodes that nobody named.
    fn add_macs(&mut self) {
        for mac in &self.macs {
            self.all.insert(mac.clone());
            self.all.insert(mac.replace(':', "-"));
        }
    }

    /// Takes an address that DHCP gave the machine.
    fn learn(&mut self, line: &str) {
        let Some(sight) = lines::dhcp(line) else {
            return;
        };
        let address: Option<IpAddr> = sight.address;
        if let (Who::Mac(mac), Some(address)) = (sight.who, address)
            && self.macs.contains(&mac)
        {
            self.all.insert(address.to_string());
        }
    }

    /// Whether one of them is a word of the line: an address is not a part of a longer one.
    fn are_in(&self, line: &str) -> bool {
        let line = line.to_lowercase();
        let is_part = |sign: char| sign.is_alphanumeric() || ".:-".contains(sign);
        let mut marks = self.all.iter();
        marks.any(|mark| {
            line.match_indices(mark.as_str()).any(|(at, _)| {
                let before = line.get(..at).and_then(|text| text.chars().next_back());
                let after = line.get(at + mark.len()..);
                let mut after = after.unwrap_or_default().chars();
                let next = after.next();
                // The end of a sentence or of a label.
                let ends = next.is_some_and(|sign| ".:".contains(sign))
                    && after.next().is_none_or(|sign| !is_part(sign));
                !before.is_some_and(is_part) && (ends || !next.is_some_and(is_part))
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_is_found_by_whole_words() {
        let marks = |all: &[&str]| Marks {
            macs: BTreeSet::new(),
            all: all.iter().map(|mark| (*mark).to_owned()).collect(),
        };
        let address = marks(&["10.64.1.1", "r1n01"]);
        for line in [
            "sent /x to 10.64.1.1",
            "10.64.1.1 - - GET",
            "R1N01: kernel",
            "refused 10.64.1.1: no",
            "r1n01 from 10.64.9.9",
        ] {
            assert!(address.are_in(line), "{line}");
        }
        for line in [
            "10.64.1.11",
            "110.64.1.1",
            "r1n011",
            "xr1n01",
            "10.64.1.1.5",
            "",
        ] {
            assert!(!address.are_in(line), "{line}");
        }
    }

    #[test]
    fn an_address_that_dhcp_gave_it_is_a_mark() {
        let mut marks = Marks::of_mac("02:00:00:40:07:0a".to_owned());
        marks.learn("dnsmasq-dhcp: DHCPACK(eth0) 10.64.8.15 02:00:00:40:07:0a");
        marks.learn("dnsmasq-dhcp: DHCPACK(eth0) 10.64.8.16 02:00:00:40:07:0b");
        assert!(marks.are_in("10.64.8.15 GET"));
        assert!(!marks.are_in("10.64.8.16 GET"));
        assert!(marks.are_in("node 02-00-00-40-07-0A may join"));
    }
}
