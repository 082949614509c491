//! How far each machine is: what the servers that they boot from write into their logs, what they report themselves,
//! and how they join, put together.

mod follow;
mod metrics;
mod names;
mod server;

use std::cell::{Cell, RefCell};
use std::net::IpAddr;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::Node;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use tokio::time::sleep;

use self::follow::{Line, follow};
use self::metrics::Metrics;
use self::names::FarmNames;
use self::server::Server;
use super::error::AgentError;
use super::farm_agent::{Clusters, ready};
use super::faults::Faults;
use super::known::Known;
use crate::cluster::{Event, Observer};
use crate::farm::server_logs::{ServerKind, ServerLog};
use crate::nodes::boot::machines::{Change, Machines};
use crate::nodes::boot::{Seen, Sight, Stage, Who, lines};

/// How often to look whether the values name other servers, or machines other names.
const LOOK: Duration = Duration::from_secs(2);

/// What was seen of all machines.
pub(super) struct Boots<'a> {
    observer: &'a dyn Observer,
    known: &'a RefCell<Known>,
    machines: RefCell<Machines>,
    names: RefCell<FarmNames>,
    metrics: Metrics,
    /// What is older was told by the agent before this one.
    since: Timestamp,
    /// The version of the settings that the names are from.
    version: Cell<u64>,
}

impl<'a> Boots<'a> {
    pub fn new(known: &'a RefCell<Known>, observer: &'a dyn Observer) -> Boots<'a> {
        Boots {
            observer,
            known,
            machines: RefCell::default(),
            names: RefCell::default(),
            metrics: Metrics::new(),
            since: Timestamp::now(),
            version: Cell::default(),
        }
    }

    /// Follows the servers, and answers who asks on `port`, for ever.
    ///
    /// # Errors
    /// A port that cannot be had.
    pub async fn run(
        &self,
        clusters: &Clusters,
        port: u16,
        faults: &Faults<'_>,
    ) -> Result<(), AgentError> {
        let server = Server::bind(port).await?;
        tokio::select! {
            () = server.run(self) => {}
            () = self.follow_servers(clusters, faults) => {}
        }
        Ok(())
    }

    /// Follows those that the values name, and others once they name others.
    async fn follow_servers(&self, clusters: &Clusters, faults: &Faults<'_>) {
        let servers = || self.known.borrow().settings.servers();
        loop {
            let followed = servers();
            let changed = async {
                while servers() == followed {
                    sleep(LOOK).await;
                    self.learn_names();
                }
            };
            tokio::select! {
                () = changed => {}
                () = follow(&clusters.admin_client, &followed, faults, |server, line| self.line(server, line)) => {}
            }
        }
    }

    fn line(&self, server: &ServerLog, line: &Line) {
        let sight = match server.kind {
            ServerKind::Dhcp | ServerKind::SharedDhcp => lines::dhcp(&line.text),
            ServerKind::Tftp => lines::tftp(&line.text),
            ServerKind::Http => lines::http(&line.text),
        };
        let Some(sight) = sight else { return };
        let is_shared = server.kind == ServerKind::SharedDhcp;
        if !is_shared || self.is_ours(&sight) {
            self.saw(sight, line.at);
        }
    }

    /// Whether a machine that asks a DHCP server of several farms is one of this one.
    fn is_ours(&self, sight: &Sight) -> bool {
        self.learn_names();
        let is_listed = match &sight.who {
            Who::Mac(mac) => self.names.borrow().has_mac(mac),
            _ => false,
        };
        let known = self.known.borrow();
        let is_for_unnamed = |address| known.settings.is_for_unnamed(address);
        is_listed || sight.address.is_some_and(is_for_unnamed)
    }

    /// A machine was let in.
    pub fn granted(&self, name: &str, source: IpAddr) {
        self.metrics.granted();
        let sight = Sight {
            address: Some(source),
            ..asks(name, "may join".to_owned())
        };
        self.saw(sight, Timestamp::now());
    }

    /// A machine was not let in.
    pub fn refused(&self, name: Option<&str>, reason: &str) {
        self.metrics.refused();
        let Some(name) = name else { return };
        // Anybody can ask, in any name: it counts where a machine of this name boots.
        let stage = self.machines.borrow().get(name).map(|one| one.stage);
        let is_listed = self.known.borrow().settings.machine(name).is_some();
        if stage < Some(Stage::NotReady) && (stage.is_some() || is_listed) {
            let sight = asks(name, format!("may not join: {reason}"));
            self.saw(sight.fault(), Timestamp::now());
        }
    }

    /// What a Node reports of itself, or what the control plane knows of it.
    pub fn node(&self, node: &Node) {
        let Some(name) = &node.metadata.name else {
            return;
        };
        let Some(condition) = ready(node) else { return };
        let is_ready = condition.status == "True";
        // Kubelets count whole seconds, and the join was in one of them.
        let end_of_second = |time: &Time| time.0 + SignedDuration::from_millis(999);
        let changed = condition.last_transition_time.as_ref().map(end_of_second);
        let heard = condition.last_heartbeat_time.as_ref().map(end_of_second);
        let seen = self
            .machines
            .borrow()
            .get(name)
            .map(|one| (one.stage, one.since));
        let at = match seen {
            // A machine that was back before anybody noticed that it was gone.
            Some((Stage::Join, since)) if is_ready => {
                changed.max(heard.filter(|heard| *heard > since))
            }
            _ => changed,
        };
        let (stage, text) = if is_ready {
            (Stage::Ready, "is Ready".to_owned())
        } else {
            let reason = condition.message.as_deref().unwrap_or_default();
            (Stage::NotReady, format!("is not Ready: {reason}"))
        };
        let sight = Sight::new(Who::Name(name.clone()), stage, text);
        self.saw(sight, at.unwrap_or_else(Timestamp::now));
        let info = node
            .status
            .as_ref()
            .and_then(|status| status.node_info.as_ref());
        if let Some(info) = info {
            self.machines
                .borrow_mut()
                .version(name, &info.kubelet_version);
        }
    }

    fn saw(&self, sight: Sight, at: Timestamp) {
        self.learn_names();
        let names = self.names.borrow();
        let known = self.known.borrow();
        let of_farm = names.with(&known.settings);
        let change = self.machines.borrow_mut().take(sight, at, &of_farm);
        if let Some(change) = change.filter(|_| at >= self.since) {
            self.report(&change, at);
        }
    }

    fn report(&self, change: &Change, at: Timestamp) {
        let Change {
            name,
            stage,
            text,
            fault,
        } = change;
        let line = match fault {
            Some(fault) => format!("{name}: stopped at {stage}: {fault}"),
            None => format!("{name}: {stage}: {text}"),
        };
        self.observer.observe(&Event::Note(&line));
        let machines = self.machines.borrow();
        let began = machines.get(name).and_then(|machine| machine.began);
        if let (Stage::Ready, Some(began)) = (*stage, began) {
            let took: SignedDuration = at.duration_since(began);
            self.metrics.booted(took.as_secs_f64());
        }
    }

    /// Takes the names of machines from settings that are new.
    fn learn_names(&self) {
        let known = self.known.borrow();
        if self.version.replace(known.settings.version()) == known.settings.version() {
            return;
        }
        self.names.replace(FarmNames::of(&known.settings));
        let names = self.names.borrow();
        self.machines
            .borrow_mut()
            .rename(&names.with(&known.settings));
    }

    fn since(&self, revision: u64) -> Seen {
        self.machines.borrow().since(revision)
    }

    fn metrics(&self) -> String {
        self.metrics.text(&self.machines.borrow().count())
    }
}

fn asks(name: &str, text: String) -> Sight {
    Sight::new(Who::Name(name.to_owned()), Stage::Join, text)
}
